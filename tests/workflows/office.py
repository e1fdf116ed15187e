"""Three people in two departments, for tests of the common verbs.

The rows are committed once into a module's own database, so that other connections see them too.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.base.actor import SYSTEM, Actor, ScopeLevel
from models.base.entity import entities
from models.system.organization import Department, Employee
from workflows.base import audit, versions
from workflows.base.context import Ctx
from workflows.base.transition import VERBS

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PEOPLE = {"甲": "业务一部", "乙": "业务一部", "丙": "业务二部"}
_OF_SCREENS = ("list", "show", "add", "edit", "delete")
EVERYTHING = frozenset(
    {(f"can_{verb}", str(model.__tablename__)) for model in entities() for verb in _OF_SCREENS}
    | {(f"can_{verb}", table) for table, verb in VERBS}
)


@dataclass
class Office:
    """Who is there; `ctx` lets one of them act."""

    people: dict[str, int]
    departments: dict[str, int]

    def actor(self, who: str = "甲", **facts: Any) -> Actor:
        home = self.departments[PEOPLE[who]]
        facts = {
            "scope": ScopeLevel.DEPARTMENT,
            "permissions": EVERYTHING,
            "ip": "10.0.0.8",
            **facts,
        }
        return Actor(
            employee_id=self.people[who],
            name=who,
            department_id=home,
            department_ids=frozenset({home}),
            **facts,
        )

    def ctx(
        self,
        session: Session,
        who: str = "甲",
        *,
        today: date = TODAY,
        now: datetime = NOW,
        **facts: Any,
    ) -> Ctx:
        return Ctx(session, self.actor(who, **facts), today, now, "screen")

    def system(self, session: Session, today: date = TODAY) -> Ctx:
        return Ctx(session, SYSTEM, today, NOW, "job")


def found(engine: Engine) -> Office:
    """Write the people into the database."""
    with Session(engine) as session:
        departments = {}
        for number, name in enumerate(sorted(set(PEOPLE.values())), 1):
            place = Department(code=f"YW{number}", name=name)
            session.add(place)
            session.flush()
            place.path = f"/{place.id}/"
            departments[name] = place.id
        people = {}
        for number, (name, place_name) in enumerate(PEOPLE.items(), 1):
            person = Employee(number=f"E{number}", name=name, department_id=departments[place_name])
            session.add(person)
            session.flush()
            people[name] = person.id
        session.commit()
    return Office(people, departments)


def audited(session: Session) -> Session:
    """The session with the listeners that the application's sessions have."""
    versions.install(session)
    audit.install(session)
    return session
