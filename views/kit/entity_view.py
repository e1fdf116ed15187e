"""EntityView: every screen of an entity, generated from its Spec and its columns.

A hand-written view subclasses it, names its `model`, and overrides only what is different: see the hooks below.
"""

from typing import Any, ClassVar, NoReturn, TypeAlias

from flask import flash, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from wtforms import Form

from models.base.entity import Entity
from models.base.errors import BusinessError, NotFound
from reports.figures.configuration import way_up
from views.kit import (
    copying,
    drafts,
    edge,
    forms,
    looks,
    lookup,
    once,
    parts,
    record,
    record_print,
    rules,
    small,
)
from views.kit.cells import Cells
from views.kit.grid_routes import GridRoutes, without_grids
from views.kit.grids import Grids
from views.kit.interface import EntityInterface, Titles, model_of, shape, valid_id
from views.kit.list_view import Actions, ListScreens
from views.kit.pages import Action, FieldGroup, FormPage, RecordPage, Section
from views.kit.quick import QuickRoutes
from views.kit.record_print import PrintRoutes
from views.kit.waits import waits_of
from workflows.base import audit, records
from workflows.base.context import Ctx

# Within the class `list` is the route, so lists are named here.
Crumbs: TypeAlias = list[tuple[str, str]]
AGAIN = "again"  # sent by the button that saves and begins the next one
READING = ("list", "show", "export")
# Who answers one of these fills in more than columns: a row of a grid would pass that by.
OWN_FORM_HOOKS = ("form_names", "enrich_form", "save", "remove")
# Routes of the framework that pass the data scope by, act on GET, or hand out files by name.
UNSAFE_ROUTES = {"action", "action_post", "download", "muldelete"}


class EntityView(GridRoutes, QuickRoutes, PrintRoutes, ListScreens):
    """List, record page, forms, delete, look-up, export and reveal of one entity.

    Routes beside those of ListScreens: /<table>/show/<id>, add, edit/<id>, delete/<id> (POST), lookup, rule,
    reveal/<id>/<column>, print/<id>, quick, and the grids of its parts (views/kit/grid_routes.py).
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
        ) + (("import",) if spec.takes_files else ())
        cls.exclude_route_methods = UNSAFE_ROUTES | ({"add", "edit", "delete"} - set(writes))
        if not {"add", "edit"} & set(writes):  # nothing to fill in
            cls.exclude_route_methods = cls.exclude_route_methods | {"asked"}
        if "delete" not in writes:
            cls.exclude_route_methods = cls.exclude_route_methods | {"bulk_delete"}
        cls.exclude_route_methods = cls.exclude_route_methods | without_grids(cls.model, writes)
        if any(getattr(cls, name) is not getattr(GridRoutes, name) for name in OWN_FORM_HOOKS):
            small.OWN.add(table)
        if not small.is_quick(cls.model):
            cls.exclude_route_methods = cls.exclude_route_methods | {"quick"}
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
        page = self.render_template("record.html", page=self.record_page(found, ctx))
        looks.note(ctx, found)
        return page

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
            more=[
                *copying.action(ctx, found),
                *record_print.actions(ctx, found),
                *self.delete_actions(found, ctx),
            ],
            sections=parts.in_order(found, [facts, *rest]),
            active=active,
            aside=self.aside(found, ctx),
            waits=waits_of(ctx, found),
            notice=notice,
            help_key=shape(self.model).table,
        )
        return looks.say_changes(ctx, self.enrich(page, found, ctx), found)

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
            form, sheets = self._entity_form(ctx, found), self._grids(ctx, found)
            if (typed := drafts.typed(ctx)) is not None:
                form.read(typed)
                sheets.read(typed)
            else:
                form.show(self._given(ctx) if found is None else None)
                if found is None and (source := self._source()) is not None:
                    sheets.copy(source)
            page = self._form_page(form, found, ctx, sheets)
            return self.render_template("form.html", page=page)
        return self._save_form(ctx, found)

    def _save_form(self, ctx: Ctx, found: Entity | None) -> ResponseReturnValue:
        form = self._entity_form(ctx, found).read(request.form)
        values, version = form.values(), form.version
        sheets = self._grids(ctx, found).read(request.form)
        key = None if found is None else found.id
        try:
            with edge.writing():
                saved = self.save(
                    ctx,
                    None if key is None else records.find(ctx, self.model, key),
                    values,
                    version,
                )
                sheets.save(saved)
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
            form = self._entity_form(ctx, again).read(request.form)
            sheets = self._grids(ctx, again).read(request.form)
            sheets.refuse_into(form, error)
            page = self._form_page(form, again, ctx, sheets)
            return self.render_template("form.html", page=page), error.status

    def _grids(self, ctx: Ctx, found: Entity | None) -> Grids:
        return Grids(ctx, self.gridded(found, ctx), found)

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
        return {**self.defaults(ctx), **self._copied(), **self.proposed(ctx, chosen), **chosen}

    def _copied(self) -> dict[str, Any]:
        """What the record that the address names to be copied hands over."""
        source = self._source()
        return {} if source is None else copying.values(source)

    def _source(self) -> Entity | None:
        """The record that the address names to be copied."""
        key = request.args.get(copying.PARAM)
        return self.datamodel.find(key) if key else None

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

    def _form_page(
        self, form: forms.EntityForm, found: Entity | None, ctx: Ctx, sheets: Grids
    ) -> FormPage:
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
            grids=sheets.offers(shape(self.model).table),
        )
        if way_up(self.model) is not None:
            page.groups.append(FieldGroup("变更说明", [forms.reason_field()]))
            if found is not None:
                url = self.url(f"show/{found.id}?tab=uses#tabs")
                page.actions.append(Action("使用情况", url, new_window=True))
        page.errors += sheets.errors()
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
    @edge.screen("edit", "add")
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

    # ========================================================================================================== helpers
    def _refuse_framework(self, *args: Any, **kwargs: Any) -> NoReturn:
        message = "the generator's own routes replace the framework's"
        raise NotImplementedError(message)

    _list = _show = _add = _edit = _delete = action = action_post = _refuse_framework
