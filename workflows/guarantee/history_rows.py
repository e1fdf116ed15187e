"""4.6: the rows of a batch of 历史补录, by form or from a file: what each must hold, and which batch it goes into."""

from collections.abc import Iterator

from sqlalchemy import select

from models.base.entity import Entity
from models.base.errors import FieldErrors
from models.base.money import format_money
from models.guarantee.bank_batch import BatchLoan
from models.guarantee.drawdown import Drawdown
from models.guarantee.history import HistoryBatch, HistoryGuarantee, HistoryStanding
from models.guarantee.product import Product
from models.system.organization import Employee
from reports.base.scope import is_visible
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import application, history, history_projects

Found = Iterator[tuple[str, str]]  # column, what is wrong with it


@records.rule(HistoryGuarantee)
def check_row(ctx: Ctx, row: HistoryGuarantee, is_new: bool) -> None:
    """A row belongs to a draft of a batch and agrees with itself, with the others and with what is registered."""
    with ctx.session.no_autoflush:
        if not row.batch_id:
            row.batch_id = history.draft_of(ctx).id
        batch = history.held(ctx, row.batch_id)
        former = _left(ctx, row)
        row.uscc, row.id_number = _upper(row.uscc), _upper(row.id_number)
        _fill(row)
        wrong: dict[str, list[str]] = {}
        for column, message in (*_about_itself(ctx, batch, row), *_about_others(ctx, row, is_new)):
            wrong.setdefault(column, []).append(message)
        if wrong:
            raise FieldErrors(wrong)
        row.batch = batch
    ctx.session.add(row)
    ctx.session.flush()
    for one in (batch, former) if former is not None else (batch,):
        history.count(ctx, one)


@records.delete_rule(HistoryGuarantee)
def leave_batch(ctx: Ctx, row: HistoryGuarantee) -> None:
    """A row leaves a draft alone, which then counts without it."""
    batch = history.held(ctx, row.batch_id)
    batch.row_count -= 1
    batch.amount -= row.amount
    batch.balance -= row.balance


def _left(ctx: Ctx, row: HistoryGuarantee) -> HistoryBatch | None:
    """The batch that a row is moved out of; a draft too, for what was put up or approved stays as it is."""
    kept = select(HistoryGuarantee.batch_id).where(HistoryGuarantee.id == (row.id or 0))
    former = ctx.session.scalar(kept)
    return None if former in (None, row.batch_id) else history.held(ctx, former)


def _fill(row: HistoryGuarantee) -> None:
    """What the file leaves out follows from the balance."""
    said: HistoryStanding | None = row.standing
    if said is None:
        of_balance = {True: HistoryStanding.RELEASED, False: HistoryStanding.IN_FORCE}
        row.standing = of_balance[row.balance == 0]
    if row.standing is HistoryStanding.RELEASED:
        row.released_on = row.released_on or row.end_on


def _upper(number: str | None) -> str | None:
    return (number or "").upper() or None


def about_party(product: Product, row: HistoryGuarantee | BatchLoan) -> Found:
    """A company has its credit code, a person the number of the identity card, and a product that is for them."""
    if row.uscc and row.id_number:
        yield "id_number", "已填统一社会信用代码的是对公客户，不填身份证号码"
    elif not (row.uscc or row.id_number):
        yield "uscc", "请填写统一社会信用代码；个人客户请填写身份证号码"
    else:
        for words in application.about_audience(product, row.kind):
            yield "product_id", words


def _about_itself(ctx: Ctx, batch: HistoryBatch, row: HistoryGuarantee) -> Found:
    yield from about_party(ctx.session.get_one(Product, row.product_id), row)
    if row.balance > row.amount:
        yield "balance", f"在保余额不能大于担保金额 {format_money(row.amount)} 元"
    if row.end_on < row.start_on:
        yield "end_on", f"到期日期不能早于起始日期 {row.start_on}"
    if row.start_on > batch.as_of:
        yield "start_on", f"起始日期不能晚于批次的余额截止日 {batch.as_of}"
    is_released = row.standing is HistoryStanding.RELEASED
    if is_released and row.balance:
        yield "balance", "已解保的在保余额应为 0"
    if not is_released and not row.balance:
        yield "balance", "在保的余额应大于 0"
    if not is_released and row.released_on is not None:
        yield "released_on", "在保的不填解保日期"
    if is_released and not row.start_on <= (row.released_on or row.end_on) <= batch.as_of:
        yield "released_on", f"解保日期应在 {row.start_on} 至 {batch.as_of} 之间"
    if not ctx.session.get_one(Employee, row.manager_id).is_active:
        yield "manager_id", "客户经理已停用，请填写现在承办的人"


def named(ctx: Ctx, record: Entity, name: str) -> str:
    """A name as the actor may hear it: another department's records are theirs to tell of."""
    return (
        f"“{name}”" if is_visible(ctx.session, ctx.actor, record) else "其他名称，请与营业执照核对"
    )


def _about_others(ctx: Ctx, row: HistoryGuarantee, is_new: bool) -> Found:
    label, number = row.named_by
    if not number:
        return
    column = HistoryGuarantee.uscc if row.uscc else HistoryGuarantee.id_number
    customer = history_projects.known_customer(ctx, row)
    if customer is not None and customer.name != row.customer_name:
        said = named(ctx, customer, customer.name)
        yield "customer_name", f"{label}已登记为{said}"
    others = [] if is_new else [HistoryGuarantee.id != row.id]
    same = select(HistoryGuarantee.id).where(
        column == number,
        HistoryGuarantee.bank_id == row.bank_id,
        HistoryGuarantee.start_on == row.start_on,
        HistoryGuarantee.amount == row.amount,
        HistoryGuarantee.old_number.is_(None)
        if row.old_number is None
        else HistoryGuarantee.old_number == row.old_number,
        *others,
    )
    if ctx.session.scalar(same.limit(1)):
        said = "同一客户、银行、起始日期和金额的业务已补录；确有两笔的，请填写原系统编号区分"
        yield column.key, said
    renamed = select(HistoryGuarantee).where(
        column == number, HistoryGuarantee.customer_name != row.customer_name, *others
    )
    if (other := ctx.session.scalar(renamed.limit(1))) is not None:
        said = named(ctx, other, other.customer_name)
        yield "customer_name", f"{label}的另一笔写作{said}"
    if row.bank_note_no and _is_taken(ctx, row, is_new):
        yield "bank_note_no", f"银行借据号 {row.bank_note_no} 已登记，不能重复"


def _is_taken(ctx: Ctx, row: HistoryGuarantee, is_new: bool) -> bool:
    """Whether the number of the bank's note is that of another row or of a loan."""
    loans = select(Drawdown.id).where(Drawdown.bank_note_no == row.bank_note_no)
    rows = select(HistoryGuarantee.id).where(HistoryGuarantee.bank_note_no == row.bank_note_no)
    if not is_new:
        rows = rows.where(HistoryGuarantee.id != row.id)
    return any(ctx.session.scalar(query.limit(1)) is not None for query in (loans, rows))
