"""4.3 公司决议: the board meets and votes, the president signs, the bank is told; what is valid reserves limits."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import func, select

from models.approval.approval import ApprovalInstance, ApprovalState, ApprovalTask, TaskState
from models.base.errors import BusinessError, Conflict, NotAllowed
from models.base.moments import add_months
from models.base.money import round_to
from models.base.paper import PaperState
from models.guarantee.appraisal import BankLetter, InvestigationReport, LetterKind, RiskAssessment
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.resolution import (
    ItemState,
    MeetingItem,
    MeetingMember,
    MeetingState,
    MeetingVote,
    Resolution,
    ResolutionCondition,
    ResolutionState,
    ReviewMeeting,
    VoteChoice,
)
from models.system.organization import Employee
from models.system.records import IssuedDocument
from reports.figures import gate
from reports.figures.board import parts_in
from reports.figures.line import stage_due
from reports.figures.parameters import number, ratio
from workflows.approval import approval
from workflows.base import audit, documents, plain_papers, records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.transition import Step, enter, move, permit, steps, verbs
from workflows.guarantee import appraisal, contracts, fees, letters, limits, stages
from workflows.guarantee.board import MEMBERS, PROJECTS, hold, members_of, voters

MEETING = steps(
    Step(
        "review_meeting",
        "open",
        "开始表决",
        column="state",
        sources=(MeetingState.DRAFT,),
        targets=(MeetingState.OPEN,),
    ),
    Step(
        "review_meeting",
        "close",
        "宣布结果",
        column="state",
        sources=(MeetingState.OPEN,),
        targets=(MeetingState.CLOSED,),
    ),
)
ITEM = steps(
    Step(
        "meeting_item",
        "withdraw",
        "撤下议题",
        column="result",
        sources=(ItemState.PENDING,),
        targets=(ItemState.WITHDRAWN,),
    ),
)
_ANNOUNCED = (ItemState.PASSED, ItemState.REFUSED)
RESULT = steps(
    Step(
        "meeting_item",
        "announce",
        "宣布结果",
        column="result",
        sources=(ItemState.PENDING,),
        targets=_ANNOUNCED,
        follows=True,
    )
)
SIGNED = steps(
    Step(
        "resolution",
        "sign",
        "总裁签字",
        column="state",
        sources=(ResolutionState.SIGNING,),
        targets=(ResolutionState.VALID, ResolutionState.VETOED, ResolutionState.VOID),
        follows=True,
    ),
)
LAPSE = steps(
    Step(
        "resolution",
        "lapse",
        "随项目终止失效",
        column="state",
        sources=(ResolutionState.VALID,),
        targets=(ResolutionState.VOID,),
        follows=True,
    ),
)
RESOLUTION_PAPER: Final = "board_resolution"
_ABSENT = "不能到会的，请在“参会委员”中登记缺席"
ACTS = verbs("meeting_vote", {"cast": "表决"}) | verbs(
    "bank_letter", {"issue_confirmation": "出具担保确认函"}
)


@records.rule(MeetingItem)
def check_item(ctx: Ctx, item: MeetingItem, is_new: bool) -> None:
    """Only projects that passed 风险控制 come before the board, and no more than was applied for."""
    del is_new
    project = stages.locked(ctx, item.project_id)
    stages.require_running(project, Stage.RESOLVE, "提交审保会")
    if not project.has_board:
        said = f"项目 {project.number} 的产品免审保会，由总裁签字"
        raise Conflict(said, field="project_id")
    if item.advised_amount > project.amount:
        raise BusinessError("提请金额不能超过申请金额", field="advised_amount")
    if item.advised_months > project.term_months:
        said = f"提请期限不能超过申请期限 {project.term_months} 个月"
        raise BusinessError(said, field="advised_months")
    pending = (
        select(func.count())
        .select_from(MeetingItem)
        .join(ReviewMeeting)
        .where(
            MeetingItem.project_id == project.id,
            MeetingItem.result == ItemState.PENDING,
            ReviewMeeting.state != MeetingState.CLOSED,
            MeetingItem.meeting_id != item.meeting_id,
        )
    )
    if ctx.session.scalar(pending):
        raise Conflict(f"项目 {project.number} 已列入另一次审保会的议题", field="project_id")
    if ctx.session.scalar(
        select(func.count()).where(
            Resolution.project_id == project.id, Resolution.state == ResolutionState.SIGNING
        )
    ):
        raise Conflict(f"项目 {project.number} 已有决议待总裁签字", field="project_id")
    if (valid := valid_resolution(ctx, project)) is not None:
        said = f"项目 {project.number} 的决议 {valid.number} 有效期至 {valid.valid_until}，不能再次上会"
        raise Conflict(said, field="project_id")


def _items(ctx: Ctx, meeting: ReviewMeeting) -> list[MeetingItem]:
    """The items that the meeting still has to vote on."""
    query = select(MeetingItem).where(
        MeetingItem.meeting_id == meeting.id, MeetingItem.result == ItemState.PENDING
    )
    query = query.order_by(MeetingItem.seq, MeetingItem.id)
    return list(ctx.session.scalars(query.execution_options(populate_existing=True)))


def open_meeting(ctx: Ctx, meeting: ReviewMeeting, version: int | None = None) -> ReviewMeeting:
    """Open the vote: 5 to 7 members are called, a quorum is present, the agenda has items."""
    hold(ctx, meeting.id)
    enter(ctx, MEETING["open"], meeting, version)
    members = members_of(ctx, meeting)
    least, most = (
        int(number(ctx.session, f"meeting.members_{k}", ctx.today)) for k in ("min", "max")
    )
    if not least <= len(members) <= most:
        said = f"审保会委员应为 {least} 至 {most} 人，现有 {len(members)} 人"
        raise BusinessError(said, field=MEMBERS)
    able = voters(ctx)
    if unable := [m.employee.name for m in members if m.is_present and m.employee_id not in able]:
        said = "不能表决（没有表决权限，或账号已停用），请更换委员或登记为不出席"
        raise BusinessError(f"{'、'.join(unable)}{said}", field=MEMBERS)
    if not _items(ctx, meeting):
        raise BusinessError("会议没有议题，请先添加要审议的项目", field=PROJECTS)
    present = sum(m.is_present for m in members)
    if not _reaches(present, len(members), ratio(ctx.session, "meeting.quorum_ratio", ctx.today)):
        raise BusinessError(f"到会 {present} 人，未达到法定人数", field=MEMBERS)
    if meeting.held_on > ctx.today:
        said = f"会议日期为 {meeting.held_on}，到期后才能表决"
        raise BusinessError(said, field="held_on")
    move(MEETING["open"], meeting)
    _withdraw_related(ctx, meeting, members)
    ctx.session.flush()
    return meeting


def _withdraw_related(ctx: Ctx, meeting: ReviewMeeting, members: list[MeetingMember]) -> None:
    """Who has a part in a project is out of its vote without being asked (回避, domain.md 1)."""
    items = _items(ctx, meeting)
    parts = parts_in(ctx.session, {item.project_id for item in items})
    votes = select(MeetingVote.item_id, MeetingVote.employee_id)
    query = votes.where(MeetingVote.item_id.in_([item.id for item in items]))
    done = {(row[0], row[1]) for row in ctx.session.execute(query)}
    for item in items:
        for member in members:
            part = parts[item.project_id].get(member.employee_id)
            if part and (item.id, member.employee_id) not in done:
                _note(ctx, item, member, None, _by_rule(part))


def _by_rule(part: str) -> str:
    return f"{part}，按规定回避"


def _note(
    ctx: Ctx, item: MeetingItem, member: MeetingMember, choice: VoteChoice | None, opinion: str
) -> MeetingVote:
    """The vote of a member; without a choice they withdraw."""
    vote = MeetingVote(
        item=item,
        employee_id=member.employee_id,
        choice=choice,
        is_withdrawn=choice is None,
        opinion=opinion.strip() or None,
        voted_at=ctx.now,
    )
    ctx.session.add(vote)
    return vote


def _reaches(part: int, whole: int, least: Fraction) -> bool:
    return whole > 0 and Fraction(part, whole) >= least


def _require_vote(part: str, choice: VoteChoice | None, opinion: str) -> None:
    """Who votes is no related person, says what he votes, and why where it is no plain yes."""
    if part:
        raise NotAllowed(f"您是本项目的{part}，请选择回避")
    if choice is None:
        raise BusinessError("请选择表决意见", field="choice")
    if choice in (VoteChoice.CONDITIONAL, VoteChoice.OPPOSE) and not opinion.strip():
        raise BusinessError("附条件同意或不同意时请填写条件或理由", field="opinion")


def cast(
    ctx: Ctx,
    item: MeetingItem,
    choice: VoteChoice | None,
    opinion: str = "",
    *,
    withdraw: bool = False,
) -> MeetingVote:
    """Cast one's own vote on an item, or withdraw (回避); each member once, and nobody for another.

    Who has a part in the project can only withdraw; who declares an interest says which.
    """
    permit(ctx, ACTS["cast"])
    meeting = hold(ctx, item.meeting_id, shared=True)
    ctx.session.refresh(item)
    if meeting.state is not MeetingState.OPEN:
        raise Conflict(f"会议{meeting.state.label}，不能表决")
    if item.result is not ItemState.PENDING:
        raise Conflict(f"议题{item.result.label}，不能表决")
    member = next(
        (m for m in members_of(ctx, meeting) if m.employee_id == ctx.actor.employee_id), None
    )
    if member is None or not member.is_present:
        raise NotAllowed("您不是本次会议的到会委员，不能表决")
    part = parts_in(ctx.session, {item.project_id})[item.project_id].get(member.employee_id, "")
    if not withdraw:
        _require_vote(part, choice, opinion)
    elif not opinion.strip():
        if not part:
            raise BusinessError("请填写回避的原因", field="opinion")
        opinion = _by_rule(part)
    voted = select(func.count()).where(
        MeetingVote.item_id == item.id, MeetingVote.employee_id == member.employee_id
    )
    if ctx.session.scalar(voted):
        raise Conflict("您已对该议题表决，不能重复表决")
    vote = _note(ctx, item, member, None if withdraw else choice, opinion)
    ctx.session.flush()
    return vote


@dataclass(frozen=True)
class Tally:
    """The count of one item: `base` are members who did not withdraw, `voters` those present among them."""

    base: int
    voters: int
    votes_for: int
    counts: Counter[VoteChoice]
    has_quorum: bool
    is_passed: bool

    @property
    def text(self) -> str:
        """The count in words."""
        parts = "、".join(f"{c.label} {self.counts[c]}" for c in VoteChoice if self.counts[c])
        return f"应到 {self.base} 人，表决 {self.voters} 人：{parts or '无'}"


def tally(ctx: Ctx, item: MeetingItem) -> Tally:
    """Count an item: quorum 2/3 of those not withdrawn, pass at 2/3 of those present (parameters)."""
    meeting = ctx.session.get_one(ReviewMeeting, item.meeting_id)
    votes = list(ctx.session.scalars(select(MeetingVote).where(MeetingVote.item_id == item.id)))
    withdrawn = sum(v.is_withdrawn for v in votes)
    base = len(members_of(ctx, meeting)) - withdrawn
    counts = Counter(v.choice for v in votes if v.choice is not None)
    voters = sum(counts.values())
    votes_for = sum(n for choice, n in counts.items() if choice.is_for)
    quorum = _reaches(voters, base, ratio(ctx.session, "meeting.quorum_ratio", ctx.today))
    passed = quorum and _reaches(
        votes_for, voters, ratio(ctx.session, "meeting.pass_ratio", ctx.today)
    )
    return Tally(base, voters, votes_for, counts=counts, has_quorum=quorum, is_passed=passed)


def close_meeting(ctx: Ctx, meeting: ReviewMeeting, version: int | None = None) -> ReviewMeeting:
    """Announce the results: each passed item becomes a resolution for the president, a refused one ends its project.

    Raises BusinessError while present members have not voted on an item, or an item has no quorum: it is then taken
    off the agenda.
    """
    hold(ctx, meeting.id)
    enter(ctx, MEETING["close"], meeting, version)
    items = _items(ctx, meeting)
    _withdraw_related(ctx, meeting, members_of(ctx, meeting))  # who has come to have a part since
    ctx.session.flush()
    for item in items:
        _require_complete(ctx, meeting, item)
    for item in items:
        _announce(ctx, meeting, item)
    move(MEETING["close"], meeting)
    ctx.session.flush()
    return meeting


def withdraw_item(
    ctx: Ctx, item: MeetingItem, reason: str, version: int | None = None
) -> MeetingItem:
    """Take a project off the agenda, e.g. without a quorum; it may come before another meeting."""
    step = ITEM["withdraw"]
    meeting = hold(ctx, item.meeting_id)
    ctx.session.refresh(item)
    enter(ctx, step, item, version)
    if meeting.state is MeetingState.CLOSED:
        raise Conflict("会议已结束，议题不能撤下")
    _take_off(ctx, item, stages.checked_reason(reason, step.label, 150))
    return item


def take_off_agenda(ctx: Ctx, project: Project, reason: str) -> None:
    """A project that has ended is not voted on any more."""
    pending = select(MeetingItem).where(
        MeetingItem.project_id == project.id, MeetingItem.result == ItemState.PENDING
    )
    for item in ctx.session.scalars(pending).all():
        _take_off(ctx, item, reason)


def _take_off(ctx: Ctx, item: MeetingItem, reason: str) -> None:
    move(ITEM["withdraw"], item)
    item.summary = f"撤下：{reason}"
    audit.log(ctx, item.project, "AGENDA", note=f"撤下审保会议题：{reason}")
    ctx.session.flush()


@plain_papers.task
def _sits_on_the_board(ctx: Ctx, document: IssuedDocument) -> bool:
    """Members read the minutes of what they have voted on."""
    if document.owner_table != MeetingItem.__tablename__:
        return False
    item = ctx.session.get_one(MeetingItem, document.owner_id)
    member = select(MeetingMember.id).where(MeetingMember.meeting_id == item.meeting_id)
    return (
        ctx.session.scalar(member.where(MeetingMember.employee_id == ctx.actor.employee_id))
        is not None
    )


def _require_complete(ctx: Ctx, meeting: ReviewMeeting, item: MeetingItem) -> None:
    voted = set(
        ctx.session.scalars(select(MeetingVote.employee_id).where(MeetingVote.item_id == item.id))
    )
    missing = [
        m.employee_id
        for m in members_of(ctx, meeting)
        if m.is_present and m.employee_id not in voted
    ]
    if missing:
        names = ctx.session.scalars(select(Employee.name).where(Employee.id.in_(missing)))
        raise BusinessError(
            f"议题 {item.project.number} 尚有委员未表决：{'、'.join(names)}；{_ABSENT}"
        )
    if not tally(ctx, item).has_quorum:
        raise BusinessError(
            f"议题 {item.project.number} 表决人数未达到法定人数，请撤下该议题，改期再议"
        )


def _announce(ctx: Ctx, meeting: ReviewMeeting, item: MeetingItem) -> None:
    count = tally(ctx, item)
    item.summary = count.text[:200]
    move(RESULT["announce"], item, ItemState.PASSED if count.is_passed else ItemState.REFUSED)
    project = item.project
    resolution = _resolve(ctx, meeting, item) if count.is_passed else None
    item.minutes_id = documents.issue(
        ctx,
        "review_minutes",
        item,
        project=project,
        number_rule="minutes",
        title=f"审保会会议纪要 {project.number}",
        data=minutes_data(ctx, meeting, item, count),
    ).id
    if resolution is None:
        stages.stop(ctx, project, ProjectState.REFUSED, "审保会未通过")
        return
    _ask_president(ctx, resolution)


def _resolve(ctx: Ctx, meeting: ReviewMeeting, item: MeetingItem) -> Resolution:
    project = item.project
    resolution = Resolution(
        number=next_number(ctx, "resolution"),
        project=project,
        item=item,
        amount=item.advised_amount,
        term_months=item.advised_months,
        fee_rate_pct=project.fee_rate_pct,
        resolved_on=meeting.held_on,
        state=ResolutionState.SIGNING,
    )
    ctx.session.add(resolution)
    conditional = select(MeetingVote).where(
        MeetingVote.item_id == item.id, MeetingVote.choice == VoteChoice.CONDITIONAL
    )
    for vote in ctx.session.scalars(conditional.order_by(MeetingVote.id)):
        resolution.conditions.append(ResolutionCondition(text=vote.opinion or ""))
    ctx.session.flush()
    return resolution


@appraisal.RISK.approved
def resolve_without_board(ctx: Ctx, paper: RiskAssessment) -> None:
    """Where the product needs no board the president is asked as soon as the risk has passed."""
    put_to_president(ctx, paper.project)


def put_to_president(ctx: Ctx, project: Project) -> Resolution | None:
    """Resolve as the investigation report advises, for the president to sign; None of what the board resolves on."""
    if project.has_board:
        return None
    query = select(InvestigationReport).where(
        InvestigationReport.project_id == project.id,
        InvestigationReport.state == PaperState.APPROVED,
    )
    report = ctx.session.scalars(query.order_by(InvestigationReport.id.desc()).limit(1)).one()
    resolution = Resolution(
        number=next_number(ctx, "resolution"),
        project=project,
        amount=report.advised_amount,
        term_months=report.advised_months,
        fee_rate_pct=project.fee_rate_pct,
        resolved_on=ctx.today,
        state=ResolutionState.SIGNING,
    )
    ctx.session.add(resolution)
    ctx.session.flush()
    _ask_president(ctx, resolution, project.manager_id)
    return resolution


def _ask_president(ctx: Ctx, resolution: Resolution, applicant_id: int | None = None) -> None:
    stages.put_up(
        ctx,
        "project.president",
        resolution,
        resolution.project,
        "总裁签字",
        amount=resolution.amount,
        applicant_id=applicant_id,
    )


@approval.on_finish("project.president")
def signed(
    ctx: Ctx, instance: ApprovalInstance, resolution: Resolution, outcome: ApprovalState
) -> None:
    """Signed, the resolution is valid and reserves its amount; a veto ends the project.

    Sent back or withdrawn it goes to the president again at once: the board's pass stands and only he can end it;
    it falls with a project that has ended meanwhile.
    """
    project = resolution.project
    if outcome is ApprovalState.APPROVED:
        limits.refuse_breach(ctx, project, resolution.amount)
        months = int(number(ctx.session, "resolution.valid_months", ctx.today))
        resolution.valid_until = add_months(ctx.today, months)
        move(SIGNED["sign"], resolution, ResolutionState.VALID)
        project.reserved_amount = resolution.amount
        ctx.session.flush()
        limits.refuse_uncovered(ctx, project)
        _issue_resolution(ctx, resolution)
    elif outcome is ApprovalState.REJECTED:
        move(SIGNED["sign"], resolution, ResolutionState.VETOED)
        stages.stop(ctx, project, ProjectState.REFUSED, "总裁否决")
    elif project.state is ProjectState.RUNNING:
        _ask_president(ctx, resolution, instance.applicant_id)
    else:
        move(SIGNED["sign"], resolution, ResolutionState.VOID)
    audit.log(ctx, project, "RESOLUTION", note=f"决议 {resolution.number} {resolution.state.label}")


def _issue_resolution(ctx: Ctx, resolution: Resolution) -> None:
    """The paper that the president's signature makes of the board's vote; it bears the resolution's own number."""
    item, project = resolution.item, resolution.project
    signer = ctx.session.get(Employee, ctx.actor.employee_id or 0)
    documents.issue(
        ctx,
        RESOLUTION_PAPER,
        resolution,
        project=project,
        number=resolution.number,
        title=f"公司决议 {project.number}",
        data={
            **letters.data_for(ctx, project),
            "meeting": {
                "number": item.meeting.number if item else "",
                "date": item.meeting.held_on if item else None,
            },
            "votes": {"summary": (item.summary or "") if item else ""},
            "signature": {"name": signer.name if signer else "", "date": ctx.today},
        },
    )


def paper_of(ctx: Ctx, resolution: Resolution) -> IssuedDocument | None:
    """The signed resolution as a paper; none of one that was never signed."""
    return papers_of(ctx, [resolution]).get(resolution.id)


def papers_of(ctx: Ctx, resolutions: Sequence[Resolution]) -> dict[int, IssuedDocument]:
    """Signed resolutions as papers, by the resolution."""
    query = select(IssuedDocument).where(
        IssuedDocument.owner_table == Resolution.__tablename__,
        IssuedDocument.owner_id.in_([one.id for one in resolutions]),
        IssuedDocument.template_code == RESOLUTION_PAPER,
    )
    return {one.owner_id: one for one in ctx.session.scalars(query)}


def valid_resolution(ctx: Ctx, project: Project) -> Resolution | None:
    """The project's resolution that holds today."""
    return gate.valid_resolution(ctx.session, project.id, ctx.today)


def issue_confirmation(ctx: Ctx, project: Project, version: int | None = None) -> BankLetter:
    """Issue the 担保确认函 under the signed resolution; the project moves on to 费用登记.

    One that was resolved on anew goes on where its work stands: what fits the new resolution stays (decision 0011).
    """
    enter(ctx, ACTS["issue_confirmation"], project, version)
    stages.require_running(project, Stage.RESOLVE, "出具担保确认函")
    resolution = valid_resolution(ctx, project)
    if resolution is None:
        raise Conflict("没有总裁签字且在有效期内的公司决议，不能出具担保确认函")
    letter = letters.issue(
        ctx, project, LetterKind.CONFIRMATION, resolution.amount, resolution.valid_until
    )
    fees.reopen_short(ctx, project, resolution)
    contracts.void_exceeding(ctx, project, resolution)
    due, signer = stage_due(ctx.session, project, Stage.RESOLVE), _signer(ctx, resolution)
    stages.advance(ctx, project, due, f"决议 {resolution.number}", by=signer)
    ctx.session.flush()
    return letter


def _signer(ctx: Ctx, resolution: Resolution) -> int | None:
    """Who signed the resolution: the stage is his work, not that of who sends the letter about it."""
    query = (
        select(ApprovalTask.decided_by_id)
        .join(ApprovalInstance, ApprovalInstance.id == ApprovalTask.instance_id)
        .where(
            ApprovalInstance.table_name == Resolution.__tablename__,
            ApprovalInstance.record_id == resolution.id,
            ApprovalTask.state == TaskState.APPROVED,
        )
        .order_by(ApprovalTask.id.desc())
    )
    return ctx.session.scalars(query.limit(1)).first()


def minutes_data(
    ctx: Ctx, meeting: ReviewMeeting, item: MeetingItem, count: Tally
) -> dict[str, Any]:
    """What the minutes print: meeting, members with their votes, the count."""
    votes = {
        v.employee_id: v
        for v in ctx.session.scalars(select(MeetingVote).where(MeetingVote.item_id == item.id))
    }
    members = members_of(ctx, meeting)
    rows = [_minute_row(m, votes.get(m.employee_id), meeting.chair_id) for m in members]
    least = ratio(ctx.session, "meeting.pass_ratio", ctx.today)
    share, required = (
        _percent(part) for part in (Fraction(count.votes_for, count.voters or 1), least)
    )
    data = letters.data_for(ctx, item.project)
    data["project"] |= {"amount": item.advised_amount, "term_months": item.advised_months}
    made = data["resolution"] if count.is_passed else letters.NO_RESOLUTION
    data["resolution"] = {**made, "result": "通过" if count.is_passed else "不通过"}
    return {
        **data,
        "meeting": {
            "number": meeting.number,
            "date": meeting.held_on,
            "place": meeting.place,
            "chair": meeting.chair.name,
            "secretary": meeting.secretary.name if meeting.secretary else "",
            "should_attend": len(members),
            "attended": sum(m.is_present or _has_voted(votes.get(m.employee_id)) for m in members),
            "withdrawn": len(members) - count.base,
            "guests": "",
        },
        "members": rows,
        "votes": {
            "agree": count.counts[VoteChoice.AGREE],
            "conditional": count.counts[VoteChoice.CONDITIONAL],
            "refuse": count.counts[VoteChoice.OPPOSE],
            "defer": count.counts[VoteChoice.DEFER],
            "pass_pct": share,
            "required_pct": required,
        },
    }


def _percent(part: Fraction) -> Decimal:
    return round_to(Decimal(part.numerator * 100) / part.denominator, 2)


def _has_voted(vote: MeetingVote | None) -> bool:
    return vote is not None and not vote.is_withdrawn


def _minute_row(member: MeetingMember, vote: MeetingVote | None, chair_id: int) -> dict[str, str]:
    choice = (
        "回避" if vote and vote.is_withdrawn else vote.choice.label if vote and vote.choice else "—"
    )
    return {
        "name": member.employee.name,
        "role": "主持人" if member.employee_id == chair_id else "委员",
        "attendance": "出席" if member.is_present else "中途离席" if _has_voted(vote) else "缺席",
        "vote": choice,
        "opinion": (vote.opinion if vote else "") or "",
    }
