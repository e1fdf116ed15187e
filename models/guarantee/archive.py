"""项目档案 (4.11): what is in the file of a project, where it lies, and who has borrowed it."""

from datetime import date

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.rows import dictionary
from models.guarantee.project import Project, Stage
from models.system.organization import Employee


class ArchiveState(Kind):
    """Where a piece of the file is."""

    LISTED = "待归档"
    FILED = "已归档"
    LENT = "已借出"


class ArchiveItem(Entity):
    """A piece of a project's file: an original or a copy, and its place in the archive."""

    spec = Spec(
        "项目档案",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        title="name",
        group=MenuGroup.FILES,
        rank=140,
        order="project_id",
        listed=("project", "kind", "name", "copies", "is_original", "place", "borrower", "state"),
        searched=("name", "place"),
        filtered=("project_id", "kind", "state"),
        scope=Scope(through="project"),
        state="state",
        drafts=(ArchiveState.LISTED,),
        seeds=dictionary(
            "archive_kind",
            "档案类别",
            CONTRACT="合同",
            WARRANT="权证",
            MEETING="审批与决议",
            CUSTOMER="客户资料",
            OTHER="其他",
        ),
        news=News(
            made=("列入档案：", "{name} {copies} 份"),
            moved=(
                ("state", "LENT", "借出档案 {title}"),
                ("state", "FILED", "档案 {title} 在库"),
            ),
        ),
    )
    __table_args__ = (
        CheckConstraint("state = 'LISTED' or place is not null", name="ck_archive_item_place"),
    )
    project_id: Mapped[int] = c.reference(
        "担保项目",
        "project",
        required=True,
        part=c.Part(160, since=Stage.CONTRACT, adds=tuple(Stage)),
    )
    project: Mapped[Project] = c.related(project_id)
    kind: Mapped[str] = c.dictionary("类别", "archive_kind", required=True, index=True)
    name: Mapped[str] = c.text("名称", 120, required=True)
    copies: Mapped[int] = c.whole("份数", unit="份", required=True, minimum=1, maximum=99)
    is_original: Mapped[bool] = c.flag("原件", default=True)
    place: Mapped[str | None] = c.computed(c.text("存放位置", 60))
    borrower_id: Mapped[int | None] = c.computed(c.reference("借阅人", "employee"))
    borrower: Mapped[Employee | None] = c.related(borrower_id)
    state: Mapped[ArchiveState] = c.state("状态", ArchiveState, ArchiveState.LISTED)


class ArchiveLoan(Entity):
    """借阅: who has taken a piece of the file, until when, and when it came back."""

    spec = Spec(
        "档案借阅",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        title="purpose",
        group=MenuGroup.FILES,
        rank=141,
        order="-lent_on",
        listed=("item", "borrower", "purpose", "lent_on", "due_on", "returned_on"),
        searched=("purpose",),
        filtered=("borrower_id", "due_on", "returned_on"),
        scope=Scope(through="item"),
    )
    __table_args__ = (CheckConstraint("due_on >= lent_on", name="ck_archive_loan_days"),)
    item_id: Mapped[int] = c.owned_by("档案", "archive_item", part=c.Part(20))
    item: Mapped[ArchiveItem] = c.related(item_id)
    borrower_id: Mapped[int] = c.reference("借阅人", "employee", required=True)
    borrower: Mapped[Employee] = c.related(borrower_id)
    purpose: Mapped[str] = c.text("用途", 120, required=True)
    lent_on: Mapped[date] = c.day("借出日期", required=True)
    due_on: Mapped[date] = c.day("应还日期", required=True, index=True)
    returned_on: Mapped[date | None] = c.day("归还日期", index=True)
