"""An asset is sold to whoever bids, and what lies in custody is counted: both leave papers that are kept.

Revision ID: 0058
Revises: 0057
Created: 2026-11-30 21:04:45.212827
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('collateral_disposal',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('project_id', sa.Integer(), nullable=False),
    sa.Column('collateral_id', sa.Integer(), nullable=False),
    sa.Column('cause', sa.Enum('REPAY', 'COMPENSATED', name='disposalcause', native_enum=False, length=32), nullable=False),
    sa.Column('way', sa.Enum('AUCTION', 'SALE', 'AGREED', name='disposalway', native_enum=False, length=32), nullable=False),
    sa.Column('reserve_price', columns.Money(), nullable=False),
    sa.Column('agent', sa.String(length=100), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('effect', sa.Text(), nullable=True),
    sa.Column('sold_on', sa.Date(), nullable=True),
    sa.Column('buyer', sa.String(length=100), nullable=True),
    sa.Column('price', columns.Money(), nullable=True),
    sa.Column('costs', columns.Money(), nullable=True),
    sa.Column('evidence', sa.String(length=120), nullable=True),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('state', sa.Enum('DRAFT', 'IN_APPROVAL', 'APPROVED', 'REJECTED', 'VOID', name='paperstate', native_enum=False, length=32), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint("sold_on is null or (state = 'APPROVED' and price > 0 and costs >= 0 and costs <= price and buyer is not null)", name='ck_collateral_disposal_sold'),
    sa.CheckConstraint('reserve_price > 0', name='ck_collateral_disposal_reserve'),
    sa.ForeignKeyConstraint(['collateral_id'], ['collateral.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('number')
    )
    with op.batch_alter_table('collateral_disposal', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_collateral_disposal_cause'), ['cause'], unique=False)
        batch_op.create_index(batch_op.f('ix_collateral_disposal_collateral_id'), ['collateral_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_collateral_disposal_project_id'), ['project_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_collateral_disposal_sold_on'), ['sold_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_collateral_disposal_state'), ['state'], unique=False)
        batch_op.create_index(batch_op.f('ix_collateral_disposal_way'), ['way'], unique=False)

    op.create_table('disposal_round',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('disposal_id', sa.Integer(), nullable=False),
    sa.Column('no', sa.Integer(), nullable=False),
    sa.Column('held_on', sa.Date(), nullable=False),
    sa.Column('asked_price', columns.Money(), nullable=False),
    sa.Column('is_sold', sa.Boolean(), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=True),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint('asked_price > 0', name='ck_disposal_round_price'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['disposal_id'], ['collateral_disposal.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('disposal_id', 'no', name='uq_disposal_round')
    )
    with op.batch_alter_table('disposal_round', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_disposal_round_disposal_id'), ['disposal_id'], unique=False)

    op.create_table('disposal_share',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('disposal_id', sa.Integer(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('payee', sa.String(length=100), nullable=False),
    sa.Column('project_id', sa.Integer(), nullable=True),
    sa.Column('claim', columns.Money(), nullable=False),
    sa.Column('amount', columns.Money(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint('amount >= 0', name='ck_disposal_share_amount'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['disposal_id'], ['collateral_disposal.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('disposal_id', 'seq', name='uq_disposal_share')
    )
    with op.batch_alter_table('disposal_share', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_disposal_share_disposal_id'), ['disposal_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_disposal_share_project_id'), ['project_id'], unique=False)

    op.create_table('stock_take',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('covers', sa.Enum('PAPERS', 'GOODS', 'ALL', name='covers', native_enum=False, length=32), nullable=False),
    sa.Column('place_id', sa.Integer(), nullable=True),
    sa.Column('planned_on', sa.Date(), nullable=False),
    sa.Column('taker_id', sa.Integer(), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=True),
    sa.Column('started_on', sa.Date(), nullable=True),
    sa.Column('row_count', sa.Integer(), nullable=False),
    sa.Column('differences', sa.Integer(), nullable=False),
    sa.Column('surplus', sa.Text(), nullable=True),
    sa.Column('returned_reason', sa.String(length=200), nullable=True),
    sa.Column('confirmed_on', sa.Date(), nullable=True),
    sa.Column('confirmed_by_id', sa.Integer(), nullable=True),
    sa.Column('document_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('DRAFT', 'COUNTING', 'COUNTED', 'CONFIRMED', 'VOID', name='stocktakestate', native_enum=False, length=32), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint("(state = 'CONFIRMED') = (confirmed_on is not null)", name='ck_stock_take_confirmed'),
    sa.ForeignKeyConstraint(['confirmed_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['document_id'], ['issued_document.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['place_id'], ['storage_place.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['taker_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('number')
    )
    with op.batch_alter_table('stock_take', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_stock_take_confirmed_by_id'), ['confirmed_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_stock_take_confirmed_on'), ['confirmed_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_stock_take_covers'), ['covers'], unique=False)
        batch_op.create_index(batch_op.f('ix_stock_take_document_id'), ['document_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_stock_take_place_id'), ['place_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_stock_take_planned_on'), ['planned_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_stock_take_state'), ['state'], unique=False)
        batch_op.create_index(batch_op.f('ix_stock_take_taker_id'), ['taker_id'], unique=False)

    op.create_table('stock_take_row',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('stock_take_id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=160), nullable=False),
    sa.Column('collateral_id', sa.Integer(), nullable=False),
    sa.Column('certificate_id', sa.Integer(), nullable=True),
    sa.Column('expected', sa.String(length=200), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=True),
    sa.Column('counted_on', sa.Date(), nullable=True),
    sa.Column('counted_by_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('PENDING', 'AGREES', 'DIFFERS', 'MISSING', name='countresult', native_enum=False, length=32), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint("state not in ('DIFFERS', 'MISSING') or note is not null", name='ck_stock_take_row_why'),
    sa.ForeignKeyConstraint(['certificate_id'], ['collateral_certificate.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['collateral_id'], ['collateral.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['counted_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['stock_take_id'], ['stock_take.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('stock_take_id', 'code', name='uq_stock_take_row')
    )
    with op.batch_alter_table('stock_take_row', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_stock_take_row_certificate_id'), ['certificate_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_stock_take_row_code'), ['code'], unique=False)
        batch_op.create_index(batch_op.f('ix_stock_take_row_collateral_id'), ['collateral_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_stock_take_row_counted_by_id'), ['counted_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_stock_take_row_state'), ['state'], unique=False)
        batch_op.create_index(batch_op.f('ix_stock_take_row_stock_take_id'), ['stock_take_id'], unique=False)

    with op.batch_alter_table('collateral', schema=None) as batch_op:
        batch_op.add_column(sa.Column('disposed_on', sa.Date(), nullable=True))
        batch_op.create_index(batch_op.f('ix_collateral_disposed_on'), ['disposed_on'], unique=False)

    with op.batch_alter_table('collateral_type', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_counted', sa.Boolean(), nullable=False, server_default=sa.false()))
    # Movable goods of the seeded kinds are counted from the first stock-take on.
    op.execute("UPDATE collateral_type SET is_counted = true WHERE code IN ('VEHICLE', 'EQUIPMENT', 'INVENTORY')")


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table('collateral_type', schema=None) as batch_op:
        batch_op.drop_column('is_counted')

    with op.batch_alter_table('collateral', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_collateral_disposed_on'))
        batch_op.drop_column('disposed_on')

    with op.batch_alter_table('stock_take_row', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_stock_take_row_stock_take_id'))
        batch_op.drop_index(batch_op.f('ix_stock_take_row_state'))
        batch_op.drop_index(batch_op.f('ix_stock_take_row_counted_by_id'))
        batch_op.drop_index(batch_op.f('ix_stock_take_row_collateral_id'))
        batch_op.drop_index(batch_op.f('ix_stock_take_row_code'))
        batch_op.drop_index(batch_op.f('ix_stock_take_row_certificate_id'))

    op.drop_table('stock_take_row')
    with op.batch_alter_table('stock_take', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_stock_take_taker_id'))
        batch_op.drop_index(batch_op.f('ix_stock_take_state'))
        batch_op.drop_index(batch_op.f('ix_stock_take_planned_on'))
        batch_op.drop_index(batch_op.f('ix_stock_take_place_id'))
        batch_op.drop_index(batch_op.f('ix_stock_take_document_id'))
        batch_op.drop_index(batch_op.f('ix_stock_take_covers'))
        batch_op.drop_index(batch_op.f('ix_stock_take_confirmed_on'))
        batch_op.drop_index(batch_op.f('ix_stock_take_confirmed_by_id'))

    op.drop_table('stock_take')
    with op.batch_alter_table('disposal_share', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_disposal_share_project_id'))
        batch_op.drop_index(batch_op.f('ix_disposal_share_disposal_id'))

    op.drop_table('disposal_share')
    with op.batch_alter_table('disposal_round', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_disposal_round_disposal_id'))

    op.drop_table('disposal_round')
    with op.batch_alter_table('collateral_disposal', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_collateral_disposal_way'))
        batch_op.drop_index(batch_op.f('ix_collateral_disposal_state'))
        batch_op.drop_index(batch_op.f('ix_collateral_disposal_sold_on'))
        batch_op.drop_index(batch_op.f('ix_collateral_disposal_project_id'))
        batch_op.drop_index(batch_op.f('ix_collateral_disposal_collateral_id'))
        batch_op.drop_index(batch_op.f('ix_collateral_disposal_cause'))

    op.drop_table('collateral_disposal')
