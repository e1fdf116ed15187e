"""How complete a customer's file is, and what is missing (3.1, 10.2; the items and weights are the users')."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from models.base.entity import columns_of, entity_of, owner_of, parts_of
from models.customer.customer import Customer
from models.customer.detail import Shop
from models.customer.rating_model import CompletenessItem

# A person without a shop lacks nothing; one with a shop must say where it is and under which licence it runs.
_ONLY_WHERE_THERE_IS_ONE = {"shop": ("address", "licence_no")}


@dataclass(frozen=True)
class Standing:
    """How far a file is: what is filled in, at how much of it a rating may begin, and the items that are missing."""

    percent: int
    rated_from: int  # the share of the items marked 评级必备, which come before a rating
    missing: list[CompletenessItem]

    @property
    def is_ratable(self) -> bool:
        """Whether nothing is missing that a rating needs."""
        return not any(item.is_required for item in self.missing)


def standing(session: Session, customer: Customer) -> Standing:
    """Where a customer's file stands between empty and complete."""
    found = _items(session, customer)
    total = sum(item.weight for item, _ in found) or 1
    needed = sum(item.weight for item, _ in found if item.is_required)
    percent, _ = completeness(session, customer)
    return Standing(
        percent, needed * 100 // total, [item for item, is_filled in found if not is_filled]
    )


def completeness(session: Session, customer: Customer) -> tuple[int, list[str]]:
    """Percent of the weights that are filled in (rounded down), and the labels of what is missing."""
    found = _items(session, customer)
    total = sum(item.weight for item, _ in found)
    filled = sum(item.weight for item, is_filled in found if is_filled)
    return (100 if total == 0 else filled * 100 // total), [
        item.label for item, is_filled in found if not is_filled
    ]


def missing_for_rating(session: Session, customer: Customer) -> list[str]:
    """Labels of the items marked 评级必备 that are still missing: 基本信息 and 经济档案 come before a rating."""
    return [
        item.label
        for item, is_filled in _items(session, customer)
        if item.is_required and not is_filled
    ]


def first_missing(session: Session, customer: Customer) -> str:
    """The field or tab of the first item marked 评级必备 that is missing; empty when none is."""
    missing = (
        item.source
        for item, is_filled in _items(session, customer)
        if item.is_required and not is_filled
    )
    return next(missing, "")


def _items(session: Session, customer: Customer) -> list[tuple[CompletenessItem, bool]]:
    query = (
        select(CompletenessItem)
        .where(CompletenessItem.customer_kind == customer.kind)
        .order_by(CompletenessItem.rank, CompletenessItem.id)
    )
    items = session.scalars(query).all()
    tabs = _filled_tabs(session, customer, [item.source for item in items])
    found = []
    for item in items:
        is_filled = tabs.get(item.source)
        if item.source in columns_of(type(customer)):
            is_filled = getattr(customer, item.source) not in (None, "")
        if is_filled is not None:  # it concerns this customer
            found.append((item, is_filled))
    return found


def _filled_tabs(
    session: Session, customer: Customer, sources: list[str]
) -> dict[str, bool | None]:
    """Whether each of these tabs has rows, asked at once; None for a tab that does not concern this customer."""
    found: dict[str, bool | None] = {}
    asked: dict[str, ColumnElement[bool]] = {}
    for source in dict.fromkeys(sources):
        if source not in parts_of(type(customer)):
            continue
        if source in _ONLY_WHERE_THERE_IS_ONE:
            found[source] = _are_shops_filled(session, customer)
        elif owner := owner_of(model := entity_of(source)):
            asked[source] = exists().where(getattr(model, f"{owner[0]}_id") == customer.id)
    if asked:
        answers = session.execute(select(*asked.values())).one()
        found |= {source: bool(answer) for source, answer in zip(asked, answers, strict=True)}
    return found


def _are_shops_filled(session: Session, customer: Customer) -> bool | None:
    shops = session.scalars(select(Shop).where(Shop.personal_customer_id == customer.id)).all()
    if not shops:
        return None
    return all(getattr(shop, name) for shop in shops for name in _ONLY_WHERE_THERE_IS_ONE["shop"])
