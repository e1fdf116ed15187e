"""A voucher's life: 制单 → 审核 → 出纳签字 → 记账 by different people, 作废, 红字冲销, 断号整理 (8.2)."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select, update

from models.base.errors import BusinessError, Conflict, NotAllowed
from models.base.money import format_money
from models.ledger.account import Account, AccountingPeriod
from models.ledger.voucher import (
    UNFINISHED_VOUCHER,
    BusinessEvent,
    Voucher,
    VoucherEntry,
    VoucherKind,
    VoucherState,
    VoucherWord,
)
from models.system.organization import Employee, Operator
from models.system.setup import NumberCounter
from reports.figures.balances import number_gaps
from workflows.base.context import Ctx
from workflows.base.numbering import next_count
from workflows.base.transition import Step, enter, move, permit, steps, verbs
from workflows.ledger import balances, chain
from workflows.ledger.entries import (
    Line,
    accounts_of,
    by_account,
    checked,
    line_of,
    recheck,
    red,
    total_of,
)
from workflows.ledger.period import hold_open, open_period
from workflows.ledger.voucher_habits import check_cash_left, check_written

State = VoucherState
TRANSITIONS = steps(
    Step(
        "voucher",
        "edit",
        "修改凭证",
        column="state",
        sources=(State.DRAFT,),
        targets=(State.DRAFT,),
    ),
    Step(
        "voucher",
        "review",
        "审核",
        column="state",
        sources=(State.DRAFT,),
        targets=(State.REVIEWED,),
    ),
    Step(
        "voucher",
        "unreview",
        "取消审核",
        column="state",
        sources=(State.REVIEWED,),
        targets=(State.DRAFT,),
    ),
    Step(
        "voucher",
        "sign",
        "出纳签字",
        column="state",
        sources=(State.REVIEWED,),
        targets=(State.SIGNED,),
    ),
    Step(
        "voucher",
        "unsign",
        "取消签字",
        column="state",
        sources=(State.SIGNED,),
        targets=(State.REVIEWED,),
    ),
    Step(
        "voucher",
        "post",
        "记账",
        column="state",
        sources=(State.REVIEWED, State.SIGNED),
        targets=(State.POSTED,),
    ),
    Step(
        "voucher",
        "write_posted",
        "系统记账",
        column="state",
        sources=(State.DRAFT,),
        targets=(State.POSTED,),
        follows=True,
    ),
    Step("voucher", "void", "作废", column="state", sources=(State.DRAFT,), targets=(State.VOID,)),
    Step(
        "voucher",
        "reverse",
        "红字冲销",
        column="state",
        sources=(State.POSTED,),
        targets=(State.POSTED,),
    ),
)
ACTS = verbs("voucher", {"add": "填制凭证", "renumber": "断号整理"})

# A voucher of these is undone by the verb that made it: income schedules, closing and opening know of it.
_NOT_BY_HAND = {
    VoucherKind.OPENING: "是期初余额凭证，不能冲销；差错请另填凭证调整",
    VoucherKind.RECOGNITION: "由月末收入确认生成，不能手工冲销；差错请另填凭证调整",
    VoucherKind.TRANSFER: "由月末结转损益生成，请通过反结账冲销",
    VoucherKind.YEAR_END: "由年结生成，请通过反结账冲销",
}

# Whoever did one of these may not do the verb (domain.md 3; 会计法 keeps the cashier off checking and booking).
SEPARATION = {
    "review": {"prepared_by_id": "制单"},
    "sign": {"prepared_by_id": "制单", "reviewed_by_id": "审核"},
    "post": {"prepared_by_id": "制单", "reviewed_by_id": "审核", "signed_by_id": "出纳签字"},
}


def create_draft(
    ctx: Ctx,
    *,
    date: dt.date,
    word: VoucherWord | str,
    memo: str,
    entries: Sequence[Line],
    attachments: int = 0,
) -> Voucher:
    """Write a draft and give it the next number of its word and period.

    Raises NotAllowed, FieldErrors naming each wrong line, Conflict for a closed period.
    """
    permit(ctx, ACTS["add"])
    checked(ctx, entries, _checked_memo(memo))  # what is wrong in a line comes first
    check_written(ctx, _word(ctx, word), date, entries)
    return write_draft(
        ctx, date=date, word=word, memo=memo, entries=entries, attachments=attachments
    )


def write_draft(  # noqa: PLR0913 - the facts of a voucher
    ctx: Ctx,
    *,
    date: dt.date,
    word: VoucherWord | str,
    memo: str,
    entries: Sequence[Line],
    attachments: int = 0,
    event: BusinessEvent | None = None,
    reverses: Voucher | None = None,
    kind: VoucherKind = VoucherKind.ORDINARY,
) -> Voucher:
    """`create_draft` for other verbs of the ledger, which have checked their own permission."""
    memo = _checked_memo(memo)
    lines = checked(ctx, entries, memo, is_reversal=reverses is not None, kind=kind)
    period = open_period(ctx, date)
    voucher = Voucher(
        word=_word(ctx, word),
        period=period,
        date=date,
        memo=memo,
        attachments=_checked_attachments(attachments),
        prepared_by_id=ctx.actor.employee_id,
        event_id=event.id if event else None,
        reverses=reverses,
        kind=kind,
        state=State.DRAFT,
    )
    with ctx.session.no_autoflush:
        _number(ctx, voucher)
        _fill(ctx, voucher, lines)
        ctx.session.add(voucher)
    ctx.session.flush()
    return voucher


def write_posted(
    ctx: Ctx,
    *,
    kind: VoucherKind,
    date: dt.date,
    memo: str,
    entries: Sequence[Line],
    word: str = "transfer",
    reverses: Voucher | None = None,
) -> Voucher:
    """Write and post a voucher that the system prepares (opening, month-end) as one act of the person in `ctx`.

    The caller has checked the permission. The preparer is the system; the person answers for review and posting
    (docs/decisions/month-end-vouchers.md). Raises what `write_draft` and `post` raise.
    """
    if ctx.actor.employee_id is None:
        raise NotAllowed("系统生成的凭证须由具体人员办理记账")
    voucher = write_draft(
        ctx, date=date, word=word, memo=memo, entries=entries, reverses=reverses, kind=kind
    )
    voucher.prepared_by_id = None
    voucher.is_cash = False  # no money moves: the cashier has nothing to confirm
    ctx.session.flush()
    _wait_for_lower_numbers(ctx, voucher)
    _book(ctx, voucher, ctx.actor.employee_id)
    voucher.reviewed_by_id, voucher.reviewed_at = ctx.actor.employee_id, ctx.now
    move(TRANSITIONS["write_posted"], voucher)
    ctx.session.flush()
    return voucher


def edit_draft(
    ctx: Ctx,
    voucher: Voucher,
    version: int | None,
    *,
    date: dt.date | None = None,
    word: VoucherWord | str | None = None,
    memo: str | None = None,
    entries: Sequence[Line] | None = None,
    attachments: int | None = None,
) -> Voucher:
    """Change a draft of one's own; another word or period gives it another number.

    The entries of a red-letter voucher are those of its original; a voucher from a business event keeps its accounts.
    """
    _enter(ctx, "edit", voucher, version)
    if voucher.event_id is None and voucher.reverses_id is None:
        lines = voucher.entries if entries is None else entries
        if entries is not None:
            checked(ctx, entries, voucher.memo, kind=voucher.kind)
        check_written(
            ctx,
            voucher.word if word is None else _word(ctx, word),
            date or voucher.date,
            lines,
            voucher,
        )
    if voucher.prepared_by_id not in (None, ctx.actor.employee_id):
        raise NotAllowed(f"凭证“{voucher}”只能由制单人修改")
    voucher.prepared_by_id = ctx.actor.employee_id
    voucher.memo = _checked_memo(memo) if memo is not None else voucher.memo
    if attachments is not None:
        voucher.attachments = _checked_attachments(attachments)
    if entries is not None:
        _replace_entries(ctx, voucher, entries)
    new_word = _word(ctx, word) if word is not None else voucher.word
    new_period = open_period(ctx, date) if date is not None else voucher.period
    voucher.date = date or voucher.date
    if (new_word.id, new_period.id) != (voucher.word_id, voucher.period_id):
        voucher.word, voucher.period = new_word, new_period
        with ctx.session.no_autoflush:
            _number(ctx, voucher)
    ctx.session.flush()
    return voucher


def review(ctx: Ctx, voucher: Voucher, version: int | None = None) -> Voucher:
    """审核: a second person finds the voucher right."""
    step = _enter(ctx, "review", voucher, version)
    recheck(ctx, voucher)
    voucher.reviewed_by_id, voucher.reviewed_at = _person(ctx, step), ctx.now
    voucher.reviewed_hash = chain.seen(voucher)
    return _moved(ctx, step, voucher)


def unreview(ctx: Ctx, voucher: Voucher, version: int | None = None) -> Voucher:
    """取消审核: by the reviewer alone."""
    step = _enter(ctx, "unreview", voucher, version)
    _require_same(ctx, voucher.reviewed_by_id, step)
    voucher.reviewed_by_id = voucher.reviewed_at = voucher.reviewed_hash = None
    return _moved(ctx, step, voucher)


def sign(ctx: Ctx, voucher: Voucher, version: int | None = None) -> Voucher:
    """出纳签字: the cashier confirms the money; vouchers without cash or bank lines are not signed."""
    step = _enter(ctx, "sign", voucher, version)
    if not voucher.is_cash:
        raise Conflict(f"凭证“{voucher}”没有现金银行科目，不需要出纳签字")
    _require_as_reviewed(voucher, step)
    voucher.signed_by_id, voucher.signed_at = _person(ctx, step), ctx.now
    return _moved(ctx, step, voucher)


def unsign(ctx: Ctx, voucher: Voucher, version: int | None = None) -> Voucher:
    """取消签字: by the cashier who signed."""
    step = _enter(ctx, "unsign", voucher, version)
    _require_same(ctx, voucher.signed_by_id, step)
    voucher.signed_by_id = voucher.signed_at = None
    return _moved(ctx, step, voucher)


def post(ctx: Ctx, voucher: Voucher, version: int | None = None) -> Voucher:
    """记账: balances, chain and state change together and for good.

    Raises Conflict while a lower number of the same word and period is missing or not yet posted.
    """
    step = _enter(ctx, "post", voucher, version)
    _require_as_reviewed(voucher, step)
    if voucher.is_cash and voucher.state is not State.SIGNED:
        raise Conflict(f"凭证“{voucher}”含现金银行科目，出纳签字后才能记账")
    _wait_for_lower_numbers(ctx, voucher)
    check_cash_left(ctx, voucher)
    _book(ctx, voucher, _person(ctx, step))
    return _moved(ctx, step, voucher)


def _book(ctx: Ctx, voucher: Voucher, person: int) -> None:
    """Balances, chain and the facts of posting; the caller writes the state in the same flush."""
    with ctx.session.no_autoflush:
        accounts = recheck(ctx, voucher)
        number, previous, own = chain.next_link(ctx, voucher)
        balances.apply(ctx.session, voucher.period, balances.Movement().add(voucher.entries))
    # The database takes all facts of a posted voucher in one UPDATE, or none.
    voucher.posting_no, voucher.previous_hash, voucher.hash = number, previous, own
    voucher.posted_by_id, voucher.posted_at = person, ctx.now
    del accounts  # kept until here, so that the chain did not read them one by one


def void(ctx: Ctx, voucher: Voucher, reason: str, version: int | None = None) -> Voucher:
    """作废: the number stays and counts as present; vouchers of business events go back through their event."""
    if voucher.event_id is not None:
        raise Conflict(f"凭证“{voucher}”由业务生成，请在“复核管理”中撤回对应的复核单")
    return withdraw_draft(ctx, voucher, reason, _enter(ctx, "void", voucher, version))


def withdraw_draft(ctx: Ctx, voucher: Voucher, reason: str, step: Step) -> Voucher:
    """Make a draft void; the caller has entered the step."""
    voucher.void_reason = _checked_reason(reason)
    return _moved(ctx, step, voucher)


def reverse(
    ctx: Ctx,
    voucher: Voucher,
    version: int | None = None,
    *,
    date: dt.date | None = None,
    memo: str = "",
) -> Voucher:
    """红字冲销: draft the same entries in red letters; the link stands on the new voucher.

    Raises Conflict for a voucher from a business event (its event reverses it), a reversal, or one reversed already.
    """
    _enter(ctx, "reverse", voucher, version)
    if voucher.event_id is not None:
        raise Conflict(
            f"凭证“{voucher}”由业务生成，请在“复核管理”中撤回对应的复核单，系统会自动冲销"
        )
    if voucher.kind in _NOT_BY_HAND:
        raise Conflict(f"凭证“{voucher}”{_NOT_BY_HAND[voucher.kind]}")
    return write_reversal(ctx, voucher, date=date, memo=memo)


def write_reversal(
    ctx: Ctx,
    voucher: Voucher,
    *,
    date: dt.date | None = None,
    memo: str = "",
    event: BusinessEvent | None = None,
) -> Voucher:
    """Draft the red-letter voucher; the caller has checked permission and that the voucher is posted."""
    if voucher.reverses_id is not None:
        raise Conflict(f"凭证“{voucher}”本身是红字冲销凭证，不能再冲销")
    taken = select(Voucher).where(Voucher.reverses_id == voucher.id, Voucher.state != State.VOID)
    if (other := ctx.session.scalar(taken)) is not None:
        raise Conflict(f"凭证“{voucher}”已由“{other}”冲销")
    return write_draft(
        ctx,
        date=date or ctx.today,
        word=voucher.word,
        memo=(memo or f"红字冲销 {voucher.code}：{voucher.memo}")[:200],
        entries=[red(line_of(entry)) for entry in voucher.entries],
        event=event,
        reverses=voucher,
    )


def renumber(ctx: Ctx, period: AccountingPeriod, word: VoucherWord) -> list[tuple[str, str]]:
    """断号整理: unposted vouchers move down into the gaps; posted and void ones keep their number.

    Returns (old, new) codes of what moved.
    """
    permit(ctx, ACTS["renumber"])
    ctx.session.flush()
    ctx.session.refresh(period, with_for_update=True)
    hold_open(ctx, period.id)
    query = (
        select(Voucher)
        .where(Voucher.period_id == period.id, Voucher.word_id == word.id)
        .order_by(Voucher.number)
    )
    vouchers = list(ctx.session.scalars(query.with_for_update(of=Voucher)))
    moved = []
    for voucher in vouchers:
        free = _lowest_free(vouchers)
        if voucher.state in (State.POSTED, State.VOID) or free > voucher.number:
            continue
        old, voucher.number = voucher.code, free
        voucher.code = _code(voucher)
        ctx.session.flush()  # one at a time: the new number must be free when the database looks
        moved.append((old, voucher.code))
    _set_counter(ctx, period, word, max((v.number for v in vouchers), default=0))
    return moved


def _lowest_free(vouchers: Sequence[Voucher]) -> int:
    taken = {voucher.number for voucher in vouchers}
    return next(number for number in range(1, len(taken) + 2) if number not in taken)


def _enter(ctx: Ctx, verb: str, voucher: Voucher, version: int | None) -> Step:
    """Hold the row, then check permission, version, state, period, and that the person has no earlier part in it."""
    step = TRANSITIONS[verb]
    ctx.session.flush()
    ctx.session.refresh(voucher, with_for_update={"of": Voucher})
    enter(ctx, step, voucher, version)
    if verb != "reverse":
        hold_open(ctx, voucher.period_id)
    for name, what in SEPARATION.get(verb, {}).items():
        if ctx.actor.employee_id is not None and getattr(voucher, name) == ctx.actor.employee_id:
            raise NotAllowed(f"您已办理凭证“{voucher}”的{what}，{step.label}须由其他人办理")
    return step


def _moved(ctx: Ctx, step: Step, voucher: Voucher) -> Voucher:
    move(step, voucher)
    ctx.session.flush()
    return voucher


def _person(ctx: Ctx, step: Step) -> int:
    if ctx.actor.employee_id is None:
        raise NotAllowed(f"{step.label}须由具体人员办理")
    return ctx.actor.employee_id


def _require_as_reviewed(voucher: Voucher, step: Step) -> None:
    """The reviewer answers for what he saw; what was changed since by SQL is not his."""
    if voucher.reviewed_hash != chain.seen(voucher):
        raise Conflict(
            f"凭证“{voucher}”的内容与审核时不同，不能{step.label}；请取消审核，核对后重新审核，并告知系统管理员"
        )


def may_undo(ctx: Ctx, employee_id: int | None) -> bool:
    """Who did it undoes it; once they have left or are disabled, whoever holds the right: nobody waits for ever."""
    if employee_id is None or employee_id == ctx.actor.employee_id:
        return employee_id is not None
    able = (
        select(Employee.id)
        .outerjoin(Operator, Operator.employee_id == Employee.id)
        .where(Employee.id == employee_id, Employee.is_active, Operator.is_disabled.is_not(True))
    )
    return ctx.session.scalar(able) is None


def _require_same(ctx: Ctx, employee_id: int | None, step: Step) -> None:
    if not may_undo(ctx, employee_id):
        raise NotAllowed(f"{step.label}须由原办理人办理")


def _checked_memo(memo: str) -> str:
    if not memo.strip():
        raise BusinessError("请填写摘要", field="memo")
    if len(memo.strip()) > 200:
        raise BusinessError("摘要不能超过200个字", field="memo")
    return memo.strip()


def _checked_attachments(count: int) -> int:
    if not 0 <= count <= 9999:
        raise BusinessError("附单据数应在0到9999之间", field="attachments")
    return count


def _checked_reason(reason: str) -> str:
    if not reason.strip() or len(reason.strip()) > 200:
        raise BusinessError("请填写原因，不超过200个字", field="reason")
    return reason.strip()


def _word(ctx: Ctx, word: VoucherWord | str) -> VoucherWord:
    if isinstance(word, VoucherWord):
        return word
    found = ctx.session.scalars(
        select(VoucherWord).where(VoucherWord.code == word, VoucherWord.is_active)
    ).one_or_none()
    if found is None:
        raise BusinessError(f"没有可用的凭证字“{word}”", field="word")
    return found


def _scope(period: AccountingPeriod, word: VoucherWord) -> str:
    return f"{period.code}|{word.code}"


def _code(voucher: Voucher) -> str:
    return f"{voucher.period.code}-{voucher.word.name}-{voucher.number:04d}"


def _number(ctx: Ctx, voucher: Voucher) -> None:
    voucher.number = next_count(ctx, "voucher", _scope(voucher.period, voucher.word))
    voucher.code = _code(voucher)


def _set_counter(ctx: Ctx, period: AccountingPeriod, word: VoucherWord, last: int) -> None:
    ctx.session.execute(
        update(NumberCounter)
        .where(NumberCounter.rule_code == "voucher", NumberCounter.scope == _scope(period, word))
        .values(last_no=last)
        .execution_options(synchronize_session=False)
    )


def _fill(ctx: Ctx, voucher: Voucher, entries: list[VoucherEntry]) -> None:
    voucher.is_cash = any(account.is_cash_bank for account in accounts_of(ctx, entries).values())
    voucher.total = total_of(entries)
    voucher.entries = entries


def _replace_entries(ctx: Ctx, voucher: Voucher, lines: Sequence[Line]) -> None:
    if voucher.reverses_id is not None:
        raise Conflict(f"凭证“{voucher}”是红字冲销凭证，分录须与原凭证一致，不能修改")
    entries = checked(ctx, lines, voucher.memo, kind=voucher.kind)
    if voucher.event_id is not None:
        _keep_accounts(ctx, voucher, entries)
    voucher.entries.clear()
    ctx.session.flush()  # the old lines leave their numbers before the new ones take them
    _fill(ctx, voucher, entries)


def _keep_accounts(ctx: Ctx, voucher: Voucher, entries: list[VoucherEntry]) -> None:
    """The rule decides where the amounts of an event go: a line may be split by auxiliaries, not moved."""
    if total_of(entries) != voucher.total:
        raise Conflict(
            f"凭证“{voucher}”由业务生成，合计金额须为 {format_money(voucher.total)}；金额有误请退回业务办理"
        )
    before, after = by_account(voucher.entries), by_account(entries)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    if changed:
        query = select(Account).where(Account.id.in_(changed)).order_by(Account.code)
        names = "、".join(str(account) for account in ctx.session.scalars(query))
        raise Conflict(
            f"凭证“{voucher}”由业务按记账规则生成，科目和金额不能修改（{names}）；科目有误请退回业务并更正记账规则，"
            "辅助核算、摘要和现金流量项目可以修改"
        )


def _wait_for_lower_numbers(ctx: Ctx, voucher: Voucher) -> None:
    series = (Voucher.period_id == voucher.period_id, Voucher.word_id == voucher.word_id)
    lower = (*series, Voucher.number < voucher.number)
    waiting = select(Voucher).where(*lower, UNFINISHED_VOUCHER).order_by(Voucher.number).limit(1)
    if (other := ctx.session.scalar(waiting)) is not None:
        raise Conflict(
            f"凭证“{other}”现为“{other.state.label}”，编号在前的凭证记账后才能记“{voucher}”"
        )
    # Whatever lies below a posted voucher was there when that one was posted, and stays.
    posted = (
        select(Voucher.number)
        .where(*lower, Voucher.state == State.POSTED)
        .order_by(Voucher.number.desc())
        .limit(1)
    )
    gaps = number_gaps(
        ctx.session,
        voucher.period_id,
        voucher.word_id,
        below=voucher.number,
        above=ctx.session.scalar(posted) or 0,
    )
    if gaps:
        raise Conflict(
            f"{voucher.period.code} {voucher.word.name}字凭证缺号 {gaps[0]}，请先办理“断号整理”再记账"
        )
