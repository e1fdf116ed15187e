"""Every screen of the product, registered once: the generated ones and the hand-written ones."""

from typing import Any

from views.approvals import ApprovalsView
from views.operators import OperatorView
from views.register import register_entities
from views.security import PasswordView, RolesView

ENTITY_VIEWS = (OperatorView,)
PAGES = (PasswordView, RolesView, ApprovalsView)


def register_screens(appbuilder: Any) -> None:
    """Register all views and REST resources; called once when the application is made."""
    register_entities(appbuilder, views=ENTITY_VIEWS)
    for page in PAGES:
        appbuilder.add_view_no_menu(page)
