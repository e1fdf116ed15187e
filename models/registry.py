"""Importing this module maps every table: migrations, `init` and the application start from it."""

import importlib
import pkgutil

from flask_appbuilder.security.sqla import models as security

import models
from models.base.entity import Entity
from models.base.sayings import require_sayings

# Found by walking, so that a new table is mapped without being named anywhere; the framework's own come last.
AREAS = (
    *(
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(models.__path__, "models.")
        if found.name != "models.registry"
    ),
    security,
)
metadata = Entity.metadata
require_sayings()
