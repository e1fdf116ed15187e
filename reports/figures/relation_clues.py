"""What speaks for a relation between two customers that nobody has entered: the same controller, phone, name ... (3.3).

A clue compares one kind of fact with another: who holds shares in a company with who is a customer, say. It names what
agrees and never the number itself, which is personal data.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from models.customer import relation
from models.customer.customer import (
    CorporateCustomer,
    Customer,
    CustomerStatus,
    PersonalCustomer,
)
from models.customer.detail import Executive, FamilyMember, Shareholder
from models.customer.relation import CustomerRelation

# A value that more customers share (an agent's phone, an industrial park) says nothing of them.
SHARED_BY_MOST: Final = 10
PAIRS_MOST: Final = 2000  # of one clue at one go: the next night goes on
_NOTHING = literal(None)


class Clue(NamedTuple):
    """Facts of `first` are compared with facts of `second`; one with itself is mutual.

    Facts are (customer, value, share): whoever has the value of the first stands in the relation to the second.
    """

    kind: str
    words: str
    first: Any
    second: Any | None = None


def _facts(key: Any, fact: Any, share: Any = _NOTHING, *where: Any) -> Any:
    known = fact.is_not(None) & (func.length(fact) > 0)
    named = (key.label("key"), fact.label("fact"), share.label("share"))
    return select(*named).where(known, *where)


_people = PersonalCustomer.__table__.c
_companies = CorporateCustomer.__table__.c
_customers = Customer.__table__.c
_IDENTITY = _facts(_people.id, _people.id_number)
_CODE = _facts(_companies.id, _companies.uscc)
_CONTROLLER = _facts(_companies.id, _companies.actual_controller_id_number)
_LEGAL_PERSON = _facts(_companies.id, _companies.legal_person_id_number)
_EXECUTIVE = _facts(Executive.corporate_customer_id, Executive.id_number)
_FAMILY = _facts(FamilyMember.personal_customer_id, FamilyMember.id_number)
_HOLDER = _facts(Shareholder.corporate_customer_id, Shareholder.id_number, Shareholder.share_pct)
_MAIN_HOLDER = _facts(
    Shareholder.corporate_customer_id,
    Shareholder.id_number,
    Shareholder.share_pct,
    Shareholder.is_controller,
)
_PHONE = _facts(_customers.id, _customers.contact_phone)
_ADDRESS = union_all(
    _facts(_companies.id, _companies.registered_address), _facts(_customers.id, _customers.address)
)
# The telling ones first: of several about one pair the first gives its kind, all are named as evidence.
CLUES: Final = (
    Clue(relation.CONTROLLER, "实际控制人证件号码相同", _IDENTITY, _CONTROLLER),
    Clue(relation.CONTROL, "控股股东证件号码相同", _IDENTITY, _MAIN_HOLDER),
    Clue(relation.CONTROL, "控股股东信用代码相同", _CODE, _MAIN_HOLDER),
    Clue(relation.COMMON_CONTROLLER, "实际控制人相同", _CONTROLLER),
    Clue(relation.KINSHIP, "登记为家庭成员", _IDENTITY, _FAMILY),
    Clue(relation.SHARE, "股东证件号码相同", _IDENTITY, _HOLDER),
    Clue(relation.SHARE, "股东信用代码相同", _CODE, _HOLDER),
    Clue(relation.EXECUTIVE, "法定代表人证件号码相同", _IDENTITY, _LEGAL_PERSON),
    Clue(relation.EXECUTIVE, "高管证件号码相同", _IDENTITY, _EXECUTIVE),
    Clue(relation.COMMON_SHAREHOLDER, "有相同的股东", _HOLDER),
    Clue(relation.SUSPECTED, "联系电话相同", _PHONE),
    Clue(relation.SUSPECTED, "地址相同", _ADDRESS),
)
ALIKE: Final = "名称相近"


@dataclass
class Hint:
    """What speaks for a relation of two customers: its likely kind and direction, and everything that agrees."""

    a: int
    b: int
    kind: str
    share_pct: Decimal | None = None
    evidence: list[str] = field(default_factory=list)


def hints(session: Session, customer: Customer | None = None) -> list[Hint]:
    """Pairs of customers for whose relation something speaks: of one customer, or of all but by their names."""
    found: dict[frozenset[int], Hint] = {}
    for clue in CLUES:
        for a, b, share in session.execute(_pairs(clue, customer)):
            _add(found, Hint(a, b, clue.kind, share), clue.words)
    if customer is not None:
        for other in alike(session, customer):
            low, high = sorted((customer.id, other))
            _add(found, Hint(low, high, relation.SUSPECTED), ALIKE)
    return _of_the_living(session, list(found.values()))


def _add(found: dict[frozenset[int], Hint], hint: Hint, words: str) -> None:
    known = found.setdefault(frozenset((hint.a, hint.b)), hint)
    if words not in known.evidence:
        known.evidence.append(words)


def _pairs(clue: Clue, customer: Customer | None) -> Select[Any]:
    other = clue.first if clue.second is None else clue.second
    first, second = clue.first.subquery(), other.subquery()
    query = select(first.c.key, second.c.key, second.c.share)
    query = query.join(second, second.c.fact == first.c.fact)
    if clue.second is None:
        told = clue.first.subquery()
        shared = select(told.c.fact).group_by(told.c.fact)
        number = func.count(told.c.key.distinct())
        query = query.where(
            first.c.key < second.c.key,
            first.c.fact.in_(shared.having(number.between(2, SHARED_BY_MOST))),
        )
    if customer is not None:
        query = query.where(or_(first.c.key == customer.id, second.c.key == customer.id))
    query = query.where(first.c.key != second.c.key, ~_is_told(clue, first.c.key, second.c.key))
    return query.distinct().order_by(first.c.key, second.c.key).limit(PAIRS_MOST)


def _is_told(clue: Clue, a: Any, b: Any) -> ColumnElement[bool]:
    """Whether the pair was found before or stands as what the clue points to: what is new comes within the limit."""
    one = CustomerRelation
    pair = or_(
        and_(one.customer_id == a, one.to_customer_id == b),
        and_(one.customer_id == b, one.to_customer_id == a),
    )
    return exists().where(pair, or_(one.source == relation.FOUND, one.kind == clue.kind))


def _of_the_living(session: Session, found: Sequence[Hint]) -> list[Hint]:
    """Without those of customers who are merged."""
    keys = sorted({key for hint in found for key in (hint.a, hint.b)})
    merged: set[int] = set()
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        query = select(Customer.id).where(
            Customer.id.in_(part), Customer.status == CustomerStatus.MERGED
        )
        merged |= set(session.scalars(query))
    return [hint for hint in found if not merged & {hint.a, hint.b}]


_PLACE = re.compile(r"^(?:[^省]{2,3}省)?(?:[^市]{2,4}市)?(?:[^区县]{1,4}[区县])?")
_FORM = re.compile(r"(?:股份|有限|责任|合伙|企业|集团|控股|总|分|子|公司|（.*?）|\(.*?\))+$")
_CORE_LEAST, _NAMES_MOST = 2, 20


def core_of(name: str) -> str:
    """What tells a company's name from others: without the place before it and its legal form behind it."""
    short = _FORM.sub("", name.strip())
    core = _PLACE.sub("", short, count=1)
    return core if len(core) >= _CORE_LEAST else short


def alike(session: Session, customer: Customer) -> list[int]:
    """Companies whose names differ from this one's in place and legal form alone."""
    if not isinstance(customer, CorporateCustomer):
        return []
    core = core_of(customer.name)
    query = select(Customer.id, Customer.name).where(
        Customer.name.contains(core, autoescape=True),
        Customer.kind == customer.kind,
        Customer.id != customer.id,
    )
    rows = session.execute(query.order_by(Customer.id).limit(_NAMES_MOST))
    return [key for key, name in rows if core_of(name) == core]
