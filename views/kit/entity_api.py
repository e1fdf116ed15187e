"""EntityApi: the REST resource of an entity, generated from its Spec and columns, with the permissions of its screens.

Amounts and rates travel as text (exact), codes by their name with a `<column>_label` beside them, dates as ISO text.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from apispec.exceptions import DuplicateComponentNameError
from flask import jsonify, request
from flask.typing import ResponseReturnValue
from flask_appbuilder.api import ModelRestApi, expose
from marshmallow import Schema, fields
from werkzeug.datastructures import MultiDict

from models.base.entity import Entity
from models.base.errors import BusinessError
from models.base.masks import mask
from models.base.plain import plain
from views.kit import edge, filters, list_args, lists, lookup, rest_args
from views.kit.cells import Cells
from views.kit.interface import EntityInterface, shape, valid_id
from views.kit.once import HEADER
from workflows.base import records
from workflows.base.context import Ctx

PERMISSIONS = {
    "info": "list",
    "get_list": "list",
    "related": "list",
    "get": "show",
    "post": "add",
    "put": "edit",
    "delete": "delete",
}
SECURITY = {
    "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "api_key": {"type": "http", "scheme": "bearer"},
}
GIVES_ONE = {"get", "post", "put"}  # routes that answer with the record
_TYPES: dict[str, type[fields.Field[Any]]] = {
    "int": fields.Integer,
    "reference": fields.Integer,
    "bool": fields.Boolean,
    "date": fields.Date,
    "datetime": fields.DateTime,
    "json": fields.Raw,
}


class EntityApi(ModelRestApi):
    """GET /, GET /<id>, POST /, PUT /<id>, DELETE /<id>, GET /_info, GET /related/<column>, at /api/v1/<table>."""

    model: ClassVar[type[Entity]]
    allow_browser_login = True
    csrf_exempt = False  # a token needs no CSRF token, a session does: the application decides before any route
    method_permission_name = dict(PERMISSIONS)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Derive routes and permissions from the model."""
        super().__init_subclass__(**kwargs)
        if "model" not in cls.__dict__:
            return
        spec, table = cls.model.spec, str(cls.model.__tablename__)
        cls.datamodel = EntityInterface(cls.model)
        cls.resource_name = table
        cls.class_permission_name = table
        cls.openapi_spec_tag = spec.label
        writes = {
            v for v in ("add", "edit", "delete") if spec.kind.is_writable and v in spec.saved_by
        }
        cls.exclude_route_methods = {
            m for m, v in PERMISSIONS.items() if v in {"add", "edit", "delete"} - writes
        }
        cls.base_permissions = [f"can_{v}" for v in ("list", "show", *sorted(writes))]

    def _init_properties(self) -> None:
        """The framework would work out columns, filters and schemas that nothing here uses."""
        self.label_columns = {
            name: shape(self.model).label(name) for name in shape(self.model).fields
        }
        self.title = self.list_title = self.model.spec.label

    def _init_titles(self) -> None:
        """Titles come from the Spec."""

    def _init_model_schemas(self) -> None:
        """Values are read by the verbs; schemas are made when the description of the interface is asked for."""

    # ========================================================================================================== hooks
    def save(
        self, ctx: Ctx, record: Entity | None, values: Mapping[str, Any], version: int | None
    ) -> Entity:
        """What POST and PUT call; a document with a verb of its own overrides this."""
        if record is None:
            return records.create(ctx, self.model, values)
        return records.update(ctx, record, values, version)

    def remove(self, ctx: Ctx, record: Entity, version: int | None) -> None:
        """What DELETE calls."""
        records.delete(ctx, record, version)

    # ========================================================================================================= reading
    @expose("/_info", methods=["GET"])
    @edge.rest("list")
    def info(self, **kwargs: Any) -> ResponseReturnValue:
        """Columns with their labels, kinds, units and options.
        ---
        get:
          summary: Columns of the resource
          responses:
            200: {description: "Label, columns and the caller's permissions"}
        """
        ctx, known = edge.current_ctx(), shape(self.model)
        editable = set(known.editable())
        columns = [
            {
                "name": name,
                "label": known.label(name),
                "kind": (facts := known.fields[name]).kind,
                "required": facts.required,
                "editable": name in editable,
                "unit": facts.unit,
                "help": facts.help,
                "options": [list(pair) for pair in filters.options(ctx, facts)],
                "filters": list(filters.operators(facts)),
            }
            for name in known.visible()
        ]
        mine = [
            p
            for p in self.base_permissions or []
            if ctx.actor.may(p.removeprefix("can_"), known.table)
        ]
        return jsonify({"label": self.model.spec.label, "columns": columns, "permissions": mine})

    @expose("/", methods=["GET"])
    @edge.rest("list")
    def get_list(self, **kwargs: Any) -> ResponseReturnValue:
        """Rows: filtered, sorted and paged within the caller's data scope.
        ---
        get:
          summary: List
          parameters:
          - {in: query, name: q, schema: {type: string}, description: "Rison or JSON: page, page_size, order_column, order_direction, filters, columns, search"}
          - {in: query, name: page, schema: {type: integer}, description: "from 1; alternative to q"}
          - {in: query, name: size, schema: {type: integer, maximum: 200}}
          - {in: query, name: order, schema: {type: string}, description: "column, or -column for descending"}
          - {in: query, name: f, schema: {type: string}, description: "field:operator:value, may be repeated; reference.field and has.table.field reach one step further; rel keeps days relative: this_month, last_30, within_30 …"}
          - {in: query, name: rule, schema: {type: string}, description: "a condition in the rule language (X13)"}
          - {in: query, name: search, schema: {type: string}}
          - {in: query, name: after, schema: {type: integer}, description: "rows with a greater id, in order of id (keyset paging)"}
          responses:
            200:
              description: Rows of one page
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      count: {type: integer}
                      ids: {type: array, items: {type: integer}}
                      result:
                        type: array
                        items:
                          $ref: '#/components/schemas/{{self.__class__.__name__}}.get'
        """  # noqa: E501 - one parameter a line
        ctx, columns = edge.current_ctx(), list[str]()
        asked = list_args.read_list(
            ctx, self.model, rest_args.list_args(request.args, columns), request.path
        )
        names = self._columns(columns, asked)
        self._keyset(asked)
        if asked.problems:
            raise BusinessError("；".join(asked.problems))
        total = asked.total()
        asked.names = names
        rows = asked.records()
        result = [self.dump(asked.cells, row, names) for row in rows]
        return jsonify({"count": total, "ids": [row.id for row in rows], "result": result})

    def _columns(self, wanted: list[str], asked: lists.ListQuery) -> list[str]:
        known = [
            n for n in shape(self.model).visible() if shape(self.model).facts(n).kind != "long_text"
        ]
        unknown = [name for name in wanted if name not in shape(self.model).visible()]
        if unknown:
            asked.problems.append("没有这些字段：" + "、".join(name[:64] for name in unknown[:5]))
        return wanted or known

    def _keyset(self, asked: lists.ListQuery) -> None:
        text = request.args.get("after")
        if text is None:
            return
        after = 0 if text == "0" else valid_id(text)
        if after is None:
            asked.problems.append("after 应为记录序号")
            return
        asked.fixed.append(self.model.id > after)
        asked.order, asked.page = "id", 1

    @expose("/<pk>", methods=["GET"])
    @edge.rest("show", or_asked=True)
    def get(self, pk: str, **kwargs: Any) -> ResponseReturnValue:
        """One record.
        ---
        get:
          summary: Show
          responses:
            200: {description: The record}
        """
        return self._one(self.datamodel.find(pk), 200)

    @expose("/related/<column>", methods=["GET"])
    @edge.rest("list")
    def related(self, column: str, **kwargs: Any) -> ResponseReturnValue:
        """Candidates for a reference, 20 at a time.
        ---
        get:
          summary: Candidates for a reference
          parameters:
          - {in: query, name: q, schema: {type: string}}
          - {in: query, name: page, schema: {type: integer}}
          - {in: query, name: record, schema: {type: integer}, description: "for files: the record they hang on"}
          responses:
            200: {description: Candidates}
        """
        asked = {name: request.args.get(name, "") for name in ("q", "page", "record")}
        args = MultiDict({"field": column, **asked, "page": asked["page"] or "1"})
        return jsonify(lookup.answer(edge.current_ctx(), self.model, args))

    # ========================================================================================================= writing
    @expose("/", methods=["POST"])
    @edge.rest("add")
    def post(self) -> ResponseReturnValue:
        """Make a record.
        ---
        post:
          summary: Add
          responses:
            201: {description: The new record}
        """
        values = rest_args.body()
        with edge.writing() as ctx:
            saved = self.save(ctx, None, values, None)
        return self._one(saved, 201)

    @expose("/<pk>", methods=["PUT"])
    @edge.rest("edit")
    def put(self, pk: str) -> ResponseReturnValue:
        """Save some columns of a record; the version that was read must come along.
        ---
        put:
          summary: Edit
          responses:
            200: {description: The saved record}
        """
        values = rest_args.body()
        version = rest_args.version(values.pop("version", None))
        with edge.writing() as ctx:
            saved = self.save(ctx, records.find(ctx, self.model, pk), values, version)
        return self._one(saved, 200)

    @expose("/<pk>", methods=["DELETE"])
    @edge.rest("delete")
    def delete(self, pk: str) -> ResponseReturnValue:
        """Delete a record that nothing refers to; the version that was read must come along.
        ---
        delete:
          summary: Delete
          parameters:
          - {in: query, name: version, required: true, schema: {type: integer}}
          responses:
            200: {description: Deleted}
        """
        version = rest_args.version(request.args.get("version"))
        with edge.writing() as ctx:
            self.remove(ctx, records.find(ctx, self.model, pk), version)
        return jsonify({"message": "已删除"})

    # ========================================================================================================= shapes
    def _one(self, record: Entity, status: int) -> ResponseReturnValue:
        cells, names = Cells(edge.current_ctx(), self.model), shape(self.model).visible()
        cells.prepare([record], names)
        return jsonify({"id": record.id, "result": self.dump(cells, record, names)}), status

    def dump(self, cells: Cells, record: Entity, names: list[str]) -> dict[str, Any]:
        """A record as JSON: exact values, and labels beside codes and references."""
        found: dict[str, Any] = {"id": record.id, "version": record.version}
        for name in names:
            facts = shape(self.model).fields[name]
            value = facts.get(record)
            found[name] = mask(value, facts.mask) if facts.mask and value else _json(value)
            if facts.kind in {"enum", "dictionary", "reference"}:
                found[f"{name}_label"] = cells.text(name, value) if value is not None else None
        return found

    def add_apispec_components(self, api_spec: Any) -> None:
        """Describe the resource: what it gives, and what POST and PUT take."""
        super(ModelRestApi, self).add_apispec_components(api_spec)
        _once(
            api_spec.components.response, "409", self.responses["400"] | {"description": "Conflict"}
        )
        for name, scheme in SECURITY.items():
            _once(api_spec.components.security_scheme, name, scheme)
        editable = shape(self.model).editable()
        for method, names in (
            ("get", shape(self.model).visible()),
            ("post", editable),
            ("put", editable),
        ):
            schema = self._schema(method, names)
            api_spec.components.schema(f"{type(self).__name__}.{method}", schema=schema)
        record = {"$ref": f"#/components/schemas/{type(self).__name__}.get"}
        one = {"type": "object", "properties": {"id": {"type": "integer"}, "result": record}}
        api_spec.components.schema(f"{type(self).__name__}.one", one)

    def operation_helper(
        self,
        path: Any = None,
        operations: Any = None,
        methods: Any = None,
        func: Any = None,
        **kwargs: Any,
    ) -> None:
        """Docstrings say what is particular to a route; what follows from address and method is said here for all."""
        super().operation_helper(
            path=path, operations=operations, methods=methods, func=func, **kwargs
        )
        places, name = re.findall(r"{(\w+)}", path), type(self).__name__
        gives = (
            {"$ref": f"#/components/schemas/{name}.one"}
            if func.__name__ in GIVES_ONE
            else {"type": "object"}
        )
        for method, operation in operations.items():
            if method in {"post", "put"}:
                body = {"$ref": f"#/components/schemas/{name}.{method}"}
                operation["requestBody"] = {"required": True, "content": _content(body)}
            refused = (
                {"401", "403"}
                | ({"404"} if places else set())
                | ({"409"} if method != "get" else set())
            )
            if operation.keys() & {"parameters", "requestBody"}:
                refused.add("400")
            key = [] if method == "get" else [_ONCE]
            operation["parameters"] = [*map(_place, places), *operation.get("parameters", ()), *key]
            for answer in operation.setdefault("responses", {}).values():
                answer.setdefault("content", _content(gives))
            operation["responses"] |= {
                code: {"$ref": f"#/components/responses/{code}"} for code in sorted(refused)
            }

    def _schema(self, method: str, names: list[str]) -> type[Schema]:
        known, found = shape(self.model), dict[str, Any]()
        if method != "post":
            found["version"] = fields.Integer(required=method == "put")
        if method == "get":
            found["id"] = fields.Integer()
        for name in names:
            facts = known.fields[name]
            required = method == "post" and facts.required and not facts.has_default
            type_ = _TYPES.get(facts.kind, fields.String)
            words = facts.label + (f"（{facts.unit}）" if facts.unit else "")
            found[name] = type_(
                required=required,
                allow_none=not facts.required,
                metadata={"description": words},
            )
        return Schema.from_dict(found, name=f"{type(self).__name__}{method.title()}")


_ONCE = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string", "minLength": 8, "maxLength": 64},
    "description": "同一标识再次提交时不重复办理，返回第一次的结果",
}


def _place(name: str) -> dict[str, Any]:
    """The description of a place in an address."""
    return {
        "in": "path",
        "name": name,
        "required": True,
        "schema": {"type": "integer" if name == "pk" else "string"},
    }


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _json(value: Any) -> Any:
    """Moments in ISO form; the rest as the audit trail writes it."""
    return value.isoformat() if isinstance(value, datetime) else plain(value)


def _once(register: Any, name: str, what: Any) -> None:
    try:
        register(name, what)
    except DuplicateComponentNameError:
        return
