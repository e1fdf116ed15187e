"""Ways to change what the product promises not to change, by somebody who may write SQL: (name, SQL, who is named).

Each row is one way; `:id` is the first row of `table` that `where` finds. What is named is what `verify` must say.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """One way: statements run on the first row found, and the words with which it must come out."""

    table: str
    change: str
    says: str = "与留痕不符"
    where: str = "1 = 1"

    @property
    def sql(self) -> str:
        """The statement of an attacker."""
        if self.change in ("DELETE", "ADD"):
            return self.change
        return f"UPDATE {self.table} SET {self.change} WHERE id = :id"

    def __str__(self) -> str:
        """The name of the test."""
        return f"{self.table}: {self.change[:60]}"


POSTED = "state = 'POSTED'"
DECIDED = "state = 'APPROVED' AND opinion IS NOT NULL"
GONE, ADDED = "已不在库中", "没有留痕"
OTHER = "(SELECT max(id) FROM employee)"

RECORDS: tuple[Way, ...] = (
    # who made, checked, signed and posted a posted voucher
    Way("voucher", f"prepared_by_id = {OTHER}", where=f"{POSTED} AND prepared_by_id IS NOT NULL"),
    Way("voucher", f"reviewed_by_id = {OTHER}", where=POSTED),
    Way("voucher", f"signed_by_id = {OTHER}", where=f"{POSTED} AND signed_by_id IS NOT NULL"),
    Way("voucher", f"posted_by_id = {OTHER}", where=POSTED),
    Way("voucher", "posted_at = '2020-01-01 00:00:00'", where=POSTED),
    Way("voucher", "kind = 'OPENING'", where=f"{POSTED} AND kind = 'ORDINARY'"),
    Way("voucher", "event_id = NULL", where=f"{POSTED} AND event_id IS NOT NULL"),
    Way("voucher", "DELETE", GONE, where=f"{POSTED} AND event_id IS NULL AND reverses_id IS NULL"),
    # events of the business
    Way("business_event", 'amounts = \'{"principal": "1.00"}\''),
    Way("business_event", "total = total + 100"),
    Way("business_event", "occurred_on = '2020-01-01'"),
    Way("business_event", "memo = '改过的摘要'"),
    Way("business_event", "record_id = record_id + 1"),
    Way("business_event", f"booked_by_id = {OTHER}", where="state = 'BOOKED'"),
    Way("business_event", "DELETE", GONE),
    # documents as issued
    Way("issued_document", "title = '另一份文书'"),
    Way("issued_document", "data = '{}'"),
    Way("issued_document", "body = '<p>改过的正文</p>', sha256 = 'AAAA-BBBB-CCCC-DDDD'"),
    Way("issued_document", "template_version = template_version + 1"),
    Way("issued_document", "issued_at = '2020-01-01 00:00:00'"),
    Way("issued_document", f"issued_by_id = {OTHER}"),
    Way("issued_document", "owner_id = owner_id + 1"),
    Way("issued_document", "pdf_sha256 = 'swapped'"),
    Way("issued_document", "ADD", ADDED),
    # files
    Way("attachment", "sha256 = 'swapped'"),
    Way("attachment", "original_name = '别的.pdf'"),
    Way("attachment", "owner_id = owner_id + 1"),
    Way("attachment", f"uploaded_by_id = {OTHER}"),
    Way("attachment", "DELETE", GONE),
    # how things stood, and statements as issued
    Way("project_snapshot", "balance = balance + 100"),
    Way("project_snapshot", "DELETE", GONE),
    Way("project_snapshot", "ADD", ADDED),
    Way("company_snapshot", "in_force_balance = 0", where="in_force_balance > 0"),
    Way("company_snapshot", "DELETE", GONE),
    Way("issued_statement", "lines = '[]'"),
    Way("issued_statement", "total = total + 1"),
    Way("issued_statement", "DELETE", GONE),
    Way("month_end_log", "net_profit = net_profit + 1"),
    Way("month_end_log", f"closed_by_id = {OTHER}"),
    Way("month_end_log", "checks = '[]'"),
    Way("month_end_log", "DELETE", GONE),
    Way("provision_calculation", "base = base + 100"),
    Way("provision_calculation", "formula = '改过的计算过程'"),
    # decisions
    Way("approval_task", "opinion = '同意，另附条件'", where=DECIDED),
    Way("approval_task", "opinion = NULL", where=DECIDED),
    Way("approval_task", "state = 'REJECTED'", where=DECIDED),
    Way("approval_task", f"decided_by_id = {OTHER}", where=DECIDED),
    Way("approval_task", "decided_at = '2020-01-01 00:00:00'", where=DECIDED),
    Way("approval_task", "DELETE", GONE, where=DECIDED),
    Way("approval_task", "ADD", ADDED, where=DECIDED),
    Way("approval_instance", "state = 'REJECTED'", where="state = 'APPROVED'"),
    Way("approval_instance", "amount = amount + 1", where="amount IS NOT NULL"),
    Way("approval_instance", "facts = '{}'"),
    Way("meeting_vote", "choice = 'OPPOSE'", where="choice = 'AGREE'"),
    Way("meeting_vote", "opinion = '另有意见'"),
    Way("meeting_vote", f"employee_id = {OTHER}"),
    Way("meeting_vote", "DELETE", GONE),
    Way("meeting_item", "minutes_id = NULL", where="minutes_id IS NOT NULL"),
    Way("meeting_member", "DELETE", GONE),
    # amounts that were promised
    Way("resolution", "amount = amount + 100"),
    Way("resolution", "valid_until = '2099-12-31'"),
    Way("resolution", "DELETE", GONE),
    Way("resolution_condition", "DELETE", GONE),
    Way("contract", "amount = amount + 100"),
    Way("contract", "counterparty = '别的当事人'"),
    Way("contract", "signed_on = '2020-01-01'"),
    Way("contract", "terms = '另有约定'"),
    Way("contract", "state = 'VOID'"),
    Way("contract", "ADD", ADDED),
    Way("counter_guarantee", "name = '别的抵押物'"),
    Way("project", "amount = amount + 100"),
    Way("project", "customer_id = (SELECT max(id) FROM customer)"),
    Way("drawdown", "amount = amount + 100"),
    Way("fee", "amount = amount + 100"),
    Way("receipt", "amount = amount + 100"),
    Way("receipt", "payer = '别的付款人'"),
    Way("repayment", "principal = principal + 100"),
    Way("repayment", "DELETE", GONE),
    Way("release", "released_on = '2020-01-01'"),
    Way("bank_letter", "amount = amount + 100"),
    Way("investigation_report", "DELETE", GONE),
    Way("risk_assessment", "number = 'FX-9'"),
    Way("termination", "reason = '别的原因'"),
    # words, and who is watched
    Way("comment", "text = '改过的备注'"),
    Way("comment", "owner_id = owner_id + 1"),
    Way("comment", "DELETE", GONE),
    Way("comment", "ADD", ADDED),
    Way("customer_watch", "reason = '别的原因'"),
    Way("customer_watch", "DELETE", GONE),
    # what is due, and when
    Way("instalment", "due_on = '2099-12-31'"),
    Way("instalment", "principal = principal + 100"),
    Way("instalment", "interest = interest + 1"),
    Way("instalment", "DELETE", GONE),
    Way("repayment_plan", "made_on = '2020-01-01'"),
    Way("repayment_plan", "file_name = 'other.xlsx'"),
    Way("fee_due", "due_on = '2099-12-31'"),
    # who may sign in, and as whom
    Way("operator", "is_disabled = NOT is_disabled"),
    Way("operator", "must_change_password = NOT must_change_password"),
    Way("operator", "username = 'other'"),
    Way("employee", "name = '别人'"),
    Way(
        "employee",
        "department_id = (SELECT max(id) FROM department)",
        where="department_id <> (SELECT max(id) FROM department)",
    ),
    Way("employee", "is_active = NOT is_active"),
    Way("department", "path = '/1/'", where="path <> '/1/'"),
    # who must approve, by which steps
    Way("approval_flow", "state = 'RETIRED'", where="state = 'PUBLISHED'"),
    Way("approval_node", "name = '别的环节'"),
    Way("approval_node", "DELETE", GONE),
    Way("approval_position", "label = '别的岗位'"),
    Way("approval_position_member", f"employee_id = {OTHER}"),
    Way("approval_position_member", "DELETE", GONE),
    # how much, where to, by which words and which accounts
    Way("parameter", "value = '999999999'"),
    Way("parameter", "DELETE", GONE),
    Way("bank_account", "account_no = '6222000000000000'"),
    Way("partner_bank", "name = '别的银行'"),
    Way("document_template", "body = '<p>别的正文</p>'"),
    Way("posting_rule", "is_active = NOT is_active"),
    Way("posting_rule_line", "account_id = (SELECT max(id) FROM account)"),
    Way("posting_rule_line", "DELETE", GONE),
    Way("account", "name = '别的科目'"),
    Way("product", "name = '别的品种'"),
    # Customers and what decides about them.
    Way("corporate_customer", "scale = 'MICRO'", where="scale <> 'MICRO'"),
    Way("corporate_customer", "legal_person = '别人'"),
    Way("personal_customer", "id_number = '110101199001011234'"),
    Way("personal_customer", "DELETE", GONE),
    Way("customer_relation", "DELETE", GONE),
    Way("customer_relation", "kind = 'CONTROL'"),
    Way("joint_group", "credit_line = credit_line + 100"),
    Way("joint_group_member", "DELETE", GONE),
    Way("shareholder", "DELETE", GONE),
    Way("financial_statement", "total_assets = total_assets + 100"),
    Way("executive", "name = '别人'"),
    Way("guarantee_company", "credit_line = 100"),
    Way("rating_option", "score = score + 1"),
    Way("rating_model", "label = '别的模型'"),
    Way("completeness_item", "DELETE", GONE),
    # What a project went through, who worked on it, what was said of its dangers.
    Way("project_stage", "entered_on = '2020-01-01'"),
    Way("project_stage", "DELETE", GONE, where="left_on IS NOT NULL"),
    Way("project_holder", "DELETE", GONE),
    Way("risk_warning", "deadline = '2099-12-31'"),
    Way("risk_warning", "DELETE", GONE),
    # How statements and classes of assets are made, and where the system stands.
    Way("statement_row", "formula = 'R1'"),
    Way("statement_account", "DELETE", GONE),
    Way("asset_split", "amount = amount + 100"),
    Way("asset_split", "ADD", ADDED),
    Way("dictionary_item", "label = '别的条目'"),
    Way("company", "full_name = '别的公司'"),
    Way("system_state", "business_date = '2099-12-31'"),
)
RIGHTS: tuple[tuple[str, str], ...] = (
    (
        "DELETE FROM ab_permission_view_role WHERE role_id = (SELECT min(role_id) FROM ab_permission_view_role)",
        "角色",
    ),
    (
        (
            "INSERT INTO ab_permission_view_role (id, role_id, permission_view_id) SELECT 999999, r.id, p.id "
            "FROM ab_role r, ab_permission_view p WHERE r.name = '分析员' AND NOT EXISTS (SELECT 1 FROM "
            "ab_permission_view_role x WHERE x.role_id = r.id AND x.permission_view_id = p.id) ORDER BY p.id LIMIT 1"
        ),
        "角色“分析员”",
    ),
    ("UPDATE role_profile SET scope = 'ALL' WHERE name = '客户经理'", "角色“客户经理”"),
    ("UPDATE ab_role SET name = '超级管理员' WHERE name = '出纳'", "角色“超级管理员”"),
    (
        (
            "INSERT INTO ab_user_role (id, user_id, role_id) SELECT 999999, u.id, r.id FROM ab_user u, ab_role r "
            "WHERE u.username = 'zhoumin' AND r.name = '系统管理员'"
        ),
        "操作员“zhoumin”",
    ),
    ("UPDATE ab_user SET password = 'swapped' WHERE username = 'zhoumin'", "操作员“zhoumin”"),
    ("UPDATE ab_user SET active = NOT active WHERE username = 'zhoumin'", "操作员“zhoumin”"),
    ("UPDATE ab_user SET username = 'other' WHERE username = 'zhoumin'", "操作员“other”"),
    (
        "DELETE FROM ab_user_role WHERE user_id = (SELECT id FROM ab_user WHERE username = 'zhoumin')",
        "操作员“zhoumin”",
    ),
)
TRAIL: tuple[tuple[str, str], ...] = (
    ("DELETE FROM audit_log", "现有 0 行，末尾的日志被删除或改动"),
    (
        "DELETE FROM audit_log WHERE seal_no > (SELECT max(seal_no) - 20 FROM audit_log)",
        "末尾的日志被删除或改动",
    ),
    ("DELETE FROM audit_log WHERE seal_no = 200", "与封存摘要不符"),
    ("DELETE FROM audit_log WHERE table_name = 'contract'", "与封存摘要不符"),
    ("UPDATE audit_log SET note = '改过' WHERE seal_no = 100", "与封存摘要不符"),
    ("UPDATE audit_log SET actor_name = '别人' WHERE seal_no = 100", "与封存摘要不符"),
    ("UPDATE audit_log SET changes = '{}' WHERE seal_no = 150", "与封存摘要不符"),
    ("UPDATE audit_log SET at = '2020-01-01 00:00:00' WHERE seal_no = 100", "与封存摘要不符"),
    (
        (
            "UPDATE audit_log SET digest = 'swapped' WHERE seal_no = (SELECT max(seal_no) FROM audit_log "
            "WHERE digest IS NOT NULL)"
        ),
        "与封存摘要不符",
    ),
    ("UPDATE audit_log SET seal_no = NULL WHERE seal_no = 300", "操作日志第"),
    (
        (
            "INSERT INTO audit_log (at, actor_name, source, table_name, record_title, action, changes, log_kind, "
            "version, extra, lane) SELECT at, actor_name, source, table_name, record_title, action, changes, "
            "log_kind, version, extra, "
            "lane FROM audit_log WHERE seal_no = 100"
        ),
        "不在封存链内",
    ),
    ("UPDATE chain_lane SET length = length - 1", "末尾的日志被删除或改动"),
    ("UPDATE chain_lane SET hash = 'swapped'", "末尾的日志被删除或改动"),
    ("DELETE FROM chain_lane", "没有登记"),
)
LEDGER: tuple[tuple[str, str], ...] = (
    ("UPDATE voucher SET memo = '改过的摘要' WHERE posting_no = 5", "校验链不符"),
    ("UPDATE voucher SET date = '2020-01-01' WHERE posting_no = 5", "校验链不符"),
    ("UPDATE voucher SET attachments = attachments + 1 WHERE posting_no = 5", "校验链不符"),
    ("UPDATE voucher SET hash = 'swapped' WHERE posting_no = 5", "校验链不符"),
    (
        (
            "UPDATE voucher_entry SET debit = debit + 100 "
            "WHERE voucher_id = (SELECT id FROM voucher WHERE posting_no = 5) AND debit > 0"
        ),
        "借贷不平",
    ),
    (
        (
            "UPDATE voucher_entry SET debit = debit * 2, credit = credit * 2 "
            "WHERE voucher_id = (SELECT id FROM voucher WHERE posting_no = 5)"
        ),
        "合计金额与分录不符",
    ),
    (
        (
            "UPDATE voucher_entry SET account_id = (SELECT min(id) FROM account) "
            "WHERE voucher_id = (SELECT id FROM voucher WHERE posting_no = 5)"
        ),
        "校验链不符",
    ),
    (
        "UPDATE voucher_entry SET memo = '改过' WHERE voucher_id = (SELECT id FROM voucher WHERE posting_no = 5)",
        "校验链不符",
    ),
    (
        (
            "UPDATE account_balance SET closing = closing + 100, opening = opening + 100 WHERE id = "
            "(SELECT min(id) FROM account_balance)"
        ),
        "科目余额与凭证不符",
    ),
    (
        "DELETE FROM account_balance WHERE id = (SELECT max(id) FROM account_balance)",
        "科目余额与凭证不符",
    ),
    (
        (
            "UPDATE auxiliary_balance SET closing = closing + 100, opening = opening + 100 WHERE id = "
            "(SELECT min(id) FROM auxiliary_balance)"
        ),
        "辅助余额与凭证不符",
    ),
    *(
        (
            (
                f"UPDATE voucher_entry SET {name} = (SELECT max(id) FROM {table}) WHERE id = (SELECT min(e.id) FROM "
                f"voucher_entry e JOIN voucher v ON v.id = e.voucher_id WHERE v.state = 'POSTED' AND e.{name} {found})"
            ),
            "辅助核算与其编号",
        )
        for name, table, found in (
            ("customer_id", "customer", "IS NOT NULL"),
            ("project_id", "project", "IS NOT NULL"),
            ("bank_id", "partner_bank", "IS NULL"),
            ("department_id", "department", "IS NULL"),
        )
    ),
    (
        "UPDATE month_end_log SET chain_hash = 'swapped' WHERE id = (SELECT min(id) FROM month_end_log)",
        "结账的凭证链校验码",
    ),
    (
        "UPDATE month_end_log SET posting_no = posting_no - 1 WHERE id = (SELECT min(id) FROM month_end_log)",
        "结账的凭证链校验码",
    ),
    (
        (
            "UPDATE business_event SET state = 'PENDING', voucher_id = NULL, booked_by_id = NULL, booked_at = NULL "
            "WHERE state = 'BOOKED'"
        ),
        "张有效凭证",
    ),
)
