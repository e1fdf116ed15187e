"""记账规则: the rules that turn business events into vouchers (8.6)."""

from datetime import date

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Scope, Spec
from models.base.kinds import MenuGroup, Module
from models.ledger.account import Account, Direction
from models.ledger.event import AMOUNT_LABELS, EVENT_LABELS
from models.ledger.voucher import CashFlow, VoucherWord


class PostingRule(Entity):
    """记账规则: how one kind of business event becomes a voucher from a date on."""

    spec = Spec(
        "记账规则",
        Module.LEDGER,
        group=MenuGroup.BOOK_SETUP,
        title="label",
        listed=("label", "word", "memo", "effective_on", "is_active", "event_code"),
        searched=("label", "memo"),
        filtered=("event_code", "is_active"),
        order="event_code",
        key=("event_code", "effective_on"),
        rank=640,
        help="业务发生日适用生效日期不晚于它的最近一条启用规则；金额为零的分录不生成。",
        config=Config(of=("event_code",), since="effective_on"),
    )
    __table_args__ = (UniqueConstraint("event_code", "effective_on", name="uq_posting_rule_event"),)

    event_code: Mapped[str] = c.coded(
        "业务事项", "business_event", EVENT_LABELS, 60, required=True, index=True
    )
    label: Mapped[str] = c.text("规则名称", 60, required=True)
    word_id: Mapped[int] = c.reference("凭证字", "voucher_word", required=True)
    word: Mapped[VoucherWord] = c.related(word_id)
    memo: Mapped[str] = c.text(
        "摘要模板",
        200,
        required=True,
        help="可用 {事项} {客户} {项目} {银行}，生成凭证时替换为实际内容",
    )
    effective_on: Mapped[date] = c.day("生效日期", required=True, default=date(2000, 1, 1))
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)
    lines: Mapped[list["PostingRuleLine"]] = c.related(
        order_by="PostingRuleLine.line_no",
        cascade="all, delete-orphan",
        back_populates="posting_rule",
    )


class PostingRuleLine(Entity):
    """One line of a rule: which amount of the event goes to which side of which account."""

    spec = Spec(
        "记账规则分录",
        Module.LEDGER,
        title="line_no",
        listed=("line_no", "side", "account", "amount_key", "is_red", "memo"),
        order="line_no",
        key=("posting_rule_id", "line_no"),
        scope=Scope(through="posting_rule"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("posting_rule_id", "line_no", name="uq_posting_rule_line_no"),
    )

    posting_rule_id: Mapped[int] = c.owned_by("记账规则", "posting_rule")
    posting_rule: Mapped[PostingRule] = c.related(posting_rule_id, back_populates="lines")
    line_no: Mapped[int] = c.whole("行号", minimum=1, maximum=99, required=True)
    side: Mapped[Direction] = c.enum("借贷方向", Direction, required=True)
    account_id: Mapped[int] = c.reference("会计科目", "account", required=True)
    account: Mapped[Account] = c.related(account_id)
    amount_key: Mapped[str] = c.coded(
        "金额取数", "event_amount", AMOUNT_LABELS, 40, required=True, help="业务事项给出的金额项"
    )
    is_red: Mapped[bool] = c.flag("红字", help="按负数记同一方向，用于冲减")
    memo: Mapped[str | None] = c.text("分录摘要", 200, help="留空时用规则的摘要；可用同样的占位符")
    with_customer: Mapped[bool] = c.flag("带客户", group="辅助核算")
    with_project: Mapped[bool] = c.flag("带项目", group="辅助核算")
    with_bank: Mapped[bool] = c.flag("带银行", group="辅助核算")
    with_department: Mapped[bool] = c.flag("带部门", group="辅助核算")
    cash_flow: Mapped[CashFlow | None] = c.enum("现金流量项目", CashFlow)
