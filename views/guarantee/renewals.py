"""续保 (4.12) on the pages of both projects: which goes on where which ends, how, and what limits count of them."""

from sqlalchemy import select

from models.base.money import format_money
from models.guarantee.project import REPLACING, Project, ProjectState, RenewalKind
from reports.base.scope import scoped
from views.kit.buttons import Button, register
from views.kit.pages import Action, Cell, Fact, Section
from workflows.base.context import Ctx
from workflows.guarantee import renewal

_GONE = (ProjectState.REFUSED, ProjectState.CANCELLED)


def renewal_section(ctx: Ctx, project: Project) -> Section | None:
    """The project that this one renews, and the one that renews it, with what is owed; None where there is neither."""
    former, following = (
        renewal.former_of(ctx.session, project),
        renewal.next_of(ctx.session, project),
    )
    facts = []
    if former is not None:
        facts += [Fact("原项目", _link(ctx, former)), *_how(project, former)]
    if following is not None:
        facts += [Fact("续保项目", _link(ctx, following)), *_how(following, project)]
    if not facts:
        return None
    return Section("renewal", "续保", template="parts/pairs.html", data=facts)


def _how(project: Project, former: Project) -> list[Fact]:
    """By which way, where both stand, and how limits count them until the change."""
    facts = []
    if project.renewal_kind is not None:
        facts.append(Fact("续保方式", Cell(project.renewal_kind.label)))
    facts.append(Fact("阶段", Cell(f"{project.stage.label}（{project.state.label}）")))
    is_open = project.state in (ProjectState.DRAFT, ProjectState.RUNNING) and former.balance
    if is_open and project.renewal_kind in REPLACING:
        facts.append(Fact("原借款余额", Cell(format_money(former.balance), "text", hint="元")))
        facts.append(Fact("额度", Cell("与原项目只占一份")))
        is_rollover = project.renewal_kind is RenewalKind.ROLLOVER
        said = (
            "放款当日结清原借款，并起草原项目解保" if is_rollover else "原借款还清并登记后才能放款"
        )
        facts.append(Fact("放款", Cell(said)))
    return facts


def _link(ctx: Ctx, project: Project) -> Cell:
    """The number of a project, as a link where the reader may look at it."""
    query = scoped(select(Project.id).where(Project.id == project.id), Project, ctx.actor)
    is_visible = ctx.session.scalar(query) is not None
    return Cell(project.number, url=f"/project/show/{project.id}" if is_visible else "")


def renewal_actions(ctx: Ctx, project: Project) -> list[Action]:
    """复制为续保, unless a project that has not come to nothing goes on where this one ends."""
    if project.state not in renewal.RENEWED or not ctx.actor.may("add", "project"):
        return []
    following = renewal.next_of(ctx.session, project)
    if following is not None and following.state not in _GONE:
        return []
    return [Action("复制为续保", f"/project/add?renews={project.id}")]


register(
    Button(
        renewal.ACTS["take_over"],
        renewal.take_over,
        on="project",
        when=renewal.may_take_over,
        confirm="按原项目已审核的反担保逐项登记为草稿；合同须重新签订，落实须重新办理。",
        rank=6,
        done="已带入原项目的反担保，请核对评估值",
    ),
)
