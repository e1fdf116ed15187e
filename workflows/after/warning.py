"""保后预警 (6.6): rules looked at day by day, each trigger raised once, handled, and lifted with a reason."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, contains_eager

from models.after.warning import OPEN_WARNING, RiskWarning, WarningOwner, WarningRule, WarningState
from models.base.entity import Entity
from models.base.errors import BusinessError, FieldErrors
from models.base.moments import add_months
from models.base.money import format_money
from models.guarantee.appraisal import BankLetter, LetterKind
from models.guarantee.drawdown import OPEN, Drawdown, DrawdownState, Instalment, RepaymentPlan
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.resolution import Resolution, ResolutionState
from models.guarantee.signing import Fee, FeeDue
from reports.figures import coverage
from reports.figures.fees import RECEIVABLE
from reports.figures.parameters import whole
from workflows.after import own_warning
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.transition import Step, enter, move, permit, steps, verbs
from workflows.guarantee import stages

State = WarningState
STEPS = steps(
    Step(
        "risk_warning",
        "handle",
        "处理",
        column="state",
        sources=OPEN_WARNING,
        targets=(State.HANDLING,),
    ),
    Step(
        "risk_warning",
        "lift",
        "解除",
        column="state",
        sources=OPEN_WARNING,
        targets=(State.LIFTED,),
    ),
)
ACTS = verbs("risk_warning", {"evaluate": "检查预警"}, is_work=False)
_DAYS = re.compile(r"\d{1,3}(?:,\d{1,3})*", re.ASCII)
_BATCH = 500


@dataclass(frozen=True)
class Hit:
    """What a rule has found: a record of a project, what triggered it (the same text is never raised twice)."""

    project: Project
    record: Entity
    trigger: str
    message: str


Check = Callable[[Session, date, Sequence[int]], Iterator[Hit]]
CHECKS: dict[str, Check] = {}


def check(code: str) -> Callable[[Check], Check]:
    """Register what a rule of this code looks for on a day: (session, day, thresholds in days)."""

    def register(function: Check) -> Check:
        CHECKS[code] = function
        return function

    return register


@records.rule(WarningRule)
def check_rule(ctx: Ctx, rule: WarningRule, is_new: bool) -> None:
    """Thresholds are whole days parted by commas; an own rule has a condition in their place."""
    if is_new:
        rule.code = next_number(ctx, "warning_rule")
    if rule.code not in CHECKS:
        own_warning.require_sound(ctx, rule)
        return
    if rule.about or rule.condition or not rule.days:
        words = "内置规则按阈值预警，条件写在程序里"
        raise FieldErrors({"days" if not rule.days else "condition": [words]})
    rule.days = rule.days.replace("，", ",").replace(" ", "")
    if not _DAYS.fullmatch(rule.days):
        raise FieldErrors({"days": ["阈值应为天数，多个用逗号分隔，如 30,15,7"]})


def _hits(ctx: Ctx, rule: WarningRule) -> list[Hit]:
    if rule.is_own:
        return [Hit(*one) for one in own_warning.found(ctx, rule)]
    return list(CHECKS[rule.code](ctx.session, ctx.today, thresholds(rule)))


def evaluate(ctx: Ctx) -> int:
    """Look at every active rule on the business date: lift what has passed, raise what is new; how many were raised."""
    permit(ctx, ACTS["evaluate"])
    rules = (
        select(WarningRule).where(WarningRule.is_active).order_by(WarningRule.rank, WarningRule.id)
    )
    raised = 0
    for rule in ctx.session.scalars(rules).all():
        hits = _hits(ctx, rule)
        _lift_passed(ctx, rule, hits)
        if rule.is_own:
            own_warning.note_passed(ctx, rule, [hit.record.id for hit in hits])
        known = _known(ctx, rule, [hit.record.id for hit in hits])
        with ctx.session.no_autoflush:  # taking a number must not write the warnings one by one
            for hit in hits:
                key = (hit.record.__tablename__, hit.record.id, hit.trigger)
                if key not in known:
                    known.add(key)
                    _raise(ctx, rule, hit)
                    raised += 1
    ctx.session.flush()
    return raised


def handle(
    ctx: Ctx, warning: RiskWarning, handling: str, version: int | None = None
) -> RiskWarning:
    """Say what is being done about a warning."""
    enter(ctx, STEPS["handle"], warning, version)
    if not 0 < len(handling.strip()) <= 2000:
        raise BusinessError("请填写处理措施，不超过 2000 字", field="handling")
    warning.handling = handling.strip()
    move(STEPS["handle"], warning)
    ctx.session.flush()
    return warning


def lift(ctx: Ctx, warning: RiskWarning, reason: str, version: int | None = None) -> RiskWarning:
    """Close a warning with the reason why it no longer holds."""
    enter(ctx, STEPS["lift"], warning, version)
    if not 0 < len(reason.strip()) <= 200:
        raise BusinessError("请填写解除原因，不超过 200 字", field="reason")
    _lift(ctx, warning, reason.strip(), ctx.actor.employee_id)
    ctx.session.flush()
    return warning


@stages.on_end
def lift_all(ctx: Ctx, project: Project, reason: str) -> None:
    """Close what is open of a project that has ended."""
    query = select(RiskWarning).where(
        RiskWarning.project_id == project.id, RiskWarning.state.in_(OPEN_WARNING)
    )
    for warning in ctx.session.scalars(query).all():
        _lift(ctx, warning, reason, ctx.actor.employee_id)


def thresholds(rule: WarningRule) -> list[int]:
    """The thresholds of a rule in days, the smallest first."""
    return sorted({int(part) for part in (rule.days or "").split(",")})


def _lift(ctx: Ctx, warning: RiskWarning, reason: str, by: int | None) -> None:
    warning.lifted_on, warning.lifted_by_id, warning.reason = ctx.today, by, reason
    move(STEPS["lift"], warning)


def _lift_passed(ctx: Ctx, rule: WarningRule, hits: Sequence[Hit]) -> None:
    """Close what holds no longer, so that people only see what asks for something today, with today's figures."""
    now = {(hit.record.__tablename__, hit.record.id): hit for hit in hits}
    query = select(RiskWarning).where(
        RiskWarning.rule_id == rule.id, RiskWarning.state.in_(OPEN_WARNING)
    )
    for warning in ctx.session.scalars(query.order_by(RiskWarning.id)).all():
        hit = now.get((warning.record_table, warning.record_id))
        if hit is None or hit.trigger != warning.trigger:
            reason = "预警情形已不存在" if hit is None else "已由新的预警接替"
            _lift(ctx, warning, reason, by=None)  # nobody judged it
        elif warning.message != hit.message[:300]:
            warning.message = hit.message[:300]


def _known(ctx: Ctx, rule: WarningRule, ids: Sequence[int]) -> set[tuple[str, int, str]]:
    found: set[tuple[str, int, str]] = set()
    columns = (RiskWarning.record_table, RiskWarning.record_id, RiskWarning.trigger)
    for first in range(0, len(ids), _BATCH):
        query = select(*columns).where(
            RiskWarning.rule_id == rule.id, RiskWarning.record_id.in_(ids[first : first + _BATCH])
        )
        found |= {
            (table, record_id, trigger) for table, record_id, trigger in ctx.session.execute(query)
        }
    return found


def _raise(ctx: Ctx, rule: WarningRule, hit: Hit) -> None:
    ctx.session.add(
        RiskWarning(
            number=next_number(ctx, "warning"),
            rule=rule,
            project=hit.project,
            record_table=hit.record.__tablename__,
            record_id=hit.record.id,
            trigger=hit.trigger,
            level=rule.level,
            message=hit.message[:300],
            raised_on=ctx.today,
            deadline=ctx.today + timedelta(days=rule.handle_days),
            state=State.PENDING,
            owner_id=_owner(hit.project, rule.owner_role),
        )
    )


def _owner(project: Project, role: WarningOwner) -> int | None:
    """The employee behind a role on a project; A角 where nobody holds it."""
    found = None
    if role is WarningOwner.RISK:
        found = project.risk_officer_id
    elif role is WarningOwner.DEPARTMENT and project.department is not None:
        found = project.department.manager_id
    return found or project.manager_id


def _ahead(days: Sequence[int], left: int) -> int:
    """The threshold that a day so many days ahead has come under."""
    return min(limit for limit in days if limit >= left)


def _behind(days: Sequence[int], late: int) -> int | None:
    """The highest threshold that so many days have passed; None below the first."""
    return max((limit for limit in days if limit <= late), default=None)


@check("guarantee_due")
def _guarantee_due(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    query = select(Project).where(
        Project.state == ProjectState.IN_FORCE,
        Project.balance > 0,
        Project.end_on.between(on, on + timedelta(days=max(days))),
    )
    for project in session.scalars(query.order_by(Project.end_on, Project.id)):
        assert project.end_on is not None
        left = (project.end_on - on).days
        message = f"担保将于 {project.end_on} 到期，剩余 {left} 天，在保余额 {format_money(project.balance)} 元"
        yield Hit(project, project, f"{project.end_on}/{_ahead(days, left)}", message)


@check("guarantee_period")
def _guarantee_period(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """The last days in which the bank may still ask: what it does not ask by then it loses (4.8)."""
    until = on + timedelta(days=max(days))
    query = select(Project).where(
        Project.state == ProjectState.IN_FORCE,
        Project.balance > 0,
        Project.end_on <= add_months(until, -coverage.shortest_period(session, on)),
    )
    for project in session.scalars(query.order_by(Project.end_on, Project.id)).all():
        found = coverage.standing(session, project, on)
        if found is None or not on <= found.last <= until:
            continue
        left = (found.last - on).days
        message = (
            f"保证期间至 {found.last} 届满，剩余 {left} 天，"
            f"承担 {format_money(found.covered.amount)} 元；届满前核对银行是否主张权利"
        )
        yield Hit(project, project, f"{found.last}/{_ahead(days, left)}", message)


def _instalments(session: Session, *where: object) -> Iterator[tuple[Instalment, Drawdown]]:
    """Unpaid instalments of the current plans of running loans, with their loans."""
    query = (
        select(Instalment, Drawdown)
        .join(RepaymentPlan, RepaymentPlan.id == Instalment.repayment_plan_id)
        .join(Drawdown, Drawdown.id == RepaymentPlan.drawdown_id)
        .join(Project, Project.id == Drawdown.project_id)
        .options(contains_eager(Drawdown.project))
        .where(
            text(f"({OPEN})"),
            RepaymentPlan.is_current,
            Drawdown.state.in_((DrawdownState.ACTIVE, DrawdownState.OVERDUE)),
            Project.state == ProjectState.IN_FORCE,
            *where,  # type: ignore[arg-type]
        )
        .order_by(Instalment.due_on, Instalment.id)
    )
    for row in session.execute(query):
        yield row.Instalment, row.Drawdown


@check("instalment_due")
def _instalment_due(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    for row, drawdown in _instalments(
        session, Instalment.due_on.between(on, on + timedelta(days=max(days)))
    ):
        left = (row.due_on - on).days
        owed = row.principal - row.principal_paid + row.interest - row.interest_paid
        message = (
            f"借据 {drawdown.bank_note_no} 第 {row.seq} 期将于 {row.due_on} 到期，剩余 {left} 天，"
            f"应还本息 {format_money(owed)} 元"
        )
        yield Hit(drawdown.project, row, f"{row.due_on}/{_ahead(days, left)}", message)


def _overdue(
    session: Session, on: date, days: Sequence[int], part: str, label: str
) -> Iterator[Hit]:
    paid = f"{part}_paid"
    where = (
        Instalment.due_on <= on - timedelta(days=min(days)),
        getattr(Instalment, paid) < getattr(Instalment, part),
    )
    for row, drawdown in _instalments(session, *where):
        late = (on - row.due_on).days
        owed = getattr(row, part) - getattr(row, paid)
        message = (
            f"借据 {drawdown.bank_note_no} 第 {row.seq} 期应于 {row.due_on} 归还，{label} {format_money(owed)} 元，"
            f"已逾期 {late} 天"
        )
        yield Hit(drawdown.project, row, f"{row.due_on}/{_behind(days, late)}", message)


@check("principal_overdue")
def _principal_overdue(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    yield from _overdue(session, on, days, "principal", "逾期本金")


@check("interest_overdue")
def _interest_overdue(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    yield from _overdue(session, on, days, "interest", "欠息")


@check("resolution_expired")
def _resolution_expired(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    # a new one takes the place of the old
    latest = select(func.max(Resolution.id)).group_by(Resolution.project_id)
    query = select(Resolution).join(Project, Project.id == Resolution.project_id)
    query = query.where(
        Project.state == ProjectState.RUNNING,
        Resolution.state == ResolutionState.EXPIRED,
        Resolution.id.in_(latest),
        Resolution.valid_until <= on - timedelta(days=min(days)),
    )
    for paper in session.scalars(query.order_by(Resolution.id)):
        assert paper.valid_until is not None
        late = _behind(days, (on - paper.valid_until).days)
        message = f"公司决议 {paper.number} 已于 {paper.valid_until} 到期，占用额度已释放，继续办理须重新上会"
        yield Hit(paper.project, paper, f"{paper.valid_until}/{late}", message)


@check("intent_expired")
def _intent_expired(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    latest = (
        select(func.max(BankLetter.id))
        .where(BankLetter.kind == LetterKind.INTENT)
        .group_by(BankLetter.project_id)
    )
    # Once the company has resolved, its confirmation stands in place of the intent.
    query = select(BankLetter).join(Project, Project.id == BankLetter.project_id)
    query = query.where(
        Project.state == ProjectState.RUNNING,
        BankLetter.id.in_(latest),
        BankLetter.valid_until <= on - timedelta(days=min(days)),
        Project.stage.in_((Stage.REVIEW, Stage.RISK, Stage.RESOLVE)),
    )
    for letter in session.scalars(query.order_by(BankLetter.id)):
        assert letter.valid_until is not None
        late = _behind(days, (on - letter.valid_until).days)
        message = (
            f"担保意向函 {letter.number} 已于 {letter.valid_until} 到期，请与银行沟通是否继续办理"
        )
        yield Hit(letter.project, letter, f"{letter.valid_until}/{late}", message)


@check("fee_overdue")
def _fee_overdue(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    grace = whole(session, "fee.overdue_grace_days", on)
    query = (
        select(FeeDue)
        .join(Fee, Fee.id == FeeDue.fee_id)
        .join(Project, Project.id == Fee.project_id)
        .where(
            Project.state == ProjectState.IN_FORCE,
            Fee.kind.in_(RECEIVABLE),
            FeeDue.settled_amount < FeeDue.amount,
            FeeDue.due_on <= on - timedelta(days=min(days) + grace),
        )
        .order_by(FeeDue.due_on, FeeDue.id)
    )
    for due in session.scalars(query):
        late = (on - due.due_on).days
        owed = format_money(due.amount - due.settled_amount)
        message = (
            f"{due.fee.kind.label}第 {due.seq} 期 {owed} 元应于 {due.due_on} 收取，已逾期 {late} 天"
        )
        yield Hit(due.fee.project, due, f"{due.due_on}/{_behind(days, late - grace)}", message)
