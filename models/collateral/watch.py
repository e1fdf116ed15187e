"""押品监管 (7.2): what is to be looked at and when, as the day-end plans it, and what was found."""

from datetime import date

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.rows import SeedRow
from models.collateral.asset import Collateral
from models.system.organization import Employee

_PLANNED = text("state = 'PLANNED'")


class WatchState(Kind):
    """A visit is planned by the day-end, then reported, or falls away with its pledge."""

    PLANNED = "待监管"
    DONE = "已监管"
    LAPSED = "不再监管"


class AssetCondition(Kind):
    """What was found of an asset."""

    GOOD = "正常"
    CONCERN = "关注"
    BAD = "异常"


class CollateralWatch(Entity):
    """监管报告: one look at an asset that stands behind a project, with photos."""

    spec = Spec(
        "监管报告",
        Module.COLLATERAL,
        SpecKind.DOCUMENT,
        group=MenuGroup.COLLATERAL_WATCH,
        rank=100,
        title="due_on",
        order="due_on",
        saved_by=(),
        listed=(
            "collateral",
            "due_on",
            "keeper",
            "visited_on",
            "condition",
            "findings",
            "visited_by",
            "state",
        ),
        filtered=("collateral_id", "due_on", "keeper_id", "condition", "state"),
        scope=Scope(through="collateral"),
        state="state",
        drafts=(WatchState.PLANNED,),
        seeds=(
            SeedRow(
                "parameter",
                {
                    "code": "collateral.watch_lead_days",
                    "label": "押品监管提前安排天数",
                    "value": "15",
                    "value_kind": "NUMBER",
                    "unit": "天",
                    "effective_on": "2000-01-01",
                    "module": "COLLATERAL_SETUP",
                    "note": "距应监管日期不超过此天数时，日终生成监管任务",
                },
            ),
        ),
    )
    __table_args__ = (
        CheckConstraint(
            "state <> 'DONE' or (visited_on is not null and condition is not null"
            " and findings is not null)",
            name="ck_collateral_watch_done",
        ),
        Index(
            "uq_collateral_watch_planned",
            "collateral_id",
            unique=True,
            sqlite_where=_PLANNED,
            postgresql_where=_PLANNED,
        ),
    )
    collateral_id: Mapped[int] = c.owned_by("押品", "collateral", part=c.Part(55))
    collateral: Mapped[Collateral] = c.related(collateral_id)
    due_on: Mapped[date] = c.computed(c.day("应监管日期", required=True, index=True))
    keeper_id: Mapped[int | None] = c.computed(c.reference("责任人", "employee"))
    keeper: Mapped[Employee | None] = c.related(keeper_id)
    visited_on: Mapped[date | None] = c.computed(c.day("监管日期"))
    condition: Mapped[AssetCondition | None] = c.computed(
        c.enum("押品状况", AssetCondition, index=True)
    )
    findings: Mapped[str | None] = c.computed(c.long_text("监管情况"))
    visited_by_id: Mapped[int | None] = c.computed(c.reference("监管人", "employee"))
    visited_by: Mapped[Employee | None] = c.related(visited_by_id)
    state: Mapped[WatchState] = c.state("状态", WatchState, WatchState.PLANNED)

    named_with = ("collateral",)

    def __str__(self) -> str:
        """The asset and the day."""
        return f"{self.collateral} {self.due_on}"
