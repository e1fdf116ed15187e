"""公司决议: the review board's meetings, votes and resolutions (4.3). A board is an entity, never an approval node."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Decides, Entity, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.guarantee.project import Project, Stage
from models.system.organization import Employee


class MeetingState(Kind):
    """A meeting is prepared, votes are cast, then its result stands."""

    DRAFT = "筹备中"
    OPEN = "表决中"
    CLOSED = "已结束"


class ReviewMeeting(Entity):
    """A meeting of the review board (审保会)."""

    spec = Spec(
        "审保会",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        group=MenuGroup.RESOLUTION,
        title="number",
        rank=50,
        order="-held_on",
        listed=("number", "held_on", "place", "chair", "state"),
        searched=("number", "place"),
        filtered=("held_on", "state", "chair_id"),
        state="state",
        drafts=(MeetingState.DRAFT,),
        scope=Scope(members=("chair_id", "secretary_id")),
    )
    number: Mapped[str] = c.numbered("会议编号", "meeting", "SBH{yyyy}-{no:03d}")
    held_on: Mapped[date] = c.day("会议日期", required=True, index=True)
    place: Mapped[str] = c.text("会议地点", 100, required=True)
    chair_id: Mapped[int] = c.reference("主持人", "employee", required=True)
    chair: Mapped[Employee] = c.related(chair_id)
    secretary_id: Mapped[int | None] = c.reference("记录人", "employee")
    secretary: Mapped[Employee | None] = c.related(secretary_id)
    state: Mapped[MeetingState] = c.state("状态", MeetingState, MeetingState.DRAFT)


class MeetingMember(Entity):
    """A member called to a meeting; 5 to 7 of them."""

    spec = Spec(
        "参会委员",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        title="employee",
        listed=("employee", "is_present"),
        order="id",
        in_menu=False,
        key=("meeting_id", "employee_id"),
        scope=Scope(through="meeting"),
    )
    __table_args__ = (UniqueConstraint("meeting_id", "employee_id", name="uq_meeting_member"),)
    meeting_id: Mapped[int] = c.owned_by("会议", "review_meeting", part=c.Part(20))
    meeting: Mapped[ReviewMeeting] = c.related(meeting_id)
    employee_id: Mapped[int] = c.reference("委员", "employee", required=True)
    employee: Mapped[Employee] = c.related(employee_id)
    is_present: Mapped[bool] = c.flag("出席", default=True)


class ItemState(Kind):
    """Result of one project on the agenda."""

    PENDING = "待表决"
    PASSED = "通过"
    REFUSED = "不通过"
    WITHDRAWN = "已撤下"


class MeetingItem(Entity):
    """One project on a meeting's agenda and how it went."""

    spec = Spec(
        "会议议题",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        title="project",
        order="seq",
        in_menu=False,
        listed=("seq", "project", "advised_amount", "result", "summary"),
        key=("meeting_id", "project_id"),
        scope=Scope(through="project"),
        news=News(
            130,
            made=("列入审保会议题，", "提请 {advised_amount} 元"),
            moved=(("result", "REFUSED", "审保会未通过：{summary}"),),
        ),
    )
    __table_args__ = (UniqueConstraint("meeting_id", "project_id", name="uq_meeting_item"),)
    meeting_id: Mapped[int] = c.owned_by("会议", "review_meeting")
    meeting: Mapped[ReviewMeeting] = c.related(meeting_id)
    project_id: Mapped[int] = c.reference("担保项目", "project", required=True)
    project: Mapped[Project] = c.related(project_id)
    seq: Mapped[int] = c.whole("序号", required=True, minimum=1, maximum=99, default=1)
    advised_amount: Mapped[Decimal] = c.money("提请金额", required=True, positive=True)
    advised_months: Mapped[int] = c.whole(
        "提请期限", required=True, unit="个月", minimum=1, maximum=360
    )
    result: Mapped[ItemState] = c.state("结果", ItemState, ItemState.PENDING)
    summary: Mapped[str | None] = c.computed(c.text("表决情况", 200))
    minutes_id: Mapped[int | None] = c.computed(c.reference("会议纪要", "issued_document"))


class VoteChoice(Kind):
    """附条件同意 counts as 同意 (its conditions bind), 续议 does not."""

    AGREE = "同意"
    CONDITIONAL = "附条件同意"
    OPPOSE = "不同意"
    DEFER = "续议"

    @property
    def is_for(self) -> bool:
        """Whether the vote counts towards passing."""
        return self in (VoteChoice.AGREE, VoteChoice.CONDITIONAL)


class MeetingVote(Entity):
    """A member's own vote on one item; who withdrew (回避) has no choice and is not in the quorum's base."""

    spec = Spec(
        "表决记录",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        title="employee",
        order="id",
        in_menu=False,
        listed=("item", "employee", "choice", "is_withdrawn", "opinion", "voted_at"),
        scope=Scope(through="item"),
    )
    __table_args__ = (
        UniqueConstraint("item_id", "employee_id", name="uq_meeting_vote"),
        CheckConstraint("is_withdrawn or choice is not null", name="ck_meeting_vote_choice"),
    )
    item_id: Mapped[int] = c.owned_by("议题", "meeting_item", part=None)
    item: Mapped[MeetingItem] = c.related(item_id)
    employee_id: Mapped[int] = c.reference("委员", "employee", required=True)
    employee: Mapped[Employee] = c.related(employee_id)
    choice: Mapped[VoteChoice | None] = c.enum("表决", VoteChoice)
    is_withdrawn: Mapped[bool] = c.flag("回避")
    opinion: Mapped[str | None] = c.text("意见或条件", 500)
    voted_at: Mapped[datetime] = c.moment("表决时间", required=True)


class ResolutionState(Kind):
    """A pass waits for the president; signed it is valid until its date; a veto ends it, so does the project's end."""

    SIGNING = "待总裁签字"
    VALID = "有效"
    VETOED = "总裁否决"
    USED = "已放款"
    EXPIRED = "已过期"
    VOID = "已失效"


class Resolution(Entity):
    """What the company resolved on a project; a valid one reserves limits until the drawdown uses it."""

    spec = Spec(
        "公司决议",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        group=MenuGroup.RESOLUTION,
        title="number",
        rank=60,
        listed=(
            "number",
            "project",
            "amount",
            "term_months",
            "fee_rate_pct",
            "resolved_on",
            "valid_until",
            "state",
        ),
        searched=("number",),
        filtered=("state", "resolved_on", "valid_until", "project_id"),
        sums=("amount",),
        scope=Scope(through="project"),
        approvals={
            "project.president": Decides(free=("fee_rate_pct",), lowered=("amount", "term_months"))
        },
        news=News(40, made=("形成公司决议 ", "{number}，{amount} 元")),
    )
    __table_args__ = (
        CheckConstraint("state <> 'VALID' or valid_until is not null", name="ck_resolution_valid"),
    )
    number: Mapped[str] = c.text("决议编号", 40, required=True, unique=True)
    project_id: Mapped[int] = c.reference(
        "担保项目", "project", required=True, part=c.Part(80, since=Stage.RESOLVE)
    )
    project: Mapped[Project] = c.related(project_id)
    item_id: Mapped[int | None] = c.reference(
        "会议议题", "meeting_item", unique=True, help="产品免审保会的没有"
    )
    item: Mapped[MeetingItem | None] = c.related(item_id)
    amount: Mapped[Decimal] = c.money("决议金额", required=True, positive=True)
    term_months: Mapped[int] = c.whole(
        "决议期限", required=True, unit="个月", minimum=1, maximum=360
    )
    fee_rate_pct: Mapped[Decimal] = c.rate("决议费率", unit="%/年", required=True, scale=4)
    resolved_on: Mapped[date] = c.day("决议日期", required=True, index=True)
    valid_until: Mapped[date | None] = c.day("有效期至", index=True)
    state: Mapped[ResolutionState] = c.state("状态", ResolutionState, ResolutionState.SIGNING)
    conditions: Mapped[list["ResolutionCondition"]] = c.related(
        back_populates="resolution", order_by="ResolutionCondition.id"
    )


class ResolutionCondition(Entity):
    """A condition of a conditional vote; each must be met before 放款通知."""

    spec = Spec(
        "决议条件",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        title="text",
        order="id",
        in_menu=False,
        listed=("text", "is_met", "evidence", "met_by", "met_on"),
        scope=Scope(through="resolution"),
    )
    __table_args__ = (
        CheckConstraint("not is_met or evidence is not null", name="ck_resolution_condition_met"),
    )
    resolution_id: Mapped[int] = c.owned_by("决议", "resolution")
    resolution: Mapped[Resolution] = c.related(resolution_id, back_populates="conditions")
    text: Mapped[str] = c.text("条件", 500, required=True)
    is_met: Mapped[bool] = c.flag("已落实")
    evidence: Mapped[str | None] = c.text("落实依据", 200)
    met_by_id: Mapped[int | None] = c.reference("确认人", "employee")
    met_by: Mapped[Employee | None] = c.related(met_by_id)
    met_on: Mapped[date | None] = c.day("落实日期")


class ResubmissionKind(Kind):
    """Why a project comes before the board once more."""

    RENEWED = "重新决议"
    RECONSIDERED = "复议"


class Resubmission(Entity):
    """A project before the board again: its resolution ran out on the way, or it was refused and is reconsidered."""

    spec = Spec(
        "重新上会",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        title="kind",
        rank=55,
        listed=("project", "kind", "from_stage", "reason", "submitted_on", "submitted_by"),
        filtered=("project_id", "kind", "submitted_on"),
        scope=Scope(through="project"),
        in_menu=False,
    )
    __table_args__ = (
        # A refusal is reconsidered once, whichever two clicks ask for it.
        Index(
            "uq_resubmission_reconsidered",
            "project_id",
            unique=True,
            sqlite_where=text("kind = 'RECONSIDERED'"),
            postgresql_where=text("kind = 'RECONSIDERED'"),
        ),
    )
    project_id: Mapped[int] = c.reference(
        "担保项目", "project", required=True, part=c.Part(90, is_rare=True)
    )
    project: Mapped[Project] = c.related(project_id)
    kind: Mapped[ResubmissionKind] = c.enum("类别", ResubmissionKind, required=True, index=True)
    from_stage: Mapped[Stage] = c.enum("提出时阶段", Stage, required=True)
    reason: Mapped[str] = c.text("理由和补充材料说明", 500, required=True)
    submitted_on: Mapped[date] = c.day("提出日期", required=True, index=True)
    submitted_by_id: Mapped[int | None] = c.reference("提出人", "employee")
    submitted_by: Mapped[Employee | None] = c.related(submitted_by_id)
