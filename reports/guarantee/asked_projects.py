"""What every query about projects may be asked by: customer, product, bank, who holds it, which department."""

from typing import Any

from sqlalchemy import ColumnElement

from models.base import columns as c
from models.guarantee.project import Project
from reports.base.asked import Asked
from reports.base.params import Param, pick

_WAN = 10_000

# The first ones in the order of how often they are asked for.
WHOSE = {
    "customer": pick("客户", "customer"),
    "product": pick("产品", "product"),
    "bank": pick("合作银行", "partner_bank"),
    "manager": pick("A角", "employee"),
    "department": pick("承办部门", "department"),
}
_KEYS = {
    "customer": Project.customer_id,
    "product": Project.product_id,
    "bank": Project.bank_id,
    "manager": Project.manager_id,
    "department": Project.department_id,
}


def days(label: str, name: str) -> dict[str, Param]:
    """`{name}_from` and `{name}_to`: a range of days that may be left open at either end."""
    first = Param(c.day(f"{label}起"), not_after=f"{name}_to")
    return {f"{name}_from": first, f"{name}_to": Param(c.day(f"{label}止"))}


def amounts(label: str) -> dict[str, Param]:
    """`least` and `most`: amounts in 万元, open at either end."""
    least = Param(c.whole(f"{label}不低于（万元）"), not_after="most")
    return {"least": least, "most": Param(c.whole(f"{label}不高于（万元）"))}


def whose(asked: Asked) -> list[ColumnElement[bool]]:
    """Conditions on the project for what was chosen of `WHOSE`."""
    return [
        column == record.id for name, column in _KEYS.items() if (record := asked[name]) is not None
    ]


def between(asked: Asked, column: Any, name: str) -> list[ColumnElement[bool]]:
    """Conditions on a date for a range made by `days`."""
    first, last = asked[f"{name}_from"], asked[f"{name}_to"]
    found = [column >= first] if first is not None else []
    return [*found, *([column <= last] if last is not None else [])]


def of_amount(asked: Asked, column: Any) -> list[ColumnElement[bool]]:
    """Conditions on an amount for a range made by `amounts`."""
    least, most = asked["least"], asked["most"]
    found = [column >= least * _WAN] if least is not None else []
    return [*found, *([column <= most * _WAN] if most is not None else [])]


def chosen(asked: Asked) -> dict[str, int]:
    """What was chosen of `WHOSE`, as another report takes it."""
    return {name: asked[name].id for name in WHOSE if asked[name] is not None}


def conditions(asked: Asked) -> list[str]:
    """What was chosen of `WHOSE`, as the list of projects takes it."""
    return [f"{_KEYS[name].key}:eq:{key}" for name, key in chosen(asked).items()]
