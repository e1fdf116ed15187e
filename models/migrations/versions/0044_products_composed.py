"""A product says by itself how its projects go: stages, prices, documents, ways of repayment, texts of its own.

Revision ID: 0044
Revises: 0043
Created: 2026-11-30 13:59:17.533195
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_FLAGS = ("has_intent", "has_board", "has_counter")
_PRICES = (
    ("fee_rate_min_pct", columns.Scaled(18, 4)),
    ("rate_max_pct", columns.Scaled(18, 6)),
    ("benchmark", sa.String(32)),
    ("spread_bp", columns.Scaled(18, 2)),
    ("on_from", sa.Date()),
    ("on_until", sa.Date()),
)


def upgrade() -> None:
    """Apply."""
    op.create_table('product_repayment',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('product_id', sa.Integer(), nullable=False),
    sa.Column('method', sa.Enum('EQUAL_INSTALMENT', 'EQUAL_PRINCIPAL', 'INTEREST_FIRST', 'BULLET', 'CUSTOM', name='repaymentmethod', native_enum=False, length=32), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('product_id', 'method', name='uq_product_repayment')
    )
    with op.batch_alter_table('product_repayment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_product_repayment_product_id'), ['product_id'], unique=False)

    op.create_table('project_document',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('project_id', sa.Integer(), nullable=False),
    sa.Column('category', sa.String(length=32), nullable=False),
    sa.Column('copies', sa.Integer(), nullable=False),
    sa.Column('is_original', sa.Boolean(), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('note', sa.String(length=200), nullable=True),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('project_id', 'category', name='uq_project_document')
    )
    with op.batch_alter_table('project_document', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_project_document_project_id'), ['project_id'], unique=False)

    with op.batch_alter_table('document_template', schema=None) as batch_op:
        batch_op.add_column(sa.Column('general_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('product_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_document_template_general_id'), ['general_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_document_template_product_id'), ['product_id'], unique=False)
        batch_op.create_unique_constraint('uq_document_template_product', ['general_id', 'product_id'])
        batch_op.create_check_constraint(
            'ck_document_template_product', '(general_id is null) = (product_id is null)'
        )
        batch_op.create_foreign_key(
            'fk_document_template_general_id', 'document_template', ['general_id'], ['id'], ondelete='NO ACTION'
        )
        batch_op.create_foreign_key(
            'fk_document_template_product_id', 'product', ['product_id'], ['id'], ondelete='NO ACTION'
        )

    for name, kind in _PRICES:
        op.add_column("product", sa.Column(name, kind, nullable=True))
    for table in ("product", "project"):
        for name in _FLAGS:
            op.add_column(
                table, sa.Column(name, sa.Boolean(), server_default=sa.true(), nullable=False)
            )
    op.drop_column("product", "deposit_rate_pct")  # said once more what 产品费用 says, and was read by nobody
    copies = sa.Column("copies", sa.Integer(), server_default="1", nullable=False)
    op.add_column("product_document", copies)
    for name in ("needs_original", "has_expiry"):
        op.add_column(
            "product_document",
            sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False),
        )
    # A resolution of a product without 审保会 has no item.
    with op.batch_alter_table("resolution", schema=None) as batch_op:
        batch_op.alter_column("item_id", existing_type=sa.Integer(), nullable=True)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("resolution", schema=None) as batch_op:
        batch_op.alter_column("item_id", existing_type=sa.Integer(), nullable=False)
    for name in ("has_expiry", "needs_original", "copies"):
        op.drop_column("product_document", name)
    deposit = sa.Column("deposit_rate_pct", columns.Scaled(18, 4), server_default="0", nullable=False)
    op.add_column("product", deposit)
    for table in ("product", "project"):
        for name in _FLAGS:
            op.drop_column(table, name)
    for name, _ in _PRICES:
        op.drop_column("product", name)
    with op.batch_alter_table('document_template', schema=None) as batch_op:
        batch_op.drop_constraint('fk_document_template_product_id', type_='foreignkey')
        batch_op.drop_constraint('fk_document_template_general_id', type_='foreignkey')
        batch_op.drop_constraint('ck_document_template_product', type_='check')
        batch_op.drop_constraint('uq_document_template_product', type_='unique')
        batch_op.drop_index(batch_op.f('ix_document_template_product_id'))
        batch_op.drop_index(batch_op.f('ix_document_template_general_id'))
        batch_op.drop_column('product_id')
        batch_op.drop_column('general_id')
    op.drop_table('project_document')
    op.drop_table('product_repayment')
