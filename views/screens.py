"""Every screen of the product, registered once: the generated ones and the hand-written ones."""

import importlib
import pkgutil
from typing import Any

from flask_appbuilder import BaseView

# Reports, and the rules of what the administrator sets up, register themselves as well.
import views
import workflows.registry  # noqa: F401
from reports.base.report import REPORTS
from views.kit.openapi import DescriptionApi
from views.kit.register import register_entities
from views.kit.report import screen_of
from views.workbench.desktop import HomeView  # the framework registers it as the index

# Found by walking, so that a new screen, its buttons and its tabs are there without being named anywhere.
MODULES = tuple(
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(views.__path__, "views.")
    if found.name != "views.screens"
)
# One screen class serves every report; each has routes of its own, which ask for its own permission.
REPORT_SCREENS = tuple(screen_of(report) for report in REPORTS.values())
_CLASSES = tuple(
    made
    for module in MODULES
    for made in vars(module).values()
    if isinstance(made, type) and issubclass(made, BaseView) and made.__module__ == module.__name__
)
# A class that names its entity stands in for the generated one; what names none and is no base of others is a page.
ENTITY_VIEWS = tuple(made for made in _CLASSES if vars(made).get("model"))
PAGES = tuple(
    made
    for made in _CLASSES
    if made not in ENTITY_VIEWS and not made.__subclasses__() and made is not HomeView
)


def register_screens(appbuilder: Any) -> None:
    """Register all views and REST resources; called once when the application is made."""
    register_entities(appbuilder, views=ENTITY_VIEWS)
    for page in (*PAGES, *REPORT_SCREENS):
        appbuilder.add_view_no_menu(page)
    appbuilder.add_api(DescriptionApi)
