"""Run in a process of its own: models with two more tables, a migration generated for them, upgraded and compared.

`python -m tests.structure.new_entity <migrations> <data> <URL to generate on, maybe empty> <further URLs>`
"""

import sys
from pathlib import Path
from typing import Any

import flask_migrate
from sqlalchemy import CheckConstraint, inspect
from sqlalchemy.orm import Mapped

from app import create_app
from app.extensions import bind_migrations, db
from models import schema
from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Module, SpecKind
from models.base.paper import PaperState
from models.guarantee.project import Project
from models.registry import metadata
from tests.template import settings_of


class SiteVisit(Entity):
    """A paper as they usually are: owned by a project, numbered, with a state, money and people."""

    spec = Spec(
        "回访", Module.GUARANTEE, SpecKind.DOCUMENT, scope=Scope(through="project"), state="state"
    )
    __table_args__: Any = (CheckConstraint("cost >= 0", name="ck_site_visit_cost"),)
    project_id = c.owned_by("担保项目", "project")
    number = c.text("编号", 30, required=True, unique=True)
    cost = c.money("费用", required=True)
    visited_on = c.day("日期", required=True)
    visitor_id = c.reference("回访人", "employee")
    last_note_id = c.reference("最近记录", "site_visit_note", use_alter=True)
    state = c.state("状态", PaperState, PaperState.DRAFT)
    project: Mapped[Project] = c.related(project_id)


class SiteVisitNote(Entity):
    """Each of the two tables knows the other."""

    spec = Spec("回访记录", Module.GUARANTEE, scope=Scope(through="site_visit"), in_menu=False)
    site_visit_id = c.owned_by("回访", "site_visit")
    said = c.text("记录", 200)
    site_visit: Mapped[SiteVisit] = c.related(site_visit_id)


WANTED = {
    "site_visit": {"project_id", "visitor_id", "last_note_id", "created_by_id"},
    "site_visit_note": {"site_visit_id", "created_by_id"},
}


def _wrong() -> list[str]:
    """What the migrated database lacks."""
    with db.engine.connect() as connection:
        left = schema.differences(schema.facts_of(connection), metadata, connection.dialect)
        found = [schema.summary(left)] if left else []
        for table, columns in WANTED.items():
            keys = inspect(connection).get_foreign_keys(table)
            if {name for key in keys for name in key["constrained_columns"]} != columns:
                found.append(f"{table} has the keys {keys}")
    return found


def main(migrations: str, data: str, *urls: str) -> None:
    """Generate on the first database; upgrade, compare and go back on each."""
    for number, url in enumerate(urls):
        app = create_app(settings_of(url, Path(data)))
        bind_migrations(app)
        with app.app_context():
            if number == 0:
                flask_migrate.upgrade(directory=migrations)
                flask_migrate.migrate(directory=migrations, message="site visits", rev_id="9999")
            flask_migrate.upgrade(directory=migrations)
            if wrong := _wrong():
                sys.exit("\n".join(wrong))
            flask_migrate.downgrade(directory=migrations)
            db.session.remove()
            db.engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
