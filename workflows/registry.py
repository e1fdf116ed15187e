"""Importing this module registers every rule, transition and handler: no entrance may run without them."""

import importlib
import pkgutil

import workflows

# Found by walking, so that a new workflow file is in force without being named anywhere.
MODULES = tuple(
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(workflows.__path__, "workflows.")
    if found.name != "workflows.registry"
)
