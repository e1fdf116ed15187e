"""first tables

Revision ID: 0001
Revises:
Created: 2026-11-23 19:18:36.573415
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Foreign keys of tables that refer to each other: (table, column, target, on delete).
LATE = (
    ("account", "created_by_id", "employee", "RESTRICT"),
    ("approval_position", "created_by_id", "employee", "RESTRICT"),
    ("approval_type", "created_by_id", "employee", "RESTRICT"),
    ("attachment", "created_by_id", "employee", "RESTRICT"),
    ("attachment", "uploaded_by_id", "employee", "RESTRICT"),
    ("audit_log", "created_by_id", "employee", "RESTRICT"),
    ("audit_log", "employee_id", "employee", "RESTRICT"),
    ("audit_log", "on_behalf_of_id", "employee", "RESTRICT"),
    ("comment", "created_by_id", "employee", "RESTRICT"),
    ("company", "created_by_id", "employee", "RESTRICT"),
    ("company", "logo_id", "attachment", "SET NULL"),
    ("company_snapshot", "created_by_id", "employee", "RESTRICT"),
    ("completeness_item", "created_by_id", "employee", "RESTRICT"),
    ("department", "created_by_id", "employee", "RESTRICT"),
    ("department", "manager_id", "employee", "RESTRICT"),
    ("dictionary_type", "created_by_id", "employee", "RESTRICT"),
    ("document_template", "created_by_id", "employee", "RESTRICT"),
    ("guarantee_company", "created_by_id", "employee", "RESTRICT"),
    ("income_history", "created_by_id", "employee", "RESTRICT"),
    ("job_run", "created_by_id", "employee", "RESTRICT"),
    ("job_run", "requested_by_id", "employee", "RESTRICT"),
    ("number_counter", "created_by_id", "employee", "RESTRICT"),
    ("number_rule", "created_by_id", "employee", "RESTRICT"),
    ("parameter", "created_by_id", "employee", "RESTRICT"),
    ("partner_bank", "created_by_id", "employee", "RESTRICT"),
    ("product", "created_by_id", "employee", "RESTRICT"),
    ("rating_model", "created_by_id", "employee", "RESTRICT"),
    ("statement_row", "created_by_id", "employee", "RESTRICT"),
    ("system_state", "created_by_id", "employee", "RESTRICT"),
    ("voucher_word", "created_by_id", "employee", "RESTRICT"),
    ("warning_rule", "created_by_id", "employee", "RESTRICT"),
    ("approval_flow", "created_by_id", "employee", "RESTRICT"),
    ("dictionary_item", "created_by_id", "employee", "RESTRICT"),
    ("employee", "created_by_id", "employee", "RESTRICT"),
    ("posting_rule", "created_by_id", "employee", "RESTRICT"),
    ("product_document", "created_by_id", "employee", "RESTRICT"),
    ("product_fee", "created_by_id", "employee", "RESTRICT"),
    ("rating_indicator", "created_by_id", "employee", "RESTRICT"),
    ("role_profile", "created_by_id", "employee", "RESTRICT"),
    ("statement_account", "created_by_id", "employee", "RESTRICT"),
    ("accounting_period", "created_by_id", "employee", "RESTRICT"),
    ("approval_node", "created_by_id", "employee", "RESTRICT"),
    ("approval_position_member", "created_by_id", "employee", "RESTRICT"),
    ("customer", "created_by_id", "employee", "RESTRICT"),
    ("joint_group", "created_by_id", "employee", "RESTRICT"),
    ("operator", "created_by_id", "employee", "RESTRICT"),
    ("posting_rule_line", "created_by_id", "employee", "RESTRICT"),
    ("rating_option", "created_by_id", "employee", "RESTRICT"),
    ("review_meeting", "created_by_id", "employee", "RESTRICT"),
    ("account_balance", "created_by_id", "employee", "RESTRICT"),
    ("auxiliary_balance", "created_by_id", "employee", "RESTRICT"),
    ("bank_account", "created_by_id", "employee", "RESTRICT"),
    ("customer_rating", "created_by_id", "employee", "RESTRICT"),
    ("customer_relation", "created_by_id", "employee", "RESTRICT"),
    ("customer_watch", "created_by_id", "employee", "RESTRICT"),
    ("issued_statement", "created_by_id", "employee", "RESTRICT"),
    ("joint_group_member", "created_by_id", "employee", "RESTRICT"),
    ("litigation", "created_by_id", "employee", "RESTRICT"),
    ("major_event", "created_by_id", "employee", "RESTRICT"),
    ("meeting_member", "created_by_id", "employee", "RESTRICT"),
    ("month_end_log", "created_by_id", "employee", "RESTRICT"),
    ("password_history", "created_by_id", "employee", "RESTRICT"),
    ("project", "created_by_id", "employee", "RESTRICT"),
    ("approval_instance", "created_by_id", "employee", "RESTRICT"),
    ("business_event", "created_by_id", "employee", "RESTRICT"),
    ("business_event", "voucher_id", "voucher", "RESTRICT"),
    ("counter_guarantee", "created_by_id", "employee", "RESTRICT"),
    ("executive", "created_by_id", "employee", "RESTRICT"),
    ("external_guarantee", "created_by_id", "employee", "RESTRICT"),
    ("family_member", "created_by_id", "employee", "RESTRICT"),
    ("fee", "created_by_id", "employee", "RESTRICT"),
    ("financial_statement", "created_by_id", "employee", "RESTRICT"),
    ("income_expense", "created_by_id", "employee", "RESTRICT"),
    ("investigation_report", "created_by_id", "employee", "RESTRICT"),
    ("issued_document", "created_by_id", "employee", "RESTRICT"),
    ("issued_document", "issued_by_id", "employee", "RESTRICT"),
    ("occupation", "created_by_id", "employee", "RESTRICT"),
    ("project_holder", "created_by_id", "employee", "RESTRICT"),
    ("project_snapshot", "created_by_id", "employee", "RESTRICT"),
    ("project_stage", "created_by_id", "employee", "RESTRICT"),
    ("qualification", "created_by_id", "employee", "RESTRICT"),
    ("resume", "created_by_id", "employee", "RESTRICT"),
    ("risk_assessment", "created_by_id", "employee", "RESTRICT"),
    ("risk_warning", "created_by_id", "employee", "RESTRICT"),
    ("shareholder", "created_by_id", "employee", "RESTRICT"),
    ("shop", "created_by_id", "employee", "RESTRICT"),
    ("tax_record", "created_by_id", "employee", "RESTRICT"),
    ("approval_task", "created_by_id", "employee", "RESTRICT"),
    ("bank_letter", "created_by_id", "employee", "RESTRICT"),
    ("contract", "created_by_id", "employee", "RESTRICT"),
    ("drawdown", "created_by_id", "employee", "RESTRICT"),
    ("fee_due", "created_by_id", "employee", "RESTRICT"),
    ("fee_waiver", "created_by_id", "employee", "RESTRICT"),
    ("income_schedule", "created_by_id", "employee", "RESTRICT"),
    ("meeting_item", "created_by_id", "employee", "RESTRICT"),
    ("receipt", "created_by_id", "employee", "RESTRICT"),
    ("release", "created_by_id", "employee", "RESTRICT"),
    ("voucher", "created_by_id", "employee", "RESTRICT"),
    ("income_recognition", "created_by_id", "employee", "RESTRICT"),
    ("meeting_vote", "created_by_id", "employee", "RESTRICT"),
    ("opening_import", "created_by_id", "employee", "RESTRICT"),
    ("provision_calculation", "created_by_id", "employee", "RESTRICT"),
    ("repayment", "created_by_id", "employee", "RESTRICT"),
    ("repayment_plan", "created_by_id", "employee", "RESTRICT"),
    ("resolution", "created_by_id", "employee", "RESTRICT"),
    ("voucher_entry", "created_by_id", "employee", "RESTRICT"),
    ("instalment", "created_by_id", "employee", "RESTRICT"),
    ("resolution_condition", "created_by_id", "employee", "RESTRICT"),
    ("resubmission", "created_by_id", "employee", "RESTRICT"),
    ("termination", "created_by_id", "employee", "RESTRICT"),
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "ab_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=150), nullable=True),
        sa.Column("description", sa.String(length=512), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "ab_permission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "ab_register_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(length=64), nullable=False),
        sa.Column("last_name", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("password", sa.String(length=256), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("registration_date", sa.DateTime(), nullable=True),
        sa.Column("registration_hash", sa.String(length=256), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("username"),
    )
    op.create_table(
        "ab_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "ab_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(length=64), nullable=False),
        sa.Column("last_name", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("password", sa.String(length=256), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("last_login", sa.DateTime(), nullable=True),
        sa.Column("login_count", sa.Integer(), nullable=True),
        sa.Column("fail_login_count", sa.Integer(), nullable=True),
        sa.Column("created_on", sa.DateTime(), nullable=True),
        sa.Column("changed_on", sa.DateTime(), nullable=True),
        sa.Column("created_by_fk", sa.Integer(), nullable=True),
        sa.Column("changed_by_fk", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["changed_by_fk"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_fk"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("username"),
    )
    op.create_table(
        "ab_view_menu",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column(
            "category",
            sa.Enum(
                "ASSET", "LIABILITY", "EQUITY", "COMMON", "PROFIT", name="accountcategory", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "direction", sa.Enum("DEBIT", "CREDIT", name="direction", native_enum=False, length=32), nullable=False
        ),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("is_leaf", sa.Boolean(), nullable=False),
        sa.Column("needs_customer", sa.Boolean(), nullable=False),
        sa.Column("needs_project", sa.Boolean(), nullable=False),
        sa.Column("needs_bank", sa.Boolean(), nullable=False),
        sa.Column("needs_department", sa.Boolean(), nullable=False),
        sa.Column("is_cash_bank", sa.Boolean(), nullable=False),
        sa.Column(
            "asset_class",
            sa.Enum("ONE", "TWO", "THREE", name="assetclass", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("asset_ratio_pct", columns.Scaled(18, 2), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("(level = 1) = (parent_id IS NULL)", name="ck_account_parent"),
        sa.CheckConstraint("level BETWEEN 1 AND 6", name="ck_account_level"),
        sa.CheckConstraint("parent_id IS NULL OR parent_id <> id", name="ck_account_not_own_parent"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["parent_id"], ["account.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="uq_account_code"),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_direction"), ["direction"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_full_name"), ["full_name"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_is_active"), ["is_active"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_is_leaf"), ["is_leaf"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "approval_position",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=50), nullable=False),
        sa.Column("label", sa.String(length=50), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("remark", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_table(
        "approval_type",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=50), nullable=False),
        sa.Column("label", sa.String(length=50), nullable=False),
        sa.Column("sort_no", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("remark", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_table", sa.String(length=64), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("category", sa.String(length=32), nullable=True),
        sa.Column("original_name", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("detected_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("stored_path", sa.String(length=255), nullable=False),
        sa.Column("uploaded_by_id", sa.Integer(), nullable=True),
        sa.Column("uploaded_at", columns.UtcDateTime(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("size_bytes >= 0", name="ck_attachment_size_bytes"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["uploaded_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index("ix_attachment_owner", ["owner_table", "owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attachment_sha256"), ["sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_attachment_uploaded_by_id"), ["uploaded_by_id"], unique=False)

    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "log_kind",
            sa.Enum(
                "CHANGE",
                "VERB",
                "ACCESS",
                "EXPORT",
                "IMPORT",
                "LOGIN",
                "SECURITY",
                "SYSTEM",
                name="logkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("employee_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(length=60), nullable=False),
        sa.Column("on_behalf_of_id", sa.Integer(), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("table_name", sa.String(length=64), nullable=True),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("record_title", sa.String(length=200), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("seal_hash", sa.String(length=64), nullable=True),
        sa.Column("seal_no", sa.Integer(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["employee_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["on_behalf_of_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_log_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_log_employee_id"), ["employee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_log_log_kind"), ["log_kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_log_project_id"), ["project_id"], unique=False)
        batch_op.create_index("ix_audit_log_record", ["table_name", "record_id"], unique=False)
        batch_op.create_index("ix_audit_log_seal_no", ["seal_no"], unique=True)
        batch_op.create_index("ix_audit_log_unsealed", ["seal_hash", "id"], unique=False)

    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_table", sa.String(length=64), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.create_index("ix_comment_owner", ["owner_table", "owner_id"], unique=False)

    op.create_table(
        "company",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("display_name", sa.String(length=40), nullable=False),
        sa.Column("full_name", sa.String(length=100), nullable=False),
        sa.Column("short_name", sa.String(length=40), nullable=True),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("licence_no", sa.String(length=40), nullable=True),
        sa.Column("legal_person", sa.String(length=50), nullable=True),
        sa.Column("established_on", sa.Date(), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=True),
        sa.Column("postcode", sa.String(length=6), nullable=True),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column("fax", sa.String(length=30), nullable=True),
        sa.Column("seal_character", sa.String(length=8), nullable=False),
        sa.Column("logo_id", sa.Integer(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_company_single_row"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["logo_id"], ["attachment.id"], ondelete="SET NULL", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_company_logo_id"), ["logo_id"], unique=False)

    op.create_table(
        "company_snapshot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.Column("running_count", sa.Integer(), nullable=False),
        sa.Column("in_force_count", sa.Integer(), nullable=False),
        sa.Column("in_force_balance", columns.Money(), nullable=False),
        sa.Column("overdue_count", sa.Integer(), nullable=False),
        sa.Column("overdue_principal", columns.Money(), nullable=False),
        sa.Column("overdue_interest", columns.Money(), nullable=False),
        sa.Column("repaid_principal", columns.Money(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("in_force_balance >= 0", name="ck_company_snapshot_balance"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("taken_on", name="uq_company_snapshot"),
    )
    op.create_table(
        "completeness_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "customer_kind",
            sa.Enum("PERSONAL", "CORPORATE", name="customerkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("section", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("weight > 0", name="ck_completeness_item_weight"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("customer_kind", "source", name="uq_completeness_item_source"),
    )
    with op.batch_alter_table("completeness_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_completeness_item_customer_kind"), ["customer_kind"], unique=False)

    op.create_table(
        "department",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("manager_id", sa.Integer(), nullable=True),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("path", sa.String(length=190), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("parent_id IS NULL OR parent_id <> id", name="ck_department_not_own_parent"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["manager_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["parent_id"], ["department.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="uq_department_code"),
    )
    with op.batch_alter_table("department", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_department_is_active"), ["is_active"], unique=False)
        batch_op.create_index(batch_op.f("ix_department_manager_id"), ["manager_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_department_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_department_path"), ["path"], unique=False)

    op.create_table(
        "dictionary_type",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("is_tree", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="uq_dictionary_type_code"),
    )
    op.create_table(
        "document_template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column(
            "paper", sa.Enum("A4", "A4_LANDSCAPE", "A5", name="papersize", native_enum=False, length=32), nullable=False
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version_no", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("version_no >= 1", name="ck_document_template_version_no"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="uq_document_template_code"),
    )
    with op.batch_alter_table("document_template", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_document_template_is_active"), ["is_active"], unique=False)

    op.create_table(
        "guarantee_company",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column(
            "role",
            sa.Enum("CO_GUARANTEE", "RE_GUARANTEE", name="partnerrole", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("share_pct", columns.Scaled(18, 4), nullable=False),
        sa.Column("fee_share_pct", columns.Scaled(18, 4), nullable=False),
        sa.Column("credit_line", columns.Money(), nullable=True),
        sa.Column("agreement_no", sa.String(length=60), nullable=True),
        sa.Column("agreement_from", sa.Date(), nullable=True),
        sa.Column("agreement_to", sa.Date(), nullable=True),
        sa.Column("contact", sa.String(length=50), nullable=True),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column(
            "status",
            sa.Enum("ACTIVE", "SUSPENDED", "CLOSED", name="partnerstatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "agreement_from IS NULL OR agreement_to IS NULL OR agreement_to >= agreement_from",
            name="ck_guarantee_company_agreement",
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uscc", name="uq_guarantee_company_uscc"),
    )
    with op.batch_alter_table("guarantee_company", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_guarantee_company_agreement_to"), ["agreement_to"], unique=False)
        batch_op.create_index(batch_op.f("ix_guarantee_company_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_guarantee_company_role"), ["role"], unique=False)
        batch_op.create_index(batch_op.f("ix_guarantee_company_status"), ["status"], unique=False)

    op.create_table(
        "income_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("month", name="uq_income_history_month"),
    )
    op.create_table(
        "job_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(length=100), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", name="jobstatus", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("progress_pct", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=100), nullable=True),
        sa.Column("started_at", columns.UtcDateTime(), nullable=True),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.Column("heartbeat_at", columns.UtcDateTime(), nullable=True),
        sa.Column("lease_until", columns.UtcDateTime(), nullable=True),
        sa.Column("owner", sa.String(length=100), nullable=True),
        sa.Column("requested_by_id", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("status <> 'SUCCEEDED' OR finished_at IS NOT NULL", name="ck_job_run_finished_at"),
        sa.CheckConstraint("progress_pct BETWEEN 0 AND 100", name="ck_job_run_progress_pct"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["requested_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("job", "business_date", name="uq_job_run_job"),
    )
    with op.batch_alter_table("job_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_run_business_date"), ["business_date"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_run_requested_by_id"), ["requested_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_run_status"), ["status"], unique=False)

    op.create_table(
        "number_counter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_code", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("last_no", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("last_no >= 0", name="ck_number_counter_last_no"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rule_code", "scope", name="uq_number_counter_scope"),
    )
    op.create_table(
        "number_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("pattern", sa.String(length=80), nullable=False),
        sa.Column(
            "reset", sa.Enum("NEVER", "YEAR", "MONTH", name="numberreset", native_enum=False, length=32), nullable=False
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="uq_number_rule_code"),
    )
    op.create_table(
        "parameter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=True),
        sa.Column(
            "value_kind",
            sa.Enum(
                "NUMBER",
                "PERCENT",
                "DAYS",
                "TEXT",
                "CHOICE",
                "FLAG",
                "DATE",
                name="valuekind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("unit", sa.String(length=16), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column(
            "module",
            sa.Enum(
                "WORKBENCH",
                "CUSTOMER",
                "GUARANTEE",
                "QUERY",
                "AFTER",
                "COLLATERAL",
                "LEDGER",
                "STATISTICS",
                "SYSTEM",
                "CUSTOMER_SETUP",
                "GUARANTEE_SETUP",
                "COLLATERAL_SETUP",
                "HELP",
                name="module",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", "effective_on", name="uq_parameter_code"),
    )
    with op.batch_alter_table("parameter", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parameter_code"), ["code"], unique=False)
        batch_op.create_index(batch_op.f("ix_parameter_effective_on"), ["effective_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_parameter_module"), ["module"], unique=False)

    op.create_table(
        "partner_bank",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("short_name", sa.String(length=40), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column(
            "status",
            sa.Enum("ACTIVE", "SUSPENDED", "CLOSED", name="bankstatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("credit_line", columns.Money(), nullable=True),
        sa.Column("single_limit", columns.Money(), nullable=True),
        sa.Column("deposit_pct", columns.Scaled(18, 4), nullable=False),
        sa.Column("share_pct", columns.Scaled(18, 4), nullable=False),
        sa.Column("compensation_days", sa.Integer(), nullable=False),
        sa.Column("agreement_no", sa.String(length=60), nullable=True),
        sa.Column("agreement_from", sa.Date(), nullable=True),
        sa.Column("agreement_to", sa.Date(), nullable=True),
        sa.Column("deposit_account", sa.String(length=40), nullable=True),
        sa.Column("contact", sa.String(length=50), nullable=True),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column("email", sa.String(length=100), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "agreement_from IS NULL OR agreement_to IS NULL OR agreement_to >= agreement_from",
            name="ck_partner_bank_agreement",
        ),
        sa.CheckConstraint("parent_id IS NULL OR parent_id <> id", name="ck_partner_bank_not_own_parent"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["parent_id"], ["partner_bank.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="uq_partner_bank_code"),
        sa.UniqueConstraint("name", name="uq_partner_bank_name"),
    )
    with op.batch_alter_table("partner_bank", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_bank_agreement_to"), ["agreement_to"], unique=False)
        batch_op.create_index(batch_op.f("ix_partner_bank_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_partner_bank_short_name"), ["short_name"], unique=False)
        batch_op.create_index(batch_op.f("ix_partner_bank_status"), ["status"], unique=False)

    op.create_table(
        "product",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column(
            "guarantee_kind",
            sa.Enum(
                "LOAN",
                "BOND",
                "OTHER_FINANCING",
                "PERFORMANCE",
                "LITIGATION",
                "OTHER_NON_FINANCING",
                name="guaranteekind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "audience",
            sa.Enum("ANY", "PERSONAL", "CORPORATE", name="productaudience", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("amount_min", columns.Money(), nullable=False),
        sa.Column("amount_max", columns.Money(), nullable=False),
        sa.Column("months_min", sa.Integer(), nullable=False),
        sa.Column("months_max", sa.Integer(), nullable=False),
        sa.Column("fee_rate_pct", columns.Scaled(18, 4), nullable=False),
        sa.Column("deposit_rate_pct", columns.Scaled(18, 4), nullable=False),
        sa.Column("coverage_min_pct", columns.Scaled(18, 2), nullable=False),
        sa.Column(
            "repayment_method",
            sa.Enum(
                "EQUAL_INSTALMENT",
                "EQUAL_PRINCIPAL",
                "INTEREST_FIRST",
                "BULLET",
                name="repaymentmethod",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_product_guarantee_kind"), ["guarantee_kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_product_is_active"), ["is_active"], unique=False)

    op.create_table(
        "rating_model",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column(
            "customer_kind",
            sa.Enum("PERSONAL", "CORPORATE", name="customerkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="uq_rating_model_code"),
    )
    with op.batch_alter_table("rating_model", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rating_model_customer_kind"), ["customer_kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_rating_model_is_active"), ["is_active"], unique=False)

    op.create_table(
        "search_text",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("words", sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "statement_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "statement",
            sa.Enum("BALANCE_SHEET", "INCOME", name="statementkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("side", sa.Enum("DEBIT", "CREDIT", name="direction", native_enum=False, length=32), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("formula", sa.String(length=200), nullable=True),
        sa.Column("takes_unclosed_profit", sa.Boolean(), nullable=False),
        sa.Column("opens", sa.String(length=30), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("statement", "row_no", name="uq_statement_row_no"),
    )
    with op.batch_alter_table("statement_row", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_row_side"), ["side"], unique=False)
        batch_op.create_index(batch_op.f("ix_statement_row_statement"), ["statement"], unique=False)

    op.create_table(
        "system_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("base_data_version", sa.Integer(), nullable=False),
        sa.Column("demo_marker", sa.String(length=64), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_system_state_single_row"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "voucher_word",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=4), nullable=False),
        sa.Column("label", sa.String(length=30), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="uq_voucher_word_code"),
        sa.UniqueConstraint("name", name="uq_voucher_word_name"),
    )
    with op.batch_alter_table("voucher_word", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_voucher_word_is_active"), ["is_active"], unique=False)

    op.create_table(
        "warning_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column(
            "level",
            sa.Enum("NOTICE", "ATTENTION", "SERIOUS", name="warninglevel", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("days", sa.String(length=60), nullable=False),
        sa.Column(
            "owner_role",
            sa.Enum("MANAGER", "DEPARTMENT", "RISK", name="warningowner", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("handle_days", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    with op.batch_alter_table("warning_rule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_warning_rule_is_active"), ["is_active"], unique=False)
        batch_op.create_index(batch_op.f("ix_warning_rule_level"), ["level"], unique=False)

    op.create_table(
        "ab_api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("key_hash", sa.String(length=256), nullable=False),
        sa.Column("lookup_hash", sa.String(length=256), nullable=True),
        sa.Column("key_prefix", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_on", sa.DateTime(), nullable=True),
        sa.Column("expires_on", sa.DateTime(), nullable=True),
        sa.Column("revoked_on", sa.DateTime(), nullable=True),
        sa.Column("last_used_on", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("lookup_hash"),
        sa.UniqueConstraint("uuid"),
    )
    with op.batch_alter_table("ab_api_key", schema=None) as batch_op:
        batch_op.create_index("idx_api_key_lookup_hash", ["lookup_hash"], unique=True)
        batch_op.create_index("idx_api_key_prefix", ["key_prefix"], unique=False)
        batch_op.create_index("idx_api_key_user_id", ["user_id"], unique=False)

    op.create_table(
        "ab_group_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("role_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["ab_group.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["role_id"], ["ab_role.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("group_id", "role_id"),
    )
    with op.batch_alter_table("ab_group_role", schema=None) as batch_op:
        batch_op.create_index("idx_group_id", ["group_id"], unique=False)
        batch_op.create_index("idx_group_role_id", ["role_id"], unique=False)

    op.create_table(
        "ab_permission_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("permission_id", sa.Integer(), nullable=False),
        sa.Column("view_menu_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["permission_id"],
            ["ab_permission.id"],
        ),
        sa.ForeignKeyConstraint(
            ["view_menu_id"],
            ["ab_view_menu.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("permission_id", "view_menu_id"),
    )
    with op.batch_alter_table("ab_permission_view", schema=None) as batch_op:
        batch_op.create_index("idx_permission_id", ["permission_id"], unique=False)
        batch_op.create_index("idx_view_menu_id", ["view_menu_id"], unique=False)

    op.create_table(
        "ab_user_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["ab_group.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "group_id"),
    )
    with op.batch_alter_table("ab_user_group", schema=None) as batch_op:
        batch_op.create_index("idx_user_group_id", ["group_id"], unique=False)
        batch_op.create_index("idx_user_id", ["user_id"], unique=False)

    op.create_table(
        "ab_user_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("role_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["role_id"], ["ab_role.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "role_id"),
    )
    op.create_table(
        "approval_flow",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=50), nullable=False),
        sa.Column("version_no", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("business_type_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("DRAFT", "PUBLISHED", "RETIRED", name="flowstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("amount_from", columns.Money(), nullable=True),
        sa.Column("amount_to", columns.Money(), nullable=True),
        sa.Column(
            "customer_kind",
            sa.Enum("PERSONAL", "CORPORATE", name="flowcustomerkind", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("risk_grade", sa.String(length=32), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("(state = 'DRAFT') = (published_on IS NULL)", name="ck_approval_flow_published"),
        sa.CheckConstraint(
            "amount_from IS NULL OR amount_to IS NULL OR amount_from < amount_to", name="ck_approval_flow_amounts"
        ),
        sa.ForeignKeyConstraint(["business_type_id"], ["approval_type.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", "version_no", name="uq_approval_flow_code_version"),
    )
    with op.batch_alter_table("approval_flow", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_flow_business_type_id"), ["business_type_id"], unique=False)
        batch_op.create_index("ix_approval_flow_choice", ["business_type_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_flow_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_flow_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_flow_state"), ["state"], unique=False)
        batch_op.create_index(
            "uq_approval_flow_published",
            ["code"],
            unique=True,
            sqlite_where=sa.text("state = 'PUBLISHED'"),
            postgresql_where=sa.text("state = 'PUBLISHED'"),
        )

    op.create_table(
        "dictionary_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dictionary_type_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("parent_code", sa.String(length=32), nullable=True),
        sa.Column("aliases", sa.String(length=200), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("parent_code IS NULL OR parent_code <> code", name="ck_dictionary_item_not_own_parent"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["dictionary_type_id"], ["dictionary_type.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dictionary_type_id", "code", name="uq_dictionary_item_code"),
    )
    with op.batch_alter_table("dictionary_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dictionary_item_dictionary_type_id"), ["dictionary_type_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dictionary_item_is_active"), ["is_active"], unique=False)
        batch_op.create_index(batch_op.f("ix_dictionary_item_parent_code"), ["parent_code"], unique=False)

    op.create_table(
        "employee",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("manager_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=50), nullable=True),
        sa.Column("gender", sa.Enum("MALE", "FEMALE", name="gender", native_enum=False, length=32), nullable=True),
        sa.Column("mobile", sa.String(length=20), nullable=True),
        sa.Column("office_phone", sa.String(length=30), nullable=True),
        sa.Column("email", sa.String(length=100), nullable=True),
        sa.Column("entered_on", sa.Date(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["manager_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number", name="uq_employee_number"),
    )
    with op.batch_alter_table("employee", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_employee_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_employee_is_active"), ["is_active"], unique=False)
        batch_op.create_index(batch_op.f("ix_employee_manager_id"), ["manager_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_employee_name"), ["name"], unique=False)

    op.create_table(
        "posting_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_code", sa.String(length=60), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("word_id", sa.Integer(), nullable=False),
        sa.Column("memo", sa.String(length=200), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["word_id"], ["voucher_word.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("event_code", "effective_on", name="uq_posting_rule_event"),
    )
    with op.batch_alter_table("posting_rule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_posting_rule_event_code"), ["event_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_posting_rule_is_active"), ["is_active"], unique=False)
        batch_op.create_index(batch_op.f("ix_posting_rule_word_id"), ["word_id"], unique=False)

    op.create_table(
        "product_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("product_id", "category", name="uq_product_document"),
    )
    with op.batch_alter_table("product_document", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_product_document_product_id"), ["product_id"], unique=False)

    op.create_table(
        "product_fee",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "GUARANTEE",
                "SERVICE",
                "HANDLING",
                "DEPOSIT",
                "PENALTY",
                "OTHER",
                name="feekind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "payment",
            sa.Enum("ONE_OFF", "YEARLY", "MONTHLY", name="feepayment", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("rate_pct", columns.Scaled(18, 4), nullable=False),
        sa.Column("is_rate_annual", sa.Boolean(), nullable=False),
        sa.Column("vat_rate_pct", columns.Scaled(18, 2), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("product_id", "kind", name="uq_product_fee"),
    )
    with op.batch_alter_table("product_fee", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_product_fee_product_id"), ["product_id"], unique=False)

    op.create_table(
        "rating_indicator",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rating_model_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("group_label", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("max_score", columns.Scaled(18, 2), nullable=False),
        sa.Column("figure", sa.String(length=40), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("max_score > 0", name="ck_rating_indicator_max_score"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["rating_model_id"], ["rating_model.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rating_model_id", "code", name="uq_rating_indicator_code"),
    )
    with op.batch_alter_table("rating_indicator", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rating_indicator_rating_model_id"), ["rating_model_id"], unique=False)

    op.create_table(
        "role_profile",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column(
            "scope",
            sa.Enum("SELF", "DEPARTMENT", "SUBTREE", "ALL", name="scopekind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("is_builtin", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["role_id"], ["ab_role.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("role_id"),
    )
    op.create_table(
        "statement_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("statement_row_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["statement_row_id"], ["statement_row.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", name="uq_statement_account_account"),
    )
    with op.batch_alter_table("statement_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_account_statement_row_id"), ["statement_row_id"], unique=False)

    op.create_table(
        "ab_permission_view_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("permission_view_id", sa.Integer(), nullable=True),
        sa.Column("role_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["permission_view_id"], ["ab_permission_view.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["role_id"], ["ab_role.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("permission_view_id", "role_id"),
    )
    with op.batch_alter_table("ab_permission_view_role", schema=None) as batch_op:
        batch_op.create_index("idx_permission_view_id", ["permission_view_id"], unique=False)
        batch_op.create_index("idx_role_id", ["role_id"], unique=False)

    op.create_table(
        "accounting_period",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=7), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Enum("OPEN", "CLOSED", name="periodstate", native_enum=False, length=32), nullable=False),
        sa.Column("closed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "(state = 'OPEN' AND closed_at IS NULL AND closed_by_id IS NULL) OR (state = 'CLOSED' AND closed_at IS NOT NULL AND closed_by_id IS NOT NULL)",
            name="ck_accounting_period_closed",
        ),
        sa.CheckConstraint("month BETWEEN 1 AND 12", name="ck_accounting_period_month"),
        sa.CheckConstraint("starts_on <= ends_on", name="ck_accounting_period_dates"),
        sa.ForeignKeyConstraint(["closed_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="uq_accounting_period_code"),
    )
    with op.batch_alter_table("accounting_period", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounting_period_closed_by_id"), ["closed_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_accounting_period_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_accounting_period_year"), ["year"], unique=False)

    op.create_table(
        "approval_node",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flow_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column(
            "chooser",
            sa.Enum("POSITION", "ROLE", "MANAGER", name="nodechooser", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("position_id", sa.Integer(), nullable=True),
        sa.Column("role_name", sa.String(length=64), nullable=True),
        sa.Column("mode", sa.Enum("ANY", "ALL", "VOTE", name="nodemode", native_enum=False, length=32), nullable=False),
        sa.Column("quorum_pct", columns.Scaled(18, 2), nullable=True),
        sa.Column("pass_pct", columns.Scaled(18, 2), nullable=True),
        sa.Column("approve_limit", columns.Money(), nullable=True),
        sa.Column("skip_below", columns.Money(), nullable=True),
        sa.Column("hours_limit", sa.Integer(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("chooser <> 'POSITION' OR position_id IS NOT NULL", name="ck_approval_node_position"),
        sa.CheckConstraint("chooser <> 'ROLE' OR role_name IS NOT NULL", name="ck_approval_node_role"),
        sa.CheckConstraint(
            "mode <> 'VOTE' OR (quorum_pct IS NOT NULL AND pass_pct IS NOT NULL)", name="ck_approval_node_vote"
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["flow_id"], ["approval_flow.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["position_id"], ["approval_position.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("flow_id", "seq", name="uq_approval_node_flow_seq"),
    )
    with op.batch_alter_table("approval_node", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_node_flow_id"), ["flow_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_node_position_id"), ["position_id"], unique=False)

    op.create_table(
        "approval_position_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position_id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["employee_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["position_id"], ["approval_position.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("position_id", "employee_id", "department_id", name="uq_approval_position_member"),
    )
    with op.batch_alter_table("approval_position_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_position_member_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_position_member_employee_id"), ["employee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_position_member_position_id"), ["position_id"], unique=False)
        batch_op.create_index(
            "uq_approval_position_member_all",
            ["position_id", "employee_id"],
            unique=True,
            sqlite_where=sa.text("department_id IS NULL"),
            postgresql_where=sa.text("department_id IS NULL"),
        )

    op.create_table(
        "customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind", sa.Enum("PERSONAL", "CORPORATE", name="customerkind", native_enum=False, length=32), nullable=False
        ),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=True),
        sa.Column("postcode", sa.String(length=6), nullable=True),
        sa.Column("email", sa.String(length=100), nullable=True),
        sa.Column("contact_phone", sa.String(length=30), nullable=True),
        sa.Column("is_guarantee_customer", sa.Boolean(), nullable=False),
        sa.Column("is_credit_customer", sa.Boolean(), nullable=False),
        sa.Column("is_own_controller", sa.Boolean(), nullable=False),
        sa.Column("manager_id", sa.Integer(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("rating_model_id", sa.Integer(), nullable=True),
        sa.Column(
            "grade",
            sa.Enum(
                "AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C", "D", name="grade", native_enum=False, length=32
            ),
            nullable=True,
        ),
        sa.Column("grade_valid_until", sa.Date(), nullable=True),
        sa.Column("credit_line", columns.Money(), nullable=True),
        sa.Column(
            "watch",
            sa.Enum("VIP", "POTENTIAL", "BLACKLIST", name="watchkind", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("is_blacklisted", sa.Boolean(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("ACTIVE", "CLOSED", "MERGED", name="customerstatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("status <> 'MERGED' OR merged_into_id IS NOT NULL", name="ck_customer_merged_into"),
        sa.CheckConstraint("grade IS NULL OR grade_valid_until IS NOT NULL", name="ck_customer_grade_valid_until"),
        sa.CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="ck_customer_not_merged_into_itself"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["manager_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["merged_into_id"], ["customer.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["rating_model_id"], ["rating_model.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number", name="uq_customer_number"),
    )
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_grade"), ["grade"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_is_blacklisted"), ["is_blacklisted"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_is_credit_customer"), ["is_credit_customer"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_is_guarantee_customer"), ["is_guarantee_customer"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_manager_id"), ["manager_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_merged_into_id"), ["merged_into_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_rating_model_id"), ["rating_model_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_region"), ["region"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_watch"), ["watch"], unique=False)

    op.create_table(
        "joint_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("credit_line", columns.Money(), nullable=False),
        sa.Column("member_limit", columns.Money(), nullable=True),
        sa.Column("agreement_no", sa.String(length=60), nullable=True),
        sa.Column("agreement_from", sa.Date(), nullable=True),
        sa.Column("agreement_to", sa.Date(), nullable=True),
        sa.Column("manager_id", sa.Integer(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column(
            "status",
            sa.Enum("ACTIVE", "SUSPENDED", "CLOSED", name="partnerstatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["manager_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="uq_joint_group_code"),
    )
    with op.batch_alter_table("joint_group", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_joint_group_agreement_to"), ["agreement_to"], unique=False)
        batch_op.create_index(batch_op.f("ix_joint_group_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_joint_group_manager_id"), ["manager_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_joint_group_status"), ["status"], unique=False)

    op.create_table(
        "operator",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("employee_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("password_changed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("locked_until", columns.UtcDateTime(), nullable=True),
        sa.Column("last_login_at", columns.UtcDateTime(), nullable=True),
        sa.Column("last_login_ip", sa.String(length=45), nullable=True),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("rows_per_page", sa.Integer(), nullable=False),
        sa.Column(
            "theme", sa.Enum("SYSTEM", "LIGHT", "DARK", name="theme", native_enum=False, length=32), nullable=False
        ),
        sa.Column("desktop", sa.JSON(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("failed_count >= 0", name="ck_operator_failed_count"),
        sa.CheckConstraint("rows_per_page BETWEEN 5 AND 200", name="ck_operator_rows_per_page"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["employee_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("employee_id", name="uq_operator_employee_id"),
        sa.UniqueConstraint("user_id", name="uq_operator_user_id"),
        sa.UniqueConstraint("username", name="uq_operator_username"),
    )
    with op.batch_alter_table("operator", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_operator_is_disabled"), ["is_disabled"], unique=False)

    op.create_table(
        "posting_rule_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("posting_rule_id", sa.Integer(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("side", sa.Enum("DEBIT", "CREDIT", name="direction", native_enum=False, length=32), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("amount_key", sa.String(length=40), nullable=False),
        sa.Column("is_red", sa.Boolean(), nullable=False),
        sa.Column("memo", sa.String(length=200), nullable=True),
        sa.Column("with_customer", sa.Boolean(), nullable=False),
        sa.Column("with_project", sa.Boolean(), nullable=False),
        sa.Column("with_bank", sa.Boolean(), nullable=False),
        sa.Column("with_department", sa.Boolean(), nullable=False),
        sa.Column(
            "cash_flow",
            sa.Enum(
                "FEE_RECEIVED",
                "DEPOSIT_RECEIVED",
                "RECOVERY_RECEIVED",
                "INTEREST_RECEIVED",
                "OTHER_OPERATING_RECEIVED",
                "COMPENSATION_PAID",
                "REGUARANTEE_PAID",
                "DEPOSIT_RETURNED",
                "MARGIN_PAID",
                "COMMISSION_PAID",
                "STAFF_PAID",
                "TAX_PAID",
                "OTHER_OPERATING_PAID",
                "INVESTMENT_RECOVERED",
                "INVESTMENT_INCOME",
                "ASSET_DISPOSED",
                "INVESTMENT_PAID",
                "ASSET_BOUGHT",
                "CAPITAL_RECEIVED",
                "LOAN_RECEIVED",
                "LOAN_REPAID",
                "DIVIDEND_PAID",
                name="cashflow",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["posting_rule_id"], ["posting_rule.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("posting_rule_id", "line_no", name="uq_posting_rule_line_no"),
    )
    with op.batch_alter_table("posting_rule_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_posting_rule_line_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_posting_rule_line_posting_rule_id"), ["posting_rule_id"], unique=False)

    op.create_table(
        "rating_option",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rating_indicator_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("score", columns.Scaled(18, 2), nullable=False),
        sa.Column("lower", columns.Scaled(18, 4), nullable=True),
        sa.Column("upper", columns.Scaled(18, 4), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("lower IS NULL OR upper IS NULL OR lower < upper", name="ck_rating_option_bounds"),
        sa.CheckConstraint("score >= 0", name="ck_rating_option_score"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["rating_indicator_id"], ["rating_indicator.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rating_indicator_id", "code", name="uq_rating_option_code"),
    )
    with op.batch_alter_table("rating_option", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rating_option_rating_indicator_id"), ["rating_indicator_id"], unique=False)

    op.create_table(
        "review_meeting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("chair_id", sa.Integer(), nullable=False),
        sa.Column("secretary_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("DRAFT", "OPEN", "CLOSED", name="meetingstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["chair_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["secretary_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("review_meeting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_meeting_chair_id"), ["chair_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_review_meeting_held_on"), ["held_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_review_meeting_secretary_id"), ["secretary_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_review_meeting_state"), ["state"], unique=False)

    op.create_table(
        "account_balance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("opening", columns.Money(), nullable=False),
        sa.Column("debit", columns.Money(), nullable=False),
        sa.Column("credit", columns.Money(), nullable=False),
        sa.Column("closing", columns.Money(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("closing = opening + debit - credit", name="ck_account_balance_closing"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["period_id"], ["accounting_period.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "period_id", name="uq_account_balance_key"),
    )
    with op.batch_alter_table("account_balance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_balance_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_balance_period_id"), ["period_id"], unique=False)

    op.create_table(
        "auxiliary_balance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("bank_id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("opening", columns.Money(), nullable=False),
        sa.Column("debit", columns.Money(), nullable=False),
        sa.Column("credit", columns.Money(), nullable=False),
        sa.Column("closing", columns.Money(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("closing = opening + debit - credit", name="ck_auxiliary_balance_closing"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["period_id"], ["accounting_period.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "account_id",
            "period_id",
            "customer_id",
            "project_id",
            "bank_id",
            "department_id",
            name="uq_auxiliary_balance_key",
        ),
    )
    with op.batch_alter_table("auxiliary_balance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_auxiliary_balance_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_auxiliary_balance_bank_id"), ["bank_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_auxiliary_balance_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_auxiliary_balance_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_auxiliary_balance_period_id"), ["period_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_auxiliary_balance_project_id"), ["project_id"], unique=False)

    op.create_table(
        "bank_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("account_kind", sa.String(length=32), nullable=False),
        sa.Column("bank_name", sa.String(length=100), nullable=False),
        sa.Column("account_name", sa.String(length=100), nullable=False),
        sa.Column("account_no", sa.String(length=40), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("customer_id", "account_no", name="uq_bank_account_no"),
    )
    with op.batch_alter_table("bank_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_account_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "corporate_customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("short_name", sa.String(length=40), nullable=True),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("legal_person", sa.String(length=50), nullable=True),
        sa.Column("legal_person_id_number", sa.String(length=18), nullable=True),
        sa.Column("actual_controller", sa.String(length=50), nullable=True),
        sa.Column("actual_controller_id_number", sa.String(length=40), nullable=True),
        sa.Column("registered_capital", columns.Money(), nullable=True),
        sa.Column("paid_in_capital", columns.Money(), nullable=True),
        sa.Column("established_on", sa.Date(), nullable=True),
        sa.Column("licence_expires_on", sa.Date(), nullable=True),
        sa.Column("enterprise_nature", sa.String(length=32), nullable=True),
        sa.Column("industry", sa.String(length=32), nullable=True),
        sa.Column(
            "scale",
            sa.Enum("LARGE", "MEDIUM", "SMALL", "MICRO", name="enterprisescale", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("is_agriculture", sa.Boolean(), nullable=False),
        sa.Column("employee_count", sa.Integer(), nullable=True),
        sa.Column("business_scope", sa.Text(), nullable=True),
        sa.Column("loan_card_no", sa.String(length=20), nullable=True),
        sa.Column("registered_address", sa.String(length=200), nullable=True),
        sa.Column("contact", sa.String(length=50), nullable=True),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["customer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("corporate_customer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_corporate_customer_established_on"), ["established_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_corporate_customer_industry"), ["industry"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_corporate_customer_licence_expires_on"), ["licence_expires_on"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_corporate_customer_scale"), ["scale"], unique=False)
        batch_op.create_index("uq_corporate_customer_uscc", ["uscc"], unique=True)

    op.create_table(
        "customer_rating",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("rating_model_id", sa.Integer(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("adjustment", columns.Scaled(18, 2), nullable=False),
        sa.Column("adjustment_reason", sa.String(length=300), nullable=True),
        sa.Column("total", columns.Scaled(18, 2), nullable=False),
        sa.Column(
            "grade",
            sa.Enum(
                "AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C", "D", name="grade", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("credit_line", columns.Money(), nullable=True),
        sa.Column("opinion", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("DRAFT", "APPROVED", "REFUSED", "EXPIRED", name="ratingstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("rated_by_id", sa.Integer(), nullable=False),
        sa.Column("rated_on", sa.Date(), nullable=False),
        sa.Column("confirmed_by_id", sa.Integer(), nullable=True),
        sa.Column("confirmed_on", sa.Date(), nullable=True),
        sa.Column("confirm_opinion", sa.Text(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "state NOT IN ('APPROVED', 'EXPIRED') OR (confirmed_by_id IS NOT NULL AND confirmed_on IS NOT NULL AND valid_until IS NOT NULL)",
            name="ck_customer_rating_confirmed",
        ),
        sa.CheckConstraint("confirmed_by_id <> rated_by_id", name="ck_customer_rating_two_people"),
        sa.CheckConstraint("total >= 0", name="ck_customer_rating_total"),
        sa.ForeignKeyConstraint(["confirmed_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["rated_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["rating_model_id"], ["rating_model.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("customer_rating", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_rating_confirmed_by_id"), ["confirmed_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_rating_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_rating_grade"), ["grade"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_rating_rated_by_id"), ["rated_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_rating_rated_on"), ["rated_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_rating_rating_model_id"), ["rating_model_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_rating_state"), ["state"], unique=False)
        batch_op.create_index("ix_customer_rating_valid_until", ["state", "valid_until"], unique=False)
        batch_op.create_index(
            "uq_customer_rating_waiting",
            ["customer_id"],
            unique=True,
            sqlite_where=sa.text("state = 'DRAFT'"),
            postgresql_where=sa.text("state = 'DRAFT'"),
        )

    op.create_table(
        "customer_relation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "CONTROL",
                "SHARE",
                "GUARANTEE",
                "KINSHIP",
                "COMMON_CONTROLLER",
                "SUPPLY_CHAIN",
                name="relationkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("to_customer_id", sa.Integer(), nullable=False),
        sa.Column("share_pct", columns.Scaled(18, 4), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("customer_id <> to_customer_id", name="ck_customer_relation_not_itself"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["to_customer_id"], ["customer.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("customer_id", "to_customer_id", "kind", name="uq_customer_relation_pair"),
    )
    with op.batch_alter_table("customer_relation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_relation_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_relation_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_relation_to_customer_id"), ["to_customer_id"], unique=False)

    op.create_table(
        "customer_watch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("VIP", "POTENTIAL", "BLACKLIST", name="watchkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT",
                "IN_APPROVAL",
                "ACTIVE",
                "REMOVAL_IN_APPROVAL",
                "CLOSED",
                "REFUSED",
                name="watchstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.String(length=300), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("state <> 'CLOSED' OR ended_on IS NOT NULL", name="ck_customer_watch_ended_on"),
        sa.CheckConstraint(
            "state NOT IN ('ACTIVE', 'REMOVAL_IN_APPROVAL', 'CLOSED') OR started_on IS NOT NULL",
            name="ck_customer_watch_started_on",
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("customer_watch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_watch_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_watch_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_watch_started_on"), ["started_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_watch_state"), ["state"], unique=False)
        batch_op.create_index(
            "uq_customer_watch_open",
            ["customer_id", "kind"],
            unique=True,
            sqlite_where=sa.text("state NOT IN ('CLOSED', 'REFUSED')"),
            postgresql_where=sa.text("state NOT IN ('CLOSED', 'REFUSED')"),
        )

    op.create_table(
        "issued_statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column(
            "statement",
            sa.Enum("BALANCE_SHEET", "INCOME", name="statementkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("total", columns.Money(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["period_id"], ["accounting_period.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("period_id", "statement", "round", name="uq_issued_statement_round"),
    )
    with op.batch_alter_table("issued_statement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issued_statement_is_current"), ["is_current"], unique=False)
        batch_op.create_index(batch_op.f("ix_issued_statement_period_id"), ["period_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_issued_statement_statement"), ["statement"], unique=False)

    op.create_table(
        "joint_group_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("joint_group_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("limit_amount", columns.Money(), nullable=True),
        sa.Column("joined_on", sa.Date(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "left_on IS NULL OR joined_on IS NULL OR left_on >= joined_on", name="ck_joint_group_member_dates"
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["joint_group_id"], ["joint_group.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("joint_group_id", "customer_id", name="uq_joint_group_member_customer"),
    )
    with op.batch_alter_table("joint_group_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_joint_group_member_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_joint_group_member_joint_group_id"), ["joint_group_id"], unique=False)

    op.create_table(
        "litigation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("case_no", sa.String(length=60), nullable=False),
        sa.Column("court", sa.String(length=100), nullable=True),
        sa.Column(
            "role",
            sa.Enum(
                "PLAINTIFF", "DEFENDANT", "THIRD_PARTY", "EXECUTED", name="litigationrole", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("opponent", sa.String(length=100), nullable=True),
        sa.Column("cause", sa.String(length=100), nullable=False),
        sa.Column("amount", columns.Money(), nullable=True),
        sa.Column("is_seized", sa.Boolean(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column(
            "status", sa.Enum("OPEN", "CLOSED", name="litigationstatus", native_enum=False, length=32), nullable=False
        ),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("litigation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_litigation_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_litigation_filed_on"), ["filed_on"], unique=False)

    op.create_table(
        "major_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("event_kind", sa.String(length=32), nullable=False),
        sa.Column(
            "level",
            sa.Enum("NORMAL", "WARNING", "SERIOUS", name="eventlevel", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("summary", sa.String(length=200), nullable=False),
        sa.Column("amount", columns.Money(), nullable=True),
        sa.Column("impact", sa.Text(), nullable=True),
        sa.Column("source", sa.String(length=100), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("major_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_major_event_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_major_event_event_kind"), ["event_kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_major_event_happened_on"), ["happened_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_major_event_level"), ["level"], unique=False)

    op.create_table(
        "meeting_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.Integer(), nullable=False),
        sa.Column("is_present", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["employee_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["meeting_id"], ["review_meeting.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("meeting_id", "employee_id", name="uq_meeting_member"),
    )
    with op.batch_alter_table("meeting_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_meeting_member_employee_id"), ["employee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_meeting_member_meeting_id"), ["meeting_id"], unique=False)

    op.create_table(
        "month_end_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("closed_at", columns.UtcDateTime(), nullable=False),
        sa.Column("closed_by_id", sa.Integer(), nullable=False),
        sa.Column("net_profit", columns.Money(), nullable=False),
        sa.Column("total_assets", columns.Money(), nullable=False),
        sa.Column("posting_no", sa.Integer(), nullable=False),
        sa.Column("chain_hash", sa.String(length=64), nullable=False),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.Column("reopened_at", columns.UtcDateTime(), nullable=True),
        sa.Column("reopened_by_id", sa.Integer(), nullable=True),
        sa.Column("reopen_reason", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("(reopened_at IS NULL) = (reopen_reason IS NULL)", name="ck_month_end_log_reopened"),
        sa.ForeignKeyConstraint(["closed_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["period_id"], ["accounting_period.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["reopened_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("period_id", "round", name="uq_month_end_log_round"),
    )
    with op.batch_alter_table("month_end_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_month_end_log_closed_at"), ["closed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_month_end_log_closed_by_id"), ["closed_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_month_end_log_period_id"), ["period_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_month_end_log_reopened_by_id"), ["reopened_by_id"], unique=False)

    op.create_table(
        "password_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=False),
        sa.Column("set_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("password_history", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_password_history_operator_id"), ["operator_id"], unique=False)
        batch_op.create_index("ix_password_history_set_at", ["operator_id", "set_at"], unique=False)

    op.create_table(
        "personal_customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("id_type", sa.String(length=32), nullable=False),
        sa.Column("id_number", sa.String(length=40), nullable=False),
        sa.Column("id_expires_on", sa.Date(), nullable=True),
        sa.Column("gender", sa.Enum("MALE", "FEMALE", name="gender", native_enum=False, length=32), nullable=True),
        sa.Column("born_on", sa.Date(), nullable=True),
        sa.Column("political_status", sa.String(length=32), nullable=True),
        sa.Column("ethnic_group", sa.String(length=32), nullable=True),
        sa.Column("marriage", sa.String(length=32), nullable=True),
        sa.Column("education", sa.String(length=32), nullable=True),
        sa.Column("health", sa.String(length=32), nullable=True),
        sa.Column("degree", sa.String(length=32), nullable=True),
        sa.Column("household", sa.String(length=32), nullable=True),
        sa.Column("residence", sa.String(length=32), nullable=True),
        sa.Column("home_phone", sa.String(length=30), nullable=True),
        sa.Column("mobile", sa.String(length=20), nullable=True),
        sa.Column("office_phone", sa.String(length=30), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["customer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("personal_customer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_personal_customer_born_on"), ["born_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_personal_customer_education"), ["education"], unique=False)
        batch_op.create_index(batch_op.f("ix_personal_customer_gender"), ["gender"], unique=False)
        batch_op.create_index(batch_op.f("ix_personal_customer_id_expires_on"), ["id_expires_on"], unique=False)
        batch_op.create_index("uq_personal_customer_id_number", ["id_number", "id_type"], unique=True)

    op.create_table(
        "project",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("bank_id", sa.Integer(), nullable=False),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("term_months", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("purpose_note", sa.String(length=200), nullable=True),
        sa.Column("rate_annual_pct", columns.Scaled(18, 6), nullable=False),
        sa.Column(
            "repayment_method",
            sa.Enum(
                "EQUAL_INSTALMENT",
                "EQUAL_PRINCIPAL",
                "INTEREST_FIRST",
                "BULLET",
                name="repaymentmethod",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("fee_rate_pct", columns.Scaled(18, 4), nullable=False),
        sa.Column("bank_share_pct", columns.Scaled(18, 2), nullable=False),
        sa.Column("counter_offer", sa.Text(), nullable=False),
        sa.Column(
            "guarantee_kind",
            sa.Enum(
                "LOAN",
                "BOND",
                "OTHER_FINANCING",
                "PERFORMANCE",
                "LITIGATION",
                "OTHER_NON_FINANCING",
                name="guaranteekind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "small_kind",
            sa.Enum("NONE", "SMALL", "MICRO", "OWNER", name="smallkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("is_farmer", sa.Boolean(), nullable=False),
        sa.Column("is_agriculture", sa.Boolean(), nullable=False),
        sa.Column("is_internet", sa.Boolean(), nullable=False),
        sa.Column("is_housing", sa.Boolean(), nullable=False),
        sa.Column(
            "issuer_grade",
            sa.Enum("NONE", "AA_OR_ABOVE", "BELOW_AA", name="issuergrade", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("assistant_id", sa.Integer(), nullable=False),
        sa.Column("manager_id", sa.Integer(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("risk_officer_id", sa.Integer(), nullable=True),
        sa.Column("legal_officer_id", sa.Integer(), nullable=True),
        sa.Column(
            "stage",
            sa.Enum(
                "APPLY",
                "EVALUATE",
                "INTENT",
                "REVIEW",
                "RISK",
                "RESOLVE",
                "FEE_PLAN",
                "FEE_BOOK",
                "CONTRACT",
                "COUNTER",
                "FEE_COLLECT",
                "NOTICE",
                "CONFIRM",
                "IN_FORCE",
                "RELEASE",
                name="stage",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT",
                "RUNNING",
                "IN_FORCE",
                "REFUSED",
                "CANCELLED",
                "RELEASED",
                name="projectstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("stage_since", sa.Date(), nullable=True),
        sa.Column("applied_on", sa.Date(), nullable=True),
        sa.Column("start_on", sa.Date(), nullable=True),
        sa.Column("end_on", sa.Date(), nullable=True),
        sa.Column("balance", columns.Money(), nullable=False),
        sa.Column("reserved_amount", columns.Money(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("state <> 'IN_FORCE' or start_on is not null", name="ck_project_in_force_has_start"),
        sa.CheckConstraint("amount > 0", name="ck_project_amount"),
        sa.CheckConstraint("balance >= 0 and reserved_amount >= 0", name="ck_project_balances"),
        sa.CheckConstraint("end_on is null or start_on is null or end_on >= start_on", name="ck_project_dates"),
        sa.ForeignKeyConstraint(["assistant_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["bank_id"], ["partner_bank.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["legal_officer_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["manager_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["risk_officer_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.create_index("ix_project_amount", ["amount", "balance"], unique=False)
        batch_op.create_index("ix_project_applied_on", ["applied_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_assistant_id"), ["assistant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_bank_id"), ["bank_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_department_id"), ["department_id"], unique=False)
        batch_op.create_index("ix_project_end_on", ["end_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_guarantee_kind"), ["guarantee_kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_legal_officer_id"), ["legal_officer_id"], unique=False)
        batch_op.create_index("ix_project_manager_id", ["manager_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_risk_officer_id"), ["risk_officer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_stage"), ["stage"], unique=False)
        batch_op.create_index("ix_project_stage_since", ["stage_since"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_state"), ["state"], unique=False)
        batch_op.create_index("ix_project_state_end_on", ["state", "end_on"], unique=False)

    op.create_table(
        "approval_instance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("business_type_id", sa.Integer(), nullable=False),
        sa.Column("flow_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("amount", columns.Money(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "RUNNING",
                "APPROVED",
                "REJECTED",
                "RETURNED",
                "WITHDRAWN",
                name="approvalstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("current_node_seq", sa.Integer(), nullable=True),
        sa.Column("round_no", sa.Integer(), nullable=False),
        sa.Column("applicant_id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("submitted_at", columns.UtcDateTime(), nullable=False),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.Column("table_name", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "(state = 'RUNNING') = (current_node_seq IS NOT NULL)", name="ck_approval_instance_current_node"
        ),
        sa.CheckConstraint("(state = 'RUNNING') = (finished_at IS NULL)", name="ck_approval_instance_finished"),
        sa.ForeignKeyConstraint(["applicant_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["business_type_id"], ["approval_type.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["flow_id"], ["approval_flow.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("approval_instance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_instance_applicant_id"), ["applicant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_instance_business_type_id"), ["business_type_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_instance_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_instance_flow_id"), ["flow_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_instance_project_id"), ["project_id"], unique=False)
        batch_op.create_index("ix_approval_instance_record", ["table_name", "record_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_instance_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_instance_submitted_at"), ["submitted_at"], unique=False)
        batch_op.create_index(
            "uq_approval_instance_running",
            ["business_type_id", "table_name", "record_id"],
            unique=True,
            sqlite_where=sa.text("state = 'RUNNING'"),
            postgresql_where=sa.text("state = 'RUNNING'"),
        )

    op.create_table(
        "business_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("event_code", sa.String(length=60), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("record_table", sa.String(length=60), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("bank_id", sa.Integer(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("amounts", sa.JSON(), nullable=False),
        sa.Column("total", columns.Money(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("memo", sa.String(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum("PENDING", "BOOKED", "REFUSED", "CANCELLED", name="eventstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("voucher_id", sa.Integer(), nullable=True),
        sa.Column("booked_by_id", sa.Integer(), nullable=True),
        sa.Column("booked_at", columns.UtcDateTime(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "(state = 'BOOKED') = (voucher_id IS NOT NULL AND booked_at IS NOT NULL)", name="ck_business_event_booked"
        ),
        sa.CheckConstraint(
            "state NOT IN ('REFUSED', 'CANCELLED') OR reason IS NOT NULL", name="ck_business_event_reason"
        ),
        sa.ForeignKeyConstraint(["bank_id"], ["partner_bank.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["booked_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("event_code", "record_table", "record_id", "sequence", name="uq_business_event_key"),
        sa.UniqueConstraint("number", name="uq_business_event_number"),
    )
    with op.batch_alter_table("business_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_business_event_bank_id"), ["bank_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_business_event_booked_by_id"), ["booked_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_business_event_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_business_event_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_business_event_event_code"), ["event_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_business_event_occurred_on"), ["occurred_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_business_event_project_id"), ["project_id"], unique=False)
        batch_op.create_index("ix_business_event_record", ["record_table", "record_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_business_event_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_business_event_voucher_id"), ["voucher_id"], unique=False)

    op.create_table(
        "counter_guarantee",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "MORTGAGE", "PLEDGE", "SURETY", "DEPOSIT", "OTHER", name="counterkind", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("asset_kind", sa.String(length=32), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("guarantor_id", sa.Integer(), nullable=True),
        sa.Column("certificate_no", sa.String(length=60), nullable=True),
        sa.Column("appraised_value", columns.Money(), nullable=True),
        sa.Column("rate_pct", columns.Scaled(18, 2), nullable=True),
        sa.Column("recognised_value", columns.Money(), nullable=True),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("settled_evidence", sa.String(length=200), nullable=True),
        sa.Column("released_on", sa.Date(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT", "IN_APPROVAL", "APPROVED", "REJECTED", "VOID", name="paperstate", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("released_on is null or state = 'APPROVED'", name="ck_counter_guarantee_released"),
        sa.CheckConstraint("appraised_value is null or appraised_value > 0", name="ck_counter_guarantee_value"),
        sa.CheckConstraint("not is_settled or settled_evidence is not null", name="ck_counter_guarantee_settled"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["guarantor_id"], ["customer.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("counter_guarantee", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_counter_guarantee_guarantor_id"), ["guarantor_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_counter_guarantee_is_settled"), ["is_settled"], unique=False)
        batch_op.create_index(batch_op.f("ix_counter_guarantee_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_counter_guarantee_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_counter_guarantee_state"), ["state"], unique=False)

    op.create_table(
        "executive",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("corporate_customer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("position", sa.String(length=50), nullable=False),
        sa.Column("gender", sa.Enum("MALE", "FEMALE", name="gender", native_enum=False, length=32), nullable=True),
        sa.Column("id_number", sa.String(length=18), nullable=True),
        sa.Column("education", sa.String(length=32), nullable=True),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("industry_years", sa.Integer(), nullable=True),
        sa.Column("resume", sa.Text(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["corporate_customer_id"], ["corporate_customer.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("executive", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_executive_corporate_customer_id"), ["corporate_customer_id"], unique=False)

    op.create_table(
        "external_guarantee",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("corporate_customer_id", sa.Integer(), nullable=False),
        sa.Column("debtor", sa.String(length=100), nullable=False),
        sa.Column("creditor", sa.String(length=100), nullable=True),
        sa.Column("guarantee_form", sa.String(length=32), nullable=True),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("balance", columns.Money(), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=True),
        sa.Column("end_on", sa.Date(), nullable=True),
        sa.Column(
            "status",
            sa.Enum("OPEN", "RELEASED", "COMPENSATED", name="guaranteestatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["corporate_customer_id"], ["corporate_customer.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("external_guarantee", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_external_guarantee_corporate_customer_id"), ["corporate_customer_id"], unique=False
        )

    op.create_table(
        "family_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("personal_customer_id", sa.Integer(), nullable=False),
        sa.Column("relation", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("id_type", sa.String(length=32), nullable=True),
        sa.Column("id_number", sa.String(length=40), nullable=True),
        sa.Column("gender", sa.Enum("MALE", "FEMALE", name="gender", native_enum=False, length=32), nullable=True),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column("employer", sa.String(length=100), nullable=True),
        sa.Column("health", sa.String(length=32), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["personal_customer_id"], ["personal_customer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("family_member", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_family_member_personal_customer_id"), ["personal_customer_id"], unique=False
        )

    op.create_table(
        "fee",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "GUARANTEE",
                "SERVICE",
                "HANDLING",
                "DEPOSIT",
                "PENALTY",
                "OTHER",
                name="feekind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "payment",
            sa.Enum("ONE_OFF", "YEARLY", "MONTHLY", name="feepayment", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("rate_pct", columns.Scaled(18, 4), nullable=False),
        sa.Column("is_rate_annual", sa.Boolean(), nullable=False),
        sa.Column("vat_rate_pct", columns.Scaled(18, 2), nullable=False),
        sa.Column("fixed_amount", columns.Money(), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("vat_amount", columns.Money(), nullable=False),
        sa.Column("collected_amount", columns.Money(), nullable=False),
        sa.Column("waived_amount", columns.Money(), nullable=False),
        sa.Column("returned_reason", sa.String(length=200), nullable=True),
        sa.Column(
            "state",
            sa.Enum("DRAFT", "SUBMITTED", "BOOKED", "CANCELLED", name="feestate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("amount >= 0 and vat_amount >= 0 and vat_amount <= amount", name="ck_fee_amount"),
        sa.CheckConstraint("collected_amount + waived_amount <= amount", name="ck_fee_collected"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "kind", name="uq_fee"),
    )
    with op.batch_alter_table("fee", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fee_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_fee_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fee_state"), ["state"], unique=False)

    op.create_table(
        "financial_statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("corporate_customer_id", sa.Integer(), nullable=False),
        sa.Column(
            "period_kind",
            sa.Enum("YEAR", "HALF", "QUARTER", "MONTH", name="periodkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("is_audited", sa.Boolean(), nullable=False),
        sa.Column("auditor", sa.String(length=100), nullable=True),
        sa.Column("cash", columns.Money(), nullable=True),
        sa.Column("receivables", columns.Money(), nullable=True),
        sa.Column("prepayments", columns.Money(), nullable=True),
        sa.Column("other_receivables", columns.Money(), nullable=True),
        sa.Column("inventory", columns.Money(), nullable=True),
        sa.Column("current_assets", columns.Money(), nullable=False),
        sa.Column("fixed_assets", columns.Money(), nullable=True),
        sa.Column("intangible_assets", columns.Money(), nullable=True),
        sa.Column("total_assets", columns.Money(), nullable=False),
        sa.Column("short_loans", columns.Money(), nullable=True),
        sa.Column("payables", columns.Money(), nullable=True),
        sa.Column("current_liabilities", columns.Money(), nullable=False),
        sa.Column("long_loans", columns.Money(), nullable=True),
        sa.Column("total_liabilities", columns.Money(), nullable=False),
        sa.Column("paid_in_capital", columns.Money(), nullable=True),
        sa.Column("retained_earnings", columns.Money(), nullable=True),
        sa.Column("net_assets", columns.Money(), nullable=False),
        sa.Column("revenue", columns.Money(), nullable=False),
        sa.Column("cost_of_sales", columns.Money(), nullable=True),
        sa.Column("selling_expenses", columns.Money(), nullable=True),
        sa.Column("admin_expenses", columns.Money(), nullable=True),
        sa.Column("interest_expense", columns.Money(), nullable=True),
        sa.Column("total_profit", columns.Money(), nullable=True),
        sa.Column("income_tax", columns.Money(), nullable=True),
        sa.Column("net_profit", columns.Money(), nullable=False),
        sa.Column("operating_cash_flow", columns.Money(), nullable=True),
        sa.Column("investing_cash_flow", columns.Money(), nullable=True),
        sa.Column("financing_cash_flow", columns.Money(), nullable=True),
        sa.Column("asset_liability_pct", columns.Scaled(18, 2), nullable=True),
        sa.Column("current_ratio", columns.Scaled(18, 2), nullable=True),
        sa.Column("quick_ratio", columns.Scaled(18, 2), nullable=True),
        sa.Column("receivable_turnover", columns.Scaled(18, 2), nullable=True),
        sa.Column("inventory_turnover", columns.Scaled(18, 2), nullable=True),
        sa.Column("gross_margin_pct", columns.Scaled(18, 2), nullable=True),
        sa.Column("net_margin_pct", columns.Scaled(18, 2), nullable=True),
        sa.Column("return_on_equity_pct", columns.Scaled(18, 2), nullable=True),
        sa.Column("interest_cover", columns.Scaled(18, 2), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["corporate_customer_id"], ["corporate_customer.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("corporate_customer_id", "period_kind", "period_end", name="uq_financial_statement_period"),
    )
    with op.batch_alter_table("financial_statement", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_financial_statement_corporate_customer_id"), ["corporate_customer_id"], unique=False
        )

    op.create_table(
        "income_expense",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("personal_customer_id", sa.Integer(), nullable=False),
        sa.Column("main_income_source", sa.String(length=32), nullable=True),
        sa.Column("other_income_source", sa.String(length=32), nullable=True),
        sa.Column("monthly_income", columns.Money(), nullable=False),
        sa.Column("household_monthly_income", columns.Money(), nullable=False),
        sa.Column("household_size", sa.Integer(), nullable=False),
        sa.Column("dependants", sa.Integer(), nullable=True),
        sa.Column("household_monthly_expense", columns.Money(), nullable=True),
        sa.Column("monthly_debt_service", columns.Money(), nullable=True),
        sa.Column("household_assets", columns.Money(), nullable=True),
        sa.Column("household_debts", columns.Money(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("household_size >= 1", name="ck_income_expense_household_size"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["personal_customer_id"], ["personal_customer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("income_expense", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_income_expense_personal_customer_id"), ["personal_customer_id"], unique=False
        )

    op.create_table(
        "investigation_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=False),
        sa.Column("visit_place", sa.String(length=100), nullable=False),
        sa.Column("interviewed", sa.String(length=100), nullable=True),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("finance", sa.Text(), nullable=False),
        sa.Column("repayment_source", sa.Text(), nullable=False),
        sa.Column("security", sa.Text(), nullable=False),
        sa.Column("risks", sa.Text(), nullable=False),
        sa.Column(
            "advice",
            sa.Enum("SUPPORT", "SUPPORT_REDUCED", "OPPOSE", name="advice", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("advised_amount", columns.Money(), nullable=False),
        sa.Column("advised_months", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT", "IN_APPROVAL", "APPROVED", "REJECTED", "VOID", name="paperstate", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("advised_amount > 0", name="ck_investigation_amount"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("investigation_report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_investigation_report_project_id"), ["project_id"], unique=True)
        batch_op.create_index(batch_op.f("ix_investigation_report_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_investigation_report_visited_on"), ["visited_on"], unique=False)

    op.create_table(
        "issued_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("template_code", sa.String(length=40), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column(
            "paper", sa.Enum("A4", "A4_LANDSCAPE", "A5", name="papersize", native_enum=False, length=32), nullable=False
        ),
        sa.Column("owner_table", sa.String(length=64), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("pdf_path", sa.String(length=255), nullable=False),
        sa.Column("issued_by_id", sa.Integer(), nullable=True),
        sa.Column("issued_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["issued_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number", name="uq_issued_document_number"),
    )
    with op.batch_alter_table("issued_document", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issued_document_issued_at"), ["issued_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_issued_document_issued_by_id"), ["issued_by_id"], unique=False)
        batch_op.create_index("ix_issued_document_owner", ["owner_table", "owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_issued_document_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_issued_document_sha256"), ["sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_issued_document_template_code"), ["template_code"], unique=False)

    op.create_table(
        "occupation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("personal_customer_id", sa.Integer(), nullable=False),
        sa.Column("occupation", sa.String(length=32), nullable=False),
        sa.Column("employer", sa.String(length=100), nullable=True),
        sa.Column("industry", sa.String(length=32), nullable=True),
        sa.Column("employer_nature", sa.String(length=32), nullable=True),
        sa.Column("employer_phone", sa.String(length=30), nullable=True),
        sa.Column("employer_postcode", sa.String(length=6), nullable=True),
        sa.Column("since_year", sa.Integer(), nullable=True),
        sa.Column("employer_address", sa.String(length=200), nullable=True),
        sa.Column("position", sa.String(length=32), nullable=True),
        sa.Column("job_title", sa.String(length=32), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["personal_customer_id"], ["personal_customer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("occupation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_occupation_personal_customer_id"), ["personal_customer_id"], unique=False)

    op.create_table(
        "project_holder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("employee_id", sa.Integer(), nullable=False),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["employee_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "role", "since_on", "employee_id", name="uq_project_holder"),
    )
    with op.batch_alter_table("project_holder", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_project_holder_employee_id"), ["employee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_holder_project_id"), ["project_id"], unique=False)

    op.create_table(
        "project_snapshot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "APPLY",
                "EVALUATE",
                "INTENT",
                "REVIEW",
                "RISK",
                "RESOLVE",
                "FEE_PLAN",
                "FEE_BOOK",
                "CONTRACT",
                "COUNTER",
                "FEE_COLLECT",
                "NOTICE",
                "CONFIRM",
                "IN_FORCE",
                "RELEASE",
                name="stage",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT",
                "RUNNING",
                "IN_FORCE",
                "REFUSED",
                "CANCELLED",
                "RELEASED",
                name="projectstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("balance", columns.Money(), nullable=False),
        sa.Column("overdue_principal", columns.Money(), nullable=False),
        sa.Column("overdue_interest", columns.Money(), nullable=False),
        sa.Column("overdue_since", sa.Date(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "taken_on", name="uq_project_snapshot"),
    )
    with op.batch_alter_table("project_snapshot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_project_snapshot_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_snapshot_taken_on"), ["taken_on"], unique=False)

    op.create_table(
        "project_stage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "APPLY",
                "EVALUATE",
                "INTENT",
                "REVIEW",
                "RISK",
                "RESOLVE",
                "FEE_PLAN",
                "FEE_BOOK",
                "CONTRACT",
                "COUNTER",
                "FEE_COLLECT",
                "NOTICE",
                "CONFIRM",
                "IN_FORCE",
                "RELEASE",
                name="stage",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("done_by_id", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(length=60), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("left_on is null or left_on >= entered_on", name="ck_project_stage_dates"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["done_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("project_stage", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_project_stage_done_by_id"), ["done_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_stage_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_stage_stage"), ["stage"], unique=False)

    op.create_table(
        "qualification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("corporate_customer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=True),
        sa.Column("level", sa.String(length=40), nullable=True),
        sa.Column("issuer", sa.String(length=100), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("scan_id", sa.Integer(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["corporate_customer_id"], ["corporate_customer.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["scan_id"], ["attachment.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("qualification", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_qualification_corporate_customer_id"), ["corporate_customer_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_qualification_scan_id"), ["scan_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_qualification_valid_until"), ["valid_until"], unique=False)

    op.create_table(
        "resume",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("personal_customer_id", sa.Integer(), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=True),
        sa.Column("employer", sa.String(length=100), nullable=False),
        sa.Column("employer_department", sa.String(length=60), nullable=True),
        sa.Column("position", sa.String(length=50), nullable=True),
        sa.Column("employer_nature", sa.String(length=32), nullable=True),
        sa.Column("employer_phone", sa.String(length=30), nullable=True),
        sa.Column("employer_postcode", sa.String(length=6), nullable=True),
        sa.Column("employer_address", sa.String(length=200), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("end_on IS NULL OR end_on >= start_on", name="ck_resume_dates"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["personal_customer_id"], ["personal_customer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("resume", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resume_personal_customer_id"), ["personal_customer_id"], unique=False)

    op.create_table(
        "risk_assessment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("score_customer", sa.Integer(), nullable=False),
        sa.Column("score_repayment", sa.Integer(), nullable=False),
        sa.Column("score_security", sa.Integer(), nullable=False),
        sa.Column("score_compliance", sa.Integer(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.Column("opinion", sa.Text(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column(
            "level", sa.Enum("LOW", "MEDIUM", "HIGH", name="risklevel", native_enum=False, length=32), nullable=True
        ),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT", "IN_APPROVAL", "APPROVED", "REJECTED", "VOID", name="paperstate", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("risk_assessment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_risk_assessment_level"), ["level"], unique=False)
        batch_op.create_index(batch_op.f("ix_risk_assessment_project_id"), ["project_id"], unique=True)
        batch_op.create_index(batch_op.f("ix_risk_assessment_state"), ["state"], unique=False)

    op.create_table(
        "risk_warning",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("record_table", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.String(length=60), nullable=False),
        sa.Column(
            "level",
            sa.Enum("NOTICE", "ATTENTION", "SERIOUS", name="warninglevel", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("handling", sa.Text(), nullable=True),
        sa.Column("lifted_on", sa.Date(), nullable=True),
        sa.Column("lifted_by_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column(
            "state",
            sa.Enum("PENDING", "HANDLING", "LIFTED", name="warningstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "state <> 'LIFTED' or (lifted_on is not null and reason is not null)", name="ck_risk_warning_lifted"
        ),
        sa.CheckConstraint("deadline >= raised_on", name="ck_risk_warning_dates"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["lifted_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["owner_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["rule_id"], ["warning_rule.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("rule_id", "record_table", "record_id", "trigger", name="uq_risk_warning"),
    )
    with op.batch_alter_table("risk_warning", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_risk_warning_deadline"), ["deadline"], unique=False)
        batch_op.create_index(batch_op.f("ix_risk_warning_level"), ["level"], unique=False)
        batch_op.create_index(batch_op.f("ix_risk_warning_lifted_by_id"), ["lifted_by_id"], unique=False)
        batch_op.create_index("ix_risk_warning_open", ["state", "deadline"], unique=False)
        batch_op.create_index(batch_op.f("ix_risk_warning_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_risk_warning_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_risk_warning_raised_on"), ["raised_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_risk_warning_rule_id"), ["rule_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_risk_warning_state"), ["state"], unique=False)

    op.create_table(
        "shareholder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("corporate_customer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("holder_kind", sa.String(length=32), nullable=True),
        sa.Column("id_number", sa.String(length=40), nullable=True),
        sa.Column("subscribed", columns.Money(), nullable=True),
        sa.Column("paid_in", columns.Money(), nullable=True),
        sa.Column("share_pct", columns.Scaled(18, 4), nullable=False),
        sa.Column("contributed_on", sa.Date(), nullable=True),
        sa.Column("contribution_form", sa.String(length=32), nullable=True),
        sa.Column("is_controller", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["corporate_customer_id"], ["corporate_customer.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("shareholder", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_shareholder_corporate_customer_id"), ["corporate_customer_id"], unique=False
        )

    op.create_table(
        "shop",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("personal_customer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("registered_capital", columns.Money(), nullable=True),
        sa.Column("business_scale", sa.String(length=100), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=True),
        sa.Column("licence_no", sa.String(length=40), nullable=True),
        sa.Column("tax_registration_no", sa.String(length=40), nullable=True),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("last_inspected_on", sa.Date(), nullable=True),
        sa.Column("account_no", sa.String(length=40), nullable=True),
        sa.Column("account_bank", sa.String(length=100), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["personal_customer_id"], ["personal_customer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("shop", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_personal_customer_id"), ["personal_customer_id"], unique=False)

    op.create_table(
        "tax_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("corporate_customer_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("sales", columns.Money(), nullable=True),
        sa.Column("vat", columns.Money(), nullable=True),
        sa.Column("income_tax", columns.Money(), nullable=True),
        sa.Column("other_tax", columns.Money(), nullable=True),
        sa.Column("overdue_tax", columns.Money(), nullable=True),
        sa.Column("tax_grade", sa.String(length=32), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["corporate_customer_id"], ["corporate_customer.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("corporate_customer_id", "year", name="uq_tax_record_year"),
    )
    with op.batch_alter_table("tax_record", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_tax_record_corporate_customer_id"), ["corporate_customer_id"], unique=False
        )

    op.create_table(
        "approval_task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("round_no", sa.Integer(), nullable=False),
        sa.Column(
            "origin",
            sa.Enum("NODE", "TRANSFER", "ADDED", name="taskorigin", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("assignee_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "PENDING",
                "APPROVED",
                "REJECTED",
                "RETURNED",
                "TRANSFERRED",
                "CANCELLED",
                "WITHDRAWN",
                name="taskstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("opinion", sa.Text(), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("on_behalf_of_id", sa.Integer(), nullable=True),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("decided_at", columns.UtcDateTime(), nullable=True),
        sa.Column("due_at", columns.UtcDateTime(), nullable=True),
        sa.Column("urged_at", columns.UtcDateTime(), nullable=True),
        sa.Column("escalated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("(state = 'PENDING') = (decided_at IS NULL)", name="ck_approval_task_decided_at"),
        sa.CheckConstraint(
            "state IN ('PENDING', 'CANCELLED', 'WITHDRAWN') OR decided_by_id IS NOT NULL OR is_automatic",
            name="ck_approval_task_decided_by",
        ),
        sa.CheckConstraint(
            "state NOT IN ('REJECTED', 'RETURNED') OR (opinion IS NOT NULL AND opinion <> '')",
            name="ck_approval_task_opinion",
        ),
        sa.ForeignKeyConstraint(["assignee_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["decided_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["instance_id"], ["approval_instance.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["node_id"], ["approval_node.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["on_behalf_of_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("instance_id", "node_id", "round_no", "assignee_id", name="uq_approval_task_person"),
    )
    with op.batch_alter_table("approval_task", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_task_assignee_id"), ["assignee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_task_decided_by_id"), ["decided_by_id"], unique=False)
        batch_op.create_index("ix_approval_task_due", ["state", "due_at"], unique=False)
        batch_op.create_index("ix_approval_task_inbox", ["assignee_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_task_instance_id"), ["instance_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_task_node_id"), ["node_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_task_on_behalf_of_id"), ["on_behalf_of_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_task_state"), ["state"], unique=False)

    op.create_table(
        "bank_letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("INTENT", "CONFIRMATION", "DISBURSEMENT", name="letterkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("valid_until is null or valid_until >= issued_on", name="ck_bank_letter_dates"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["document_id"], ["issued_document.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("bank_letter", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_letter_document_id"), ["document_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_letter_issued_on"), ["issued_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_letter_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_letter_project_id"), ["project_id"], unique=False)

    op.create_table(
        "contract",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("ENTRUSTMENT", "GUARANTEE", "COUNTER", name="contractkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("counterparty", sa.String(length=100), nullable=False),
        sa.Column("main_number", sa.String(length=60), nullable=True),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=True),
        sa.Column("document_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT", "IN_APPROVAL", "APPROVED", "REJECTED", "VOID", name="paperstate", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_contract_amount"),
        sa.CheckConstraint("ends_on >= starts_on", name="ck_contract_dates"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["document_id"], ["issued_document.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("contract", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contract_document_id"), ["document_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contract_ends_on"), ["ends_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_contract_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_contract_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contract_signed_on"), ["signed_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_contract_state"), ["state"], unique=False)

    op.create_table(
        "drawdown",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("bank_note_no", sa.String(length=60), nullable=False),
        sa.Column("drawn_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("balance", columns.Money(), nullable=False),
        sa.Column("rate_annual_pct", columns.Scaled(18, 6), nullable=False),
        sa.Column(
            "repayment_method",
            sa.Enum(
                "EQUAL_INSTALMENT",
                "EQUAL_PRINCIPAL",
                "INTEREST_FIRST",
                "BULLET",
                name="repaymentmethod",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("document_id", sa.Integer(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("ACTIVE", "OVERDUE", "SETTLED", "RELEASED", name="drawdownstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("(state in ('SETTLED', 'RELEASED')) = (closed_on is not null)", name="ck_drawdown_closed"),
        sa.CheckConstraint("state <> 'SETTLED' or balance = 0", name="ck_drawdown_settled"),
        sa.CheckConstraint("amount > 0 and balance >= 0 and balance <= amount", name="ck_drawdown_amount"),
        sa.CheckConstraint("due_on >= drawn_on", name="ck_drawdown_dates"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["document_id"], ["issued_document.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("bank_note_no"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("drawdown", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_drawdown_document_id"), ["document_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_drawdown_drawn_on"), ["drawn_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_drawdown_due_on"), ["due_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_drawdown_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_drawdown_state"), ["state"], unique=False)

    op.create_table(
        "fee_due",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fee_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("settled_amount", columns.Money(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("settled_amount >= 0 and settled_amount <= amount", name="ck_fee_due_settled"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["fee_id"], ["fee.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("fee_id", "seq", name="uq_fee_due"),
    )
    with op.batch_alter_table("fee_due", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fee_due_due_on"), ["due_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_fee_due_fee_id"), ["fee_id"], unique=False)

    op.create_table(
        "fee_waiver",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("fee_id", sa.Integer(), nullable=False),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("returned_reason", sa.String(length=200), nullable=True),
        sa.Column("is_booked", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT", "IN_APPROVAL", "APPROVED", "REJECTED", "VOID", name="paperstate", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_fee_waiver_amount"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["fee_id"], ["fee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("fee_waiver", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fee_waiver_fee_id"), ["fee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fee_waiver_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fee_waiver_state"), ["state"], unique=False)

    op.create_table(
        "income_schedule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "source", sa.Enum("OPENING", "FEE", name="schedulesource", native_enum=False, length=32), nullable=False
        ),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("fee_id", sa.Integer(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("spread_from", sa.Date(), nullable=False),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("recognised", columns.Money(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("(source = 'FEE') = (fee_id IS NOT NULL)", name="ck_income_schedule_source"),
        sa.CheckConstraint("recognised <= amount", name="ck_income_schedule_recognised"),
        sa.CheckConstraint("starts_on <= ends_on", name="ck_income_schedule_dates"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["fee_id"], ["fee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("fee_id", name="uq_income_schedule_fee"),
    )
    with op.batch_alter_table("income_schedule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_income_schedule_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_income_schedule_ends_on"), ["ends_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_income_schedule_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_income_schedule_source"), ["source"], unique=False)

    op.create_table(
        "meeting_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("advised_amount", columns.Money(), nullable=False),
        sa.Column("advised_months", sa.Integer(), nullable=False),
        sa.Column(
            "result",
            sa.Enum("PENDING", "PASSED", "REFUSED", "WITHDRAWN", name="itemstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("summary", sa.String(length=200), nullable=True),
        sa.Column("minutes_id", sa.Integer(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["meeting_id"], ["review_meeting.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["minutes_id"], ["issued_document.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("meeting_id", "project_id", name="uq_meeting_item"),
    )
    with op.batch_alter_table("meeting_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_meeting_item_meeting_id"), ["meeting_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_meeting_item_minutes_id"), ["minutes_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_meeting_item_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_meeting_item_result"), ["result"], unique=False)

    op.create_table(
        "receipt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("fee_id", sa.Integer(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("payer", sa.String(length=100), nullable=False),
        sa.Column("bank_reference", sa.String(length=60), nullable=True),
        sa.Column("document_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("SUBMITTED", "BOOKED", "RETURNED", "REFUNDED", name="receiptstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_receipt_amount"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["document_id"], ["issued_document.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["fee_id"], ["fee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_receipt_document_id"), ["document_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_receipt_fee_id"), ["fee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_receipt_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_receipt_received_on"), ["received_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_receipt_state"), ["state"], unique=False)

    op.create_table(
        "release",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column(
            "basis", sa.Enum("REPAID", "BANK_LETTER", name="releasebasis", native_enum=False, length=32), nullable=False
        ),
        sa.Column("letter_no", sa.String(length=60), nullable=True),
        sa.Column("letter_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("released_amount", columns.Money(), nullable=False),
        sa.Column("deposit_amount", columns.Money(), nullable=False),
        sa.Column("is_deposit_returned", sa.Boolean(), nullable=False),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("released_on", sa.Date(), nullable=True),
        sa.Column("returned_reason", sa.String(length=200), nullable=True),
        sa.Column("document_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT", "IN_APPROVAL", "APPROVED", "REJECTED", "VOID", name="paperstate", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("released_on is null or state = 'APPROVED'", name="ck_release_done_after_approval"),
        sa.CheckConstraint("deposit_amount >= 0 and released_amount >= 0", name="ck_release_amounts"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["document_id"], ["issued_document.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("release", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_release_basis"), ["basis"], unique=False)
        batch_op.create_index(batch_op.f("ix_release_document_id"), ["document_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_release_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_release_released_on"), ["released_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_release_state"), ["state"], unique=False)

    op.create_table(
        "voucher",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "ORDINARY",
                "OPENING",
                "RECOGNITION",
                "PROVISION",
                "TRANSFER",
                "YEAR_END",
                name="voucherkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("word_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("memo", sa.String(length=200), nullable=False),
        sa.Column("attachments", sa.Integer(), nullable=False),
        sa.Column("total", columns.Money(), nullable=False),
        sa.Column("is_cash", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("DRAFT", "REVIEWED", "SIGNED", "POSTED", "VOID", name="voucherstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("prepared_by_id", sa.Integer(), nullable=True),
        sa.Column("reviewed_by_id", sa.Integer(), nullable=True),
        sa.Column("reviewed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("signed_by_id", sa.Integer(), nullable=True),
        sa.Column("signed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("posted_by_id", sa.Integer(), nullable=True),
        sa.Column("posted_at", columns.UtcDateTime(), nullable=True),
        sa.Column("void_reason", sa.String(length=200), nullable=True),
        sa.Column("reverses_id", sa.Integer(), nullable=True),
        sa.Column("event_id", sa.Integer(), nullable=True),
        sa.Column("posting_no", sa.Integer(), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "(state = 'POSTED' AND posting_no IS NOT NULL AND previous_hash IS NOT NULL AND hash IS NOT NULL AND posted_by_id IS NOT NULL AND posted_at IS NOT NULL AND (NOT is_cash OR signed_by_id IS NOT NULL)) OR (state <> 'POSTED' AND posting_no IS NULL AND previous_hash IS NULL AND hash IS NULL AND posted_by_id IS NULL AND posted_at IS NULL)",
            name="ck_voucher_posted",
        ),
        sa.CheckConstraint(
            "state <> 'SIGNED' OR (signed_by_id IS NOT NULL AND signed_at IS NOT NULL)", name="ck_voucher_signed"
        ),
        sa.CheckConstraint("state <> 'VOID' OR void_reason IS NOT NULL", name="ck_voucher_void"),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'VOID') OR (reviewed_by_id IS NOT NULL AND reviewed_at IS NOT NULL)",
            name="ck_voucher_reviewed",
        ),
        sa.CheckConstraint(
            "state NOT IN ('DRAFT', 'VOID') OR (reviewed_by_id IS NULL AND signed_by_id IS NULL)",
            name="ck_voucher_draft",
        ),
        sa.CheckConstraint("attachments >= 0", name="ck_voucher_attachments"),
        sa.CheckConstraint("number > 0", name="ck_voucher_number"),
        sa.CheckConstraint("reverses_id IS NULL OR reverses_id <> id", name="ck_voucher_not_own_reversal"),
        sa.CheckConstraint(
            "reviewed_by_id IS NULL OR prepared_by_id IS NULL OR reviewed_by_id <> prepared_by_id",
            name="ck_voucher_own_review",
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["event_id"], ["business_event.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["period_id"], ["accounting_period.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["posted_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["prepared_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["reverses_id"], ["voucher.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["reviewed_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["signed_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["word_id"], ["voucher_word.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="uq_voucher_code"),
        sa.UniqueConstraint("posting_no", name="uq_voucher_posting_no"),
        sa.UniqueConstraint("word_id", "period_id", "number", name="uq_voucher_number"),
    )
    with op.batch_alter_table("voucher", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_voucher_date"), ["date"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_event_id"), ["event_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_period_id"), ["period_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_posted_by_id"), ["posted_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_prepared_by_id"), ["prepared_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_reviewed_by_id"), ["reviewed_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_signed_by_id"), ["signed_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_total"), ["total"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_word_id"), ["word_id"], unique=False)
        batch_op.create_index(
            "uq_voucher_reverses",
            ["reverses_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'VOID'"),
            postgresql_where=sa.text("state <> 'VOID'"),
        )

    op.create_table(
        "income_recognition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("income_schedule_id", sa.Integer(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("voucher_id", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["income_schedule_id"], ["income_schedule.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["period_id"], ["accounting_period.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("income_recognition", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_income_recognition_income_schedule_id"), ["income_schedule_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_income_recognition_period_id"), ["period_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_income_recognition_voucher_id"), ["voucher_id"], unique=False)

    op.create_table(
        "meeting_vote",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.Integer(), nullable=False),
        sa.Column(
            "choice",
            sa.Enum("AGREE", "CONDITIONAL", "OPPOSE", "DEFER", name="votechoice", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("is_withdrawn", sa.Boolean(), nullable=False),
        sa.Column("opinion", sa.String(length=500), nullable=True),
        sa.Column("voted_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("is_withdrawn or choice is not null", name="ck_meeting_vote_choice"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["employee_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["item_id"], ["meeting_item.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("item_id", "employee_id", name="uq_meeting_vote"),
    )
    with op.batch_alter_table("meeting_vote", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_meeting_vote_employee_id"), ["employee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_meeting_vote_item_id"), ["item_id"], unique=False)

    op.create_table(
        "opening_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("auxiliary_file_name", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("total", columns.Money(), nullable=False),
        sa.Column("voucher_id", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["period_id"], ["accounting_period.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("period_id", name="uq_opening_import_period"),
    )
    with op.batch_alter_table("opening_import", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_opening_import_voucher_id"), ["voucher_id"], unique=False)

    op.create_table(
        "provision_calculation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "UNEARNED", "COMPENSATION", "SURPLUS", "GENERAL", name="provisionkind", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("base", columns.Money(), nullable=False),
        sa.Column("rate_pct", columns.Scaled(18, 4), nullable=False),
        sa.Column("required", columns.Money(), nullable=False),
        sa.Column("booked", columns.Money(), nullable=False),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("formula", sa.Text(), nullable=False),
        sa.Column("voucher_id", sa.Integer(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["period_id"], ["accounting_period.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("provision_calculation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provision_calculation_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_provision_calculation_period_id"), ["period_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_provision_calculation_voucher_id"), ["voucher_id"], unique=False)

    op.create_table(
        "repayment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("drawdown_id", sa.Integer(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("principal", columns.Money(), nullable=False),
        sa.Column("interest", columns.Money(), nullable=False),
        sa.Column("extra_interest", columns.Money(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("balance_after", columns.Money(), nullable=False),
        sa.Column(
            "source",
            sa.Enum("MANUAL", "IMPORTED", name="repaymentsource", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("file_name", sa.String(length=200), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("document_id", sa.Integer(), nullable=True),
        sa.Column("reversed_on", sa.Date(), nullable=True),
        sa.Column("reversed_by_id", sa.Integer(), nullable=True),
        sa.Column("reversal_reason", sa.String(length=200), nullable=True),
        sa.Column(
            "state", sa.Enum("BOOKED", "REVERSED", name="repaymentstate", native_enum=False, length=32), nullable=False
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "state <> 'REVERSED' or (reversed_on is not null and reversal_reason is not null)",
            name="ck_repayment_reversed",
        ),
        sa.CheckConstraint("balance_after >= 0", name="ck_repayment_balance"),
        sa.CheckConstraint("extra_interest >= 0 and extra_interest <= interest", name="ck_repayment_extra_interest"),
        sa.CheckConstraint(
            "principal >= 0 and interest >= 0 and (principal > 0 or interest > 0 or is_final)",
            name="ck_repayment_amounts",
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["document_id"], ["issued_document.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["drawdown_id"], ["drawdown.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["reversed_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("repayment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_repayment_document_id"), ["document_id"], unique=False)
        batch_op.create_index("ix_repayment_drawdown", ["drawdown_id", "state", "paid_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_repayment_drawdown_id"), ["drawdown_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_repayment_paid_on"), ["paid_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_repayment_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_repayment_reversed_by_id"), ["reversed_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_repayment_source"), ["source"], unique=False)
        batch_op.create_index(batch_op.f("ix_repayment_state"), ["state"], unique=False)

    op.create_table(
        "repayment_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("drawdown_id", sa.Integer(), nullable=False),
        sa.Column("plan_no", sa.Integer(), nullable=False),
        sa.Column(
            "source", sa.Enum("GENERATED", "IMPORTED", name="plansource", native_enum=False, length=32), nullable=False
        ),
        sa.Column("file_name", sa.String(length=200), nullable=True),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["drawdown_id"], ["drawdown.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("drawdown_id", "plan_no", name="uq_repayment_plan"),
    )
    with op.batch_alter_table("repayment_plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_repayment_plan_drawdown_id"), ["drawdown_id"], unique=False)

    op.create_table(
        "resolution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("amount", columns.Money(), nullable=False),
        sa.Column("term_months", sa.Integer(), nullable=False),
        sa.Column("fee_rate_pct", columns.Scaled(18, 4), nullable=False),
        sa.Column("resolved_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "SIGNING",
                "VALID",
                "VETOED",
                "USED",
                "EXPIRED",
                "VOID",
                name="resolutionstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("state <> 'VALID' or valid_until is not null", name="ck_resolution_valid"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["item_id"], ["meeting_item.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("resolution", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resolution_item_id"), ["item_id"], unique=True)
        batch_op.create_index(batch_op.f("ix_resolution_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_resolution_resolved_on"), ["resolved_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_resolution_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_resolution_valid_until"), ["valid_until"], unique=False)

    op.create_table(
        "voucher_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("voucher_id", sa.Integer(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("memo", sa.String(length=200), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("debit", columns.Money(), nullable=False),
        sa.Column("credit", columns.Money(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("bank_id", sa.Integer(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column(
            "cash_flow",
            sa.Enum(
                "FEE_RECEIVED",
                "DEPOSIT_RECEIVED",
                "RECOVERY_RECEIVED",
                "INTEREST_RECEIVED",
                "OTHER_OPERATING_RECEIVED",
                "COMPENSATION_PAID",
                "REGUARANTEE_PAID",
                "DEPOSIT_RETURNED",
                "MARGIN_PAID",
                "COMMISSION_PAID",
                "STAFF_PAID",
                "TAX_PAID",
                "OTHER_OPERATING_PAID",
                "INVESTMENT_RECOVERED",
                "INVESTMENT_INCOME",
                "ASSET_DISPOSED",
                "INVESTMENT_PAID",
                "ASSET_BOUGHT",
                "CAPITAL_RECEIVED",
                "LOAN_RECEIVED",
                "LOAN_REPAID",
                "DIVIDEND_PAID",
                name="cashflow",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("auxiliary_keys", sa.String(length=300), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "(debit <> 0 AND credit = 0) OR (debit = 0 AND credit <> 0)", name="ck_voucher_entry_one_side"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["bank_id"], ["partner_bank.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("voucher_id", "line_no", name="uq_voucher_entry_line"),
    )
    with op.batch_alter_table("voucher_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_voucher_entry_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_entry_bank_id"), ["bank_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_entry_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_entry_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_entry_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_voucher_entry_voucher_id"), ["voucher_id"], unique=False)

    op.create_table(
        "instalment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("repayment_plan_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("principal", columns.Money(), nullable=False),
        sa.Column("interest", columns.Money(), nullable=False),
        sa.Column("principal_paid", columns.Money(), nullable=False),
        sa.Column("interest_paid", columns.Money(), nullable=False),
        sa.Column("overdue_since", sa.Date(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("principal >= 0 and interest >= 0", name="ck_instalment_amounts"),
        sa.CheckConstraint("principal_paid <= principal and interest_paid <= interest", name="ck_instalment_paid"),
        sa.CheckConstraint("principal_paid >= 0 and interest_paid >= 0", name="ck_instalment_paid_not_negative"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["repayment_plan_id"], ["repayment_plan.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("repayment_plan_id", "seq", name="uq_instalment"),
    )
    with op.batch_alter_table("instalment", schema=None) as batch_op:
        batch_op.create_index("ix_instalment_due_on", ["due_on"], unique=False)
        batch_op.create_index(
            "ix_instalment_open",
            ["due_on"],
            unique=False,
            sqlite_where=sa.text("principal_paid < principal or interest_paid < interest"),
            postgresql_where=sa.text("principal_paid < principal or interest_paid < interest"),
        )
        batch_op.create_index(batch_op.f("ix_instalment_repayment_plan_id"), ["repayment_plan_id"], unique=False)

    op.create_table(
        "resolution_condition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("resolution_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("is_met", sa.Boolean(), nullable=False),
        sa.Column("evidence", sa.String(length=200), nullable=True),
        sa.Column("met_by_id", sa.Integer(), nullable=True),
        sa.Column("met_on", sa.Date(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("not is_met or evidence is not null", name="ck_resolution_condition_met"),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["met_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["resolution_id"], ["resolution.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("resolution_condition", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resolution_condition_met_by_id"), ["met_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_resolution_condition_resolution_id"), ["resolution_id"], unique=False)
    op.create_table(
        "resubmission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("RENEWED", "RECONSIDERED", name="resubmissionkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "from_stage",
            sa.Enum(
                "APPLY",
                "EVALUATE",
                "INTENT",
                "REVIEW",
                "RISK",
                "RESOLVE",
                "FEE_PLAN",
                "FEE_BOOK",
                "CONTRACT",
                "COUNTER",
                "FEE_COLLECT",
                "NOTICE",
                "CONFIRM",
                "IN_FORCE",
                "RELEASE",
                name="stage",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("submitted_on", sa.Date(), nullable=False),
        sa.Column("submitted_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["submitted_by_id"], ["employee.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("resubmission", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resubmission_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_resubmission_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_resubmission_submitted_by_id"), ["submitted_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_resubmission_submitted_on"), ["submitted_on"], unique=False)
        batch_op.create_index(
            "uq_resubmission_reconsidered",
            ["project_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'RECONSIDERED'"),
            postgresql_where=sa.text("kind = 'RECONSIDERED'"),
        )

    op.create_table(
        "termination",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column(
            "cause",
            sa.Enum(
                "CUSTOMER",
                "BANK",
                "EXPIRED",
                "UNMET",
                "REFUSED",
                "OTHER",
                name="terminationcause",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "APPLY",
                "EVALUATE",
                "INTENT",
                "REVIEW",
                "RISK",
                "RESOLVE",
                "FEE_PLAN",
                "FEE_BOOK",
                "CONTRACT",
                "COUNTER",
                "FEE_COLLECT",
                "NOTICE",
                "CONFIRM",
                "IN_FORCE",
                "RELEASE",
                name="stage",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("receivable_amount", columns.Money(), nullable=False),
        sa.Column("refund_amount", columns.Money(), nullable=False),
        sa.Column("deposit_amount", columns.Money(), nullable=False),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("returned_reason", sa.String(length=200), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT", "IN_APPROVAL", "APPROVED", "REJECTED", "VOID", name="paperstate", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("created_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("(state = 'APPROVED') = (approved_on is not null)", name="ck_termination_approved"),
        sa.CheckConstraint("settled_on is null or state = 'APPROVED'", name="ck_termination_settled"),
        sa.CheckConstraint(
            "receivable_amount >= 0 and refund_amount >= 0 and deposit_amount >= 0", name="ck_termination_amounts"
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["employee.id"], ondelete="RESTRICT", use_alter=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("termination", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_termination_approved_on"), ["approved_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_termination_cause"), ["cause"], unique=False)
        batch_op.create_index(batch_op.f("ix_termination_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_termination_state"), ["state"], unique=False)
    # SQLite has them in CREATE TABLE already; elsewhere they are added once both tables stand.
    if op.get_bind().dialect.name != "sqlite":
        for table, column, target, ondelete in LATE:
            op.create_foreign_key(None, table, target, [column], ["id"], ondelete=ondelete)


def downgrade() -> None:
    """The first tables are not taken away."""
    raise NotImplementedError("the first migration has nothing before it")
