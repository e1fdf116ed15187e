"""Daily snapshots taken by the day-end: how each project and the company stood when the day closed (12)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Module, SpecKind
from models.guarantee.project import Project, ProjectState, Stage


class ProjectSnapshot(Entity):
    """How a project stood at the end of a day; a row only where something differs from the row before."""

    spec = Spec(
        "项目日终快照",
        Module.STATISTICS,
        SpecKind.LOG,
        title="taken_on",
        rank=210,
        order="-taken_on",
        listed=(
            "taken_on",
            "project",
            "stage",
            "state",
            "balance",
            "overdue_principal",
            "overdue_interest",
            "overdue_since",
        ),
        filtered=("taken_on", "project_id"),
        sums=("balance", "overdue_principal", "overdue_interest"),
        scope=Scope(through="project"),
    )
    __table_args__ = (
        UniqueConstraint("project_id", "taken_on", name="uq_project_snapshot"),
        Index(
            "ix_project_snapshot_balance", "project_id", "taken_on", "balance"
        ),  # the trend of whoever sees a part
    )
    taken_on: Mapped[date] = c.day("日期", required=True, index=True)
    project_id: Mapped[int] = c.owned_by("担保项目", "project", part=None)
    project: Mapped[Project] = c.related(project_id)
    stage: Mapped[Stage] = c.enum("阶段", Stage, required=True)
    state: Mapped[ProjectState] = c.enum("状态", ProjectState, required=True)
    balance: Mapped[Decimal] = c.money("在保余额", required=True)
    overdue_principal: Mapped[Decimal] = c.money("逾期本金", required=True)
    overdue_interest: Mapped[Decimal] = c.money("欠息", required=True)
    overdue_since: Mapped[date | None] = c.day("最早逾期应还日")


class CompanySnapshot(Entity):
    """The company's totals at the end of a day."""

    spec = Spec(
        "公司日终快照",
        Module.STATISTICS,
        SpecKind.LOG,
        title="taken_on",
        rank=200,
        order="-taken_on",
        listed=(
            "taken_on",
            "running_count",
            "in_force_count",
            "in_force_balance",
            "overdue_count",
            "overdue_principal",
            "overdue_interest",
            "repaid_principal",
        ),
        filtered=("taken_on",),
    )
    __table_args__ = (
        UniqueConstraint("taken_on", name="uq_company_snapshot"),
        CheckConstraint("in_force_balance >= 0", name="ck_company_snapshot_balance"),
    )
    taken_on: Mapped[date] = c.day("日期", required=True)
    running_count: Mapped[int] = c.whole("办理中项目", required=True, unit="个")
    in_force_count: Mapped[int] = c.whole("在保项目", required=True, unit="个")
    in_force_balance: Mapped[Decimal] = c.money("在保余额", required=True)
    overdue_count: Mapped[int] = c.whole("逾期项目", required=True, unit="个")
    overdue_principal: Mapped[Decimal] = c.money("逾期本金", required=True)
    overdue_interest: Mapped[Decimal] = c.money("欠息", required=True)
    repaid_principal: Mapped[Decimal] = c.money("当日回收本金", required=True)
