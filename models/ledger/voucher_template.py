"""凭证模板 (8.2): entries that come again each month, with or without their amounts, to begin a voucher with."""

from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Module
from models.ledger.account import Account
from models.ledger.voucher import CashFlow, VoucherWord

if TYPE_CHECKING:
    from models.customer.customer import Customer
    from models.guarantee.bank import PartnerBank
    from models.guarantee.project import Project
    from models.system.organization import Department


class VoucherTemplate(Entity):
    """A voucher that is written again and again: its word, memo and lines."""

    spec = Spec(
        "凭证模板",
        Module.LEDGER,
        listed=("name", "word", "memo"),
        searched=("name", "memo"),
        filtered=("word_id",),
        order="name",
        key=("name",),
        rank=10,
        help="打开模板，点“按模板填制”，改好日期和金额后保存为凭证；也可在凭证页“存为模板”。",
        demo=({"name": "支付工资及房租", "word_id": "付", "memo": "支付工资及房租"},),
    )
    __table_args__ = (UniqueConstraint("name", name="uq_voucher_template_name"),)

    name: Mapped[str] = c.text("模板名称", 60, required=True)
    word_id: Mapped[int] = c.reference("凭证字", "voucher_word", required=True)
    word: Mapped[VoucherWord] = c.related(word_id)
    memo: Mapped[str] = c.text("摘要", 200, required=True)
    lines: Mapped[list["VoucherTemplateLine"]] = c.related(
        order_by="VoucherTemplateLine.line_no",
        cascade="all, delete-orphan",
        back_populates="voucher_template",
    )


class VoucherTemplateLine(Entity):
    """An entry of a template; what is left empty is filled in on the voucher."""

    spec = Spec(
        "凭证模板分录",
        Module.LEDGER,
        title="line_no",
        listed=("line_no", "account", "memo", "debit", "credit"),
        order="line_no",
        key=("voucher_template_id", "line_no"),
        scope=Scope(through="voucher_template"),
        in_menu=False,
        demo=(
            {"voucher_template_id": "*", "line_no": "1", "account_id": "业务及管理费 / 职工薪酬"},
            {
                "voucher_template_id": "*",
                "line_no": "2",
                "account_id": "银行存款",
                "cash_flow": "STAFF_PAID",
            },
        ),
    )
    __table_args__ = (
        UniqueConstraint("voucher_template_id", "line_no", name="uq_voucher_template_line_no"),
        CheckConstraint(
            "debit IS NULL OR credit IS NULL", name="ck_voucher_template_line_one_side"
        ),
    )

    voucher_template_id: Mapped[int] = c.owned_by("凭证模板", "voucher_template")
    voucher_template: Mapped[VoucherTemplate] = c.related(
        voucher_template_id, back_populates="lines"
    )
    line_no: Mapped[int] = c.whole("行号", minimum=1, maximum=999, required=True)
    account_id: Mapped[int] = c.reference("会计科目", "account", required=True)
    account: Mapped[Account] = c.related(account_id)
    memo: Mapped[str | None] = c.text("摘要", 200, help="留空时用模板的摘要")
    debit: Mapped[Decimal | None] = c.money(
        "借方金额", signed=True, help="每次不同的留空，填制时再填"
    )
    credit: Mapped[Decimal | None] = c.money("贷方金额", signed=True)
    customer_id: Mapped[int | None] = c.reference("客户", "customer")
    customer: Mapped["Customer | None"] = c.related(customer_id)
    project_id: Mapped[int | None] = c.reference("项目", "project")
    project: Mapped["Project | None"] = c.related(project_id)
    bank_id: Mapped[int | None] = c.reference("银行", "partner_bank")
    bank: Mapped["PartnerBank | None"] = c.related(bank_id)
    department_id: Mapped[int | None] = c.reference("部门", "department")
    department: Mapped["Department | None"] = c.related(department_id)
    cash_flow: Mapped[CashFlow | None] = c.enum("现金流量项目", CashFlow)
