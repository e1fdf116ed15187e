"""Partner banks: head offices and branches, their lines, deposits and shares of the risk (3.5 担保资料)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Spec
from models.base.kinds import Kind, MenuGroup, Module
from models.base.rights import WRITE


class BankStatus(Kind):
    """Whether new guarantees may go to this bank."""

    ACTIVE = "合作中"
    SUSPENDED = "暂停合作"
    CLOSED = "已终止"


class PartnerBank(Entity):
    """A bank that lends on the company's guarantee; a branch without a line of its own draws on its parent's."""

    spec = Spec(
        "合作银行",
        Module.CUSTOMER,
        group=MenuGroup.MATERIALS,
        listed=(
            "code",
            "name",
            "parent",
            "credit_line",
            "deposit_pct",
            "share_pct",
            "agreement_to",
            "status",
        ),
        searched=("code", "name", "short_name"),
        filtered=("parent_id", "status", "agreement_to"),
        order="code",
        key=("code",),
        sums=("credit_line",),
        rank=60,
        roles={"系统管理员": WRITE},
        reveals=("系统管理员", "财务主管", "出纳"),  # who pays must see where to
    )
    __table_args__ = (
        UniqueConstraint("code", name="uq_partner_bank_code"),
        UniqueConstraint("name", name="uq_partner_bank_name"),
        CheckConstraint(
            "parent_id IS NULL OR parent_id <> id", name="ck_partner_bank_not_own_parent"
        ),
        CheckConstraint(
            "agreement_from IS NULL OR agreement_to IS NULL OR agreement_to >= agreement_from",
            name="ck_partner_bank_agreement",
        ),
    )

    code: Mapped[str] = c.text("银行编码", 20, required=True, check="code")
    name: Mapped[str] = c.text("银行名称", 100, required=True)
    short_name: Mapped[str | None] = c.text(
        "银行简称", 40, index=True, help="函件和导入文件中的称呼，如“工商银行”"
    )
    parent_id: Mapped[int | None] = c.reference("上级行", "partner_bank")
    parent: Mapped["PartnerBank | None"] = c.related(parent_id, remote_side="PartnerBank.id")
    status: Mapped[BankStatus] = c.enum(
        "合作状态", BankStatus, required=True, default=BankStatus.ACTIVE, index=True
    )
    credit_line: Mapped[Decimal | None] = c.money(
        "授信额度", group="合作条件", help="留空时占用上级行的额度；总行留空表示不设额度"
    )
    single_limit: Mapped[Decimal | None] = c.money("单笔担保上限", group="合作条件")
    deposit_pct: Mapped[Decimal] = c.rate(
        "保证金比例",
        scale=4,
        required=True,
        default=Decimal(0),
        group="合作条件",
        help="按担保金额存出保证金的比例",
    )
    share_pct: Mapped[Decimal] = c.rate(
        "风险分担比例",
        scale=4,
        required=True,
        default=Decimal(20),
        group="合作条件",
        help="银行承担的风险比例",
    )
    compensation_days: Mapped[int] = c.whole(
        "代偿宽限期",
        unit="天",
        required=True,
        default=60,
        group="合作条件",
        help="自收到银行通知起多少天内应履行代偿",
    )
    agreement_no: Mapped[str | None] = c.text("合作协议编号", 60, group="合作协议")
    agreement_from: Mapped[date | None] = c.day("协议起始日", group="合作协议")
    agreement_to: Mapped[date | None] = c.day("协议到期日", group="合作协议", index=True)
    deposit_account: Mapped[str | None] = c.masked(
        "保证金账号", 40, mask="account", group="合作协议"
    )
    contact: Mapped[str | None] = c.text("联系人", 50, group="联系方式")
    phone: Mapped[str | None] = c.text("联系电话", 30, check="phone", group="联系方式")
    email: Mapped[str | None] = c.text("E-mail地址", 100, check="email", group="联系方式")
    address: Mapped[str | None] = c.text("地址", 200, group="联系方式")
    note: Mapped[str | None] = c.text("备注", 300)
