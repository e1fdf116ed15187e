"""Importing this module registers every report."""

import importlib
import pkgutil

import reports

# Found by walking, so that a new file is a report without being named anywhere.
MODULES = tuple(
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(reports.__path__, "reports.")
    if found.name != "reports.registry"
)
