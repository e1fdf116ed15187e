"""The tables whose rows are nobody's own: everybody with the permission reads all of them, each for the reason here.

A table that says nothing about its readers and does not stand here is read by nobody (reports.base.scope).
"""

from typing import Final

_SETTING = "设置：全公司共用，不涉及客户"
_ORGANIZATION = "组织：每个人都要能找到同事和部门"
_BOOKS = "账簿：全公司一套账，按总账权限查看"
_PARTNER = "合作机构：各部门共用"
_WHOLE = "全公司合计，不落到单个客户"
_SYSTEM = "系统运行记录，不涉及客户"

OPEN: Final[dict[str, str]] = {
    "approval_flow": _SETTING,
    "approval_position": _SETTING,
    "approval_position_member": _SETTING,
    "approval_type": _SETTING,
    "benchmark_rate": _SETTING,
    "calendar_day": _SETTING,
    "collateral_type": _SETTING,
    "completeness_item": _SETTING,
    "custom_field": _SETTING,
    "dictionary_item": _SETTING,
    "dictionary_type": _SETTING,
    "document_template": _SETTING,
    "number_rule": _SETTING,
    "parameter": _SETTING,
    "product": _SETTING,
    "rating_indicator": _SETTING,
    "rating_model": _SETTING,
    "rating_option": _SETTING,
    "role_profile": _SETTING,
    "rule_example": _SETTING,
    "sharing_scheme": _SETTING,
    "storage_place": _SETTING,
    "warning_rule": _SETTING,
    "company": _ORGANIZATION,
    "department": _ORGANIZATION,
    "employee": _ORGANIZATION,
    "operator": _ORGANIZATION,
    "guarantee_company": _PARTNER,
    "partner_bank": _PARTNER,
    "account": _BOOKS,
    "account_balance": _BOOKS,
    "accounting_period": _BOOKS,
    "asset_split": _BOOKS,
    "auxiliary_balance": _BOOKS,
    "founding_total": _BOOKS,
    "income_history": _BOOKS,
    "issued_statement": _BOOKS,
    "month_end_log": _BOOKS,
    "opening_import": _BOOKS,
    "posting_rule": _BOOKS,
    "provision_calculation": _BOOKS,
    "statement_row": _BOOKS,
    "voucher": _BOOKS,
    "voucher_template": _BOOKS,
    "voucher_word": _BOOKS,
    "company_snapshot": _WHOLE,
    "job_run": _SYSTEM,
    "number_counter": _SYSTEM,
    "sign_in_count": _SYSTEM,
    "submission_key": _SYSTEM,
    "sheet_mapping": _SYSTEM,
    "chain_head": _SYSTEM,
    "chain_lane": _SYSTEM,
    "system_state": _SYSTEM,
}
