"""Who asks a report, on which business date and with which parameters; and where its figures may lead this reader."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from models.base.actor import Actor, ScopeLevel
from models.base.entity import entity_of
from models.ledger.account import AccountingPeriod
from models.system.organization import Company
from reports.base.scope import scoped


@dataclass(frozen=True)
class Asked:
    """`values` hold the typed parameters: dates, members of enums, period codes, and records for look-ups.

    A long report gives `limit` rows from `offset` on.
    """

    session: Session
    actor: Actor
    today: date
    values: dict[str, Any] = field(default_factory=dict)
    offset: int = 0
    limit: int = 0

    def __getitem__(self, name: str) -> Any:
        """The value of a parameter; None where it was left empty."""
        return self.values.get(name)

    @cached_property
    def periods(self) -> list[str]:
        """Period codes, the latest first; the business month where the books are still empty."""
        query = select(AccountingPeriod.code).order_by(AccountingPeriod.code.desc())
        return list(self.session.scalars(query)) or [f"{self.today:%Y-%m}"]

    @property
    def this_period(self) -> str:
        """The business month, or the last period that the books have."""
        present = f"{self.today:%Y-%m}"
        return present if present in self.periods else self.periods[0]

    @cached_property
    def company(self) -> str:
        """Whose figures these are."""
        return self.session.scalars(select(Company.full_name)).first() or ""

    @property
    def as_of(self) -> str:
        """As of when figures stand that know the present alone, and whose they are."""
        scope = (
            "" if self.actor.scope is ScopeLevel.ALL else f"　数据范围：{self.actor.scope.label}"
        )
        return f"截至营业日期 {self.today.isoformat()}{scope}"

    def record(self, table: str, key: int | None) -> str:
        """The page of a record; empty for who may not look at its table."""
        return f"/{table}/show/{key}" if key and self.actor.may("show", table) else ""

    def readable(self, table: str, keys: Collection[int]) -> frozenset[int]:
        """Which of these records the reader may open, asked once for all; where the rows are another table's."""
        if not keys or not self.actor.may("show", table):
            return frozenset()
        model = entity_of(table)
        key = inspect(model).primary_key[0]
        query = scoped(select(key).where(key.in_(keys)), model, self.actor)
        return frozenset(self.session.scalars(query))

    def rows(self, table: str, *conditions: str) -> str:
        """The list of a table under conditions such as 'bank_id:eq:3', in the reader's own scope."""
        args = urlencode([("f", one) for one in conditions], safe=":,")
        return f"/{table}/list/?{args}" if self.actor.may("list", table) else ""


def report_url(code: str, key: Any = "", **params: Any) -> str:
    """The address of another report with its parameters; `key` is what that report is about."""
    path = f"/report/{code}/{key}" if key else f"/report/{code}"
    return f"{path}?{urlencode(params)}" if params else path
