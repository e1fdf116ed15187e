"""Each change of the configuration is kept as a version; what a second person must publish waits; rules have examples.

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('config_version',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('table_name', sa.String(length=64), nullable=False),
    sa.Column('record_id', sa.Integer(), nullable=True),
    sa.Column('object_key', sa.String(length=300), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('act', sa.Enum('BEFORE', 'CREATE', 'UPDATE', 'DELETE', 'RESTORE', name='versionact', native_enum=False, length=32), nullable=False),
    sa.Column('summary', sa.String(length=500), nullable=True),
    sa.Column('at', columns.UtcDateTime(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=True),
    sa.Column('published_by_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=True),
    sa.Column('effective_on', sa.Date(), nullable=True),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint('number >= 1', name='ck_config_version_number'),
    sa.ForeignKeyConstraint(['author_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['published_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('table_name', 'object_key', 'number', name='uq_config_version_number')
    )
    with op.batch_alter_table('config_version', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_config_version_act'), ['act'], unique=False)
        batch_op.create_index(batch_op.f('ix_config_version_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_config_version_author_id'), ['author_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_config_version_object_key'), ['object_key'], unique=False)
        batch_op.create_index('ix_config_version_record', ['table_name', 'record_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_config_version_table_name'), ['table_name'], unique=False)

    op.create_table('rule_example',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('table_name', sa.String(length=64), nullable=False),
    sa.Column('object_key', sa.String(length=300), nullable=False),
    sa.Column('field', sa.String(length=64), nullable=False),
    sa.Column('title', sa.String(length=60), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('is_met', sa.Boolean(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('table_name', 'object_key', 'field', 'title', name='uq_rule_example_title')
    )
    op.create_table('config_proposal',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('table_name', sa.String(length=64), nullable=False),
    sa.Column('record_id', sa.Integer(), nullable=True),
    sa.Column('object_key', sa.String(length=300), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('act', sa.Enum('BEFORE', 'CREATE', 'UPDATE', 'DELETE', 'RESTORE', name='versionact', native_enum=False, length=32), nullable=False),
    sa.Column('summary', sa.String(length=500), nullable=True),
    sa.Column('state', sa.Enum('PENDING', 'DONE', 'REFUSED', 'WITHDRAWN', name='proposalstate', native_enum=False, length=32), nullable=False),
    sa.Column('proposed_by_id', sa.Integer(), nullable=False),
    sa.Column('proposed_at', columns.UtcDateTime(), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=True),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('decided_at', columns.UtcDateTime(), nullable=True),
    sa.Column('refusal', sa.String(length=200), nullable=True),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint("(state = 'PENDING') = (decided_at IS NULL)", name='ck_config_proposal_decided'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['decided_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['proposed_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('config_proposal', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_config_proposal_decided_by_id'), ['decided_by_id'], unique=False)
        batch_op.create_index('ix_config_proposal_object', ['table_name', 'object_key'], unique=False)
        batch_op.create_index(batch_op.f('ix_config_proposal_proposed_by_id'), ['proposed_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_config_proposal_state'), ['state'], unique=False)
        batch_op.create_index(batch_op.f('ix_config_proposal_table_name'), ['table_name'], unique=False)



def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table('config_proposal', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_config_proposal_table_name'))
        batch_op.drop_index(batch_op.f('ix_config_proposal_state'))
        batch_op.drop_index(batch_op.f('ix_config_proposal_proposed_by_id'))
        batch_op.drop_index('ix_config_proposal_object')
        batch_op.drop_index(batch_op.f('ix_config_proposal_decided_by_id'))

    op.drop_table('config_proposal')
    op.drop_table('rule_example')
    with op.batch_alter_table('config_version', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_config_version_table_name'))
        batch_op.drop_index('ix_config_version_record')
        batch_op.drop_index(batch_op.f('ix_config_version_object_key'))
        batch_op.drop_index(batch_op.f('ix_config_version_author_id'))
        batch_op.drop_index(batch_op.f('ix_config_version_at'))
        batch_op.drop_index(batch_op.f('ix_config_version_act'))

    op.drop_table('config_version')
