"""Projects are filed with re-guarantors in batches, and their part of the fee is listed and paid.

Revision ID: 0047
Revises: 0046
Created: 2026-11-30 14:10:14.652268
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = '0047'
down_revision = '0046'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('cession_statement',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('company_id', sa.Integer(), nullable=False),
    sa.Column('until_on', sa.Date(), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=True),
    sa.Column('row_count', sa.Integer(), nullable=False),
    sa.Column('amount', columns.Money(), nullable=False),
    sa.Column('approved_on', sa.Date(), nullable=True),
    sa.Column('paid_on', sa.Date(), nullable=True),
    sa.Column('payment_no', sa.String(length=60), nullable=True),
    sa.Column('is_paid', sa.Boolean(), nullable=False),
    sa.Column('handler_id', sa.Integer(), nullable=True),
    sa.Column('department_id', sa.Integer(), nullable=True),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('returned_reason', sa.String(length=200), nullable=True),
    sa.Column('is_booked', sa.Boolean(), nullable=False),
    sa.Column('state', sa.Enum('DRAFT', 'IN_APPROVAL', 'APPROVED', 'REJECTED', 'VOID', name='paperstate', native_enum=False, length=32), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint("(state = 'APPROVED') = (approved_on is not null)", name='ck_cession_statement_approved'),
    sa.CheckConstraint("paid_on is null or state = 'APPROVED'", name='ck_cession_statement_paid'),
    sa.CheckConstraint('amount >= 0', name='ck_cession_statement_amount'),
    sa.ForeignKeyConstraint(['company_id'], ['guarantee_company.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['handler_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('number')
    )
    with op.batch_alter_table('cession_statement', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_cession_statement_company_id'), ['company_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_cession_statement_department_id'), ['department_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_cession_statement_handler_id'), ['handler_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_cession_statement_paid_on'), ['paid_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_cession_statement_state'), ['state'], unique=False)
        batch_op.create_index(batch_op.f('ix_cession_statement_until_on'), ['until_on'], unique=False)

    op.create_table('filing',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('company_id', sa.Integer(), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=True),
    sa.Column('row_count', sa.Integer(), nullable=False),
    sa.Column('amount', columns.Money(), nullable=False),
    sa.Column('sending_no', sa.Integer(), nullable=False),
    sa.Column('sent_on', sa.Date(), nullable=True),
    sa.Column('handler_id', sa.Integer(), nullable=True),
    sa.Column('department_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('DRAFT', 'SUBMITTED', 'RETURNED', 'DONE', name='filingstate', native_enum=False, length=32), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint("(state = 'DRAFT') = (sent_on is null)", name='ck_filing_sent'),
    sa.CheckConstraint('amount >= 0 and row_count >= 0', name='ck_filing_figures'),
    sa.ForeignKeyConstraint(['company_id'], ['guarantee_company.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['handler_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('number')
    )
    with op.batch_alter_table('filing', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_filing_company_id'), ['company_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_filing_department_id'), ['department_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_filing_handler_id'), ['handler_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_filing_sent_on'), ['sent_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_filing_state'), ['state'], unique=False)

    op.create_table('filing_receipt',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('project_id', sa.Integer(), nullable=False),
    sa.Column('answered_on', sa.Date(), nullable=False),
    sa.Column('outcome', sa.Enum('ACCEPTED', 'REFUSED', name='filingoutcome', native_enum=False, length=32), nullable=False),
    sa.Column('receipt_no', sa.String(length=60), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=True),
    sa.Column('company_id', sa.Integer(), nullable=True),
    sa.Column('filing_id', sa.Integer(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['company_id'], ['guarantee_company.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['filing_id'], ['filing.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('filing_receipt', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_filing_receipt_answered_on'), ['answered_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_filing_receipt_company_id'), ['company_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_filing_receipt_filing_id'), ['filing_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_filing_receipt_outcome'), ['outcome'], unique=False)
        batch_op.create_index(batch_op.f('ix_filing_receipt_project_id'), ['project_id'], unique=False)

    op.create_table('filing_row',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('filing_id', sa.Integer(), nullable=False),
    sa.Column('project_id', sa.Integer(), nullable=False),
    sa.Column('company_id', sa.Integer(), nullable=False),
    sa.Column('customer_name', sa.String(length=100), nullable=False),
    sa.Column('uscc', sa.String(length=18), nullable=True),
    sa.Column('bank_name', sa.String(length=100), nullable=False),
    sa.Column('bank_note_no', sa.String(length=200), nullable=False),
    sa.Column('amount', columns.Money(), nullable=False),
    sa.Column('rate_annual_pct', columns.Scaled(18, 6), nullable=False),
    sa.Column('fee_rate_pct', columns.Scaled(18, 4), nullable=False),
    sa.Column('start_on', sa.Date(), nullable=False),
    sa.Column('end_on', sa.Date(), nullable=False),
    sa.Column('small_kind', sa.String(length=40), nullable=False),
    sa.Column('share_pct', columns.Scaled(18, 4), nullable=False),
    sa.Column('share_amount', columns.Money(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('sending_no', sa.Integer(), nullable=False),
    sa.Column('receipt_no', sa.String(length=60), nullable=True),
    sa.Column('receipt_on', sa.Date(), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=True),
    sa.Column('correction', sa.String(length=200), nullable=True),
    sa.Column('state', sa.Enum('PENDING', 'SUBMITTED', 'REFUSED', 'DONE', name='rowstate', native_enum=False, length=32), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint("state <> 'DONE' or (receipt_no is not null and receipt_on is not null)", name='ck_filing_row_receipt'),
    sa.CheckConstraint("state <> 'REFUSED' or reason is not null", name='ck_filing_row_reason'),
    sa.ForeignKeyConstraint(['company_id'], ['guarantee_company.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['filing_id'], ['filing.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('project_id', 'company_id', name='uq_filing_row_project')
    )
    with op.batch_alter_table('filing_row', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_filing_row_company_id'), ['company_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_filing_row_due_on'), ['due_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_filing_row_filing_id'), ['filing_id'], unique=False)
        batch_op.create_index('ix_filing_row_open', ['due_on'], unique=False, sqlite_where=sa.text("state <> 'DONE'"), postgresql_where=sa.text("state <> 'DONE'"))
        batch_op.create_index(batch_op.f('ix_filing_row_receipt_no'), ['receipt_no'], unique=False)
        batch_op.create_index(batch_op.f('ix_filing_row_receipt_on'), ['receipt_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_filing_row_state'), ['state'], unique=False)

    op.create_table('ceded_fee',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('project_id', sa.Integer(), nullable=False),
    sa.Column('company_id', sa.Integer(), nullable=False),
    sa.Column('fee_id', sa.Integer(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('base_amount', columns.Money(), nullable=False),
    sa.Column('fee_share_pct', columns.Scaled(18, 4), nullable=False),
    sa.Column('amount', columns.Money(), nullable=False),
    sa.Column('statement_id', sa.Integer(), nullable=True),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint('amount >= 0 and amount <= base_amount', name='ck_ceded_fee_amount'),
    sa.ForeignKeyConstraint(['company_id'], ['guarantee_company.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['fee_id'], ['fee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['statement_id'], ['cession_statement.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('project_id', 'company_id', 'seq', name='uq_ceded_fee')
    )
    with op.batch_alter_table('ceded_fee', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ceded_fee_company_id'), ['company_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ceded_fee_due_on'), ['due_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_ceded_fee_fee_id'), ['fee_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ceded_fee_statement_id'), ['statement_id'], unique=False)



def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table('ceded_fee', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ceded_fee_statement_id'))
        batch_op.drop_index(batch_op.f('ix_ceded_fee_fee_id'))
        batch_op.drop_index(batch_op.f('ix_ceded_fee_due_on'))
        batch_op.drop_index(batch_op.f('ix_ceded_fee_company_id'))

    op.drop_table('ceded_fee')
    with op.batch_alter_table('filing_row', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_filing_row_state'))
        batch_op.drop_index(batch_op.f('ix_filing_row_receipt_on'))
        batch_op.drop_index(batch_op.f('ix_filing_row_receipt_no'))
        batch_op.drop_index('ix_filing_row_open', sqlite_where=sa.text("state <> 'DONE'"), postgresql_where=sa.text("state <> 'DONE'"))
        batch_op.drop_index(batch_op.f('ix_filing_row_filing_id'))
        batch_op.drop_index(batch_op.f('ix_filing_row_due_on'))
        batch_op.drop_index(batch_op.f('ix_filing_row_company_id'))

    op.drop_table('filing_row')
    with op.batch_alter_table('filing_receipt', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_filing_receipt_project_id'))
        batch_op.drop_index(batch_op.f('ix_filing_receipt_outcome'))
        batch_op.drop_index(batch_op.f('ix_filing_receipt_filing_id'))
        batch_op.drop_index(batch_op.f('ix_filing_receipt_company_id'))
        batch_op.drop_index(batch_op.f('ix_filing_receipt_answered_on'))

    op.drop_table('filing_receipt')
    with op.batch_alter_table('filing', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_filing_state'))
        batch_op.drop_index(batch_op.f('ix_filing_sent_on'))
        batch_op.drop_index(batch_op.f('ix_filing_handler_id'))
        batch_op.drop_index(batch_op.f('ix_filing_department_id'))
        batch_op.drop_index(batch_op.f('ix_filing_company_id'))

    op.drop_table('filing')
    with op.batch_alter_table('cession_statement', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_cession_statement_until_on'))
        batch_op.drop_index(batch_op.f('ix_cession_statement_state'))
        batch_op.drop_index(batch_op.f('ix_cession_statement_paid_on'))
        batch_op.drop_index(batch_op.f('ix_cession_statement_handler_id'))
        batch_op.drop_index(batch_op.f('ix_cession_statement_department_id'))
        batch_op.drop_index(batch_op.f('ix_cession_statement_company_id'))

    op.drop_table('cession_statement')
