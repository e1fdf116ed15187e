"""Canaries: a word in every text that belongs to one department, by which it is known wherever it comes to light.

Whose a row is follows from the references of the tables here, not from the product's own answer to that question.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, String, Table, inspect, select, text, update
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalInstance, ApprovalTask
from models.base.entity import Entity, columns_of, entities, entity_of, owner_of
from models.base.fields import facts_of
from models.base.kinds import SpecKind
from models.customer.customer import Customer
from models.customer.partner import JointGroup
from models.guarantee.project import Project
from models.guarantee.resolution import MeetingItem, MeetingMember, ReviewMeeting
from models.system.organization import Department, Employee, Operator
from models.system.records import Attachment, Comment
from reports.base import search

WORD = "金丝雀"
# table, whether it is what others call the record, row
SEEN = re.compile(rf"{WORD}(\d+)([tx])(\d+)")
# Texts that programs read: their own words, addresses of files, digests.
_OF_PROGRAMS = {
    "owner_table",
    "table_name",
    "record_table",
    "stored_path",
    "pdf_path",
    "sha256",
    "action",
    "source",
    "ip",
    "template_code",
    "role_name",
    "detected_type",
    "uscc",
    "id_number",
    "masked_of",
}
# What a department has of its own, and who is named on it.
_ROOTS: dict[type[Any], tuple[str, ...]] = {
    Project: ("manager_id", "assistant_id", "risk_officer_id", "legal_officer_id"),
    Customer: ("manager_id",),
    JointGroup: ("manager_id",),
}
_KINDS = {"text", "long_text"}
# Of the whole company: read by right, by nobody for the department.
BOOKS = ("voucher", "voucher_entry", "month_end_log")
_NESTED = {("issued_document", "data"), ("audit_log", "changes")}


@dataclass
class Foreign:
    """Rows of one department that some readers must not see, by table."""

    ids: dict[str, set[int]] = field(default_factory=dict)

    def add(self, table: str, found: set[int]) -> bool:
        """Remember more rows; whether any was new."""
        before = len(self.ids.get(table, ()))
        self.ids.setdefault(table, set()).update(found)
        return len(self.ids[table]) > before

    def of(self, table: str) -> list[int]:
        """The rows of a table, the latest first."""
        return sorted(self.ids.get(table, ()), reverse=True)


def people_of(session: Session, usernames: Sequence[str]) -> tuple[set[int], set[int]]:
    """(employees, departments with those below) of some accounts."""
    people = session.scalars(
        select(Employee)
        .join(Operator, Operator.employee_id == Employee.id)
        .where(Operator.username.in_(usernames))
    ).all()
    own = {person.department_id for person in people}
    paths = session.execute(select(Department.id, Department.path)).all()
    below = {key for key, path in paths if own & {int(part) for part in path.split("/") if part}}
    return {person.id for person in people}, own | below


def foreign_rows(session: Session, usernames: Sequence[str]) -> Foreign:
    """What belongs to other departments than those of these accounts, and to nobody who is named on it or was asked."""
    people, departments = people_of(session, usernames)
    found = Foreign()
    asked = set(session.execute(_asked_about(people)).all())
    for model, members in _ROOTS.items():
        rows = session.execute(
            select(model.id, model.department_id, *(getattr(model, name) for name in members))
        ).all()
        theirs = {row[0] for row in rows if row[1] not in departments and not people & set(row[2:])}
        tables = {mapper.local_table.name for mapper in inspect(model).self_and_descendants}
        theirs -= {
            key for table, key, project in asked for key in ((key,) if table in tables else ())
        }
        theirs -= {project for _, _, project in asked if model is Project}
        for table in sorted(tables):
            keys = set(session.scalars(select(inspect(entity_of(table)).local_table.c.id)))
            found.add(table, theirs & keys)
    _spread(session, found, people)
    for model in (entity_of(table) for table in BOOKS):
        found.add(str(model.__tablename__), set(session.scalars(select(model.id))))
    return found


def _asked_about(people: set[int]) -> Any:
    query = select(
        ApprovalInstance.table_name, ApprovalInstance.record_id, ApprovalInstance.project_id
    )
    return query.join(ApprovalTask, ApprovalTask.instance_id == ApprovalInstance.id).where(
        ApprovalTask.assignee_id.in_(people)
    )


def _spread(session: Session, found: Foreign, people: set[int]) -> None:
    """Follow what is part of these rows, or hangs on them, until nothing more is found."""
    grows = True
    while grows:
        followed = [
            found.add(str(model.__tablename__), set(_belonging(session, model, found, people)))
            for model in entities()
        ]
        mixed = select(MeetingItem.meeting_id).where(
            MeetingItem.id.not_in(found.ids["meeting_item"])
        )
        called = select(MeetingMember.meeting_id).where(MeetingMember.employee_id.in_(people))
        meetings = select(ReviewMeeting.id).where(
            ReviewMeeting.id.not_in(mixed), ReviewMeeting.id.not_in(called)
        )
        meetings = meetings.where(
            ReviewMeeting.chair_id.not_in(people), ReviewMeeting.secretary_id.not_in(people)
        )
        followed.append(found.add("review_meeting", set(session.scalars(meetings))))
        grows = any(followed)


def _belonging(
    session: Session, model: type[Entity], found: Foreign, people: set[int]
) -> Iterator[int]:
    """Rows that are part of a foreign row, or hang on one, by the columns of the table: never by its Spec."""
    columns = columns_of(model)
    for pair in (("owner_table", "owner_id"), ("table_name", "record_id")):
        if set(pair) <= columns.keys():
            query = select(model.id, *(getattr(model, name) for name in pair))
            query = (
                query
                if model is not ApprovalInstance
                else query.where(ApprovalInstance.applicant_id.not_in(people))
            )
            yield from (
                row[0] for row in session.execute(query) if row[2] in found.ids.get(row[1], ())
            )
            return
    owner = owner_of(model)
    links = ["project_id", *([f"{owner[0]}_id"] if owner else []), "customer_id"]
    link = next(
        (columns[name] for name in links if name in columns and facts_of(columns[name]).target),
        None,
    )
    if link is not None and model not in _ROOTS:
        keys = found.ids.get(facts_of(link).target, set())
        yield from (row[0] for row in session.execute(select(model.id, link)) if row[1] in keys)


# =========================================================================================================== planting
def plant(session: Session, found: Foreign) -> dict[str, list[str]]:
    """Write the word into every text of these rows; returns the tables by number with the columns written."""
    _hang(session, found)
    planted: dict[str, list[str]] = {}
    for number, model in enumerate(entities()):
        names = list(texts_of(model))
        keys = found.of(str(model.__tablename__))
        for name in names:
            _write(session, model, name, keys, number)
        if names and keys:
            planted[str(number)] = [str(model.__tablename__), *names]
    session.commit()
    search.reindex(session)
    session.commit()
    return planted


def texts_of(model: type[Entity]) -> Iterator[str]:
    for name, column in columns_of(model).items():
        if (model.__tablename__, name) in _NESTED:
            yield name
        elif name in _OF_PROGRAMS or facts_of(column).kind not in _KINDS or facts_of(column).mask:
            continue
        elif isinstance(column.type, String) and (
            column.type.length is None or column.type.length >= 16
        ):
            yield name


def _write(session: Session, model: type[Entity], name: str, keys: list[int], number: int) -> None:
    column = columns_of(model)[name]
    table: Table = column.table  # type: ignore[assignment]
    mark = "t" if name in (model.spec.title, "number", "name") else "x"
    for key in keys:
        word: Any = f"{WORD}{number}{mark}{key}"
        if (model.__tablename__, name) in _NESTED:
            word = {"note": [None, word]} if name == "changes" else {"note": word}
        written = update(table).where(table.c.id == key)
        # a reason for what has not happened is refused by the table
        if model.__tablename__ in BOOKS:
            written = written.where(table.c[column.name].is_not(None))
        session.execute(written.values({column.name: word}))


def _hang(session: Session, found: Foreign) -> None:
    """A file and a remark on one row of every table that has a page, for the demonstration hangs few."""
    sample = session.scalars(select(Attachment).order_by(Attachment.id)).first()
    assert sample is not None
    for model in entities():
        table = str(model.__tablename__)
        keys = found.of(table)
        if not keys or not model.spec.kind.has_screen or model.spec.kind is SpecKind.LOG:
            continue
        file = Attachment(
            owner_table=table,
            owner_id=keys[0],
            original_name="x.pdf",
            sha256=sample.sha256,
            note="x",
            detected_type=sample.detected_type,
            size_bytes=sample.size_bytes,
            stored_path=sample.stored_path,
            uploaded_at=sample.uploaded_at,
        )
        remark = Comment(owner_table=table, owner_id=keys[0], text="x")
        session.add_all([file, remark])
        session.flush()
        found.add("attachment", {file.id})
        found.add("comment", {remark.id})


def owners(session: Session, found: Foreign) -> dict[tuple[str, int], str]:
    """(table, row) -> the table whose right opens it, for what hangs on a record."""
    opened: dict[tuple[str, int], str] = {}
    for table in found.ids:
        columns = inspect(entity_of(table)).local_table.c
        name = next((name for name in ("owner_table", "table_name") if name in columns), None)
        if name is not None:
            opened |= {
                (table, key): of
                for key, of in session.execute(select(columns.id, columns[name]))
                if of
            }
    tasks = session.execute(
        select(ApprovalTask.id, ApprovalInstance.table_name).join(ApprovalTask.instance)
    )
    return opened | {("approval_task", key): of for key, of in tasks}


def drop_guards(engine: Engine) -> None:
    """Let what the product never changes be changed: this copy is for looking at alone."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            query = "SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal"
            for table, name in connection.execute(text(query)).all():
                connection.execute(text(f'ALTER TABLE {table} DISABLE TRIGGER "{name}"'))
            return
        names = connection.scalars(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).all()
        for name in (name for name in names if not name.startswith("search")):
            connection.execute(text(f'DROP TRIGGER "{name}"'))
