"""设押 (7.1, 7.4): which asset stands behind which counter-guarantee of a project, at which rank, for how much."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, News, Scope, Spec
from models.base.kinds import MenuGroup, Module, SpecKind
from models.collateral.asset import Collateral
from models.collateral.warnings import rules
from models.guarantee.project import Project, Stage
from models.guarantee.signing import CounterGuarantee

_LIVE = text("released_on is null")


class CollateralPledge(Entity):
    """An asset behind a counter-guarantee: it stands as long as that does, unless it is released before."""

    spec = Spec(
        "设押记录",
        Module.COLLATERAL,
        SpecKind.LEDGER,
        group=MenuGroup.COLLATERAL_FILES,
        rank=20,
        title="pledged_on",
        listed=(
            "collateral",
            "project",
            "counter_guarantee",
            "rank",
            "amount",
            "pledged_on",
            "released_on",
            "released_reason",
        ),
        filtered=("collateral_id", "project_id", "pledged_on", "released_on"),
        sums=("amount",),
        scope=Scope(through="project"),
        seeds=rules(),
        news=News(
            130,
            made=("设押：", "{collateral_id} 第 {rank} 顺位 {amount} 元"),
            moved=(("released_on", None, "解除设押 {collateral_id}：{released_reason}"),),
        ),
    )
    __table_args__ = (
        CheckConstraint("amount > 0", name="ck_collateral_pledge_amount"),
        CheckConstraint('"rank" > 0', name="ck_collateral_pledge_rank"),
        CheckConstraint(
            "released_on is null or released_reason is not null", name="ck_collateral_pledge_why"
        ),
        # A counter-guarantee stands on one asset; one that was released leaves room for another.
        Index(
            "uq_collateral_pledge_live",
            "counter_guarantee_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
    )
    collateral_id: Mapped[int] = c.reference("押品", "collateral", required=True, part=c.Part(5))
    collateral: Mapped[Collateral] = c.related(collateral_id)
    counter_guarantee_id: Mapped[int] = c.owned_by("反担保", "counter_guarantee")
    counter_guarantee: Mapped[CounterGuarantee] = c.related(counter_guarantee_id)
    project_id: Mapped[int] = c.reference(
        "担保项目", "project", required=True, part=c.Part(25, since=Stage.COUNTER)
    )
    project: Mapped[Project] = c.related(project_id)
    rank: Mapped[int] = c.whole("顺位", required=True, minimum=1, maximum=20)
    amount: Mapped[Decimal] = c.money("占用价值", required=True, positive=True)
    pledged_on: Mapped[date] = c.day("设押日期", required=True, index=True)
    released_on: Mapped[date | None] = c.day("解除日期", index=True)
    released_reason: Mapped[str | None] = c.text("解除原因", 200)

    named_with = ("collateral", "project")

    def __str__(self) -> str:
        """The asset and the project that it stands behind."""
        return f"{self.collateral} · {self.project.number}"
