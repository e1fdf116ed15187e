"""EntityView: every screen of an entity, generated from its Spec and its columns.

A hand-written view subclasses it, names its `model`, and overrides only what is different: see the hooks below.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn, TypeAlias

from flask import flash, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import ModelView, expose
from werkzeug.datastructures import MultiDict
from wtforms import Form

from models.base.entity import Entity
from models.base.errors import BusinessError, NotFound
from views.kit import (
    drafts,
    edge,
    exports,
    files,
    forms,
    lists,
    lookup,
    once,
    parts,
    record,
    rules,
)
from views.kit.cells import Cells
from views.kit.filters import choices
from views.kit.hooks import EntityHooks
from views.kit.interface import EntityInterface, Titles, model_of, shape, valid_id
from views.kit.pages import Action, FormPage, ListPage, RecordPage, Section
from views.kit.waits import waits_of
from workflows.base import audit, records
from workflows.base.context import Ctx

# Within the class `list` is the route, so lists are named here.
Actions: TypeAlias = list[Action]
Records: TypeAlias = list[Entity]
Crumbs: TypeAlias = list[tuple[str, str]]
AGAIN = "again"  # sent by the button that saves and begins the next one
READING = ("list", "show", "export")
# Routes of the framework that pass the data scope by, act on GET, or hand out files by name.
UNSAFE_ROUTES = {"action", "action_post", "download", "muldelete"}


class EntityView(EntityHooks, ModelView):
    """List, record page, forms, delete, look-up, export and reveal of one entity.

    Routes: /<table>/list/, sums, show/<id>, add, edit/<id>, delete/<id> (POST), lookup, rule, export,
    export_later (POST), reveal/<id>/<column>.
    """

    model: ClassVar[type[Entity]]
    # Texts of routes that ours replace: left lazy, each look of the framework for routes would translate them.
    add_row_message = edit_row_message = delete_row_message = database_error_message = ""
    add_integrity_error_message = edit_integrity_error_message = delete_integrity_error_message = ""
    add_form = edit_form = search_form = (
        Form  # the framework would build forms at start; ours are built per request
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Derive routes and permissions from the model."""
        super().__init_subclass__(**kwargs)
        if "model" not in cls.__dict__:
            return
        spec, table = cls.model.spec, str(cls.model.__tablename__)
        cls.datamodel = EntityInterface(cls.model)
        cls.route_base = f"/{table}"
        cls.class_permission_name = table
        writes = tuple(
            v for v in ("add", "edit", "delete") if spec.kind.is_writable and v in spec.saved_by
        )
        cls.exclude_route_methods = UNSAFE_ROUTES | ({"add", "edit", "delete"} - set(writes))
        if "delete" not in writes:
            cls.exclude_route_methods = cls.exclude_route_methods | {"bulk_delete"}
        masked = any(facts.mask for facts in shape(cls.model).fields.values())
        cls.base_permissions = [
            f"can_{v}" for v in (*READING, *writes, *(("reveal",) if masked else ()))
        ]
        if not masked:
            cls.exclude_route_methods = cls.exclude_route_methods | {"reveal"}

    def _init_properties(self) -> None:
        """The framework would work out columns, filters and labels that nothing here uses."""
        self.label_columns = {
            name: shape(self.model).label(name) for name in shape(self.model).fields
        }
        self.related_views = self._related_views = ()
        self.list_title = self.title = self.model.spec.label

    def _init_forms(self) -> None:
        """Forms are built per request."""

    def _init_titles(self) -> None:
        """Titles come from the Spec."""

    # ============================================================================================================ list
    @expose("/list/")
    @edge.screen("list")
    def list(self) -> ResponseReturnValue:
        """The list."""
        ctx = edge.current_ctx()
        asked = self.read_list(ctx)
        return self.render_template("list.html", page=self.list_page(asked))

    @expose("/sums")
    @edge.screen("list")
    def sums(self) -> ResponseReturnValue:
        """Number and sums of all rows of a list: what the page of a long one asks for when it stands."""
        count, sums = self.read_list(edge.current_ctx()).count_and_sums()
        return jsonify(count=count, sums=sums)

    def read_list(self, ctx: Ctx, args: MultiDict[str, str] | None = None) -> lists.ListQuery:
        """What the address asks for, in the columns that the reader has chosen."""
        args = request.args if args is None else args
        chosen = edge.chosen_columns(ctx, shape(self.model).table)
        asked = lists.read_list(
            ctx, self.model, args, self.url("list/"), edge.rows_per_page(ctx), chosen
        )
        self.narrow_list(asked)
        return asked

    def list_page(self, asked: lists.ListQuery) -> ListPage:
        """The list as the template takes it."""
        (total, rows), spec = asked.page_of(), self.model.spec
        add = self.list_actions(asked.ctx)
        is_filtered = bool(asked.filters or asked.text)
        page = ListPage(
            title=spec.label,
            note=lists.scope_note(self.model, asked.ctx.actor),
            columns=asked.columns(),
            rows=asked.rows(rows),
            paging=asked.paging(total),
            actions=add,
            exports=self._exports(asked, total),
            bulk=self.bulk_actions(asked.ctx),
            chips=asked.chips(),
            clear_url=self.url("list/") if is_filtered else "",
            filters=choices(asked.ctx, self.model),
            search=asked.text,
            search_hint=lists.search_hint(self.model),
            url=self.url("list/"),
            kept_args=asked.kept_args(),
            sums=asked.sums(rows, total),
            later_sums=asked.later_sums(total) if rows else None,
            all_columns=lists.chooser(asked),
            columns_url=f"/settings/columns/{shape(self.model).table}",
            columns_next=asked.url(cols=None, page=None),
            empty="" if is_filtered else self._why_empty(),
            empty_action=None if is_filtered else next(iter(add), self._where_added(asked.ctx)),
            crumbs=[(spec.module.label, ""), (spec.label, "")],
            problems=asked.problems,
            help_key=shape(self.model).table,
        )
        return self.enrich_list(page, asked)

    def _why_empty(self) -> str:
        """Where the rows come from, for whoever looks at an empty list."""
        spec, owner = self.model.spec, shape(self.model).owner
        if owner is not None and record.offers(self.model, "add"):
            return f"还没有{spec.label}，在{owner[1].spec.label}页面的“{spec.label}”中登记"
        return (
            f"还没有{spec.label}"
            if record.offers(self.model, "add")
            else f"还没有{spec.label}，办理业务时自动形成"
        )

    def _where_added(self, ctx: Ctx) -> Action | None:
        """Rows of a child table are added at their owner."""
        owner = shape(self.model).owner
        if owner is None or not record.may_save(ctx, self.model, "add"):
            return None
        return Action(f"打开{owner[1].spec.label}列表", f"/{owner[1].__tablename__}/list/")

    def list_actions(self, ctx: Ctx) -> Actions:
        """Buttons at the head of the list; rows of a child table are added at their owner."""
        if shape(self.model).owner is not None or not record.may_save(ctx, self.model, "add"):
            return []
        return [
            Action(f"新增{self.model.spec.label}", self.url("add"), style="primary", icon="plus")
        ]

    def bulk_actions(self, ctx: Ctx) -> Actions:
        """Actions on the rows that are ticked; their routes ask `selected` for the records."""
        if not record.may_save(ctx, self.model, "delete"):
            return []
        what = f"删除所选 {{n}} 条{self.model.spec.label}，{{sum}}。"
        question = f"{what}删除后不能恢复；其中有一条不能删除，就一条也不删。"
        return [Action("删除", self.url("bulk_delete"), "POST", "danger", confirm=question)]

    def selected(self, ctx: Ctx, most: int = 200) -> Records:
        """The ticked records, or all of the filter, within scope. Raises BusinessError for none or too many."""
        if request.form.get("all") == "1":
            asked = self.read_list(ctx)
            asked.require_understood()
            query = asked.ordered(asked.select(self.model.id)).limit(most + 1)
            keys: Sequence[Any] = ctx.session.scalars(query).all()
        else:
            keys = list(
                dict.fromkeys(key.partition(".")[0] for key in request.form.getlist("keys"))
            )
        if not keys:
            raise BusinessError("没有选中任何记录")
        if len(keys) > most:
            raise BusinessError(f"一次最多处理 {most} 条，请缩小筛选范围")
        return [records.find(ctx, self.model, key) for key in keys]

    @expose("/bulk_delete", methods=("POST",))
    @edge.screen("delete")
    def bulk_delete(self) -> ResponseReturnValue:
        """Delete the ticked records as they were shown, all or none."""
        with edge.writing() as ctx:
            chosen = self.selected(ctx)
            shown = dict(key.split(".", 1) for key in request.form.getlist("keys") if "." in key)
            if any(str(found.id) not in shown for found in chosen):
                raise BusinessError(
                    "只能删除列表中显示并勾选的记录，请翻页或加大每页行数后逐条勾选"
                )
            for found in chosen:
                self.remove(ctx, found, valid_id(shown[str(found.id)]))
        flash(f"已删除 {len(chosen)} 条{self.model.spec.label}", "success")
        return redirect(self.url("list/"))

    def _exports(self, asked: lists.ListQuery, total: int) -> Actions:
        if not total or not asked.ctx.actor.may("export", shape(self.model).table):
            return []
        base, number = (
            asked.url(page=None, size=None).partition("?")[2],
            f"{total:,}{'+' if asked.is_cut else ''}",
        )
        is_long = total > files.at_once(asked.ctx)
        tail, method = ("export_later", "POST") if is_long else ("export", "GET")
        return [
            Action(
                f"{label}（{number} 行）",
                f"{self.url(tail)}?{base}{'&' if base else ''}format={code}",
                method,
            )
            for code, label, most in files.FORMATS
            if total <= most
        ]

    # ========================================================================================================== record
    @expose("/show/<pk>")
    @edge.screen("show", or_asked=True)
    def show(self, pk: str) -> ResponseReturnValue:
        """The record page."""
        ctx = edge.current_ctx()
        found = self.datamodel.find(pk, *self.read_with)
        # a customer, say, is shown as the personal or corporate one it is
        if type(found) is not self.model:
            return redirect(f"/{type(found).__tablename__}/show/{found.id}")
        return self.render_template("record.html", page=self.record_page(found, ctx))

    def record_page(self, found: Entity, ctx: Ctx, notice: str = "") -> RecordPage:
        """The record page as the template takes it."""
        titles = Titles(ctx.session)
        cells, spec = Cells(ctx, self.model, titles), found.spec
        active = request.args.get("tab", "")[:64] or self.default_tab(found)
        children = parts.child_sections(
            ctx, found, titles, active, may_change=not record.why_frozen(found)
        )
        trail = record.timeline(ctx, found, titles, active)
        rest = [*children, *self.extra_sections(found, ctx), *([trail] if trail else [])]
        facts = Section("facts", record.GENERAL)
        if active not in {section.key for section in rest}:  # another tab needs none of them
            cells.prepare([found], shape(self.model).visible())
            facts.facts = record.fact_groups(cells, found)
        page = RecordPage(
            title=titles.of(found),
            crumbs=self._crumbs(found, titles),
            facts=record.head_facts(cells, found),
            state=cells.cell(found, spec.state) if spec.state else None,
            actions=[*self.verbs(found, ctx), *self.edit_actions(found, ctx)],
            more=self.delete_actions(found, ctx),
            sections=parts.in_order(found, [facts, *rest]),
            active=active,
            aside=self.aside(found, ctx),
            waits=waits_of(ctx, found),
            notice=notice,
            help_key=shape(self.model).table,
        )
        return self.enrich(page, found, ctx)

    def edit_actions(self, found: Entity, ctx: Ctx) -> Actions:
        """The edit button, disabled with the reason where the record's state forbids it."""
        if not record.may_change(ctx, found, "edit"):
            return []
        return [
            Action(
                "修改", self.url(f"edit/{found.id}"), icon="edit", why_not=record.why_frozen(found)
            )
        ]

    def delete_actions(self, found: Entity, ctx: Ctx) -> Actions:
        """The delete entry of the menu, likewise; the version that was seen travels along."""
        if not record.may_change(ctx, found, "delete"):
            return []
        question = f"确定删除{found.spec.label}“{Titles(ctx.session).of(found)}”？删除后不能恢复。"
        fields = (("version", str(found.version)),)
        why = record.why_frozen(found)
        url = self.url(f"delete/{found.id}")
        return [Action("删除", url, "POST", "danger", confirm=question, why_not=why, fields=fields)]

    def _crumbs(self, found: Entity | None, titles: Titles) -> Crumbs:
        spec, owner = self.model.spec, shape(self.model).owner
        crumbs = [(spec.module.label, "")]
        if owner is not None and found is not None:
            owner_id = getattr(found, str(shape(self.model).key(owner[0])))
            table = str(owner[1].__tablename__)
            title, url = titles.text(table, owner_id), f"/{table}/show/{owner_id}"
            return [
                *crumbs,
                (owner[1].spec.label, f"/{table}/list/"),
                (title, url),
                (spec.label, ""),
            ]
        return [*crumbs, (spec.label, self.url("list/"))]

    # =========================================================================================================== forms
    @expose("/add", methods=("GET", "POST"))
    @edge.screen("add")
    def add(self) -> ResponseReturnValue:
        """The add form."""
        return self._form(None)

    @expose("/edit/<pk>", methods=("GET", "POST"))
    @edge.screen("edit")
    def edit(self, pk: str) -> ResponseReturnValue:
        """The edit form."""
        found = self.datamodel.find(pk)
        if type(found) is not self.model:
            return redirect(f"/{type(found).__tablename__}/edit/{found.id}", code=307)
        permission = ("edit", shape(self.model).table)
        records.require_reach(edge.current_ctx(), permission, found, "修改")
        records.require_draft(found, "修改")
        return self._form(found)

    def _form(self, found: Entity | None) -> ResponseReturnValue:
        ctx = edge.current_ctx()
        if request.method == "GET":
            form = self._entity_form(ctx, found)
            if (typed := drafts.typed(ctx)) is not None:
                form.read(typed)
            else:
                form.show(self._given(ctx) if found is None else None)
            return self.render_template("form.html", page=self._form_page(form, found, ctx))
        return self._save_form(ctx, found)

    def _save_form(self, ctx: Ctx, found: Entity | None) -> ResponseReturnValue:
        form = self._entity_form(ctx, found).read(request.form)
        values, version = form.values(), form.version
        key = None if found is None else found.id
        try:
            with edge.writing():
                saved = self.save(
                    ctx,
                    None if key is None else records.find(ctx, self.model, key),
                    values,
                    version,
                )
            once.about(saved)
            flash(f"已保存{self.model.spec.label}“{Titles(ctx.session).of(saved)}”", "success")
            if found is None and AGAIN in request.form:
                return redirect(request.full_path.rstrip("?"))
            return redirect(
                edge.safe_next(request.form.get("next"), self.after_save_url(saved, ctx))
            )
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            again = None if key is None else self.datamodel.find(key)
            form = self._entity_form(ctx, again).read(request.form).refuse(error)
            return self.render_template(
                "form.html", page=self._form_page(form, again, ctx)
            ), error.status

    def _entity_form(self, ctx: Ctx, found: Entity | None) -> forms.EntityForm:
        return forms.EntityForm(
            ctx, self.model, found, self.form_names(found, ctx), self._fixed(found)
        )

    def _fixed(self, found: Entity | None) -> dict[str, Any]:
        """The owner of a child row is given by the address and checked against the reader's scope."""
        owner = shape(self.model).owner
        if owner is None:
            return {}
        key = str(shape(self.model).key(owner[0]))
        if found is not None:
            return {key: getattr(found, key)}
        owner_id = request.args.get("owner") or request.form.get(key) or request.args.get(key)
        if not owner_id:
            return {}
        return {key: EntityInterface(owner[1]).find(owner_id).id}

    def _given(self, ctx: Ctx) -> dict[str, Any]:
        """Defaults, and references that the address names (a new project of this customer)."""
        chosen = self._chosen()
        return {**self.defaults(ctx), **self.proposed(ctx, chosen), **chosen}

    def _chosen(self) -> dict[str, Any]:
        """References that the address names, within the reader's scope."""
        found = {}
        for name, facts in shape(self.model).fields.items():
            target = model_of(facts.target)
            if (
                name in request.args
                and target is not None
                and EntityInterface(target).get(request.args[name])
            ):
                found[name] = valid_id(request.args[name])
        return found

    def _form_page(self, form: forms.EntityForm, found: Entity | None, ctx: Ctx) -> FormPage:
        label = self.model.spec.label
        title = f"新增{label}" if found is None else f"修改{label}：{Titles(ctx.session).of(found)}"
        back = self.url("list/") if found is None else self.url(f"show/{found.id}")
        owner = shape(self.model).owner
        if found is None and owner is not None and form.fixed:
            back = f"/{owner[1].__tablename__}/show/{next(iter(form.fixed.values()))}"
        crumbs = [*self._crumbs(found, form.cells.titles), (title, "")]
        page = form.page(
            title,
            drafts.place(),
            back,
            note=self.model.spec.help,
            crumbs=crumbs,
            help_key=shape(self.model).table,
            can_go_on=found is None,
            draft=drafts.of_form(ctx),
        )
        return self.enrich_form(page, found, ctx)

    # ========================================================================================================== delete
    @expose("/delete/<pk>", methods=("POST",))
    @edge.screen("delete")
    def delete(self, pk: str) -> ResponseReturnValue:
        """Delete by POST with the version that the reader saw; a refusal shows the record with the reason."""
        ctx = edge.current_ctx()
        try:
            with edge.writing():
                found = records.find(ctx, self.model, pk)
                label, back = (
                    f"{found.spec.label}“{Titles(ctx.session).of(found)}”",
                    self._after_delete_url(found, ctx),
                )
                self.remove(ctx, found, valid_id(request.form.get("version", "")))
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            page = self.record_page(self.datamodel.find(pk), ctx, notice=error.message)
            return self.render_template("record.html", page=page), error.status
        flash(f"已删除{label}", "success")
        return redirect(back)

    def _after_delete_url(self, found: Entity, ctx: Ctx) -> str:
        return (
            self.url("list/")
            if shape(self.model).owner is None
            else self.after_save_url(found, ctx)
        )

    # ================================================================================================ look-up and files
    @expose("/lookup")
    @edge.screen("list", "add", "edit")
    def lookup(self) -> ResponseReturnValue:
        """Candidates for a reference (or long dictionary) of this entity's form or filter: JSON, 20 at a time."""
        return jsonify(lookup.answer(edge.current_ctx(), self.model, request.args))

    @expose("/rule", methods=("GET",))
    @edge.screen("list", "add", "edit")
    def rule_words(self) -> ResponseReturnValue:
        """What rules of a column of rules (`field`), or about this table, may name: JSON."""
        ctx = edge.current_ctx()
        field, named = (request.args.get(name, "")[:64] for name in ("field", "about"))
        about = rules.subject(ctx, self.model, field, named)
        return jsonify(rules.offered(ctx, about))

    @expose("/rule", methods=("POST",))
    @edge.screen("list", "add", "edit")
    def rule_check(self) -> ResponseReturnValue:
        """A rule while it is being written: where it is wrong, how it reads, how many rows it holds for. JSON."""
        ctx = edge.current_ctx()
        field, named = (request.form.get(name, "")[:64] for name in ("field", "about"))
        about = rules.subject(ctx, self.model, field, named)
        if rules.is_formula(self.model, field):
            return jsonify(rules.check_formula(ctx, about, request.form.get("text", "")))
        return jsonify(rules.check(ctx, about, request.form))

    @expose("/asked", methods=("POST",))
    @expose("/asked/<pk>", methods=("POST",))
    @edge.screen("add", "edit")
    def asked(self, pk: str = "") -> ResponseReturnValue:
        """Which fields conditions ask for, of a form while it is filled in: JSON."""
        found = self.datamodel.find(pk) if pk else None
        form = self._entity_form(edge.current_ctx(), found).read(request.form)
        demands = form.demands()
        return jsonify({name: [one.is_asked, one.is_required] for name, one in demands.items()})

    @expose("/reveal/<pk>/<column>", methods=("POST",))
    @edge.screen("reveal")
    def reveal(self, pk: str, column: str) -> ResponseReturnValue:
        """The plain value of a masked column; each look is logged."""
        facts = shape(self.model).fields.get(column)
        if facts is None or not facts.mask:
            raise NotFound("没有这个字段")
        with edge.writing() as ctx:
            entity = records.find(ctx, self.model, pk)
            permission = ("reveal", shape(self.model).table)
            records.require_reach(ctx, permission, entity, "查看原值")
            audit.log_reading(ctx, entity, column)
            text = str(facts.get(entity) or "")
        once.never_keep()
        return jsonify({"value": text})

    @expose("/export")
    @edge.screen("export")
    def export(self) -> ResponseReturnValue:
        """The current filter, sort and columns as a file."""
        return files.send(self.read_list(edge.current_ctx()), request.args.get("format", "xlsx"))

    @expose("/export_later", methods=("POST",))
    @edge.screen("export")
    def export_later(self) -> ResponseReturnValue:
        """The same in the background; the file is found in 我的下载."""
        exports.begin(self.read_list(edge.current_ctx()), request.args.get("format", "xlsx"))
        flash("已开始在后台导出，完成后在本页下载", "success")
        return redirect(exports.URL)

    # ========================================================================================================== helpers
    def url(self, tail: str) -> str:
        """An address of this view."""
        return f"/{shape(self.model).table}/{tail}"

    def _refuse_framework(self, *args: Any, **kwargs: Any) -> NoReturn:
        message = "the generator's own routes replace the framework's"
        raise NotImplementedError(message)

    _list = _show = _add = _edit = _delete = action = action_post = _refuse_framework
