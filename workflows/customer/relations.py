"""3.3 关联关系: what must hold of one, and the system's own findings, which count once somebody confirms them."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import or_, select

from models.base.errors import BusinessError, FieldErrors
from models.customer import relation as kinds
from models.customer.customer import CorporateCustomer, Customer, CustomerStatus
from models.customer.relation import FOUND, MUTUAL, CustomerRelation, RelationState
from reports.base.scope import is_visible
from reports.figures import dictionaries, relation_clues, relations
from reports.figures.relation_clues import Hint
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.transition import Step, enter, move, steps, verbs

ROLES = ("客户经理", "业务部门经理", "风控专员", "风控总监")
STEPS = steps(
    Step(
        "customer_relation",
        "enter",
        "登记",
        column="state",
        sources=(RelationState.PROPOSED,),
        targets=(RelationState.CONFIRMED,),
        follows=True,
    ),
    Step(
        "customer_relation",
        "confirm",
        "确认关联",
        column="state",
        sources=(RelationState.PROPOSED, RelationState.REFUSED),
        targets=(RelationState.CONFIRMED,),
        roles=ROLES,
    ),
    Step(
        "customer_relation",
        "refuse",
        "不成立",
        column="state",
        sources=(RelationState.PROPOSED,),
        targets=(RelationState.REFUSED,),
        roles=ROLES,
    ),
)
ACTS = verbs("customer", {"find_relations": "排查关联关系"}, roles=ROLES)
REASON_MAX = 200
MOST = 500  # found at one go: the next night finds the rest
_PART = 500
_YOUNG, _YOUNG_MOST = timedelta(days=2), 200


@records.rule(CustomerRelation)
def check_relation(ctx: Ctx, relation: CustomerRelation, is_new: bool) -> None:
    """Nobody is related to themselves; a mutual tie is entered once; who saves it answers for it."""
    if relation.customer_id == relation.to_customer_id:
        raise FieldErrors({"to_customer_id": ["不能与客户自身建立关联关系"]})
    if relation.source == FOUND and relation.evidence is None:
        raise FieldErrors({"source": ["“系统发现”由排查填写，请选择其他来源"]})
    _check_dates(relation.valid_from, relation.valid_until)
    _refuse_twice(ctx, relation, relation.kind)
    if is_new:
        move(STEPS["enter"], relation)
    if relation.state is RelationState.CONFIRMED:
        _note_confirmed(ctx, relation)


def _check_dates(start: date | None, end: date | None) -> None:
    if start is not None and end is not None and end < start:
        raise FieldErrors({"valid_until": ["截止日期不能早于起始日期"]})


def _refuse_twice(ctx: Ctx, relation: CustomerRelation, kind: str) -> None:
    """A mutual tie stands from either side, and a pair has each kind once."""
    here, there = relation.customer_id, relation.to_customer_id
    sides = [(here, there), (there, here)] if kind in MUTUAL else [(here, there)]
    one = CustomerRelation
    query = select(one.state).where(
        one.kind == kind,
        or_(*((one.customer_id == a) & (one.to_customer_id == b) for a, b in sides)),
    )
    if relation.id is not None:
        query = query.where(one.id != relation.id)
    state = ctx.session.scalars(query.limit(1)).first()
    if state is not None:
        label = dictionaries.label(ctx.session, "relation_kind", kind)
        said = "已登记" if state is RelationState.CONFIRMED else f"已登记，{state.label}"
        raise FieldErrors({"to_customer_id": [f"两位客户之间的“{label}”关系{said}"]})


def _note_confirmed(ctx: Ctx, relation: CustomerRelation) -> None:
    relation.confirmed_by_id, relation.confirmed_on = ctx.actor.employee_id, ctx.today


def confirm(
    ctx: Ctx,
    relation: CustomerRelation,
    kind: str,
    *,
    share_pct: Decimal | None = None,
    valid_from: date | None = None,
    note: str | None = None,
    version: int | None = None,
) -> CustomerRelation:
    """Let a relation that the system has found count, of the kind that it turned out to be.

    Raises FieldErrors for a kind that is none or stands already.
    """
    step = STEPS["confirm"]
    enter(ctx, step, relation, version)
    if kind not in dict(dictionaries.items(ctx.session, "relation_kind")):
        raise FieldErrors({"kind": ["没有这个选项，请从列表中选择"]})
    if kind == kinds.SUSPECTED:
        raise FieldErrors({"kind": ["请选择查明的关系；查不明的暂不确认"]})
    _refuse_twice(ctx, relation, kind)
    _check_dates(valid_from, relation.valid_until)
    move(step, relation)
    relation.kind, relation.share_pct = kind, share_pct
    relation.valid_from, relation.note = valid_from, note
    _note_confirmed(ctx, relation)
    ctx.session.flush()
    return relation


def refuse(
    ctx: Ctx, relation: CustomerRelation, reason: str, version: int | None = None
) -> CustomerRelation:
    """Say of a relation that the system has found that there is none: it is not proposed again."""
    step = STEPS["refuse"]
    enter(ctx, step, relation, version)
    if not 0 < len(reason.strip()) <= REASON_MAX:
        raise BusinessError(f"请填写不成立的原因，不超过 {REASON_MAX} 字", field="reason")
    move(step, relation)
    _note_confirmed(ctx, relation)
    relation.note = reason.strip()
    ctx.session.flush()
    return relation


# ========================================================================================================= the search
def why_not_find(_: Ctx, customer: Customer) -> str:
    """A merged customer has no relations of its own; '' for any other."""
    return "客户已合并" if customer.status is CustomerStatus.MERGED else ""


def find(ctx: Ctx, customer: Customer, version: int | None = None) -> list[CustomerRelation]:
    """Look for relations of one customer that nobody has entered; those found wait to be confirmed."""
    enter(ctx, ACTS["find_relations"], customer, version)
    if why := why_not_find(ctx, customer):
        raise BusinessError(why)
    made = _propose(ctx, relation_clues.hints(ctx.session, customer))
    seen = sum(is_visible(ctx.session, ctx.actor, one) for one in made)
    hidden = (
        f"，其中 {len(made) - seen} 条涉及其他部门的客户，由风控确认" if seen < len(made) else ""
    )
    audit.log(ctx, customer, "FIND_RELATIONS", note=f"排查关联关系：新发现 {len(made)} 条{hidden}")
    return made


def find_all(ctx: Ctx) -> int:
    """What the day-end looks for: by numbers, phones and addresses among all, by name of those new; how many."""
    found = relation_clues.hints(ctx.session)
    young = select(CorporateCustomer).where(Customer.created_at >= ctx.now - _YOUNG)
    for customer in ctx.session.scalars(young.order_by(Customer.id.desc()).limit(_YOUNG_MOST)):
        for other in relation_clues.alike(ctx.session, customer):
            low, high = sorted((customer.id, other))
            hint = Hint(low, high, kinds.SUSPECTED, evidence=[relation_clues.ALIKE])
            found.append(hint)
    return len(_propose(ctx, found))


def _propose(ctx: Ctx, found: Iterable[Hint]) -> list[CustomerRelation]:
    made: list[CustomerRelation] = []
    for hint in _news(ctx, found):
        if len(made) == MOST:
            break
        made.append(
            CustomerRelation(
                customer_id=hint.a,
                to_customer_id=hint.b,
                kind=hint.kind,
                share_pct=hint.share_pct,
                source=FOUND,
                evidence="；".join(hint.evidence)[:300],
            )
        )
    ctx.session.add_all(made)
    ctx.session.flush()
    return made


def _news(ctx: Ctx, found: Iterable[Hint]) -> list[Hint]:
    """Hints at what nobody has entered or decided about: a pair is asked about once, and not once it is one group."""
    hints = {frozenset((hint.a, hint.b)): hint for hint in reversed(list(found))}
    keys = sorted({key for pair in hints for key in pair})
    binding = relations.group_kinds(ctx.session, ctx.today)
    known: set[frozenset[int]] = set()
    one = CustomerRelation
    for start in range(0, len(keys), _PART):
        part = keys[start : start + _PART]
        query = select(one.customer_id, one.to_customer_id, one.kind, one.source).where(
            one.customer_id.in_(part)
        )
        for a, b, kind, source in ctx.session.execute(query):
            hint = hints.get(pair := frozenset((a, b)))
            is_told = hint is not None and (source == FOUND or kind in {*binding, hint.kind})
            known |= {pair} if is_told else set()
    return sorted(
        (hint for pair, hint in hints.items() if pair not in known), key=lambda h: (h.a, h.b)
    )
