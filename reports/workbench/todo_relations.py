"""Relations that the system has found and nobody has confirmed: for the manager of the customer, or for risk (3.3)."""

from datetime import date

from sqlalchemy import ColumnElement, literal, null, select
from sqlalchemy.orm import aliased

from models.base.actor import Actor, ScopeLevel
from models.customer.customer import Customer
from models.customer.relation import CustomerRelation, RelationState
from reports.workbench.todo_source import Rows, Source, TodoKind

_OTHER = aliased(Customer, flat=True)


def _found(_: date) -> Rows:
    one = CustomerRelation
    return (
        select(
            one.id,
            Customer.name + " · " + _OTHER.name,
            one.evidence,
            null(),
            literal("系统"),
            one.created_at,
        )
        .join(Customer, Customer.id == one.customer_id)
        .join(_OTHER, _OTHER.id == one.to_customer_id)
        .where(one.state == RelationState.PROPOSED)
        .order_by(one.id)
    )


def _across(today: date) -> Rows:
    """Of customers of two departments: neither manager can read both."""
    return _found(today).where(Customer.department_id.is_distinct_from(_OTHER.department_id))


def _reads_all(actor: Actor) -> ColumnElement[bool]:
    return literal(actor.scope is ScopeLevel.ALL)


RELATIONS: tuple[Source, ...] = (
    Source(
        TodoKind.RELATION,
        CustomerRelation,
        ("confirm", "customer_relation"),
        rows=_found,
        holder=Customer.manager_id,
        is_scoped=True,
        numbered=CustomerRelation.evidence,
    ),
    Source(
        TodoKind.RELATION,
        CustomerRelation,
        ("confirm", "customer_relation"),
        rows=_across,
        reach=_reads_all,
        is_scoped=True,
        numbered=CustomerRelation.evidence,
    ),
)
