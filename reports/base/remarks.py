"""What people have left on a record: remarks, and what they asked a colleague to do about it (交办)."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import null, select, union_all
from sqlalchemy.orm import Session, aliased

from models.base.entity import Entity
from models.system.errand import Errand, ErrandState
from models.system.organization import Employee
from models.system.records import Comment


@dataclass(frozen=True)
class Remark:
    """One of them; of an errand also its number, whom it was given to until when, how it stands and its answer."""

    text: str
    by: str
    at: datetime
    errand_id: int | None = None
    doer: str = ""
    due_on: date | None = None
    state: ErrandState | None = None
    answer: str = ""

    @property
    def words(self) -> str:
        """The text; of an errand with whom it waits for, or what came of it."""
        if self.state is None:
            return self.text
        until = f"，{self.due_on} 前" if self.state is ErrandState.PENDING else ""
        answer = f"{self.state.label}{'：' if self.answer else ''}{self.answer}"
        return f"交办{self.doer}{until}：{self.text}（{answer}）"


def remarks_of(session: Session, record: Entity) -> list[Remark]:
    """All on one record, the latest first, in one question."""
    giver, doer = aliased(Employee), aliased(Employee)
    table, key = record.__tablename__, record.id
    given = (
        select(
            Errand.what.label("text"),
            giver.name.label("by"),
            Errand.created_at.label("at"),
            Errand.id.label("errand_id"),
            doer.name.label("doer"),
            Errand.due_on.label("due_on"),
            Errand.state.label("state"),
            Errand.answer.label("answer"),
            Errand.id.label("rank"),
        )
        .join(doer, doer.id == Errand.doer_id)
        .outerjoin(giver, giver.id == Errand.giver_id)
        .where(Errand.owner_table == table, Errand.owner_id == key)
    )
    said = (
        select(Comment.text, giver.name, Comment.created_at, *[null()] * 5, Comment.id)
        .outerjoin(giver, giver.id == Comment.created_by_id)
        .where(Comment.owner_table == table, Comment.owner_id == key)
    )
    both = union_all(given, said).subquery().c
    query = select(*both).order_by(both.at.desc(), both.rank.desc())
    return [
        Remark(
            row.text,
            row.by or "系统",
            row.at,
            row.errand_id,
            row.doer or "",
            row.due_on,
            row.state,
            row.answer or "",
        )
        for row in session.execute(query)
    ]
