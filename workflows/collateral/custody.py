"""出入库 (7.1): papers of certificates, approved and then carried out by the keeper; each move stands in the ledger.

Originals of an asset that stands behind a project do not leave for good: its release comes first (domain.md 1).
"""

from datetime import date

from sqlalchemy import ColumnElement, exists, or_, select

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.paper import OPEN_PAPERS, PaperState
from models.collateral.asset import IN_CUSTODY, CollateralCertificate
from models.collateral.custody import CustodyKind, CustodyMove, CustodyPaper
from models.collateral.kind import StoragePlace
from models.collateral.pledge import CollateralPledge
from models.guarantee.project import Project
from models.guarantee.release import Release
from models.guarantee.signing import CounterGuarantee
from models.system.organization import Employee
from reports.figures import collateral
from workflows.approval import approval
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import conclude, life
from workflows.base.transition import Step, enter, move, steps, verbs
from workflows.collateral import pledge as pledging
from workflows.guarantee import release as releasing
from workflows.guarantee import stages

KEEPER = "押品专员"
STEPS = steps(
    *life("custody_paper", "提交出入库审批", roles=(KEEPER, "客户经理", "业务部门经理")),
    Step(
        "custody_paper",
        "drop",
        "作废",
        column="state",
        sources=(PaperState.APPROVED,),
        targets=(PaperState.VOID,),
        roles=(KEEPER,),
    ),
)
ACTS = verbs("custody_paper", {"carry_out": "办理出入库"}, roles=(KEEPER,))
# Every way of a certificate's state, by what is done.
MOVES = steps(
    *(
        Step(
            "collateral_certificate",
            f"be_{kind.name.lower()}",
            kind.label,
            column="state",
            sources=(kind.source,),
            targets=(kind.target,),
            follows=True,
        )
        for kind in CustodyKind
    )
)

_MOVE = {
    CustodyKind.IN: MOVES["be_in"],
    CustodyKind.OUT: MOVES["be_out"],
    CustodyKind.LEND: MOVES["be_lend"],
    CustodyKind.BACK: MOVES["be_back"],
}


@records.rule(CustodyPaper)
def check_paper(ctx: Ctx, paper: CustodyPaper, is_new: bool) -> None:
    """A paper is about originals of its asset; what is lent names who takes it and until when."""
    errors: dict[str, list[str]] = {}
    certificate = (
        None
        if paper.certificate_id is None
        else ctx.session.get_one(CollateralCertificate, paper.certificate_id)
    )
    if certificate is not None and certificate.collateral_id != paper.collateral_id:
        errors["certificate_id"] = ["权证不属于这个押品"]
    if paper.kind is CustodyKind.LEND:
        _check_loan(ctx, paper, errors)
    elif paper.borrower_id is not None or paper.due_on is not None:
        errors["kind"] = ["只有借出填写借用人和应还日期"]
    if errors:
        raise FieldErrors(errors)
    if is_new:
        paper.number = next_number(ctx, "custody_paper")


def _check_loan(ctx: Ctx, paper: CustodyPaper, errors: dict[str, list[str]]) -> None:
    if paper.borrower_id is None:
        errors["borrower_id"] = ["请选择借用人"]
    elif not ctx.session.get_one(Employee, paper.borrower_id).is_active:
        errors["borrower_id"] = ["借用人已离职"]
    if paper.due_on is None or paper.due_on < ctx.today:
        errors["due_on"] = ["请填写应还日期，不能早于营业日期"]


def certificates(ctx: Ctx, paper: CustodyPaper) -> list[CollateralCertificate]:
    """The originals that the paper would move now."""
    query = select(CollateralCertificate).where(
        CollateralCertificate.collateral_id == paper.collateral_id,
        CollateralCertificate.state == paper.kind.source,
    )
    if paper.certificate_id is not None:
        query = query.where(CollateralCertificate.id == paper.certificate_id)
    return list(ctx.session.scalars(query.order_by(CollateralCertificate.id)))


def obstacles(ctx: Ctx, paper: CustodyPaper) -> list[str]:
    """What stands in the way of a paper, each in words."""
    found = []
    if not certificates(ctx, paper):
        found.append(f"没有“{paper.kind.source.label}”的权证可以{paper.kind.label}")
    if paper.kind is CustodyKind.OUT and (numbers := standing(ctx, paper.collateral_id)):
        found.append(f"押品仍为项目 {'、'.join(numbers)} 设押，解保或解除设押之后才能出库")
    others = select(CustodyPaper.number).where(
        CustodyPaper.id != paper.id,
        CustodyPaper.collateral_id == paper.collateral_id,
        or_(
            CustodyPaper.state == PaperState.IN_APPROVAL,
            (CustodyPaper.state == PaperState.APPROVED) & CustodyPaper.done_on.is_(None),
        ),
        _touches(paper),
    )
    found += [f"单据 {number} 尚未办结" for number in ctx.session.scalars(others)]
    return found


def _touches(paper: CustodyPaper) -> ColumnElement[bool]:
    """Papers about the same originals: one about all touches each."""
    if paper.certificate_id is None:
        return CustodyPaper.id.is_not(None)
    mine = CustodyPaper.certificate_id == paper.certificate_id
    return or_(mine, CustodyPaper.certificate_id.is_(None))


def why_not(ctx: Ctx, paper: CustodyPaper) -> str:
    """`obstacles` as a button says it."""
    return "；".join(obstacles(ctx, paper))


def standing(ctx: Ctx, asset_id: int) -> list[str]:
    """Numbers of the projects that the asset still stands behind."""
    found = collateral.pledges(ctx.session, [asset_id])
    return list(dict.fromkeys(pledge.project.number for pledge in found))


def submit(ctx: Ctx, paper: CustodyPaper, version: int | None = None) -> ApprovalInstance:
    """Put a paper up for approval. Raises BusinessError naming all that stands in the way."""
    step = STEPS["submit"]
    enter(ctx, step, paper, version)
    if missing := obstacles(ctx, paper):
        raise BusinessError(f"还不能{step.label}：" + "；".join(missing))
    move(step, paper)
    title = f"押品{paper.kind.label}：{paper.collateral.customer.name} {paper.collateral.name}"
    return approval.start(ctx, "collateral.move", paper, title=title, amount=paper.collateral.value)


@approval.on_finish("collateral.move")
def decided(
    ctx: Ctx, instance: ApprovalInstance, paper: CustodyPaper, outcome: ApprovalState
) -> None:
    """Approved, it waits for the keeper; returned, it is a draft again."""
    del ctx, instance
    conclude(paper, outcome)


def waits(_: Ctx, paper: CustodyPaper) -> bool:
    """Whether it is approved and not carried out yet."""
    return paper.state is PaperState.APPROVED and paper.done_on is None


def carry_out(
    ctx: Ctx,
    paper: CustodyPaper,
    counterparty: str,
    place: StoragePlace | None = None,
    on: date | None = None,
    version: int | None = None,
) -> list[CustodyMove]:
    """Do what was approved: the originals change hands, and the ledger takes a line of each."""
    enter(ctx, ACTS["carry_out"], paper, version)
    if not waits(ctx, paper):
        raise Conflict(f"单据“{paper}”现在不能办理")
    if missing := obstacles(ctx, paper):
        raise BusinessError("还不能办理：" + "；".join(missing))
    day = on or ctx.today
    _check_facts(ctx, paper, place, day)
    paper.counterparty, paper.place = counterparty, place
    paper.done_on, paper.done_by_id = day, ctx.actor.employee_id
    lines = [_move(ctx, paper, certificate, day) for certificate in certificates(ctx, paper)]
    ctx.session.flush()
    if paper.kind is CustodyKind.OUT:
        _let_projects_end(ctx, paper.collateral_id)
    return lines


def _check_facts(ctx: Ctx, paper: CustodyPaper, place: StoragePlace | None, day: date) -> None:
    errors = {}
    if paper.kind.needs_place and place is None:
        errors["place_id"] = ["请选择库位"]
    if place is not None and not paper.kind.needs_place:
        errors["place_id"] = [f"{paper.kind.label}不填库位"]
    if place is not None and not place.is_active:
        errors["place_id"] = [f"库位“{place}”已停用"]
    last = max((one.held_since or day for one in certificates(ctx, paper)), default=day)
    if day > ctx.today:
        errors["on"] = ["办理日期不能晚于营业日期"]
    elif day < last:
        errors["on"] = [f"办理日期不能早于上一次出入库的日期 {last}"]
    if errors:
        raise FieldErrors(errors)


def _move(
    ctx: Ctx, paper: CustodyPaper, certificate: CollateralCertificate, day: date
) -> CustodyMove:
    certificate.place_id = paper.place_id if paper.place is None else paper.place.id
    is_lent = paper.kind is CustodyKind.LEND
    certificate.holder_id = paper.borrower_id if is_lent else _keeper(ctx, paper)
    certificate.due_on = paper.due_on if is_lent else None
    certificate.held_since = day
    move(_MOVE[paper.kind], certificate)
    line = CustodyMove(
        certificate=certificate,
        collateral_id=paper.collateral_id,
        paper=paper,
        kind=paper.kind,
        moved_on=day,
        place_id=certificate.place_id,
        holder_id=certificate.holder_id,
        done_by_id=ctx.actor.employee_id,
    )
    ctx.session.add(line)
    return line


def _keeper(ctx: Ctx, paper: CustodyPaper) -> int | None:
    """Who answers for what lies in the vault: the keeper of the place, else who took it in; nobody once it is gone."""
    if not paper.kind.needs_place:
        return None
    place = paper.place
    return (place.keeper_id if place is not None else None) or ctx.actor.employee_id


def drop(ctx: Ctx, paper: CustodyPaper, reason: str, version: int | None = None) -> CustodyPaper:
    """Give up what was approved and will not be carried out."""
    enter(ctx, STEPS["drop"], paper, version)
    if not waits(ctx, paper):
        raise Conflict(f"单据“{paper}”已办理，不能作废")
    paper.reason = f"{paper.reason}\n作废：{stages.checked_reason(reason, '作废')}"
    move(STEPS["drop"], paper)
    ctx.session.flush()
    return paper


# --- the end of a project ---------------------------------------------------------------------------------------------


def _in_custody(project_id: int) -> ColumnElement[bool]:
    """Certificates in custody whose asset stood behind the project and stands behind none any more."""
    asset = CollateralCertificate.collateral_id
    was = exists().where(
        CollateralPledge.collateral_id == asset, CollateralPledge.project_id == project_id
    )
    still = (
        select(CollateralPledge.id)
        .join(CounterGuarantee)
        .where(CollateralPledge.collateral_id == asset, collateral.live())
        .exists()
    )
    return was & ~still & CollateralCertificate.state.in_(IN_CUSTODY)


@releasing.on_hold
def still_here(ctx: Ctx, release: Release) -> list[str]:
    """Originals that are to go out before the project has ended (domain.md 1)."""
    query = select(CollateralCertificate).where(_in_custody(release.project_id))
    found = ctx.session.scalars(query.order_by(CollateralCertificate.id))
    return [f"权证 {one.number} {one.state.label}，待出库" for one in found]


@releasing.PAPER.approved
def draft_of_release(ctx: Ctx, release: Release) -> None:
    """What is free now is drafted to go out: the keeper finds it in 待办."""
    draft_out(ctx, release.project, f"解保 {release.number}，归还权证")


@stages.on_refusal
@stages.on_end
def draft_of_end(ctx: Ctx, project: Project, why: str) -> None:
    """A project that ended before its drawdown gives its originals back as well."""
    draft_out(ctx, project, why)


def draft_out(ctx: Ctx, project: Project, why: str) -> list[CustodyPaper]:
    """A draft of 出库 for each asset whose originals may leave, unless one is open."""
    query = select(CollateralCertificate.collateral_id).where(_in_custody(project.id)).distinct()
    made = []
    for asset_id in ctx.session.scalars(query.order_by(CollateralCertificate.collateral_id)).all():
        is_open = select(CustodyPaper.id).where(
            CustodyPaper.collateral_id == asset_id,
            CustodyPaper.kind == CustodyKind.OUT,
            or_(CustodyPaper.state.in_(OPEN_PAPERS), _undone()),
        )
        if ctx.session.scalar(is_open.limit(1)) is None:
            paper = CustodyPaper(
                number=next_number(ctx, "custody_paper"),
                collateral_id=asset_id,
                kind=CustodyKind.OUT,
                reason=why,
                is_follow_up=True,
            )
            ctx.session.add(paper)
            made.append(paper)
    ctx.session.flush()
    return made


def _undone() -> ColumnElement[bool]:
    return (CustodyPaper.state == PaperState.APPROVED) & CustodyPaper.done_on.is_(None)


def _let_projects_end(ctx: Ctx, asset_id: int) -> None:
    """The last original has gone: releases that waited for it go on."""
    query = (
        select(Release)
        .where(
            Release.state == PaperState.APPROVED,
            Release.released_on.is_(None),
            Release.project_id.in_(
                select(CollateralPledge.project_id).where(
                    CollateralPledge.collateral_id == asset_id
                )
            ),
        )
        .order_by(Release.id)
    )
    for release in ctx.session.scalars(query).all():
        releasing.finish_when_settled(ctx, release)


_ = pledging  # what frees the assets registers before what drafts their papers
