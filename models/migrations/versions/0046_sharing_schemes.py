"""Schemes say who bears which part of a guarantee; a project names its own and keeps the shares of its drawdown.

Revision ID: 0046
Revises: 0045
Created: 2026-11-30 14:01:28.250451
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = '0046'
down_revision = '0045'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('sharing_scheme',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=20), nullable=False),
    sa.Column('version_no', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('breaker_basis', sa.Enum('YEAR', 'EVER', name='breakerbasis', native_enum=False, length=32), nullable=False),
    sa.Column('filing_days', sa.Integer(), nullable=False),
    sa.Column('agreement_no', sa.String(length=60), nullable=True),
    sa.Column('note', sa.String(length=300), nullable=True),
    sa.Column('enabled_on', sa.Date(), nullable=True),
    sa.Column('state', sa.Enum('DRAFT', 'ACTIVE', 'RETIRED', name='schemestate', native_enum=False, length=32), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint("(state = 'DRAFT') = (enabled_on is null)", name='ck_sharing_scheme_enabled'),
    sa.CheckConstraint('valid_to is null or valid_to >= valid_from', name='ck_sharing_scheme_validity'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('code', 'version_no', name='uq_sharing_scheme_version')
    )
    with op.batch_alter_table('sharing_scheme', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sharing_scheme_state'), ['state'], unique=False)
        batch_op.create_index(batch_op.f('ix_sharing_scheme_valid_to'), ['valid_to'], unique=False)
        batch_op.create_index('uq_sharing_scheme_active', ['code'], unique=True, sqlite_where=sa.text("state = 'ACTIVE'"), postgresql_where=sa.text("state = 'ACTIVE'"))

    op.create_table('scheme_bank',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('scheme_id', sa.Integer(), nullable=False),
    sa.Column('bank_id', sa.Integer(), nullable=False),
    sa.Column('breaker_pct', columns.Scaled(18, 4), nullable=False),
    sa.Column('customer_cap', columns.Money(), nullable=True),
    sa.Column('opening_on', sa.Date(), nullable=True),
    sa.Column('opening_compensated', columns.Money(), nullable=False),
    sa.Column('opening_released', columns.Money(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint('opening_released >= opening_compensated', name='ck_scheme_bank_opening_released'),
    sa.ForeignKeyConstraint(['bank_id'], ['partner_bank.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['scheme_id'], ['sharing_scheme.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('scheme_id', 'bank_id', name='uq_scheme_bank')
    )
    with op.batch_alter_table('scheme_bank', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_scheme_bank_bank_id'), ['bank_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_scheme_bank_scheme_id'), ['scheme_id'], unique=False)

    op.create_table('scheme_product',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('scheme_id', sa.Integer(), nullable=False),
    sa.Column('product_id', sa.Integer(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['scheme_id'], ['sharing_scheme.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('scheme_id', 'product_id', name='uq_scheme_product')
    )
    with op.batch_alter_table('scheme_product', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_scheme_product_product_id'), ['product_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_scheme_product_scheme_id'), ['scheme_id'], unique=False)

    op.create_table('scheme_rule',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('scheme_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('use', sa.Enum('ADMISSION', 'FILING', name='ruleuse', native_enum=False, length=32), nullable=False),
    sa.Column('condition', sa.Text(), nullable=False),
    sa.Column('basis', sa.String(length=200), nullable=True),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['scheme_id'], ['sharing_scheme.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('scheme_id', 'name', name='uq_scheme_rule')
    )
    with op.batch_alter_table('scheme_rule', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_scheme_rule_scheme_id'), ['scheme_id'], unique=False)

    op.create_table('scheme_share',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('scheme_id', sa.Integer(), nullable=False),
    sa.Column('party', sa.Enum('BANK', 'OWN', 'PROVINCE', 'NATIONAL', 'FUND', name='sharingparty', native_enum=False, length=32), nullable=False),
    sa.Column('company_id', sa.Integer(), nullable=True),
    sa.Column('share_pct', columns.Scaled(18, 4), nullable=False),
    sa.Column('fee_share_pct', columns.Scaled(18, 4), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['company_id'], ['guarantee_company.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['scheme_id'], ['sharing_scheme.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('scheme_id', 'party', name='uq_scheme_share_party')
    )
    with op.batch_alter_table('scheme_share', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_scheme_share_company_id'), ['company_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_scheme_share_scheme_id'), ['scheme_id'], unique=False)

    op.create_table('project_share',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('project_id', sa.Integer(), nullable=False),
    sa.Column('scheme_id', sa.Integer(), nullable=False),
    sa.Column('party', sa.Enum('BANK', 'OWN', 'PROVINCE', 'NATIONAL', 'FUND', name='sharingparty', native_enum=False, length=32), nullable=False),
    sa.Column('company_id', sa.Integer(), nullable=True),
    sa.Column('share_pct', columns.Scaled(18, 4), nullable=False),
    sa.Column('fee_share_pct', columns.Scaled(18, 4), nullable=False),
    sa.Column('fixed_on', sa.Date(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['company_id'], ['guarantee_company.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['scheme_id'], ['sharing_scheme.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('project_id', 'party', name='uq_project_share_party')
    )
    with op.batch_alter_table('project_share', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_project_share_company_id'), ['company_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_project_share_fixed_on'), ['fixed_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_project_share_project_id'), ['project_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_project_share_scheme_id'), ['scheme_id'], unique=False)

    # In words that both databases take, so that SQLite need not build the table anew.
    op.execute("ALTER TABLE project ADD COLUMN scheme_id INTEGER REFERENCES sharing_scheme (id)")
    op.create_index("ix_project_scheme_id", "project", ["scheme_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_project_scheme_id", "project")
    op.execute("ALTER TABLE project DROP COLUMN scheme_id")
    with op.batch_alter_table('project_share', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_project_share_scheme_id'))
        batch_op.drop_index(batch_op.f('ix_project_share_project_id'))
        batch_op.drop_index(batch_op.f('ix_project_share_fixed_on'))
        batch_op.drop_index(batch_op.f('ix_project_share_company_id'))

    op.drop_table('project_share')
    with op.batch_alter_table('scheme_share', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_scheme_share_scheme_id'))
        batch_op.drop_index(batch_op.f('ix_scheme_share_company_id'))

    op.drop_table('scheme_share')
    with op.batch_alter_table('scheme_rule', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_scheme_rule_scheme_id'))

    op.drop_table('scheme_rule')
    with op.batch_alter_table('scheme_product', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_scheme_product_scheme_id'))
        batch_op.drop_index(batch_op.f('ix_scheme_product_product_id'))

    op.drop_table('scheme_product')
    with op.batch_alter_table('scheme_bank', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_scheme_bank_scheme_id'))
        batch_op.drop_index(batch_op.f('ix_scheme_bank_bank_id'))

    op.drop_table('scheme_bank')
    with op.batch_alter_table('sharing_scheme', schema=None) as batch_op:
        batch_op.drop_index('uq_sharing_scheme_active', sqlite_where=sa.text("state = 'ACTIVE'"), postgresql_where=sa.text("state = 'ACTIVE'"))
        batch_op.drop_index(batch_op.f('ix_sharing_scheme_valid_to'))
        batch_op.drop_index(batch_op.f('ix_sharing_scheme_state'))

    op.drop_table('sharing_scheme')
