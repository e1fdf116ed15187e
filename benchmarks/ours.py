"""The product itself, as `run:app` serves it."""

from pathlib import Path
from typing import Any

from app import create_app
from benchmarks import USERNAME
from benchmarks.data import settings_for

__all__ = ["USERNAME", "make"]


def make(database: Path) -> Any:
    """The WSGI application."""
    return create_app(settings_for(database))
