"""10.2 客户合并: what points to one customer goes over to another, by an approved paper, and back within the day.

What goes over is found from the model (reports/figures/customer_places). The merged customer stays as a tombstone:
posted entries, issued documents and the trail keep naming it.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.entity import Entity, entity_of
from models.base.errors import BusinessError, Conflict
from models.base.money import format_money
from models.base.paper import OPEN_PAPERS, PaperState
from models.customer.customer import Customer, CustomerStatus
from models.customer.merge import CustomerMerge
from models.customer.relation import CustomerRelation
from models.guarantee.project import Project
from models.ledger.account import Account, AuxiliaryBalance
from models.ledger.voucher import (
    BusinessEvent,
    EventState,
    Voucher,
    VoucherEntry,
    VoucherState,
)
from reports.figures import customer_places, relations
from reports.figures.custom_fields import fields_now
from workflows.approval import approval
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import conclude, outcome_of
from workflows.base.transition import Step, enter, move, steps, verbs
from workflows.customer.customer import show_on_customer

ROLES = ("客户经理", "业务部门经理")
STEPS = steps(
    Step(
        "customer_merge",
        "ask_again",
        "再次提交",
        column="state",
        sources=(PaperState.DRAFT,),
        targets=(PaperState.IN_APPROVAL,),
        roles=ROLES,
    ),
    outcome_of("customer_merge"),
    Step(
        "customer_merge",
        "drop",
        "放弃",
        column="state",
        sources=(PaperState.DRAFT,),
        targets=(PaperState.VOID,),
        roles=ROLES,
    ),
    Step(
        "customer_merge",
        "undo",
        "撤销合并",
        column="state",
        sources=(PaperState.APPROVED,),
        targets=(PaperState.VOID,),
        roles=("业务部门经理", "风控总监"),
    ),
)
ACTS = verbs("customer", {"merge": "申请合并到其他客户"}, roles=ROLES)
_TURN = steps(
    Step(
        "customer",
        "become_merged",
        "合并",
        column="status",
        sources=(CustomerStatus.ACTIVE, CustomerStatus.CLOSED),
        targets=(CustomerStatus.MERGED,),
        follows=True,
    ),
    Step(
        "customer",
        "become_own",
        "撤销合并",
        column="status",
        sources=(CustomerStatus.MERGED,),
        targets=(CustomerStatus.ACTIVE, CustomerStatus.CLOSED),
        follows=True,
    ),
)
REASON_MAX = 200


# =========================================================================================================== may it be
def obstacles(ctx: Ctx, merged: Customer, kept: Customer) -> list[str]:
    """Everything that stands in the way of merging one customer into another, in words."""
    if merged.id == kept.id:
        return ["不能与自身合并"]
    found = []
    if merged.kind is not kept.kind:
        found.append(f"{merged.kind.label}不能并入{kept.kind.label}")
    if merged.status is CustomerStatus.MERGED:
        found.append(f"客户“{merged}”已合并")
    if kept.status is not CustomerStatus.ACTIVE:
        found.append(f"保留的客户“{kept}”{kept.status.label}")
    if found:
        return found
    return [
        *_in_the_books(ctx, merged),
        *_in_approval(ctx, merged),
        *_between(ctx, merged, kept),
        *(
            f"两位客户都有{one}，请先保留其中之一"
            for one in customer_places.clashes(ctx.session, merged, kept)
        ),
    ]


def _in_the_books(ctx: Ctx, merged: Customer) -> list[str]:
    """What is on its way into the books, and balances that later entries of the other one would never meet."""
    found = []
    event = select(BusinessEvent.number).where(
        BusinessEvent.customer_id == merged.id, BusinessEvent.state == EventState.PENDING
    )
    if number := ctx.session.scalar(event.order_by(BusinessEvent.id).limit(1)):
        found.append(f"复核管理中有待记账的事项 {number}")
    going = (VoucherState.DRAFT, VoucherState.REVIEWED, VoucherState.SIGNED)
    voucher = (
        select(Voucher.code)
        .join(VoucherEntry, VoucherEntry.voucher_id == Voucher.id)
        .where(VoucherEntry.customer_id == merged.id, Voucher.state.in_(going))
    )
    if code := ctx.session.scalar(voucher.order_by(Voucher.id).limit(1)):
        found.append(f"凭证 {code} 的分录记在该客户名下，尚未记账")
    side = func.sum(AuxiliaryBalance.debit - AuxiliaryBalance.credit)
    balances = (
        select(Account.code, Account.name, side)
        .join(Account, Account.id == AuxiliaryBalance.account_id)
        .where(AuxiliaryBalance.customer_id == merged.id, Account.needs_customer)
        .group_by(Account.code, Account.name)
        .having(side != 0)
    )
    rows = ctx.session.execute(balances.order_by(Account.code))
    if left := [f"{code} {name} {format_money(abs(amount))} 元" for code, name, amount in rows]:
        found.append(
            f"该客户名下还有已记账的余额（{'、'.join(left)}），已记账的分录不能改名，"
            "请结清后再合并，或改为把另一位客户并入它"
        )
    return found


def _in_approval(ctx: Ctx, merged: Customer) -> list[str]:
    """Approvals that run on what would go over: they decide about the customer as it is."""
    session = ctx.session
    one = ApprovalInstance
    about: list[ColumnElement[bool]] = [
        one.project_id.in_(select(Project.id).where(Project.customer_id == merged.id))
    ]
    for place, _ in customer_places.counts(session, merged.id):
        rows = select(place.model.id).where(place.points_to(merged.id))
        about.append((one.table_name == str(place.model.__tablename__)) & one.record_id.in_(rows))
    query = select(one.title).where(one.state == ApprovalState.RUNNING, or_(*about))
    title = session.scalar(query.order_by(one.id).limit(1))
    return [f"审批单“{title}”正在办理"] if title else []


def _between(ctx: Ctx, merged: Customer, kept: Customer) -> list[str]:
    """A relation of the two with each other would become one of a customer with itself."""
    one, two = CustomerRelation.customer_id, CustomerRelation.to_customer_id
    pair = ((one == merged.id) & (two == kept.id)) | ((one == kept.id) & (two == merged.id))
    query = select(CustomerRelation.id).where(pair)
    is_tied = ctx.session.scalar(query.limit(1)) is not None
    return ["两位客户之间登记了关联关系，请先删除"] if is_tied else []


# ============================================================================================================== asking
def merge(
    ctx: Ctx, merged: Customer, merged_into_id: int, reason: str, version: int | None = None
) -> CustomerMerge:
    """Ask for a customer to be merged into another. Raises Conflict naming everything that stands in the way."""
    enter(ctx, ACTS["merge"], merged, version)
    kept = records.find(ctx, Customer, merged_into_id)
    words = reason.strip()
    if not 0 < len(words) <= REASON_MAX:
        raise BusinessError(f"请填写合并的原因，不超过 {REASON_MAX} 字", field="reason")
    merged, kept = _held(ctx, merged.id, kept.id)
    _refuse(ctx, merged, kept)
    going = select(CustomerMerge.number).where(
        or_(
            CustomerMerge.merged_id.in_((merged.id, kept.id)),
            CustomerMerge.kept_id == merged.id,
        ),
        CustomerMerge.state.in_(OPEN_PAPERS),
    )
    if number := ctx.session.scalar(going.limit(1)):
        raise Conflict(f"客户合并 {number} 尚未办结，不能重复申请")
    paper = CustomerMerge(
        number=next_number(ctx, "customer_merge"),
        merged=merged,
        kept=kept,
        reason=words,
        moved=[],
        handler_id=ctx.actor.employee_id,
        department_id=ctx.actor.department_id,
        state=PaperState.DRAFT,
    )
    ctx.session.add(paper)
    ctx.session.flush()
    _put_up(ctx, paper)
    return paper


def _refuse(ctx: Ctx, merged: Customer, kept: Customer, ending: str = "") -> None:
    if found := obstacles(ctx, merged, kept):
        raise Conflict(f"不能合并：{'；'.join(found)}{ending}", field="merged_into_id")


def _put_up(ctx: Ctx, paper: CustomerMerge) -> ApprovalInstance:
    move(STEPS["ask_again"], paper)
    return approval.start(
        ctx,
        "customer_merge",
        paper,
        title=f"客户合并：{paper.merged} 并入 {paper.kept}",
        amount=None,
        customer_kind=paper.merged.kind.name,
        department_id=paper.department_id,
    )


def ask_again(ctx: Ctx, paper: CustomerMerge, version: int | None = None) -> ApprovalInstance:
    """Put up once more what was sent back."""
    enter(ctx, STEPS["ask_again"], paper, version)
    _refuse(ctx, paper.merged, paper.kept)
    return _put_up(ctx, paper)


def drop(ctx: Ctx, paper: CustomerMerge, version: int | None = None) -> CustomerMerge:
    """Give up what was sent back: nothing has happened."""
    enter(ctx, STEPS["drop"], paper, version)
    move(STEPS["drop"], paper)
    ctx.session.flush()
    return paper


# =============================================================================================================== doing
@approval.on_finish("customer_merge")
def decided(
    ctx: Ctx, instance: ApprovalInstance, paper: CustomerMerge, outcome: ApprovalState
) -> None:
    """Approved, everything goes over at once; refused or sent back, nothing has happened."""
    del instance
    if outcome is not ApprovalState.APPROVED:
        conclude(paper, outcome)
        return
    merged, kept = _held(ctx, paper.merged_id, paper.kept_id)
    _refuse(ctx, merged, kept, "；请退回经办人")
    paper.moved = _go_over(ctx, merged, kept)
    paper.was_status, paper.done_on = merged.status.name, ctx.today
    conclude(paper, outcome)
    move(_TURN["become_merged"], merged)
    merged.merged_into_id = kept.id
    ctx.session.flush()
    _note(ctx, merged, f"{paper.number}：并入 {kept.number} {kept.name}（{paper.reason}）")
    _note(ctx, kept, f"{paper.number}：{merged.number} {merged.name} 并入本客户（{paper.reason}）")
    for one in (merged, kept):
        show_on_customer(ctx, one)


def _held(ctx: Ctx, merged_id: int, kept_id: int) -> tuple[Customer, Customer]:
    """Both customers, locked in order: of two merges that cross only one finds them as they were."""
    keys = sorted((merged_id, kept_id))
    query = select(Customer).where(Customer.id.in_(keys)).order_by(Customer.id)
    query = query.with_for_update(of=Customer).execution_options(populate_existing=True)
    found = {one.id: one for one in ctx.session.scalars(query)}
    return found[merged_id], found[kept_id]


def _note(ctx: Ctx, customer: Customer, words: str) -> None:
    audit.log(ctx, customer, "MERGE", note=f"客户合并 {words}"[:500])


def _go_over(ctx: Ctx, merged: Customer, kept: Customer) -> list[list[Any]]:
    """Let every row that points to one customer point to the other; what went over as [table, field, ids]."""
    moved: list[list[Any]] = []
    with ctx.session.no_autoflush:
        for place, _ in customer_places.counts(ctx.session, merged.id):
            rows = customer_places.rows_of(ctx.session, place, merged.id)
            for row in rows:
                place.facts.set(row, kept.id)
            moved.append([*place.key, [row.id for row in rows]])
        for model in customer_places.HANGING:
            if rows := customer_places.hanging(ctx.session, model, merged.id):
                for row in rows:
                    row.owner_id = kept.id
                moved.append([str(model.__tablename__), "owner_id", [row.id for row in rows]])
    ctx.session.flush()
    return moved


# ========================================================================================================= taking back
def why_not_undo(ctx: Ctx, paper: CustomerMerge) -> str:
    """Why a merge cannot be taken back; '' while it can."""
    if paper.done_on != ctx.today:
        return "只能在合并当日撤销"
    if paper.kept.status is CustomerStatus.MERGED:
        return f"保留的客户“{paper.kept}”此后又并入了其他客户"
    return ""


def undo(ctx: Ctx, paper: CustomerMerge, reason: str, version: int | None = None) -> CustomerMerge:
    """Take a merge back on the day it was made: what went over and is still there comes back, all or nothing."""
    enter(ctx, STEPS["undo"], paper, version)
    words = reason.strip()
    if not 0 < len(words) <= REASON_MAX:
        raise BusinessError(f"请填写撤销的原因，不超过 {REASON_MAX} 字", field="reason")
    merged, kept = _held(ctx, paper.merged_id, paper.kept_id)
    if why := why_not_undo(ctx, paper):
        raise Conflict(why)
    if merged.status is not CustomerStatus.MERGED or merged.merged_into_id != kept.id:
        raise Conflict(f"客户“{merged}”已不是并入“{kept}”的存根")
    if found := _new_in_the_books(ctx, paper):
        raise Conflict(f"合并之后已有记账：{'；'.join(found)}，不能撤销")
    _come_back(ctx, paper, merged, kept)
    move(_TURN["become_own"], merged, CustomerStatus[paper.was_status or "ACTIVE"])
    merged.merged_into_id = None
    paper.undone_on, paper.undo_reason = ctx.today, words
    move(STEPS["undo"], paper)
    ctx.session.flush()
    for one in (merged, kept):
        _note(ctx, one, f"{paper.number} 已撤销（{words}）")
        show_on_customer(ctx, one)
    return paper


def _new_in_the_books(ctx: Ctx, paper: CustomerMerge) -> list[str]:
    """What was booked for projects that went over since: those entries name the kept customer for good."""
    projects = [key for table, _, ids in paper.moved if table == "project" for key in ids]
    if not projects:
        return []
    query = select(BusinessEvent.number).where(
        BusinessEvent.project_id.in_(projects),
        BusinessEvent.customer_id == paper.kept_id,
        BusinessEvent.id.not_in(
            [key for table, _, ids in paper.moved if table == "business_event" for key in ids]
        ),
    )
    return [f"事项 {number}" for number in ctx.session.scalars(query.limit(3))]


def _come_back(ctx: Ctx, paper: CustomerMerge, merged: Customer, kept: Customer) -> None:
    with ctx.session.no_autoflush:
        for table, field, ids in paper.moved:
            model = entity_of(table)
            facts = fields_now(ctx.session, model).get(field)
            for row in _still_there(ctx, model, ids):
                if facts is None:  # the field was taken away meanwhile
                    continue
                if facts.get(row) == kept.id:
                    facts.set(row, merged.id)
    ctx.session.flush()


def _still_there(ctx: Ctx, model: type[Entity], ids: Iterable[int]) -> list[Entity]:
    """The rows that were not deleted since."""
    return list(ctx.session.scalars(select(model).where(model.id.in_(list(ids)))))


def preview(ctx: Ctx, merged: Customer) -> list[tuple[str, int]]:
    """What would go over: (what, how many), parts of the file and business alike."""
    found: dict[str, int] = {}
    for place, count in customer_places.counts(ctx.session, merged.id):
        label = place.model.spec.label
        found[label] = found.get(label, 0) + count
    for model in customer_places.HANGING:
        if count := len(customer_places.hanging(ctx.session, model, merged.id)):
            found[model.spec.label] = count
    return list(found.items())


def together(ctx: Ctx, *customers: Customer) -> str:
    """What the company would answer for of the one customer that they become, in 元."""
    amounts = relations.amounts_of(ctx.session, [one.id for one in customers]).values()
    total = sum((in_force + reserved for in_force, reserved in amounts), Decimal(0))
    return format_money(total)
