"""规则样例 (X15, X13): a rule tried on an input, with its reasons; what it must say kept as an example."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select

from models.approval.approval import ApprovalFlow, ApprovalInstance
from models.base.entity import Entity
from models.base.errors import BusinessError, FieldErrors, NotFound
from reports.base.scope import scoped
from reports.figures.rule_examples import Input, ask, inputs, typed_of
from reports.figures.vocabulary import vocabulary
from reports.rules.explain import Reason
from reports.rules.names import K
from reports.rules.tree import RuleError
from views.kit import edge, hooks, widgets
from views.kit.cells import record_url
from views.kit.interface import model_of, valid_id
from views.kit.pages import Action, Cell, Column, Field, FieldGroup, FormPage, Row, Section
from workflows.base import records
from workflows.base.context import Ctx
from workflows.system import examples

TAB = "examples"
RECENT = 10
_HELD = {True: ("符合", "ok"), False: ("不符合", "bad"), None: ("未知", "draft")}
_MET = (("1", "符合"), ("0", "不符合"))


def examples_tab(record: Entity, ctx: Ctx) -> Section | None:
    """The examples of the first rule of a record that has one."""
    name = _rule_of(record)
    if not name:
        return None
    section = Section(
        TAB, "规则样例", empty="还没有样例。写几个典型的情形，以后改规则时系统逐个核对"
    )
    found = examples.of_record(ctx, record, name)
    section.count = len(found)
    section.columns = [
        Column("title", "样例"),
        Column("facts", "输入", "long_text"),
        Column("is_met", "应当"),
    ]
    may = ctx.actor.may("edit", str(record.__tablename__))
    base = _url(record, name)
    section.rows = [
        Row(
            str(one.id),
            "",
            (
                Cell(one.title),
                Cell("，".join(f"{k} {v}" for k, v in one.facts.items()), "long_text"),
                Cell(_HELD[one.is_met][0]),
            ),
            actions=(
                Action(
                    "删除",
                    f"{base}/delete/{one.id}",
                    "POST",
                    "danger",
                    confirm=f"删除样例“{one.title}”。",
                ),
            )
            if may
            else (),
        )
        for one in found
    ]
    section.actions = [Action("试一试", base)]
    return section


hooks.SECTIONS.append(examples_tab)


def _rule_of(record: Entity) -> str:
    """The field of a piece of configuration that holds a rule now; empty for none."""
    if record.spec.config is None:
        return ""
    known = examples.conditions(type(record)).items()
    return next((name for name, facts in known if facts.get(record)), "")


def _url(record: Entity, name: str) -> str:
    return f"/rule-examples/{record.__tablename__}/{record.id}/{name}"


@dataclass
class _Try:
    """A rule with what was typed for it, and what came of it."""

    ctx: Ctx
    record: Entity
    name: str
    typed: Mapping[str, str]
    reason: Reason | None = None
    errors: dict[str, Sequence[str]] = field(default_factory=dict)
    top: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The rule."""
        return str(examples.rule_field(self.record, self.name).get(self.record) or "")

    @property
    def about(self) -> str:
        """What it is about."""
        return examples.about_of(self.record, examples.rule_field(self.record, self.name))

    def asked(self) -> list[Input]:
        """What the rule asks for; nothing where it makes no sense any more, which `run` says."""
        try:
            return inputs(self.ctx.session, self.about, self.text)
        except RuleError:
            return []

    def facts(self) -> dict[str, str]:
        """What was typed for each thing that the rule asks for."""
        asked = self.asked()
        return {one.label: self.typed.get(f"i_{n}", "") for n, one in enumerate(asked)}

    def run(self) -> "_Try":
        """Ask the rule."""
        try:
            session, today = self.ctx.session, self.ctx.today
            self.reason = ask(session, self.about, self.text, self.facts(), today)
        except (RuleError, BusinessError) as error:
            self.refuse(error)
        return self

    def refuse(self, error: Exception) -> "_Try":
        """Put the messages at their places."""
        labels = {label: f"i_{n}" for n, label in enumerate(self.facts())}
        if isinstance(error, FieldErrors):
            self.errors |= {labels.get(k, k): v for k, v in error.field_errors.items()}
        else:
            self.top.append(str(error))
        return self

    # ---------------------------------------------------------------------------------------------------------- page
    def page(self) -> FormPage:
        """The form beside its reasons."""
        asked = [self._field(n, one) for n, one in enumerate(self.asked())]
        kept = [
            widgets.text(
                "title",
                "样例名称",
                self.typed.get("title", ""),
                errors=self.errors,
                maxlength=60,
                help="填写名称即存为样例，以后每次保存、发布都核对；留空则只试不存",
            ),
            widgets.choice("is_met", "应当", _MET, self.typed.get("is_met", "1")),
        ]
        spec, table = self.record.spec, str(self.record.__tablename__)
        may = self.ctx.actor.may("edit", table)
        groups = [FieldGroup("输入", asked), FieldGroup("存为样例", kept)][: 1 + may]
        errors = [("", "", one) for one in self.top]
        errors += [(f.key, f.label, m) for f in (*asked, *kept) for m in f.errors]
        back = f"{record_url(table, self.record.id)}?tab={TAB}#tabs"
        return FormPage(
            "试一试",
            groups,
            _url(self.record, self.name),
            back,
            hidden=[edge.csrf_input()],
            submit_label="试一试",
            note=self.text,
            errors=errors,
            side=self._side(),
            crumbs=[(spec.label, f"/{table}/list/"), (str(self.record), back), ("试一试", "")],
        )

    def _field(self, number: int, one: Input) -> Field:
        key, value = f"i_{number}", self.typed.get(f"i_{number}", "")
        if one.choices:
            options = [("", "（空）"), *one.choices]
            return widgets.choice(key, one.label, options, value, errors=self.errors)
        if one.kind is K.DATE:
            return widgets.day(key, one.label, value, errors=self.errors)
        kind, unit = ("money", "元") if one.kind is K.MONEY else ("text", "")
        return widgets.text(
            key, one.label, value, errors=self.errors, kind=kind, unit=unit, maxlength=200
        )

    def _side(self) -> list[Section]:
        found = []
        if self.reason is not None:
            word, _tone = _HELD[self.reason.held]
            section = Section(
                "reason",
                "结果",
                columns=[Column("part", "逐项", "long_text"), Column("held", "结果")],
            )
            section.rows = [
                _reason_row(n, one, depth) for n, (one, depth) in enumerate(_flat(self.reason))
            ]
            section.foot_figure = f"整条规则：{word}"
            found.append(section)
        if recent := self._recent():
            found.append(recent)
        return found

    def _recent(self) -> Section | None:
        """Applications of the flow's business that were put up last: their facts can be taken over."""
        if not isinstance(self.record, ApprovalFlow) or not self.ctx.actor.may(
            "list", "approval_instance"
        ):
            return None
        query = select(ApprovalInstance).where(
            ApprovalInstance.business_type_id == self.record.business_type_id
        )
        query = scoped(query, ApprovalInstance, self.ctx.actor).order_by(ApprovalInstance.id.desc())
        found = self.ctx.session.scalars(query.limit(RECENT)).all()
        if not found:
            return None
        section = Section("recent", "在最近的申请上试", columns=[Column("title", "审批单")])
        base = _url(self.record, self.name)
        section.rows = [
            Row(str(one.id), f"{base}?from={one.id}", (Cell(one.title, "link"),)) for one in found
        ]
        return section


def _flat(reason: Reason, depth: int = 0) -> list[tuple[Reason, int]]:
    return [(reason, depth), *(row for part in reason.parts for row in _flat(part, depth + 1))]


def _reason_row(number: int, one: Reason, depth: int) -> Row:
    word, tone = _HELD[one.held]
    cells = (Cell(f"{'　' * depth}{one.text}", "long_text"), Cell(word, "enum", tone=tone))
    return Row(str(number), "", cells)


class RuleExamplesView(BaseView):
    """/rule-examples/<table>/<id>/<field>: a rule tried, and its examples."""

    route_base = "/rule-examples"
    default_view = "form"
    title = "规则样例"

    @expose("/<table>/<pk>/<name>", methods=("GET", "POST"))
    @edge.screen()
    def form(self, table: str, pk: str, name: str) -> ResponseReturnValue:
        """Try the rule; or keep what was typed as an example of it."""
        ctx = edge.current_ctx()
        record = _find(ctx, table, pk)
        if request.method == "GET":
            tried = _Try(ctx, record, name, _taken(ctx, record, name))
            if request.args.get("from") or not tried.asked():
                tried.run()
            return self.render_template("form.html", page=tried.page())
        if not request.form.get("title", "").strip():
            tried = _Try(ctx, record, name, request.form).run()
            return self.render_template("form.html", page=tried.page()), 400 if any(
                (tried.errors, tried.top)
            ) else 200
        try:
            with edge.writing() as ctx:
                kept = _Try(ctx, _find(ctx, table, pk), name, request.form)
                is_met = request.form.get("is_met", "1") == "1"
                title = request.form.get("title", "")
                examples.add(ctx, kept.record, name, title=title, facts=kept.facts(), is_met=is_met)
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            tried = _Try(ctx, _find(ctx, table, pk), name, request.form)
            if not isinstance(error, FieldErrors):
                tried.run()
            tried.refuse(error)
            return self.render_template("form.html", page=tried.page()), error.status
        flash(f"已存为样例“{title.strip()}”", "success")
        return redirect(f"{record_url(table, pk)}?tab={TAB}#tabs")

    @expose("/<table>/<pk>/<name>/delete/<example>", methods=("POST",))
    @edge.screen()
    def delete(self, table: str, pk: str, name: str, example: str) -> ResponseReturnValue:
        """Take an example away."""
        with edge.writing() as ctx:
            examples.remove(ctx, _find(ctx, table, pk), name, valid_id(example) or 0)
        flash("已删除样例", "success")
        return redirect(f"{record_url(table, pk)}?tab={TAB}#tabs")


def _find(ctx: Ctx, table: str, pk: str) -> Entity:
    """A piece of configuration with a rule, for who may look at it."""
    model = model_of(table)
    if model is None or not _has_rule(model):
        raise NotFound
    ctx.require("show", table, f"查看{model.spec.label}")
    return records.find(ctx, model, pk)


def _has_rule(model: type[Entity]) -> bool:
    return model.spec.config is not None and bool(examples.conditions(model))


def _taken(ctx: Ctx, record: Entity, name: str) -> dict[str, str]:
    """What an application says of what the rule asks for."""
    key = valid_id(request.args.get("from", ""))
    if key is None:
        return {}
    found = records.find(ctx, ApprovalInstance, key)
    about = examples.about_of(record, examples.rule_field(record, name))
    subject = vocabulary(ctx.session).subject(about)
    taken = {}
    for n, one in enumerate(_Try(ctx, record, name, {}).asked()):
        fact = subject.facts[one.label]
        taken[f"i_{n}"] = typed_of(ctx.session, fact, found.facts.get(fact.key))
    return taken
