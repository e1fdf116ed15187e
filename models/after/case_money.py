"""Money of a recovery case (6.3): costs advanced, what came in and how it was split, and what goes between parties."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr

from models.after.compensation import PARTS, CompensationShare
from models.after.recovery import RecoveryCase
from models.base import columns as c
from models.base.entity import Entity, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import FIRST, LAST, at
from models.base.rows import Numbering
from models.guarantee.project import Project, Stage
from models.ledger.event import credit, debit, entered


class MoneyState(Kind):
    """It waits for 复核 and then stands in the books; sent back it stands for nothing and is noted anew."""

    SUBMITTED = "待复核"
    BOOKED = "已记账"
    RETURNED = "已退回"


# What counts: in the books or on its way there.
LIVE_MONEY = (MoneyState.SUBMITTED, MoneyState.BOOKED)


class CaseMoney(Entity):
    """A numbered amount of a case that 复核 books; `part` and `case_part` say how it stands on their pages."""

    __abstract__ = True
    part: ClassVar[c.Part]
    case_part: ClassVar[c.Part]

    @declared_attr
    def number(cls) -> Mapped[str]:  # noqa: N805
        """Drawn when it is noted."""
        return at(FIRST, c.text("编号", 40, required=True, unique=True))

    @declared_attr
    def project_id(cls) -> Mapped[int]:  # noqa: N805
        """Whose it is: right and scope of the project are its own."""
        return at(FIRST + 1, c.reference("担保项目", "project", required=True, part=cls.part))

    @declared_attr
    def project(cls) -> Mapped[Project]:  # noqa: N805
        """The project."""
        return c.related()

    @declared_attr
    def recovery_case_id(cls) -> Mapped[int]:  # noqa: N805
        """The case."""
        found = c.reference("追偿案件", "recovery_case", required=True, part=cls.case_part)
        return at(FIRST + 2, found)

    @declared_attr
    def recovery_case(cls) -> Mapped[RecoveryCase]:  # noqa: N805
        """The case."""
        return c.related()

    @declared_attr
    def amount(cls) -> Mapped[Decimal]:  # noqa: N805
        """All of it."""
        return at(FIRST + 3, c.money("金额", required=True, positive=True))

    @declared_attr
    def moved_on(cls) -> Mapped[date]:  # noqa: N805
        """When it was paid or came in."""
        return at(FIRST + 4, c.day("日期", required=True, index=True))

    @declared_attr
    def note(cls) -> Mapped[str | None]:  # noqa: N805
        """Anything to be said."""
        return at(LAST - 3, c.text("备注", 200))

    @declared_attr
    def returned_reason(cls) -> Mapped[str | None]:  # noqa: N805
        """Why 复核 sent it back."""
        return at(LAST - 2, c.text("复核退回原因", 200))

    @declared_attr
    def state(cls) -> Mapped[MoneyState]:  # noqa: N805
        """Where 复核 has brought it."""
        return at(LAST, c.state("状态", MoneyState, MoneyState.SUBMITTED))


class CostKind(Kind):
    """What the company advances to pursue a claim."""

    COURT = "诉讼费"
    PRESERVATION = "保全费"
    LAWYER = "律师费"
    EXECUTION = "执行费"
    APPRAISAL = "评估拍卖费"
    OTHER = "其他费用"


class RecoveryCost(CaseMoney):
    """追偿费用: what the company has advanced, which the customer owes as well."""

    spec = Spec(
        "追偿费用",
        Module.AFTER,
        SpecKind.LEDGER,
        group=MenuGroup.RECOVERY,
        title="number",
        rank=66,
        order="-id",
        listed=("number", "project", "recovery_case", "kind", "amount", "moved_on", "state"),
        searched=("number",),
        filtered=("project_id", "recovery_case_id", "kind", "moved_on", "state"),
        sums=("amount",),
        scope=Scope(through="project"),
        state="state",
        seeds=(
            Numbering("recovery_cost", "追偿费用编号", "ZY{yyyy}-{no:04d}").row,
            *entered(
                "recovery.cost_paid",
                "垫付追偿费用",
                debit("1221"),
                credit("1002", cash_flow="OTHER_OPERATING_PAID"),
                word="payment",
                memo="垫付{客户}{项目}追偿费用",
            ),
        ),
        news=News(40, made=("垫付", "{kind} {amount} 元")),
    )
    part = c.Part(134, since=Stage.IN_FORCE, is_rare=True)
    case_part = c.Part(40)
    kind: Mapped[CostKind] = c.enum("费用种类", CostKind, required=True, index=True)


class RecoverySource(Kind):
    """From whom or what it came."""

    CUSTOMER = "债务人还款"
    SURETY = "反担保人代还"
    DISPOSAL = "财产处置所得"
    COURT = "法院执行款"
    DEPOSIT = "客户保证金抵扣"
    OTHER = "其他"


class RecoveryReceipt(CaseMoney):
    """追偿回款: money that came in on a case, split by the order that was agreed."""

    spec = Spec(
        "追偿回款",
        Module.AFTER,
        SpecKind.LEDGER,
        group=MenuGroup.RECOVERY,
        title="number",
        rank=68,
        order="-id",
        listed=(
            "number",
            "project",
            "recovery_case",
            "source",
            "amount",
            "moved_on",
            "cost",
            "surcharge",
            *PARTS,
            "shared",
            "excess",
            "state",
        ),
        searched=("number", "payer"),
        filtered=("project_id", "recovery_case_id", "source", "moved_on", "state"),
        sums=("amount", "cost", "surcharge", *PARTS, "shared", "excess"),
        scope=Scope(through="project"),
        state="state",
        seeds=(Numbering("recovery_receipt", "追偿回款编号", "ZK{yyyy}-{no:04d}").row,),
        news=News(18, made=("收到追偿回款：", "{source} {amount} 元")),
    )
    __table_args__ = (
        CheckConstraint(
            "amount = cost + surcharge + principal + interest + penalty + other + excess",
            name="ck_recovery_receipt_split",
        ),
        CheckConstraint("shared >= 0 and excess >= 0", name="ck_recovery_receipt_rest"),
        CheckConstraint(
            "excess_returned_on is null or excess > 0", name="ck_recovery_receipt_returned"
        ),
    )
    part = c.Part(133, since=Stage.IN_FORCE)
    case_part = c.Part(10)
    source: Mapped[RecoverySource] = c.enum("来源", RecoverySource, required=True, index=True)
    payer: Mapped[str] = c.text("付款人", 100, required=True)
    bank_reference: Mapped[str | None] = c.text("银行流水号", 60)
    cost: Mapped[Decimal] = c.money("抵充费用", required=True)
    surcharge: Mapped[Decimal] = c.money("抵充资金占用费", required=True)
    principal: Mapped[Decimal] = c.money("抵充本金", required=True)
    interest: Mapped[Decimal] = c.money("抵充利息", required=True)
    penalty: Mapped[Decimal] = c.money("抵充罚息", required=True)
    other: Mapped[Decimal] = c.money("抵充其他", required=True)
    shared: Mapped[Decimal] = c.money(
        "其中应返还他方", required=True, help="抵充代偿款中属于再担保等分担方的部分"
    )
    excess: Mapped[Decimal] = c.money("多收款", required=True, help="超过全部债权，应退还付款人")
    excess_returned_on: Mapped[date | None] = c.day("多收款退还日期")
    is_off_book: Mapped[bool] = c.flag("核销后收回")


class RecoveryPart(Entity):
    """What of a receipt belongs to one party's part of one 代偿."""

    spec = Spec(
        "回款分配",
        Module.AFTER,
        SpecKind.LEDGER,
        title="share",
        rank=69,
        order="id",
        listed=("receipt", "share", *PARTS, "amount"),
        filtered=("receipt_id", "share_id"),
        sums=("amount",),
        scope=Scope(through="receipt"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("receipt_id", "share_id", name="uq_recovery_part"),
        CheckConstraint(
            "amount = principal + interest + penalty + other", name="ck_recovery_part_amount"
        ),
    )
    receipt_id: Mapped[int] = c.owned_by("追偿回款", "recovery_receipt")
    receipt: Mapped[RecoveryReceipt] = c.related(receipt_id)
    share_id: Mapped[int] = c.reference("代偿分担", "compensation_share", required=True)
    share: Mapped[CompensationShare] = c.related(share_id)
    principal: Mapped[Decimal] = c.money("本金", required=True)
    interest: Mapped[Decimal] = c.money("利息", required=True)
    penalty: Mapped[Decimal] = c.money("罚息", required=True)
    other: Mapped[Decimal] = c.money("其他", required=True)
    amount: Mapped[Decimal] = c.money("合计", required=True)


class SettlementKind(Kind):
    """Which way money goes between the company and who shares the risk."""

    RECEIVED = "收到分担款"
    RETURNED = "返还追回款"


class ShareSettlement(CaseMoney):
    """分担结算: a party pays its part of a 代偿, or gets its part of what was recovered."""

    spec = Spec(
        "分担结算",
        Module.AFTER,
        SpecKind.LEDGER,
        group=MenuGroup.RECOVERY,
        title="number",
        rank=70,
        order="-id",
        listed=(
            "number",
            "project",
            "recovery_case",
            "share",
            "kind",
            "amount",
            "moved_on",
            "state",
        ),
        searched=("number",),
        filtered=("project_id", "recovery_case_id", "share_id", "kind", "moved_on", "state"),
        sums=("amount",),
        scope=Scope(through="project"),
        state="state",
        seeds=(
            Numbering("share_settlement", "分担结算编号", "FJ{yyyy}-{no:04d}").row,
            *entered(
                "share.received",
                "收到分担款",
                debit("1002", cash_flow="RECOVERY_RECEIVED"),
                credit("1261"),
                word="receipt",
                memo="收{客户}{项目}代偿分担款",
            ),
            *entered(
                "share.returned",
                "返还追回款",
                debit("2261"),
                credit("1002", cash_flow="COMPENSATION_PAID"),
                word="payment",
                memo="返还{客户}{项目}追回款",
            ),
        ),
        news=News(42, made=("", "{kind} {amount} 元")),
    )
    part = c.Part(136, since=Stage.IN_FORCE, is_rare=True)
    case_part = c.Part(60)
    share_id: Mapped[int] = c.reference(
        "代偿分担", "compensation_share", required=True, part=c.Part(10)
    )
    share: Mapped[CompensationShare] = c.related(share_id)
    kind: Mapped[SettlementKind] = c.enum("种类", SettlementKind, required=True, index=True)
