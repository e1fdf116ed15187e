"""The demo's director: who acts, on which business day, at what time; each scene is one committed unit of work."""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from app.security import actor_of_username
from models.base.actor import SYSTEM, Actor
from models.base.entity import Entity
from workflows.base.context import Ctx

T = TypeVar("T")
E = TypeVar("E", bound=Entity)
# Working hours in UTC: 01:10 is 9:10 in Shanghai.
_MORNING = time(1, 10)


@dataclass
class Stage:
    """Keeps the calendar and the cast of the demonstration."""

    session: Session
    random: random.Random
    as_of: date
    today: date
    minute: int = 0
    actors: dict[str, Actor] = field(default_factory=dict)
    say: Callable[[str], None] = lambda _: None

    def ctx(self, who: str = "") -> Ctx:
        """A unit of work of a person (sign-in name), or of the system, some minutes after the last one."""
        self.minute += 1
        now = datetime.combine(self.today, _MORNING, UTC) + timedelta(minutes=self.minute % 500)
        return Ctx(
            session=self.session, actor=self.actor(who), today=self.today, now=now, source="demo"
        )

    def ctx_of_day(self, on: date) -> Ctx:
        """The system's own unit of work on a business day, late at night (17:00 UTC is one o'clock in Shanghai)."""
        now = datetime.combine(on, time(17, 0), UTC)
        return Ctx(session=self.session, actor=SYSTEM, today=on, now=now, source="job")

    def actor(self, who: str) -> Actor:
        """The actor of a sign-in name with the very rights of that person."""
        if not who:
            return SYSTEM
        if who not in self.actors:
            self.actors[who] = actor_of_username(self.session, who)
        return self.actors[who]

    def pick(self, items: list[T]) -> T:
        """One of them, by the demo's own seed."""
        return self.random.choice(items)

    def run(self, scenes: list[tuple[date, Iterator[int]]], night: Callable[[date], None]) -> None:
        """Play all stories side by side by date; a scene yields how many days pass until its next part.

        `night` is called with each new day before anything happens on it.
        """
        queue = [(start, order, scene) for order, (start, scene) in enumerate(scenes)]
        heapq.heapify(queue)
        while queue:
            day, order, scene = heapq.heappop(queue)
            if day > self.as_of:
                continue  # what has not happened yet by the demo's date stays open
            if day > self.today:
                self.today = day
                night(day)
            wait = next(scene, None)
            if wait is not None:
                heapq.heappush(queue, (workday(day + timedelta(days=wait)), order, scene))


def workday(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=(7 - day.weekday()) if day.weekday() >= 5 else 0)


Values = dict[str, Any]
