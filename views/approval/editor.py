"""The flow editor (A2, A5, A9): nodes and branches in the order in which they run, the drawing, gaps and 试算 beside.

The page is the form of a draft and its grids, laid out as cards: names, reading, checks and saving are theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose

from models.approval.approval import (
    ApprovalBranch,
    ApprovalFlow,
    ApprovalNode,
    ApprovalPosition,
    ApprovalType,
)
from models.base.entity import entity_of
from models.base.errors import BusinessError, FieldErrors
from models.system.organization import Department, Employee
from reports.figures import flow_trial
from reports.figures.rights import role_names
from views.approval import drawing
from views.approval.trial import Trial
from views.kit import edge, grid_cells, once
from views.kit.forms import EntityForm, form_columns, reason_field
from views.kit.grids import BLANK, Grids, RowForm
from views.kit.interface import EntityInterface, shape
from views.kit.pages import Field, FormPage
from workflows.approval import flows
from workflows.base import records
from workflows.base.context import Ctx

NODE, BRANCH, EXAMPLE = "approval_node", "approval_branch", "approval_example"
PREFIX: Final = "try_"
_PARTS: Final = (NODE, BRANCH, EXAMPLE)
# What stands on a card by its place on the page, and what stands open on it; the rest unfolds.
_PLACED: Final = ("seq", "branch_no", "no", "fork_no", "inside_no", "kind")
_OPEN: Final = (
    "chooser",
    "position_id",
    "role_name",
    "mode",
    "quorum_pct",
    "pass_pct",
    "condition",
)


@dataclass
class Card:
    """A row of a grid as a card: where its controls are, those that stand open, those that unfold."""

    place: str
    key: str
    version: str
    name: Field
    hidden: dict[str, str]
    main: list[Field] = field(default_factory=list)
    more: list[Field] = field(default_factory=list)
    problem: str = ""
    is_open: bool = False


@dataclass
class LaneCard:
    """A branch with what stands on it."""

    card: Card
    items: "list[Card | ForkCard]"


@dataclass
class ForkCard:
    """Branches that meet again."""

    kind: str
    lanes: list[LaneCard]


@dataclass
class EditorPage:
    """What template flow_editor.html takes."""

    form: FormPage
    line: list[Card | ForkCard]
    examples: list[Card]
    blanks: dict[str, Card]
    trial: list[Field]
    sketch: "Sketch"
    sketch_url: str
    roles: list[str]


@dataclass
class Sketch:
    """What stands beside the cards, drawn anew with each change."""

    drawing: list[drawing.Drawn]
    title: str
    note: str = ""
    is_refused: bool = False
    gaps: list[flow_trial.Gap] = field(default_factory=list)
    answers: list[flow_trial.Candidate] = field(default_factory=list)
    way: str = ""  # the nodes met, for an example


class FlowForm:
    """The draft as it stands in the form of one request."""

    def __init__(self, ctx: Ctx, flow: ApprovalFlow, sheets: Grids) -> None:
        """`sheets` offers the grids of nodes, branches and examples."""
        self.ctx, self.flow, self.sheets = ctx, flow, sheets
        self.form = EntityForm(ctx, ApprovalFlow, flow, form_columns(ApprovalFlow))

    def load(self) -> "FlowForm":
        """As it was saved."""
        self.form.show()
        for table in self.sheets.parts:
            self.sheets.open[table] = self.sheets.grid(table).load()
        return self

    def read(self) -> "FlowForm":
        """As it was typed."""
        self.form.read(request.form)
        self.sheets.read(request.form)
        for table in self.sheets.parts:
            if table not in self.sheets.open:
                self.sheets.open[table] = self.sheets.grid(table).load()
        return self

    def rows(self, table: str) -> list[RowForm]:
        """The rows that stay."""
        grid = self.sheets.open.get(table)
        return [] if grid is None else [row for row in grid.rows if not row.is_dropped]

    # -------------------------------------------------------------------------------------------------------- as cards
    def line(self) -> list[Card | ForkCard]:
        """The main line with its forks; what names a branch that is not there stands on it too.

        Every row has its card, or saving would drop it unseen: a circle is cut open, a second branch of one number
        stands at the end.
        """
        rows = self.rows(BRANCH)
        lanes = {no: row for row in reversed(rows) if (no := _whole(row, "no")) is not None}
        nodes = sorted(self.rows(NODE), key=lambda row: _whole(row, "seq") or 0)
        shown = _line(nodes, lanes, _around(lanes), None)
        kept = {row.place for row in lanes.values()}
        left = [LaneCard(card(row), []) for row in rows if row.place not in kept]
        return [*shown, *(ForkCard(_kind(lane), [lane]) for lane in left)]

    def blanks(self) -> dict[str, Card]:
        """What a new card of each kind begins with."""
        return {
            table: card(RowForm(grid, BLANK, None).show())
            for table, grid in self.sheets.open.items()
        }

    # ------------------------------------------------------------------------------------------------------- as a flow
    def drafted(self) -> ApprovalFlow:
        """The flow that saving would make, beside the session: it is drawn and tried, never stored."""
        session = self.ctx.session
        made = _filled(ApprovalFlow(**dict(self.form.typed())))
        made.id, made.version_no, made.state = self.flow.id, self.flow.version_no, self.flow.state
        made.business_type = (
            session.get(ApprovalType, made.business_type_id or 0) or self.flow.business_type
        )
        made.product = session.get(entity_of("product"), made.product_id or 0)
        made.department = session.get(Department, made.department_id or 0)
        made.copy_position = session.get(ApprovalPosition, made.copy_position_id or 0)
        made.nodes = sorted(self._made(NODE, ApprovalNode), key=lambda node: node.seq or 0)
        for node in made.nodes:
            node.position = session.get(ApprovalPosition, node.position_id or 0)
            node.copy_position = session.get(ApprovalPosition, node.copy_position_id or 0)
            node.copy_employee = session.get(Employee, node.copy_employee_id or 0)
        made.branches = self._made(BRANCH, ApprovalBranch)
        return made

    def _made(self, table: str, model: type[Any]) -> list[Any]:
        made = [_filled(model(**dict(row.typed()))) for row in self.rows(table)]
        return [one for one in made if getattr(one, model.spec.order, None) is not None]

    def sketch(self) -> Sketch:
        """The drawing: of the flow, or of a submission where one is tried; and what is open."""
        ctx, flow = self.ctx, self.drafted()
        trial, code = Trial(ctx, PREFIX), flow.business_type.code
        person = trial.applicant()
        others = flow_trial.flows_tried(ctx.session, code, with_drafts=True)
        tried = [one for one in others if one.code != self.flow.code] + [flow]
        gaps = [
            *flow_trial.flow_gaps(ctx.session, flow),
            *flow_trial.amount_gaps(ctx.session, tried),
        ]
        if not trial.is_asked:
            return Sketch(drawing.defined(ctx, flow), "流程图", gaps=gaps)
        try:
            facts = trial.facts()
        except FieldErrors as refused:
            said = "；".join(refused.message.splitlines())
            return Sketch(drawing.defined(ctx, flow), "流程图", said, is_refused=True, gaps=gaps)
        applicant_id = person.id if person else None
        found = flow_trial.preview(ctx.session, flow, facts, applicant_id=applicant_id)
        answers = flow_trial.candidates(ctx.session, tried, facts)
        is_chosen = any(one.flow is flow and one.is_chosen for one in answers)
        note = f"不能提交：{found.problem}" if found.problem else "可以提交"
        if not is_chosen:
            note = "这样的申请不走本流程（" + next(o.why for o in answers if o.flow is flow) + "）"
        return Sketch(
            drawing.tried(found),
            "试算",
            note,
            is_refused=bool(found.problem) or not is_chosen,
            gaps=gaps,
            answers=answers,
            way=flow_trial.way_in_words(ctx.session, flow, facts),
        )


def _filled(record: Any) -> Any:
    """What was left empty as a new record has it, so that it can be drawn; saving refuses it at its field."""
    for facts in shape(type(record)).fields.values():
        if facts.default is not None and facts.get(record) is None:
            facts.set(record, facts.default)
    if getattr(record, "name", "") is None:
        record.name = "（未填名称）"
    return record


def _whole(row: RowForm, name: str) -> int | None:
    text = str(row.control(name).data or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else None


def _around(lanes: dict[int, RowForm]) -> dict[int, int | None]:
    """The branch in which each one stands; of those that contain each other the first stands on the main line."""
    found: dict[int, int | None] = {}
    for no, row in lanes.items():
        place = _whole(row, "inside_no")
        found[no] = place if place in lanes else None
    for no in sorted(found):
        seen, at = set[int](), found[no]
        while at is not None and at != no and at not in seen:
            seen.add(at)
            at = found[at]
        if at == no:
            found[no] = None
    return found


def _kind(lane: LaneCard) -> str:
    return lane.card.hidden.get("kind") or "CONDITION"


def _line(
    nodes: Sequence[RowForm],
    lanes: dict[int, RowForm],
    around: dict[int, int | None],
    inside: int | None,
) -> list[Card | ForkCard]:
    found: list[tuple[int, Card | ForkCard]] = []
    for row in nodes:
        place = _whole(row, "branch_no")
        if (place if place in lanes else None) == inside:
            found.append((_whole(row, "seq") or 0, card(row)))
    forks: dict[int | None, list[int]] = {}
    for no in sorted(lanes):
        if around[no] == inside:
            forks.setdefault(_whole(lanes[no], "fork_no"), []).append(no)
    for numbers in forks.values():
        cards = [LaneCard(card(lanes[no]), _line(nodes, lanes, around, no)) for no in numbers]
        seqs = [_whole(row, "seq") or 0 for row in nodes if _whole(row, "branch_no") in numbers]
        inner = [at for one in cards for at in _places(one.items)]
        found.append((min([*seqs, *inner], default=10**6), ForkCard(_kind(cards[0]), cards)))
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]


def _places(items: Sequence[Card | ForkCard]) -> list[int]:
    found: list[int] = []
    for item in items:
        if isinstance(item, Card):
            found.append(int(item.hidden.get("seq") or 0))
        else:
            found += [at for lane in item.lanes for at in _places(lane.items)]
    return found


def card(row: RowForm) -> Card:
    """A row as a card."""
    told, hidden = row.row(), dict[str, str]()
    name = _field(row, "title" if "title" in row.names else "name")
    made = Card(row.place, told.key, told.version, name, hidden, problem=row.problem)
    for column in row.names:
        if column in _PLACED:
            hidden[column] = str(row.control(column).data or "")
        elif column in _OPEN:
            made.main.append(_field(row, column))
        elif column not in ("name", "title"):
            made.more.append(_field(row, column))
    made.is_open = any(one.errors for one in made.more)
    return made


def _field(row: RowForm, name: str) -> Field:
    """A cell with its label, unit and help, and where it holds a rule with the builder of rules."""
    facts, made = row.known.fields[name], grid_cells.field(row, name)
    told: dict[str, Any] = {
        "class_": "form-control num" if facts.kind in ("money", "rate", "int") else "form-control"
    }
    if facts.rule_of:
        told |= {
            "rows": 1,
            "data-rule-url": f"/{row.grid.table}/rule",
            "data-rule-field": name,
        }
    if name == "role_name":
        told["list"] = "roles"
    made.html = partial(row.control(name), **told)
    made.unit, made.wide = facts.unit, bool(facts.rule_of)
    made.help = "" if name in _OPEN else facts.help  # those are shown only where they are asked
    return made


class EditorRoutes:
    """editor/<id>: one screen for a draft; sketch/<id>: the drawing beside it while it is filled in."""

    datamodel: EntityInterface
    render_template: Any

    @expose("/editor/<pk>", methods=("GET", "POST"))
    @edge.screen("edit")
    def editor(self, pk: str) -> ResponseReturnValue:
        """Look at, save, or save and publish a draft."""
        ctx, flow = edge.current_ctx(), self._draft(pk)
        if request.method == "POST":
            return self._save_editor(ctx, flow)
        page = self._editor_page(self._flow_form(ctx, flow).load())
        return self.render_template("flow_editor.html", page=page)

    @expose("/sketch/<pk>", methods=("POST",))
    @edge.screen("edit")
    def sketch(self, pk: str) -> ResponseReturnValue:
        """The drawing, the gaps and the answer of 试算 for what the form says now: a piece of HTML."""
        ctx, flow = edge.current_ctx(), self._draft(pk)
        found = self._flow_form(ctx, flow).read().sketch()
        return self.render_template("parts/flow_sketch.html", sketch=found)

    def _draft(self, pk: str) -> ApprovalFlow:
        found = self.datamodel.find(pk)
        assert isinstance(found, ApprovalFlow)
        records.require_reach(edge.current_ctx(), ("edit", "approval_flow"), found, "修改")
        records.require_draft(found, "修改")
        return found

    def _flow_form(self, ctx: Ctx, flow: ApprovalFlow) -> FlowForm:
        offered = self.gridded(flow, ctx)  # type: ignore[attr-defined]
        parts = {table: offered[table] for table in _PARTS if table in offered}
        return FlowForm(ctx, flow, Grids(ctx, parts, flow, is_whole=True))

    def _save_editor(self, ctx: Ctx, flow: ApprovalFlow) -> ResponseReturnValue:
        sent, key = self._flow_form(ctx, flow).read(), flow.id
        is_published = "publish" in request.form
        try:
            try:
                saved = self._store(ctx, sent, key, is_published=is_published)
            except edge.Proposed:
                # taken back with the publishing, but the second person publishes this very draft
                again = self._flow_form(ctx, self._draft(str(key))).read()
                self._store(ctx, again, key, is_published=False)
                raise
            once.about(saved)
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            again = self._flow_form(ctx, self._draft(str(key))).read()
            again.sheets.refuse_into(again.form, error)
            page = self._editor_page(again)
            return self.render_template("flow_editor.html", page=page), error.status
        flash(f"已{'发布' if is_published else '保存'}审批流程“{saved.name}”", "success")
        return redirect(f"/approval_flow/{'show' if is_published else 'editor'}/{key}")

    def _store(self, ctx: Ctx, sent: FlowForm, key: int, *, is_published: bool) -> ApprovalFlow:
        values, version = sent.form.values(), sent.form.version
        with edge.writing():
            saved = records.find(ctx, ApprovalFlow, key)
            records.update(ctx, saved, values, version)
            sent.sheets.save(saved)
            ctx.session.expire(saved)
            if is_published:
                flows.publish(ctx, saved)
        return saved

    def _editor_page(self, found: FlowForm) -> EditorPage:
        ctx, flow = found.ctx, found.flow
        url = f"/approval_flow/show/{flow.id}"
        page = found.form.page(
            f"编辑流程：{flow.name} 第 {flow.version_no} 版",
            f"/approval_flow/editor/{flow.id}",
            url,
            crumbs=[
                ("担保设置", ""),
                ("审批流程", "/approval_flow/list/"),
                (flow.name, url),
                ("编辑流程", ""),
            ],
            help_key="approval_flow",
        )
        page.errors += found.sheets.errors()
        page.groups[-1].fields.append(reason_field())
        return EditorPage(
            page,
            found.line(),
            [card(row) for row in found.rows(EXAMPLE)],
            found.blanks(),
            Trial(ctx, PREFIX).inputs(),
            found.sketch(),
            f"/approval_flow/sketch/{flow.id}",
            sorted(role_names(ctx.session)),
        )
