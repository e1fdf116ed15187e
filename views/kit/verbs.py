"""The screen entrance of workflow verbs: one route for whatever may be pressed on a record, and the verbs' forms."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from markupsafe import Markup
from wtforms import FileField, Form

from models.base.entity import Entity, entity_of
from models.base.errors import BusinessError, FieldErrors, NotFound
from models.base.fields import FieldFacts, facts_of
from views.kit import drafts, edge, fields, mapping, staging
from views.kit.buttons import REGISTRY, Button, Upload, Values, page_of
from views.kit.cells import Cells
from views.kit.hooks import papers
from views.kit.interface import valid_id, visible_title
from views.kit.pages import Field, FieldGroup, FormPage, Section
from views.kit.record import about
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.values import coerce
from workflows.base.workbook import WorkbookError
from workflows.guarantee.plan_import import PlanError

PAPER = "paper:"  # a notice that leads to what was issued: its words are the link's
REMAP = "remap"  # the tick that asks for the columns of a file once more


class VerbView(BaseView):
    """POST /do/<table>/<id>/<verb> runs a verb; GET shows its form where it has one."""

    route_base = "/do"
    default_view = "act"

    @expose("/<table>/<pk>/<name>", methods=("GET", "POST"))
    @edge.screen()
    def act(self, table: str, pk: str, name: str) -> ResponseReturnValue:
        """Show the form of the verb, or run it."""
        ctx = edge.current_ctx()
        verb = REGISTRY.get((table, name))
        if verb is None:
            raise NotFound("没有这个操作")
        ctx.require(*verb.permission, verb.label)
        record = records.find(ctx, entity_of(table), pk)
        if request.method == "GET":
            if not verb.has_form:
                return redirect(page_of(record))
            form, typed = VerbForm(ctx, verb, record), drafts.typed(ctx)
            form = form.show(verb.given(ctx, record)) if typed is None else form.read(typed)
            return self.render_template("form.html", page=form.page())
        return self._run(ctx, verb, record)

    def _run(self, ctx: Ctx, verb: Button, record: Entity) -> ResponseReturnValue:
        form = VerbForm(ctx, verb, record).read()
        pk, version = record.id, valid_id(request.form.get("version", ""))
        try:
            if version is None:
                raise BusinessError("缺少版本号，请重新打开页面后再操作")
            if form.asks_columns():
                return self.render_template("form.html", page=form.page())
            form.learn_columns()
            if verb.preview is not None and not form.is_previewed():
                shown = verb.preview(ctx, record, form.values())
                if shown is not None:
                    return self.render_template("form.html", page=form.preview(shown).page())
            with edge.writing():
                fresh = records.find(ctx, type(record), pk)
                values = VerbForm(ctx, verb, fresh).read().values()
                result = verb.press(ctx, fresh, values, version)
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            return self._refuse(verb, form, error, pk)
        form.forget_files()
        flash(verb.done or f"已{verb.label}", "success")
        for paper in papers(result, ctx) if isinstance(result, Entity) else ():
            flash(paper.label, f"{PAPER}{paper.url}")
        return redirect(verb.after(fresh, result))

    def _refuse(
        self, verb: Button, form: "VerbForm", error: BusinessError, pk: int
    ) -> ResponseReturnValue:
        if verb.has_form:
            return self.render_template("form.html", page=form.refuse(error).page()), error.status
        ctx = edge.current_ctx()
        view = self.appbuilder_view(verb.on)
        page = view.record_page(
            records.find(ctx, entity_of(verb.on), pk), ctx, notice=error.message
        )
        return view.render_template("record.html", page=page), error.status

    def appbuilder_view(self, table: str) -> Any:
        """The registered view of a table, generated or hand-written."""
        for view in self.appbuilder.baseviews:
            model = getattr(view, "model", None)
            if model is not None and model.__tablename__ == table and hasattr(view, "record_page"):
                return view
        raise NotFound("没有这个页面")  # pragma: no cover - every entity with verbs has a screen


class VerbForm:
    """The form of one verb in one request; its columns are declared like those of a model."""

    def __init__(self, ctx: Ctx, verb: Button, record: Entity) -> None:
        """`record` is what the verb acts on."""
        self.ctx, self.verb, self.record = ctx, verb, record
        self.top: list[str] = []
        self.version = str(record.version)
        self.uploads: dict[str, Upload] = {}
        # of a file that was chosen before: its name and digest
        self.kept: dict[str, tuple[str, str]] = {}
        self.shown: Section | None = None
        self.mapped: list[FieldGroup] = []
        self.fields: dict[str, FieldFacts] = {}
        for name, question in verb.questions(ctx, record).items():
            if isinstance(question, Upload):
                self.uploads[name] = question
            else:
                self.fields[name] = replace(facts_of(question.column), name=name)
        controls: dict[str, Any] = {
            n: fields.make(ctx, verb.on, n, facts) for n, facts in self.fields.items()
        }
        controls |= {
            n: FileField(u.label, render_kw={"accept": ".xlsx,.xls,.csv,.pdf,.png,.jpg"})
            for n, u in self.uploads.items()
        }
        self.form = type("VerbControls", (Form,), controls)()

    def show(self, values: Values) -> "VerbForm":
        """Begin with given values."""
        for name, facts in self.fields.items():
            self._put(name, fields.typed_text(facts, values.get(name, facts.default)))
        return self

    def read(self, typed: Mapping[str, str] | None = None) -> "VerbForm":
        """Take what was typed, as it was: just now, or before into a draft."""
        typed = request.form if typed is None else typed
        self.version = typed.get("version", "")
        for name in self.fields:
            self._put(name, typed.get(name, ""))
        return self

    def _file(self, name: str) -> tuple[str, bytes] | None:
        """The file that was chosen now, else the one that was chosen before and waits."""
        sent = request.files.get(name)
        if sent is not None and sent.filename:
            sent.stream.seek(0)
            data = sent.read()
            self.kept[name] = (sent.filename[-200:], staging.keep(self.ctx, data))
            return sent.filename, data
        digest = request.form.get(f"{name}_kept", "")
        if not digest:
            return None
        self.kept[name] = (request.form.get(f"{name}_name", "")[-200:], digest)
        data = staging.found(self.ctx, digest) or b""
        return (self.kept[name][0], data) if data else None

    def _seen(self) -> str:
        """A digest of all that was filled in, so that what is confirmed is what was looked at."""
        for name in self.uploads:
            self._file(name)
        typed = [(name, request.form.get(name, "")) for name in self.fields]
        return hashlib.sha256(json.dumps([typed, sorted(self.kept.items())]).encode()).hexdigest()

    def is_previewed(self) -> bool:
        """Whether these very values have been looked at."""
        return request.form.get("seen", "") == self._seen()

    def preview(self, shown: Section) -> "VerbForm":
        """The same form again with what will come of it."""
        self.shown = shown
        return self

    def asks_columns(self) -> bool:
        """Whether the columns of a file are to be said anew; then the form shows them."""
        if request.form.get(REMAP) and not mapping.sent():
            self._ask_columns({}, anew=True)
        return bool(self.mapped)

    def learn_columns(self) -> None:
        """Remember for their source what was said of the columns. Raises FieldErrors."""
        for name, upload in self.uploads.items():
            if upload.sheet and mapping.sent() and (file := self._file(name)):
                flash(f"已记住“{mapping.save(upload.sheet, file)}”的列对应", "success")

    def _ask_columns(self, errors: Mapping[str, Sequence[str]], *, anew: bool = False) -> None:
        for name, upload in self.uploads.items():
            file = self._file(name)
            if (
                upload.sheet
                and file
                and (group := mapping.group(upload.sheet, file, errors, anew=anew))
            ):
                self.mapped.append(group)

    def forget_files(self) -> None:
        """What was taken over waits no longer."""
        for _, digest in self.kept.values():
            staging.drop(self.ctx, digest)

    def _put(self, name: str, text: str) -> None:
        control = self.form[name]
        is_tick = isinstance(control, fields.Tick)
        control.data = text.lower() in {"true", "y", "on", "1", "是"} if is_tick else text
        if isinstance(control, fields.LookupField):  # what was chosen stays in sight
            control.current_text = self._shown(self.fields[name], text)

    def _shown(self, facts: FieldFacts, text: str) -> str:
        """What a look-up shows beside its id, only if this reader may see the record."""
        cells = Cells(self.ctx, type(self.record))
        if facts.kind == "reference":
            return visible_title(cells.titles, facts.target, text)
        return fields.current_text(self.ctx, facts, text, cells)

    def values(self) -> Values:
        """Typed values. Raises FieldErrors with all that is wrong."""
        found: Values = {"reason": request.form.get("reason", "").strip()} if self.verb.ask else {}
        wrong: dict[str, list[str]] = {}
        for name, facts in self.fields.items():
            raw = self.form[name].data
            try:
                found[name] = coerce(facts, raw)
            except ValueError as error:
                wrong[name] = [str(error)]
        for name, upload in self.uploads.items():
            found[name] = self._file(name)
            if found[name] is None and (name in self.kept or upload.required):
                wrong[name] = [
                    "文件已过期，请重新选择" if name in self.kept else f"请选择{upload.label}"
                ]
        if wrong:
            raise FieldErrors(wrong)
        return found

    def refuse(self, error: BusinessError) -> "VerbForm":
        """Put the messages at their fields."""
        self._ask_columns(error.field_errors)
        # What is wrong inside a file belongs to the file's own field.
        upload = (
            next(iter(self.uploads), "") if isinstance(error, WorkbookError | PlanError) else ""
        )
        for field_name, messages in error.field_errors.items():
            name = field_name or upload
            if self.mapped and mapping.is_own(name):
                continue
            if name in self.form:
                self.form[name].errors = [*self.form[name].errors, *messages]
            else:
                self.top += messages
        return self

    def page(self) -> FormPage:
        """The form as the template takes it."""
        errors = [("", "", message) for message in self.top]
        errors += [(c.name, c.label.text, str(m)) for c in self.form for m in c.errors]
        record = self.record
        hidden: list[Any] = [
            edge.csrf_input(),
            Markup('<input type="hidden" name="version" value="%s">')
            % (self.version or record.version),
        ]
        for name, (filename, digest) in self.kept.items():
            pairs = ((f"{name}_kept", digest), (f"{name}_name", filename))
            hidden += [
                Markup('<input type="hidden" name="%s" value="%s">') % pair for pair in pairs
            ]
        if self.shown is not None:
            hidden.append(Markup('<input type="hidden" name="seen" value="%s">') % self._seen())
        is_seen = self.verb.preview is None or self.verb.looks_seldom or self.shown is not None
        label = self.verb.label if is_seen else "预览"
        if self.verb.looks_seldom and self.shown is not None:
            label = f"核对无误，{label}"
        crumbs = [
            (record.spec.module.label, ""),
            (record.spec.label, f"/{record.__tablename__}/list/"),
            (str(record), page_of(record)),
            (self.verb.label, ""),
        ]
        return FormPage(
            self.verb.label,
            [FieldGroup("", self._fields()), *self.mapped],
            f"/do/{self.verb.on}/{record.id}/{self.verb.name}",
            page_of(record),
            hidden=hidden,
            submit_label=label,
            note=self.verb.note or str(record),
            errors=errors,
            crumbs=crumbs,
            is_upload=bool(self.uploads),
            help_key=self.verb.on,
            side=self._about(),
            draft=drafts.of_form(self.ctx),
        )

    def _about(self) -> list[Section]:
        """What is previewed, and what the form is about."""
        shown = [self.shown] if self.shown else []
        return [*shown, *about(self.ctx, self.record)]

    def _fields(self) -> list[Field]:
        found = [
            Field(
                n,
                facts.label,
                self.form[n],
                facts.kind,
                facts.required,
                facts.unit,
                facts.help,
                tuple(str(e) for e in self.form[n].errors),
                facts.kind == "long_text",
            )
            for n, facts in self.fields.items()
        ]
        found += [
            Field(
                n,
                u.label,
                self.form[n],
                "file",
                u.required,
                "",
                self._about_file(n, u),
                tuple(map(str, self.form[n].errors)),
                True,
            )
            for n, u in self.uploads.items()
        ]
        if self.shown is not None and any(
            u.sheet and n in self.kept for n, u in self.uploads.items()
        ):
            tick = type("RemapForm", (Form,), {REMAP: fields.Tick("重新说明各列")})()[REMAP]
            found.append(
                Field(
                    REMAP,
                    "重新说明各列",
                    tick,
                    "bool",
                    False,
                    "",
                    "列读错了时勾选，再说明各列是什么",
                )
            )
        return found

    def _about_file(self, name: str, upload: Upload) -> str:
        """A browser never fills in a file again, so the form says which one it has."""
        kept = self.kept.get(name)
        return f"已选“{kept[0]}”，不必再选；另选一个则以新的为准" if kept else upload.help
