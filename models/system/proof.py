"""What proves that nothing was changed behind the product's back: lanes of the trail's chain, and its known heads."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Spec
from models.base.kinds import MenuGroup, Module, SpecKind

# Tables whose rows `verify` compares with what the product last wrote (architecture rule 17): the trail carries the
# digest of each row with the line that tells of its change. Every table stands in one of these lists or among the
# exceptions below. Rows of `customer` are covered with those of its heirs.
PROMISES: tuple[str, ...] = (
    "accounting_period",
    "admission_answer",
    "admission_exception",
    "archive_item",
    "archive_loan",
    "approval_copy",
    "approval_instance",
    "approval_task",
    "asset_split",
    "attachment",
    "bank_batch",
    "bank_letter",
    "batch_loan",
    "business_event",
    "ceded_fee",
    "cession_statement",
    "collateral",
    "collateral_certificate",
    "collateral_insurance",
    "collateral_owner",
    "collateral_pledge",
    "collateral_watch",
    "comment",
    "company_snapshot",
    "compensation",
    "compensation_share",
    "config_proposal",
    "config_version",
    "contract",
    "correction",
    "corporate_customer",
    "counter_guarantee",
    "custody_move",
    "custody_paper",
    "customer_rating",
    "customer_relation",
    "customer_watch",
    "delegation",
    "drawdown",
    "executive",
    "external_guarantee",
    "family_member",
    "fee",
    "fee_due",
    "fee_waiver",
    "filing",
    "filing_receipt",
    "filing_row",
    "financial_statement",
    "follow_up",
    "founding_total",
    "history_batch",
    "history_guarantee",
    "income_expense",
    "income_history",
    "income_recognition",
    "income_schedule",
    "instalment",
    "investigation_report",
    "issued_document",
    "issued_statement",
    "joint_group",
    "errand",
    "joint_group_member",
    "litigation",
    "loan_change",
    "major_event",
    "maximum_contract",
    "maximum_use",
    "meeting_item",
    "meeting_member",
    "meeting_vote",
    "month_end_log",
    "occupation",
    "opening_import",
    "personal_customer",
    "pledge_change",
    "pledge_registration",
    "prior_claim",
    "project",
    "project_document",
    "project_holder",
    "project_share",
    "project_snapshot",
    "project_stage",
    "provision_calculation",
    "qualification",
    "receipt",
    "recovery_action",
    "recovery_case",
    "recovery_cost",
    "recovery_part",
    "recovery_plan",
    "recovery_receipt",
    "release",
    "repayment",
    "repayment_plan",
    "resolution",
    "resolution_condition",
    "resubmission",
    "resume",
    "review_meeting",
    "risk_assessment",
    "risk_warning",
    "sample_check",
    "seal_entry",
    "seal_request",
    "share_settlement",
    "shareholder",
    "shop",
    "tax_record",
    "termination",
    "valuation",
    "voucher",
    "write_off",
)
# What decides who may, who must, how much and where to: a promise rests on it.
SETTINGS: tuple[str, ...] = (
    "account",
    "admission_rule",
    "approval_branch",
    "approval_example",
    "approval_flow",
    "approval_node",
    "approval_position",
    "approval_position_member",
    "approval_type",
    "bank_account",
    "benchmark_rate",
    "calendar_day",
    "collateral_type",
    "company",
    "completeness_item",
    "custom_field",
    "department",
    "dictionary_item",
    "dictionary_type",
    "document_template",
    "employee",
    "guarantee_company",
    "number_rule",
    "operator",
    "parameter",
    "partner_bank",
    "posting_rule",
    "posting_rule_line",
    "product",
    "product_document",
    "product_fee",
    "product_repayment",
    "rating_indicator",
    "rating_model",
    "rating_option",
    "rule_example",
    "scheme_bank",
    "scheme_product",
    "scheme_rule",
    "scheme_share",
    "sharing_scheme",
    "statement_account",
    "statement_row",
    "storage_place",
    "system_state",
    "voucher_word",
    "warning_rule",
)
SEALED: tuple[str, ...] = tuple(sorted(PROMISES + SETTINGS))
# A migration that writes rows of a sealed table by SQL counts its table up here, so that `init` takes it in anew.
EDITIONS: dict[str, int] = {
    "account": 1,  # 0019
    "approval_node": 1,  # 0038
    "drawdown": 1,  # 0010
    "posting_rule": 1,  # 0019
    "posting_rule_line": 1,  # 0019
}
# Columns that promise nothing or are recomputed from others: counted up at the door or by each repayment.
UNSEALED: dict[str, tuple[str, ...]] = {
    "operator": (
        "failed_count",
        "locked_until",
        "last_login_at",
        "last_login_ip",
        "rows_per_page",
        "theme",
        "desktop",
        "list_columns",
        "list_orders",
        "saved_reports",
    ),
    "instalment": ("principal_paid", "interest_paid", "overdue_since"),
    "risk_warning": ("message",),
    "system_state": ("base_data_version", "role_edition", "search_edition"),
}
# Of these the words of today: the day-end counts days in them, and neither trail nor news tell of that alone.
FIGURES: dict[str, frozenset[str]] = {"risk_warning": frozenset({"message"})}
# Tables that no digest covers, each with what covers them instead or why nothing need.
NOT_SEALED: dict[str, str] = {
    "account_balance": "recomputed from the entries",
    "audit_log": "its own chain",
    "auxiliary_balance": "recomputed from the entries",
    "chain_head": "the file outside the database",
    "chain_lane": "the chain of the trail",
    "customer": "with its heirs",
    "export_task": "files of a few days, which say themselves what they are",
    "form_draft": "typed and not saved: nobody relies on it",
    "import_row": "rows of a file that nobody has taken yet",
    "import_task": "files of a few days; what was taken from them is sealed as what it is",
    "job_run": "progress of work",
    "list_default": "with which view a list opens: it shows nobody more rows",
    "known_place": "where somebody has signed in: eases a lock alone",
    "number_counter": "the numbers that were given; posting numbers are recounted",
    "pinned_view": "what stands on a desktop",
    "password_history": "former passwords, which may not come back",
    "record_look": "what somebody has opened: a way back, nothing rests on it",
    "role_profile": "with the rights of the role",
    "saved_view": "names and conditions of lists; sharing stands in the trail",
    "sheet_mapping": "a habit of reading files",
    "sign_in_count": "wrong tries of the last half hour",
    "sign_in_session": "ends by itself within a day",
    "submission_key": "answers of the last days",
    "voucher_entry": "the hash that the review keeps, and the chain of vouchers once posted",
}


class ChainLane(Entity):
    """One strand of the chain over the audit trail: whoever writes takes a free one, so that nobody waits."""

    spec = Spec("操作日志链", Module.SYSTEM, SpecKind.INTERNAL, title="lane", in_menu=False)
    __table_args__ = (UniqueConstraint("lane", name="uq_chain_lane_lane"),)

    lane: Mapped[int] = c.whole("链", required=True)
    length: Mapped[int] = c.whole("行数", required=True, default=0)
    hash: Mapped[str] = c.text("链头", 64, required=True, default="")


class ChainHead(Entity):
    """The heads of all chains at a moment, as they were also written to a file outside the database."""

    spec = Spec(
        "链头登记",
        Module.SYSTEM,
        SpecKind.LOG,
        group=MenuGroup.RUNNING,
        title="number",
        listed=(
            "number",
            "noted_at",
            "reason",
            "business_date",
            "voucher_count",
            "audit_count",
            "voucher_hash",
        ),
        filtered=("noted_at", "business_date"),
        order="-number",
        rank=125,
        help="日终、月终、备份时登记凭证链和操作日志链的链头，同时写入数据库之外的链头文件；核对时逐行比对。",
    )
    __table_args__ = (UniqueConstraint("number", name="uq_chain_head_number"),)

    number: Mapped[int] = c.whole("序号", required=True, minimum=1)
    noted_at: Mapped[datetime] = c.moment("登记时间", required=True, index=True)
    reason: Mapped[str] = c.text("缘由", 60, required=True)
    business_date: Mapped[date] = c.day("营业日期", required=True, index=True)
    voucher_count: Mapped[int] = c.whole("凭证数", required=True)
    voucher_hash: Mapped[str] = c.text("凭证链头", 64, required=True)
    audit_count: Mapped[int] = c.whole("操作日志行数", required=True)
    lanes: Mapped[list[Any]] = c.hidden(c.json("操作日志链头", required=True, default=list))
    hash: Mapped[str] = c.text("本行校验码", 64, required=True)

    def __str__(self) -> str:
        """Number and reason."""
        return f"第 {self.number} 号 {self.reason}"
