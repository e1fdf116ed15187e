"""Papers of a project that wait for who puts them up or hands them in again, as each kind says of itself, or acts."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, literal, literal_column, select

from models.after import compensation
from models.after.compensation import Compensation
from models.base.entity import entities
from models.base.paper import PaperState, SentBack
from models.customer.customer import Customer
from models.guarantee.loan_change import LoanChange, unpaid
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Project
from reports.workbench.todo_source import Rows, Source, TodoKind

# Not by the index of managers: somebody has thousands of projects and a few papers that came back.
_MANAGER: Any = Project.manager_id + literal_column("0")


def paper_sources() -> Iterator[Source]:
    """Of each kind of paper its drafts, and what 复核 sent back, as a draft or approved; then what is paid early."""
    for model in entities():
        if not issubclass(model, ProjectPaper) or model.is_step:
            continue
        new = [model.state == PaperState.DRAFT]
        if issubclass(model, SentBack):
            kept = PaperState.DRAFT if model.again == "submit" else PaperState.APPROVED
            is_back = model.returned_reason.is_not(None)
            new.append(~is_back)
            back = model.state == kept, is_back
            yield _source(TodoKind.RETURNED, model, model.again, *back, by_manager=model.by_manager)
        yield _source(TodoKind.UNSENT, model, "submit", *new, by_manager=True)
    yield _source(TodoKind.PREPAY, LoanChange, "pay", *unpaid(), by_manager=True)
    yield _source(
        TodoKind.COMPENSATE, Compensation, "pay", *compensation.unpaid(), by_manager=False
    )


def _source(
    kind: TodoKind, model: Any, verb: str, *where: ColumnElement[bool], by_manager: bool
) -> Source:
    holder = _MANAGER if by_manager else None
    return Source(
        kind,
        model,
        (verb, str(model.__tablename__)),
        rows=_papers(model, "" if kind is TodoKind.PREPAY else model.spec.label, *where),
        of_project=lambda pk: model.project_id == pk,
        holder=holder,
        is_scoped=not by_manager,
        numbered=model.number,
    )


def _papers(model: Any, label: str, *where: ColumnElement[bool]) -> Callable[[date], Rows]:
    return lambda _: (
        select(
            model.id,
            Customer.name,
            model.number,
            Project.amount,
            literal(label),
            Project.stage_since,
        )
        .join(Project, Project.id == model.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .where(*where)
        .order_by(model.id)
    )
