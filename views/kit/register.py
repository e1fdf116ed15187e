"""Give every entity its screens and its REST resource; hand-written classes replace the generated ones."""

from collections.abc import Iterable
from typing import Any

from models.base.entity import Entity, entities
from views.kit.entity_api import EntityApi
from views.kit.entity_view import EntityView


def register_entities(
    appbuilder: Any,
    views: Iterable[type[EntityView]] = (),
    apis: Iterable[type[EntityApi]] = (),
    models: Iterable[type[Entity]] | None = None,
) -> None:
    """Register a view and a REST resource for every entity whose kind has a screen.

    `views` and `apis` are hand-written subclasses; each stands in for the generated one of its model.
    """
    by_model = {view.model: view for view in views}
    api_by_model = {api.model: api for api in apis}
    for model in entities() if models is None else models:
        if model.spec.kind.has_screen:
            appbuilder.add_view_no_menu(by_model.get(model) or view_of(model))
            appbuilder.add_api(api_by_model.get(model) or api_of(model))


def view_of(model: type[Entity]) -> type[EntityView]:
    """The generated view class of a model."""
    return type(
        f"{model.__name__}View",
        (EntityView,),
        {"model": model, "__doc__": f"Screens of {model.__name__}."},
    )


def api_of(model: type[Entity]) -> type[EntityApi]:
    """The generated REST class of a model."""
    return type(
        f"{model.__name__}Api",
        (EntityApi,),
        {"model": model, "__doc__": f"REST of {model.__name__}."},
    )
