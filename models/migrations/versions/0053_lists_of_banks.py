"""Loans that banks have made come in lists that are accepted as a whole; samples of them are looked at.

Revision ID: 0053
Revises: 0052
Created: 2026-11-30 14:32:57.941525
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('bank_batch',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('scheme_id', sa.Integer(), nullable=False),
    sa.Column('bank_id', sa.Integer(), nullable=False),
    sa.Column('product_id', sa.Integer(), nullable=False),
    sa.Column('fee_rate_pct', columns.Scaled(18, 4), nullable=False),
    sa.Column('assistant_id', sa.Integer(), nullable=False),
    sa.Column('vat_filing', sa.String(length=100), nullable=True),
    sa.Column('note', sa.String(length=200), nullable=True),
    sa.Column('row_count', sa.Integer(), nullable=False),
    sa.Column('amount', columns.Money(), nullable=False),
    sa.Column('breaker', sa.String(length=300), nullable=True),
    sa.Column('checks_failed', sa.String(length=200), nullable=True),
    sa.Column('sample_pct', columns.Scaled(18, 2), nullable=True),
    sa.Column('handler_id', sa.Integer(), nullable=True),
    sa.Column('department_id', sa.Integer(), nullable=True),
    sa.Column('approved_on', sa.Date(), nullable=True),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('state', sa.Enum('DRAFT', 'IN_APPROVAL', 'APPROVED', 'REJECTED', 'VOID', name='paperstate', native_enum=False, length=32), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint("(state = 'APPROVED') = (approved_on is not null)", name='ck_bank_batch_approved'),
    sa.CheckConstraint('amount >= 0 and row_count >= 0', name='ck_bank_batch_figures'),
    sa.ForeignKeyConstraint(['assistant_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['bank_id'], ['partner_bank.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['handler_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['scheme_id'], ['sharing_scheme.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('number')
    )
    with op.batch_alter_table('bank_batch', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_bank_batch_approved_on'), ['approved_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_bank_batch_assistant_id'), ['assistant_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_bank_batch_bank_id'), ['bank_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_bank_batch_department_id'), ['department_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_bank_batch_handler_id'), ['handler_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_bank_batch_product_id'), ['product_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_bank_batch_scheme_id'), ['scheme_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_bank_batch_state'), ['state'], unique=False)

    op.create_table('batch_loan',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('customer_name', sa.String(length=100), nullable=False),
    sa.Column('uscc', sa.String(length=18), nullable=True),
    sa.Column('id_number', sa.String(length=18), nullable=True),
    sa.Column('bank_note_no', sa.String(length=60), nullable=False),
    sa.Column('amount', columns.Money(), nullable=False),
    sa.Column('rate_annual_pct', columns.Scaled(18, 6), nullable=False),
    sa.Column('drawn_on', sa.Date(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('repayment_method', sa.Enum('EQUAL_INSTALMENT', 'EQUAL_PRINCIPAL', 'INTEREST_FIRST', 'BULLET', 'CUSTOM', name='repaymentmethod', native_enum=False, length=32), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('small_kind', sa.Enum('NONE', 'SMALL', 'MICRO', 'OWNER', name='smallkind', native_enum=False, length=32), nullable=False),
    sa.Column('is_farmer', sa.Boolean(), nullable=False),
    sa.Column('is_agriculture', sa.Boolean(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=True),
    sa.Column('project_id', sa.Integer(), nullable=True),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint('(uscc is null) <> (id_number is null)', name='ck_batch_loan_one_number'),
    sa.CheckConstraint('due_on > drawn_on', name='ck_batch_loan_dates'),
    sa.ForeignKeyConstraint(['batch_id'], ['bank_batch.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('bank_note_no', name='uq_batch_loan_bank_note_no')
    )
    with op.batch_alter_table('batch_loan', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_batch_loan_batch_id'), ['batch_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_batch_loan_customer_id'), ['customer_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_batch_loan_drawn_on'), ['drawn_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_batch_loan_due_on'), ['due_on'], unique=False)
        batch_op.create_index('ix_batch_loan_id_number', ['id_number'], unique=False)
        batch_op.create_index(batch_op.f('ix_batch_loan_project_id'), ['project_id'], unique=True)
        batch_op.create_index('ix_batch_loan_uscc', ['uscc'], unique=False)

    op.create_table('sample_check',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('project_id', sa.Integer(), nullable=False),
    sa.Column('checker_id', sa.Integer(), nullable=True),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('checked_on', sa.Date(), nullable=True),
    sa.Column('findings', sa.String(length=500), nullable=True),
    sa.Column('state', sa.Enum('PENDING', 'PASSED', 'FAILED', name='checkstate', native_enum=False, length=32), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_at', columns.UtcDateTime(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.CheckConstraint("(state = 'PENDING') = (checked_on is null)", name='ck_sample_check_checked'),
    sa.ForeignKeyConstraint(['batch_id'], ['bank_batch.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['checker_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['created_by_id'], ['employee.id'], ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('sample_check', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sample_check_batch_id'), ['batch_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_sample_check_checker_id'), ['checker_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_sample_check_due_on'), ['due_on'], unique=False)
        batch_op.create_index('ix_sample_check_open', ['state', 'due_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_sample_check_project_id'), ['project_id'], unique=True)
        batch_op.create_index(batch_op.f('ix_sample_check_state'), ['state'], unique=False)

    op.add_column(
        "product", sa.Column("is_bulk", sa.Boolean(), server_default=sa.false(), nullable=False)
    )



def downgrade() -> None:
    """Undo."""
    op.drop_column("product", "is_bulk")

    with op.batch_alter_table('sample_check', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sample_check_state'))
        batch_op.drop_index(batch_op.f('ix_sample_check_project_id'))
        batch_op.drop_index('ix_sample_check_open')
        batch_op.drop_index(batch_op.f('ix_sample_check_due_on'))
        batch_op.drop_index(batch_op.f('ix_sample_check_checker_id'))
        batch_op.drop_index(batch_op.f('ix_sample_check_batch_id'))

    op.drop_table('sample_check')
    with op.batch_alter_table('batch_loan', schema=None) as batch_op:
        batch_op.drop_index('ix_batch_loan_uscc')
        batch_op.drop_index(batch_op.f('ix_batch_loan_project_id'))
        batch_op.drop_index('ix_batch_loan_id_number')
        batch_op.drop_index(batch_op.f('ix_batch_loan_due_on'))
        batch_op.drop_index(batch_op.f('ix_batch_loan_drawn_on'))
        batch_op.drop_index(batch_op.f('ix_batch_loan_customer_id'))
        batch_op.drop_index(batch_op.f('ix_batch_loan_batch_id'))

    op.drop_table('batch_loan')
    with op.batch_alter_table('bank_batch', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_bank_batch_state'))
        batch_op.drop_index(batch_op.f('ix_bank_batch_scheme_id'))
        batch_op.drop_index(batch_op.f('ix_bank_batch_product_id'))
        batch_op.drop_index(batch_op.f('ix_bank_batch_handler_id'))
        batch_op.drop_index(batch_op.f('ix_bank_batch_department_id'))
        batch_op.drop_index(batch_op.f('ix_bank_batch_bank_id'))
        batch_op.drop_index(batch_op.f('ix_bank_batch_assistant_id'))
        batch_op.drop_index(batch_op.f('ix_bank_batch_approved_on'))

    op.drop_table('bank_batch')
