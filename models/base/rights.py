"""Levels of rights on a table, as roles and `Spec.roles` name them."""

from typing import Final

NONE: Final[tuple[str, ...]] = ()
SEE: Final = ("list", "show")
READ: Final = (*SEE, "export")
WRITE: Final = (*READ, "add", "edit", "delete")
