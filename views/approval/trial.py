"""审批试算 (A5): which flow a submission would take and whom it would ask; and what a business cannot get through."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import ColumnElement, select

from models.approval.approval import ApprovalFlow, ApprovalType, FlowCustomerKind, FlowState
from models.base.entity import Entity, entity_of
from models.base.errors import FieldErrors
from models.base.money import format_money, parse_amount
from models.system.organization import Department, Employee
from reports.figures import dictionaries, flow_trial
from reports.figures.approvals import Facts
from views.approval import drawing
from views.kit import edge, hooks, lookup, widgets
from views.kit.cells import record_url
from views.kit.interface import valid_id
from views.kit.pages import Action, Cell, Column, Field, ReportPage, Row, Section, Tab
from workflows.approval import steps
from workflows.base.context import Ctx

URL = "/approval-trial/"
TITLE = "审批试算"
_SAID = ("product", "amount", "department", "customer_kind", "risk_grade", "applicant")
_RESULT = {True: Cell("选用", "enum", tone="ok"), False: Cell("不选", "enum", tone="draft")}
_HARD = {True: Cell("不能提交", "enum", tone="bad"), False: Cell("留意", "enum", tone="warn")}


def is_started() -> ColumnElement[bool]:
    """Of a business type: something puts it up for approval."""
    return ApprovalType.code.in_(steps.startable())


lookup.CHOSEN[ApprovalType] = is_started


@dataclass
class Trial:
    """What one request asks: typed values, and what is wrong with them."""

    ctx: Ctx
    prefix: str = ""  # of its names, where another form sends it along
    errors: dict[str, list[str]] = field(default_factory=dict)

    def typed(self, name: str) -> str:
        """As it stands in the address, or in the form that sends it along."""
        sent = request.form if self.prefix else request.args
        return sent.get(self.prefix + name, "")[:64].strip()

    @property
    def is_asked(self) -> bool:
        """Whether anything of a submission is said at all."""
        return any(self.typed(name) for name in _SAID)

    @property
    def kinds(self) -> list[ApprovalType]:
        """The businesses that are put up for approval."""
        query = select(ApprovalType).where(ApprovalType.is_active, is_started())
        return list(self.ctx.session.scalars(query.order_by(ApprovalType.sort_no, ApprovalType.id)))

    @property
    def code(self) -> str:
        """The business that is tried."""
        known = [one.code for one in self.kinds]
        asked = self.typed("type")
        return asked if asked in known or not known else known[0]

    @property
    def with_drafts(self) -> bool:
        """Whether drafts count as if they had been published."""
        return self.typed("drafts") == "1"

    def applicant(self) -> Employee | None:
        """Who submits; None for nobody in particular."""
        return self._record(Employee, "applicant")

    def facts(self) -> Facts:
        """The submission. Raises FieldErrors."""
        amount, kind, grade = None, self.typed("customer_kind"), self.typed("risk_grade")
        if text := self.typed("amount"):
            try:
                amount = parse_amount(text)
            except ValueError as error:
                self.errors[f"{self.prefix}amount"] = [str(error)]
        product = self._record(entity_of("product"), "product")
        department, applicant = self._record(Department, "department"), self.applicant()
        if department is None and applicant is not None:
            department = applicant.department
        if self.errors:
            raise FieldErrors(self.errors)
        return Facts(
            amount,
            product.id if product else None,
            FlowCustomerKind[kind] if kind in FlowCustomerKind.__members__ else None,
            department.id if department else None,
            grade if grade in dict(dictionaries.items(self.ctx.session, "risk_grade")) else None,
            self.ctx.today,
        )

    def _record(self, model: type[Any], name: str) -> Any:
        text = self.typed(name)
        key = valid_id(text)
        found = self.ctx.session.get(model, key) if key is not None else None
        if text and found is None:
            self.errors[self.prefix + name] = [f"没有这个{model.spec.label}，请从列表中选择"]
        return found

    # ---------------------------------------------------------------------------------------------------------- form
    def fields(self) -> list[Field]:
        """The parameters over the answer."""
        kinds, which = [(k.code, k.label) for k in self.kinds], ("", "已发布的")
        return [
            widgets.choice("type", "业务类型", kinds, self.code),
            *self.inputs(),
            widgets.choice("drafts", "流程", [which, ("1", "草稿发布以后")], self.typed("drafts")),
        ]

    def inputs(self) -> list[Field]:
        """What a submission may be."""
        person, at = self.applicant(), self.prefix
        grades = dictionaries.items(self.ctx.session, "risk_grade")
        kinds = [("", "不填"), *((k.name, k.label) for k in FlowCustomerKind)]
        amount = self.typed("amount")
        return [
            self._choice("product", "产品", entity_of("product")),
            widgets.text(
                f"{at}amount", "金额（元）", amount, errors=self.errors, kind="money", maxlength=30
            ),
            self._choice("department", "申请部门", Department),
            widgets.choice(f"{at}customer_kind", "客户类型", kinds, self.typed("customer_kind")),
            widgets.choice(
                f"{at}risk_grade", "风险等级", [("", "不填"), *grades], self.typed("risk_grade")
            ),
            widgets.lookup(
                f"{at}applicant",
                "申请人",
                "/approvals/colleagues",
                str(person.id) if person else "",
                person.name if person else "",
                errors=self.errors,
            ),
        ]

    def _choice(self, key: str, label: str, model: type[Any]) -> Field:
        order = getattr(model, model.spec.key[0])
        rows = self.ctx.session.scalars(select(model).where(model.is_active).order_by(order))
        options = [("", "不填"), *((str(one.id), str(one)) for one in rows)]
        place = self.prefix + key
        return widgets.choice(place, label, options, self.typed(key), errors=self.errors)


class ApprovalTrialView(BaseView):
    """/approval-trial/: a submission tried, and the gaps of a business."""

    route_base = "/approval-trial"
    default_view = "page"
    class_permission_name = "approval_flow"
    title = TITLE

    @expose("/")
    @edge.screen("list")
    def page(self) -> ResponseReturnValue:
        """Which flow, why the others not, and who is asked."""
        trial = Trial(edge.current_ctx())
        status, error = 200, None
        page = ReportPage(TITLE, [], [], url=URL, help_key="approval_flow")
        try:
            _answer(page, trial, trial.facts())
        except FieldErrors as refused:
            status, error = 400, refused
        page.params = trial.fields()
        page.errors = widgets.summary(page.params, error)
        return self.render_template("report.html", page=_framed(page, trial, is_gaps=False)), status

    @expose("/gaps")
    @edge.screen("list")
    def gaps(self) -> ResponseReturnValue:
        """Amounts that no flow covers, and nodes that could ask nobody."""
        trial = Trial(edge.current_ctx())
        flows = flow_trial.flows_tried(trial.ctx.session, trial.code, with_drafts=trial.with_drafts)
        found = flow_trial.gaps(trial.ctx.session, flows)
        rules = [flow.name for flow in flows if flow.condition]
        page = ReportPage(TITLE, _GAPS, [_gap_row(n, gap) for n, gap in enumerate(found)])
        page.url, page.help_key = f"{URL}gaps", "approval_flow"
        page.params = [one for one in trial.fields() if one.key in ("type", "drafts")]
        page.empty = "没有发现缺口：各种金额都有流程，每个节点都有人"
        if rules:
            page.foot = f"带适用规则的流程（{'、'.join(rules)}）不计入金额覆盖，请用试算核对"
        return self.render_template("report.html", page=_framed(page, trial, is_gaps=True))


_GAPS = [
    Column("where", "范围"),
    Column("kind", "后果", "enum"),
    Column("what", "缺什么", "long_text"),
]


def _framed(page: ReportPage, trial: Trial, *, is_gaps: bool) -> ReportPage:
    kept = urlencode({"type": trial.code, "drafts": trial.typed("drafts")})
    page.tabs = [
        Tab("试算", f"{URL}?{kept}", not is_gaps),
        Tab("缺口检查", f"{URL}gaps?{kept}", is_gaps),
    ]
    page.crumbs = [("担保设置", ""), ("审批流程", "/approval_flow/list/"), (TITLE, "")]
    return page


def _answer(page: ReportPage, trial: Trial, facts: Facts) -> None:
    session, person = trial.ctx.session, trial.applicant()
    flows = flow_trial.flows_tried(session, trial.code, with_drafts=trial.with_drafts)
    tried = flow_trial.candidates(session, flows, facts)
    taken = next((one.flow for one in tried if one.is_chosen), None)
    applicant_id = person.id if person else None
    found = flow_trial.preview(session, taken, facts, applicant_id=applicant_id)
    page.columns = [
        Column("flow", "流程"),
        Column("result", "结果", "enum"),
        Column("why", "原因", "long_text"),
    ]
    page.rows = [_candidate_row(one) for one in tried]
    page.empty = "这类业务没有已发布的流程"
    page.above = _drawing(found, facts)


def _drawing(found: flow_trial.Preview, facts: Facts) -> list[Section]:
    if found.flow is None:
        # the table below says of each flow why not
        return [Section("drawing", "不能提交", empty=f"{found.problem}：下面逐个说明为什么不选")]
    section = Section("drawing", _named(found.flow), template="parts/flow.html")
    section.data = drawing.tried(found)
    amount = f"金额 {format_money(facts.amount)} 元" if facts.amount is not None else "未填金额"
    section.note = amount
    section.foot = f"不能提交：{found.problem}" if found.problem else "可以提交"
    return [section]


def _named(flow: ApprovalFlow) -> str:
    draft = "（草稿）" if flow.state is FlowState.DRAFT else ""
    return f"{flow.name} 第 {flow.version_no} 版{draft}"


def _candidate_row(one: flow_trial.Candidate) -> Row:
    url = record_url("approval_flow", one.flow.id)
    cells = (Cell(_named(one.flow), "link"), _RESULT[one.is_chosen], Cell(one.why, "long_text"))
    return Row(str(one.flow.id), url, cells)


def _gap_row(number: int, gap: flow_trial.Gap) -> Row:
    url = record_url("approval_flow", gap.flow_id) if gap.flow_id else ""
    first = Cell(gap.where, "link" if url else "text")
    return Row(str(number), url, (first, _HARD[gap.is_hard], Cell(gap.what, "long_text")))


def checks_of(record: Entity, ctx: Ctx) -> Section | None:
    """What publishing a flow would leave open, on its page: looked at before the button is pressed."""
    if not isinstance(record, ApprovalFlow) or record.state is FlowState.RETIRED:
        return None
    code = record.business_type.code
    flows = flow_trial.flows_tried(ctx.session, code, with_drafts=record.state is FlowState.DRAFT)
    found = [
        *flow_trial.flow_gaps(ctx.session, record),
        *flow_trial.amount_gaps(ctx.session, flows),
    ]
    section = Section("checks", "发布检查", columns=_GAPS, count=len(found))
    section.rows = [_gap_row(number, gap) for number, gap in enumerate(found)]
    section.empty = "没有发现缺口：各种金额都有流程，每个节点都有人"
    drafts = "1" if record.state is FlowState.DRAFT else ""
    kept = urlencode({"type": code, "drafts": drafts})
    section.actions = [Action("试算", f"{URL}?{kept}")]
    return section


hooks.SECTIONS.append(checks_of)
