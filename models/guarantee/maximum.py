"""最高额合同 (4.4c): a contract with a limit, under which projects of a customer are drawn within a period."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Found, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import Paper, PaperState
from models.base.rows import MANAGER, decided, numbered
from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.project import Project
from models.guarantee.signing import ContractKind, CounterKind
from models.system.organization import Employee
from models.system.records import IssuedDocument

_COUNTER = "反担保"


class MaximumKind(Kind):
    """Contracts that may be agreed up to a limit; each stands for the contract of the same name of a project."""

    ENTRUSTMENT = "最高额委托担保合同"
    GUARANTEE = "最高额保证合同"
    COUNTER = "最高额反担保合同"

    @property
    def replaces(self) -> ContractKind:
        """The contract that a project under it does not need any more."""
        return ContractKind[self.name]


class MaximumContract(Paper):
    """A contract up to a limit: approved, it takes projects until its period ends, as far as its amount goes."""

    spec = Spec(
        "最高额合同",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        found=Found(35, lambda one: f"{one.customer.name} · {one.kind.label}", loads=("customer",)),
        title="number",
        group=MenuGroup.SIGNING,
        rank=85,
        listed=(
            "number",
            "kind",
            "customer",
            "counterparty",
            "limit_amount",
            "is_revolving",
            "starts_on",
            "ends_on",
            "state",
        ),
        searched=("number", "counterparty"),
        filtered=("customer_id", "kind", "state", "ends_on"),
        sums=("limit_amount",),
        scope=Scope(through="customer"),
        state="state",
        drafts=(PaperState.DRAFT,),
        on_sheet=("name", "appraised_value", "recognised_value", "terms"),
        seeds=(
            *numbered("maximum_contract", "最高额合同编号", "ZGE{yyyy}-{no:04d}"),
            *decided(
                "maximum_contract",
                "最高额合同",
                ("部门经理审核", MANAGER),
                ("风控审批", "risk"),
                ("法务审核", "legal"),
                remark="最高额委托担保、保证、反担保合同",
                sort_no=95,
            ),
        ),
        help="通过后，同一客户的多个项目可在债权确定期间内纳入，合计不超过最高限额；项目页“纳入最高额合同”。",
        demo=(
            {
                "kind": "ENTRUSTMENT",
                "customer_id": "*",
                "limit_amount": "10000000",
                "is_revolving": "1",
                "signed_on": "-1",
                "starts_on": "-1",
                "ends_on": "+730",
            },
        ),
    )
    __table_args__ = (
        CheckConstraint("limit_amount > 0", name="ck_maximum_contract_limit"),
        CheckConstraint("ends_on >= starts_on", name="ck_maximum_contract_dates"),
        CheckConstraint(
            "not is_settled or settled_evidence is not null", name="ck_maximum_contract_settled"
        ),
    )
    number_label = "合同编号"
    kind: Mapped[MaximumKind] = c.enum("合同种类", MaximumKind, required=True, index=True)
    customer_id: Mapped[int] = c.reference("客户", "customer", required=True, part=c.Part(175))
    customer: Mapped[Customer] = c.related(customer_id)
    bank_id: Mapped[int | None] = c.reference("合作银行", "partner_bank", help="最高额保证合同填写")
    bank: Mapped[PartnerBank | None] = c.related(bank_id)
    counterparty: Mapped[str] = c.filled(
        c.text("对方当事人", 100, required=True, help="不填为客户、银行，或反担保人")
    )
    limit_amount: Mapped[Decimal] = c.money("最高限额", required=True, positive=True)
    is_revolving: Mapped[bool] = c.flag(
        "循环使用", default=True, help="是：还款、解保后额度恢复；否：累计发生额不超过限额"
    )
    signed_on: Mapped[date] = c.day("签约日期", required=True)
    starts_on: Mapped[date] = c.day("债权确定期间起", required=True)
    ends_on: Mapped[date] = c.day("债权确定期间止", required=True, index=True)
    counter_kind: Mapped[CounterKind | None] = c.enum(
        "反担保方式", CounterKind, group=_COUNTER, help="最高额反担保合同填写：抵押、质押或保证"
    )
    asset_kind: Mapped[str | None] = c.dictionary(
        "反担保物种类", "collateral_kind", group=_COUNTER, help="抵押、质押时填写，决定抵押率上限"
    )
    name: Mapped[str | None] = c.text("反担保物 / 保证人", 120, group=_COUNTER)
    certificate_no: Mapped[str | None] = c.text("权证号码", 60, group=_COUNTER)
    appraised_value: Mapped[Decimal | None] = c.money("评估值", group=_COUNTER)
    rate_pct: Mapped[Decimal | None] = c.rate("抵押率", unit="%", scale=2, group=_COUNTER)
    recognised_value: Mapped[Decimal | None] = c.computed(c.money("认定值", group=_COUNTER))
    is_settled: Mapped[bool] = c.computed(c.flag("已落实", group=_COUNTER))
    settled_on: Mapped[date | None] = c.computed(c.day("落实日期", group=_COUNTER))
    settled_evidence: Mapped[str | None] = c.computed(c.text("落实依据", 200, group=_COUNTER))
    terms: Mapped[str | None] = c.long_text("特别约定")
    document_id: Mapped[int | None] = c.computed(c.reference("合同文本", "issued_document"))
    document: Mapped[IssuedDocument | None] = c.related(document_id)


_NOW = text("until_on is null")  # under the contract at present


class MaximumUse(Entity):
    """A project under a contract up to a limit: since when, by whom, and until when where it was taken out again."""

    spec = Spec(
        "最高额合同项下",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        title="maximum",
        order="id",
        listed=("maximum", "project", "since_on", "put_by", "until_on", "reason"),
        filtered=("maximum_id", "project_id"),
        scope=Scope(through="project"),
        in_menu=False,
        news=News(
            100,
            made=("纳入最高额合同：", "{maximum_id}"),
            moved=(("until_on", None, "移出最高额合同：{reason}"),),
        ),
    )
    __table_args__ = (
        Index(
            "uq_maximum_use",
            "maximum_id",
            "project_id",
            unique=True,
            sqlite_where=_NOW,
            postgresql_where=_NOW,
        ),
        CheckConstraint("until_on is null or until_on >= since_on", name="ck_maximum_use_dates"),
    )
    maximum_id: Mapped[int] = c.reference("最高额合同", "maximum_contract", required=True)
    maximum: Mapped[MaximumContract] = c.related(maximum_id)
    project_id: Mapped[int] = c.reference(
        "担保项目", "project", required=True, part=c.Part(25, is_rare=True)
    )
    project: Mapped[Project] = c.related(project_id)
    since_on: Mapped[date] = c.day("纳入日期", required=True)
    put_by_id: Mapped[int | None] = c.reference("经办人", "employee")
    put_by: Mapped[Employee | None] = c.related(put_by_id)
    until_on: Mapped[date | None] = c.day("移出日期")
    reason: Mapped[str | None] = c.text("移出原因", 200)
