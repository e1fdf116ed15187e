"""What every verb is given: the session, who acts, the business date and the clock's reading."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from sqlalchemy.orm import Session

from models.base.actor import Actor
from models.system.setup import NumberRule


class NumberSource(Protocol):
    """Gives counts in place of the counters themselves, and keeps the rules that were read."""

    rules: dict[str, NumberRule]

    def next_count(self, ctx: "Ctx", rule_code: str, scope: str) -> int:
        """The next whole number of a counter."""


@dataclass(frozen=True)
class Published:
    """Whose change of the configuration is written: its author and reason; the actor publishes or restores it."""

    author_id: int | None = None
    reason: str = ""
    is_restored: bool = False
    is_second: bool = False  # somebody else than the author has published it


@dataclass
class Ctx:
    """One unit of work; verbs never commit, the edge does.

    `today` is the business date (系统营业日期), `now` the aware UTC moment read once at the edge.
    `source` says by which door the work came in (screen, rest, import, job, cli, demo) for the audit trail.
    `reason` is why the actor changes the configuration; `published` says where the change is another's (X15).
    """

    session: Session
    actor: Actor
    today: date
    now: datetime
    source: str = "screen"
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    reason: str = ""
    published: Published | None = None
    # Where many rows take their numbers from, and rows that are only tried take none.
    numbers: NumberSource | None = None

    def __post_init__(self) -> None:
        """The audit listener finds the actor through the session."""
        self.session.info["ctx"] = self

    def require(self, verb: str, resource: str, label: str = "") -> None:
        """Raise NotAllowed unless the actor holds the permission."""
        self.actor.require(verb, resource, label)
