"""Quick create: the few fields that a record cannot do without, in a dialog beside the look-up that misses it."""

from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose

from models.base.entity import Entity
from models.base.errors import BusinessError
from views.kit import edge, forms, once
from views.kit.hooks import EntityHooks
from views.kit.interface import Titles, shape
from workflows.base.context import Ctx


def names(model: type[Entity]) -> list[str]:
    """The columns of the small form: its title, and what nobody can leave out."""
    known = shape(model)
    wanted = {known.key(model.spec.title)}
    return [
        name
        for name in forms.form_columns(model)
        if name in wanted or forms.is_asked(known.fields[name])
    ]


class QuickRoutes(EntityHooks):
    """quick: the small form as a piece of HTML; sent, the new record as {"id", "text"}, or the form with its errors."""

    render_template: Any

    @expose("/quick", methods=("GET", "POST"))
    @edge.screen("add")
    def quick(self) -> ResponseReturnValue:
        """What a look-up opens in a dialog; saves by the same verb and right as the whole form."""
        ctx = edge.current_ctx()
        if request.method == "GET":
            called = shape(self.model).facts(self.model.spec.title)
            typed = request.args.get("text", "")[:100] * (called.kind == "text")
            return self._small(self._small_form(ctx).show({called.name: typed or None}))
        form = self._small_form(ctx).read(request.form)
        try:
            with edge.writing():
                saved = self.save(ctx, None, form.values(), None)
            once.about(saved)
            return jsonify(id=saved.id, text=Titles(ctx.session).of(saved))
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            form = self._small_form(ctx).read(request.form).refuse(error)
            return self._small(form), error.status

    def _small_form(self, ctx: Ctx) -> forms.EntityForm:
        return forms.EntityForm(ctx, self.model, names=names(self.model))

    def _small(self, form: forms.EntityForm) -> str:
        table, label = shape(self.model).table, self.model.spec.label
        page = form.page(f"新增{label}", f"/{table}/quick", f"/{table}/add")
        return str(self.render_template("quick.html", page=page))
