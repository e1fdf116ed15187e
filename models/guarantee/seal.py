"""用印 (4.11): a request that is approved, and the book of what was sealed."""

from datetime import date

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, News, Scope, Spec
from models.base.kinds import MenuGroup, Module, SpecKind
from models.base.paper import PaperState
from models.base.rows import MANAGER, decided, dictionary, numbered
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Stage


class SealRequest(ProjectPaper):
    """用印申请: which seal goes on which paper of a project, how often."""

    spec = Spec(
        "用印申请",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        group=MenuGroup.SIGNING,
        title="number",
        rank=120,
        listed=("number", "project", "seal", "subject", "copies", "sealed_on", "state"),
        searched=("number", "subject"),
        filtered=("project_id", "seal", "sealed_on", "state"),
        on_sheet=("reason",),
        scope=Scope(through="project"),
        state="state",
        drafts=(PaperState.DRAFT,),
        seeds=(
            *numbered("seal_request", "用印编号", "YY{yyyy}-{no:04d}"),
            *decided("seal_request", "用印", ("部门经理审核", MANAGER), ("法务审核", "legal")),
            *dictionary("seal_kind", "印章", COMPANY="公章", CONTRACT="合同专用章", LEGAL="法人章"),
        ),
        news=News(made=("申请用印：", "{subject}，{seal} {copies} 份")),
    )
    __table_args__ = (CheckConstraint("copies > 0", name="ck_seal_request_copies"),)
    number_label = "用印编号"
    part = c.Part(
        150, since=Stage.CONTRACT, adds=(Stage.INTENT, Stage.CONTRACT, Stage.COUNTER, Stage.NOTICE)
    )
    seal: Mapped[str] = c.dictionary("印章", "seal_kind", required=True, index=True)
    subject: Mapped[str] = c.text("用印文件", 120, required=True)
    copies: Mapped[int] = c.whole("份数", unit="份", required=True, minimum=1, maximum=99)
    reason: Mapped[str] = c.long_text("用途", required=True)
    sealed_on: Mapped[date | None] = c.computed(c.day("用印日期", index=True))


class SealEntry(Entity):
    """用印登记簿: a line for each use of a seal, in its order."""

    spec = Spec(
        "用印登记",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        group=MenuGroup.SIGNING,
        title="subject",
        rank=121,
        listed=("sealed_on", "seal", "subject", "copies", "request", "taken_by"),
        searched=("subject", "taken_by"),
        filtered=("seal", "sealed_on"),
        scope=Scope(through="request"),
        sums=(),
    )
    request_id: Mapped[int] = c.reference(
        "用印申请", "seal_request", required=True, unique=True, part=c.Part(20)
    )
    request: Mapped[SealRequest] = c.related(request_id)
    seal: Mapped[str] = c.dictionary("印章", "seal_kind", required=True, index=True)
    subject: Mapped[str] = c.text("用印文件", 120, required=True)
    copies: Mapped[int] = c.whole("份数", unit="份", required=True)
    sealed_on: Mapped[date] = c.day("用印日期", required=True, index=True)
    taken_by: Mapped[str] = c.text("领取人", 60, required=True)
