"""10.2 客户移交 with approval: who takes over which customers from which day on; the day-end does what falls due.

What goes over, and who may take it, is decided by workflows/system/hand_over, which also notes the earlier holders.
"""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import select

from models.after.warning import OPEN_WARNING, RiskWarning
from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.actor import ScopeLevel
from models.base.errors import BusinessError, FieldErrors, NotAllowed
from models.base.paper import PaperState
from models.customer.customer import Customer
from models.customer.hand_over import CustomerHandOver, HandedCustomer
from models.guarantee.project import Project
from models.system.errand import Errand, ErrandState
from models.system.organization import Employee
from reports.figures.customer_places import TABLES
from reports.figures.holdings import OPEN_STATES, ROLES, customers_of
from workflows.approval import approval
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import conclude, life
from workflows.base.transition import enter, move, steps, verbs
from workflows.system import hand_over as handing
from workflows.system.hand_over import MOST, Piece

SUBMITTERS = ("客户经理", "业务部门经理")
STEPS = steps(*life("customer_hand_over", "提交移交审批", roles=SUBMITTERS))
ACTS = verbs(
    "customer_hand_over", {"apply": "办理移交"}, is_work=False, roles=("业务部门经理", "风控总监")
)
PROBLEM_MAX = 500


@records.rule(CustomerHandOver)
def check(ctx: Ctx, paper: CustomerHandOver, is_new: bool) -> None:
    """Two people, a day that is still to come, and customers that are the actor's own or in their charge."""
    if paper.giver_id == paper.taker_id:
        raise FieldErrors({"taker_id": ["接手人不能与移交人相同"]})
    if paper.effective_on < ctx.today:
        raise FieldErrors({"effective_on": ["生效日期不能早于营业日期"]})
    giver = ctx.session.get_one(Employee, paper.giver_id)
    is_own = giver.id == ctx.actor.employee_id
    if not is_own and not handing.is_in_charge(ctx.actor, giver.department_id):
        raise FieldErrors({"giver_id": ["只能移交本人或本部门人员的客户"]})
    if is_new:
        paper.number = next_number(ctx, "customer_hand_over")


@records.rule(HandedCustomer)
def check_row(ctx: Ctx, row: HandedCustomer, is_new: bool) -> None:
    """A listed customer is the giver's; of a paper that is only being made the submission asks."""
    del is_new
    key: int | None = row.customer_hand_over_id
    if key is None:
        return
    paper = ctx.session.get_one(CustomerHandOver, key)
    customer = ctx.session.get_one(Customer, row.customer_id)
    if customer.manager_id != paper.giver_id:
        giver = ctx.session.get_one(Employee, paper.giver_id)
        raise FieldErrors({"customer_id": [f"客户“{customer}”不由{giver.name}管理"]})


def customers(ctx: Ctx, paper: CustomerHandOver) -> list[Customer]:
    """The customers that go over: those listed, or all that the giver has now."""
    listed = (
        select(Customer)
        .join(HandedCustomer, HandedCustomer.customer_id == Customer.id)
        .where(HandedCustomer.customer_hand_over_id == paper.id)
        .order_by(Customer.id)
    )
    found = list(ctx.session.scalars(listed))
    return found or list(ctx.session.scalars(customers_of(paper.giver_id).order_by(Customer.id)))


def obstacles(ctx: Ctx, paper: CustomerHandOver) -> list[str]:
    """What stands in the way of the submission, in words."""
    found = []
    going = customers(ctx, paper)
    if not going:
        found.append(f"{paper.giver.name}名下没有客户")
    if gone := [str(one) for one in going if one.manager_id != paper.giver_id]:
        found.append(f"客户“{'、'.join(gone[:3])}”已不由{paper.giver.name}管理")
    fit = {one.id for one in handing.successors(_as_system(ctx), paper.giver)}
    if paper.taker_id not in fit:
        found.append(f"{paper.taker.name}没有办理项目的权限，或账号不可用")
    other = select(CustomerHandOver.number).where(
        CustomerHandOver.giver_id == paper.giver_id,
        CustomerHandOver.id != paper.id,
        CustomerHandOver.state == PaperState.IN_APPROVAL,
    )
    if number := ctx.session.scalar(other.limit(1)):
        found.append(f"{paper.giver.name}的客户移交 {number} 正在审批")
    return found


def why_not(ctx: Ctx, paper: CustomerHandOver) -> str:
    """`obstacles` as a button says it."""
    return "；".join(obstacles(ctx, paper))


def submit(ctx: Ctx, paper: CustomerHandOver, version: int | None = None) -> ApprovalInstance:
    """Put it up for approval. Raises BusinessError naming everything that stands in the way."""
    enter(ctx, STEPS["submit"], paper, version)
    check(ctx, paper, False)
    if why := why_not(ctx, paper):
        raise BusinessError(f"还不能提交移交审批：{why}")
    move(STEPS["submit"], paper)
    count = len(customers(ctx, paper))
    return approval.start(
        ctx,
        "customer_hand_over",
        paper,
        title=f"客户移交：{paper.giver.name} {count} 户移交给 {paper.taker.name}",
        amount=None,
        department_id=paper.department_id,
    )


@approval.on_finish("customer_hand_over")
def decided(
    ctx: Ctx, instance: ApprovalInstance, paper: CustomerHandOver, outcome: ApprovalState
) -> None:
    """Approved, it is carried out on its day; at once where that has come."""
    del instance
    conclude(paper, outcome)
    if paper.state is PaperState.APPROVED and paper.effective_on <= ctx.today:
        _carry_out(ctx, paper)


def waits(_: Ctx, paper: CustomerHandOver) -> bool:
    """Whether it is approved and not carried out, something having been in the way."""
    return paper.state is PaperState.APPROVED and paper.done_on is None and bool(paper.problem)


def apply(ctx: Ctx, paper: CustomerHandOver, version: int | None = None) -> CustomerHandOver:
    """Carry out what could not be carried out on its day, once that has been mended."""
    enter(ctx, ACTS["apply"], paper, version)
    if not waits(ctx, paper):
        raise NotAllowed(f"客户移交 {paper.number} 没有需要补办的事项")
    _give(_as_system(ctx), paper)
    return paper


def carry_out_due(ctx: Ctx) -> int:
    """What has been approved and falls due on the day that opens; how many were carried out."""
    due = select(CustomerHandOver).where(
        CustomerHandOver.state == PaperState.APPROVED,
        CustomerHandOver.done_on.is_(None),
        CustomerHandOver.effective_on <= ctx.today,
    )
    papers = ctx.session.scalars(due.order_by(CustomerHandOver.id)).all()
    return sum(_carry_out(ctx, paper) for paper in papers)


def _carry_out(ctx: Ctx, paper: CustomerHandOver) -> bool:
    """Carry it out, all or nothing; what is in the way stands on the paper and holds up nothing else."""
    try:
        with ctx.session.begin_nested():
            _give(_as_system(ctx), paper)
    except BusinessError as error:
        paper.problem = error.message[:PROBLEM_MAX]
        ctx.session.flush()
        return False
    return True


def _as_system(ctx: Ctx) -> Ctx:
    """It was approved: nobody's own reach limits it any more."""
    return replace(ctx, actor=replace(ctx.actor, is_system=True, scope=ScopeLevel.ALL))


def _give(ctx: Ctx, paper: CustomerHandOver) -> None:
    going = customers(ctx, paper)
    pieces = list(_pieces(ctx, paper, going))
    reason = f"{paper.number} {paper.reason}"[: handing.REASON_MAX]
    for start in range(0, len(pieces), MOST):
        part = pieces[start : start + MOST]
        handing.hand_over(ctx, paper.giver, paper.taker_id, part, reason)
    if paper.with_business:
        _give_open_work(ctx, paper, [one.id for one in going])
    paper.done_on, paper.problem = ctx.today, None
    ctx.session.flush()


def _pieces(ctx: Ctx, paper: CustomerHandOver, going: list[Customer]) -> Iterator[Piece]:
    """Each customer, and each role that the giver has on projects of theirs that have not ended."""
    for customer in going:
        yield Piece("customer", customer.id, "", customer.version)
    if not paper.with_business:
        return
    keys = [one.id for one in going]
    query = select(Project).where(Project.customer_id.in_(keys), Project.state.in_(OPEN_STATES))
    for project in ctx.session.scalars(query.order_by(Project.id)):
        for role, column in ROLES.items():
            if getattr(project, column) == paper.giver_id:
                yield Piece("project", project.id, role, project.version)


def going_over(ctx: Ctx, paper: CustomerHandOver) -> list[tuple[str, str]]:
    """The customers and projects that go over as things stand: what, and in which role."""
    found = []
    for piece in _pieces(ctx, paper, customers(ctx, paper)):
        model = Project if piece.role else Customer
        record = ctx.session.get_one(model, piece.id)
        found.append((str(record), piece.role or "客户经理"))
    return found


def _give_open_work(ctx: Ctx, paper: CustomerHandOver, keys: list[int]) -> None:
    """Warnings about the customers, and errands about them and their projects, that the giver has still to do."""
    warnings = select(RiskWarning).where(
        RiskWarning.record_table.in_(TABLES),
        RiskWarning.record_id.in_(keys),
        RiskWarning.owner_id == paper.giver_id,
        RiskWarning.state.in_(OPEN_WARNING),
    )
    for warning in ctx.session.scalars(warnings):
        warning.owner_id = paper.taker_id
    projects = select(Project.id).where(Project.customer_id.in_(keys))
    of_customer = Errand.owner_table.in_(TABLES) & Errand.owner_id.in_(keys)
    of_project = (Errand.owner_table == "project") & Errand.owner_id.in_(projects)
    errands = select(Errand).where(
        of_customer | of_project,
        Errand.doer_id == paper.giver_id,
        Errand.state == ErrandState.PENDING,
    )
    for errand in ctx.session.scalars(errands):
        errand.doer_id = paper.taker_id
