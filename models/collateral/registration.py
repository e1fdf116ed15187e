"""登记 and 保险 (7.4): what makes a pledge hold against others, and what keeps its value."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.rights import WRITE
from models.base.rows import SeedRow
from models.collateral.asset import KEEPER, Collateral
from models.collateral.kind import Registry
from models.collateral.pledge import CollateralPledge


class RegistrationState(Kind):
    """A registration holds until it is cancelled."""

    VALID = "有效"
    CANCELLED = "已注销"


class PledgeRegistration(Entity):
    """The registration of a pledge at its office: number, amount and term; renewed before its end."""

    spec = Spec(
        "抵质押登记",
        Module.COLLATERAL,
        SpecKind.LEDGER,
        group=MenuGroup.COLLATERAL_FILES,
        rank=50,
        title="number",
        listed=(
            "number",
            "pledge",
            "office",
            "amount",
            "registered_on",
            "expires_on",
            "renewals",
            "cancelled_on",
            "state",
        ),
        searched=("number",),
        filtered=("pledge_id", "office", "registered_on", "expires_on", "state"),
        sums=("amount",),
        scope=Scope(through="pledge"),
        state="state",
        seeds=(
            SeedRow(
                "parameter",
                {
                    "code": "counter.registration_required",
                    "label": "抵质押落实须有登记",
                    "value": "是",
                    "value_kind": "FLAG",
                    "effective_on": "2000-01-01",
                    "module": "COLLATERAL_SETUP",
                    "note": "是：押品种类有登记机构的抵押、质押，关联押品并登记之后才算落实；否：凭填写的依据落实",
                },
            ),
        ),
    )
    __table_args__ = (
        UniqueConstraint("office", "number", name="uq_pledge_registration"),
        CheckConstraint(
            "expires_on is null or expires_on > registered_on", name="ck_pledge_registration_term"
        ),
        CheckConstraint(
            "(state = 'CANCELLED') = (cancelled_on is not null)",
            name="ck_pledge_registration_cancelled",
        ),
        CheckConstraint("amount > 0", name="ck_pledge_registration_amount"),
    )
    pledge_id: Mapped[int] = c.owned_by("设押记录", "collateral_pledge", part=c.Part(10))
    pledge: Mapped[CollateralPledge] = c.related(pledge_id)
    office: Mapped[Registry] = c.enum("登记机构", Registry, required=True, index=True)
    number: Mapped[str] = c.text("登记证明编号", 80, required=True)
    amount: Mapped[Decimal] = c.money("登记债权额", required=True, positive=True)
    registered_on: Mapped[date] = c.day("登记日期", required=True, index=True)
    expires_on: Mapped[date | None] = c.day("登记到期日", index=True)
    renewals: Mapped[int] = c.whole("展期次数", required=True, default=0)
    cancelled_on: Mapped[date | None] = c.day("注销日期")
    cancel_evidence: Mapped[str | None] = c.text("注销凭证", 120)
    state: Mapped[RegistrationState] = c.state("状态", RegistrationState, RegistrationState.VALID)


class CollateralInsurance(Entity):
    """A policy on an asset, and who is paid first when it burns."""

    spec = Spec(
        "押品保险",
        Module.COLLATERAL,
        group=MenuGroup.COLLATERAL_WATCH,
        rank=110,
        title="policy_no",
        order="-ends_on",
        roles={KEEPER: WRITE},
        listed=(
            "collateral",
            "insurer",
            "policy_no",
            "insured_amount",
            "starts_on",
            "ends_on",
            "is_first",
        ),
        searched=("policy_no", "insurer"),
        filtered=("collateral_id", "starts_on", "ends_on", "is_first"),
        sums=("insured_amount",),
        scope=Scope(through="collateral"),
        key=("policy_no",),
        demo=(
            {
                "collateral_id": "*",
                "insurer": "人保财险江州分公司",
                "policy_no": "PQDZ202633010001",
                "insured_amount": "6000000",
                "starts_on": "-30",
                "ends_on": "+335",
                "is_first": "true",
            },
        ),
    )
    __table_args__ = (
        UniqueConstraint("policy_no", name="uq_collateral_insurance"),
        CheckConstraint("ends_on >= starts_on", name="ck_collateral_insurance_term"),
        CheckConstraint("insured_amount > 0", name="ck_collateral_insurance_amount"),
    )
    collateral_id: Mapped[int] = c.owned_by("押品", "collateral", part=c.Part(50))
    collateral: Mapped[Collateral] = c.related(collateral_id)
    insurer: Mapped[str] = c.text("保险公司", 100, required=True)
    policy_no: Mapped[str] = c.text("保险单号", 60, required=True)
    insured_amount: Mapped[Decimal] = c.money("保险金额", required=True, positive=True)
    starts_on: Mapped[date] = c.day("保险起始日", required=True, index=True)
    ends_on: Mapped[date] = c.day("保险到期日", required=True, index=True)
    is_first: Mapped[bool] = c.flag(
        "本公司为第一受益人", index=True, help="不是第一受益人的保险不算有效保险"
    )
