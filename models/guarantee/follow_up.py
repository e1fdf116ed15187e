"""放款后条件 (4.11): what has still to be done once the bank has paid, by whom and until when."""

from datetime import date

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, News, Scope, Spec
from models.base.kinds import Kind, Module, SpecKind
from models.base.rows import SeedRow
from models.guarantee.project import Project, Stage
from models.system.organization import Employee


class FollowUpState(Kind):
    """Whether the condition is met."""

    PENDING = "待落实"
    DONE = "已落实"
    LAPSED = "随项目结束"


_WARNING = {
    "code": "follow_up_due",
    "label": "放款后条件到期",
    "level": "ATTENTION",
    "days": "15,3",
    "owner_role": "MANAGER",
    "handle_days": "5",
    "rank": "80",
    "note": "距落实期限的天数，逾期另行预警",
}


class FollowUp(Entity):
    """A condition after the drawdown, with whoever is responsible and a day."""

    spec = Spec(
        "放款后条件",
        Module.AFTER,
        SpecKind.DOCUMENT,
        title="text",
        rank=25,
        order="due_on",
        listed=("project", "text", "owner", "due_on", "state", "evidence"),
        searched=("text",),
        filtered=("project_id", "owner_id", "due_on", "state"),
        scope=Scope(through="project"),
        state="state",
        drafts=(FollowUpState.PENDING,),
        seeds=(SeedRow("warning_rule", _WARNING),),
        news=News(
            made=("登记放款后条件：", "{text}，{due_on} 前落实"),
            moved=(("state", "DONE", "落实放款后条件 {title}：{evidence}"),),
        ),
    )
    __table_args__ = (
        CheckConstraint("(state = 'DONE') = (done_on is not null)", name="ck_follow_up_done"),
        Index("ix_follow_up_open", "state", "due_on"),
    )
    project_id: Mapped[int] = c.reference(
        "担保项目",
        "project",
        required=True,
        part=c.Part(
            125,
            since=Stage.CONFIRM,
            adds=(Stage.CONTRACT, Stage.COUNTER, Stage.NOTICE, Stage.CONFIRM, Stage.IN_FORCE),
        ),
    )
    project: Mapped[Project] = c.related(project_id)
    text: Mapped[str] = c.text("条件", 300, required=True)
    owner_id: Mapped[int] = c.reference("责任人", "employee", required=True)
    owner: Mapped[Employee] = c.related(owner_id)
    due_on: Mapped[date] = c.day("落实期限", required=True, index=True)
    evidence: Mapped[str | None] = c.computed(c.text("落实依据", 300))
    done_on: Mapped[date | None] = c.computed(c.day("落实日期"))
    state: Mapped[FollowUpState] = c.state("状态", FollowUpState, FollowUpState.PENDING)
