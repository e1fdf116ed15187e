"""What the generic verbs must know of the chart of accounts and the posting rules when somebody edits them (8.6)."""

import re
from decimal import Decimal
from typing import Any

from sqlalchemy import func, inspect, select

from models.base.errors import Conflict, FieldErrors
from models.ledger.account import Account, AccountBalance
from models.ledger.event import EVENTS
from models.ledger.rule import PostingRule, PostingRuleLine
from models.ledger.voucher import Voucher, VoucherEntry, VoucherState, VoucherWord
from reports.figures.balances import is_at
from reports.figures.profit import PROFIT
from workflows.base import records
from workflows.base.context import Ctx

LEVELS_MAX = 6
_TOP = re.compile(r"[1-9][0-9]{3}")
_PART = re.compile(r"[0-9]{2,4}")
_FIXED_WHEN_USED = ("code", "parent_id", "category", "direction", "is_cash_bank")


@records.rule(Account)
def check_account(ctx: Ctx, account: Account, is_new: bool) -> None:
    """Code, level and full name follow the parent; an account with entries keeps what they mean."""
    parent = ctx.session.get(Account, account.parent_id) if account.parent_id else None
    _check_code(account, parent)
    if not is_new and _is_used(ctx, account):
        _refuse_change_of_used(account)
    if parent is not None:
        _check_parent(ctx, account, parent)
        parent.is_leaf = False
    if not account.is_active and not is_new:
        _refuse_if_standing(ctx, account)
    account.level = parent.level + 1 if parent else 1
    account.full_name = f"{parent.full_name} / {account.name}" if parent else account.name
    if not is_new:
        _rename_below(ctx, account)


@records.delete_rule(Account)
def check_account_delete(ctx: Ctx, account: Account) -> None:
    """The parent of the last child takes entries again."""
    if account.parent_id is None:
        return
    others = select(func.count()).select_from(Account).where(Account.parent_id == account.parent_id)
    if ctx.session.scalar(others.where(Account.id != account.id)) == 0:
        ctx.session.get_one(Account, account.parent_id).is_leaf = True


@records.rule(PostingRuleLine)
def check_rule_line(ctx: Ctx, line: PostingRuleLine, is_new: bool) -> None:
    """A line takes an amount that its event brings, to an account that takes entries and gets its auxiliaries."""
    del is_new
    rule = ctx.session.get_one(PostingRule, line.posting_rule_id)
    account = ctx.session.get_one(Account, line.account_id)
    errors: dict[str, list[str]] = {}
    amounts = EVENTS[rule.event_code].amounts
    if line.amount_key not in amounts:
        errors["amount_key"] = [
            f"“{EVENTS[rule.event_code].label}”可用的金额项：{'、'.join(amounts.values())}"
        ]
    if not account.is_leaf or not account.is_active:
        errors["account_id"] = ["请选择启用的末级科目"]
    elif is_at(account.code, PROFIT):
        errors["account_id"] = [f"科目“{account}”由月末结转损益和年结登记，记账规则不能使用"]
    for name, label in (
        ("customer", "客户"),
        ("project", "项目"),
        ("bank", "银行"),
        ("department", "部门"),
    ):
        if getattr(account, f"needs_{name}") and not getattr(line, f"with_{name}"):
            errors[f"with_{name}"] = [f"科目“{account}”要求{label}核算，请勾选"]
    if errors:
        raise FieldErrors(errors)


@records.rule(VoucherWord)
def check_word(ctx: Ctx, word: VoucherWord, is_new: bool) -> None:
    """Words and codes that numbers were given under stay."""
    if is_new or not {"code", "name"} & _changed(word):
        return
    if (
        ctx.session.scalar(select(Voucher.id).where(Voucher.word_id == word.id).limit(1))
        is not None
    ):
        raise Conflict(f"凭证字“{word.name}”已有凭证，编码和凭证字不能修改")


def _check_code(account: Account, parent: Account | None) -> None:
    above, _, own = account.code.rpartition(".")
    if parent is None and not _TOP.fullmatch(account.code):
        raise FieldErrors({"code": ["一级科目编码为四位数字；下级科目请同时选择上级科目"]})
    if parent is not None and (above != parent.code or not _PART.fullmatch(own)):
        raise FieldErrors(
            {"code": [f"下级编码应为 {parent.code}. 加两到四位数字，如 {parent.code}.01"]}
        )


def _check_parent(ctx: Ctx, account: Account, parent: Account) -> None:
    if parent.level >= LEVELS_MAX:
        raise FieldErrors({"parent_id": [f"科目最多{LEVELS_MAX}级"]})
    if parent.category is not account.category:
        raise FieldErrors({"category": [f"科目类别须与上级一致：{parent.category.label}"]})
    if parent.is_leaf and _is_used(ctx, parent):
        raise Conflict(
            f"科目“{parent}”已有凭证，不能再增加下级；请新建科目，并用凭证把余额转过去",
            field="parent_id",
        )


def _is_used(ctx: Ctx, account: Account) -> bool:
    query = select(VoucherEntry.id).join(Voucher, Voucher.id == VoucherEntry.voucher_id)
    return (
        ctx.session.scalar(
            query.where(
                VoucherEntry.account_id == account.id, Voucher.state != VoucherState.VOID
            ).limit(1)
        )
        is not None
    )


def _changed(record: Any) -> set[str]:
    return {attr.key for attr in inspect(record).attrs if attr.history.has_changes()}


def _refuse_change_of_used(account: Account) -> None:
    changed = _changed(account)
    fixed = {name: ["该科目已有凭证，不能修改"] for name in _FIXED_WHEN_USED if name in changed}
    if fixed:
        raise FieldErrors(fixed)


def _refuse_if_standing(ctx: Ctx, account: Account) -> None:
    if "is_active" not in _changed(account):
        return
    query = select(func.sum(AccountBalance.debit), func.sum(AccountBalance.credit))
    debit, credit = ctx.session.execute(query.where(AccountBalance.account_id == account.id)).one()
    if (debit or Decimal(0)) != (credit or Decimal(0)):
        raise Conflict(f"科目“{account}”还有余额，不能停用", field="is_active")
    children = select(Account.id).where(Account.parent_id == account.id, Account.is_active).limit(1)
    if ctx.session.scalar(children) is not None:
        raise Conflict(f"科目“{account}”还有启用的下级科目，请先停用下级", field="is_active")


def _rename_below(ctx: Ctx, account: Account) -> None:
    for child in ctx.session.scalars(select(Account).where(Account.parent_id == account.id)):
        if "code" in _changed(account):
            raise FieldErrors({"code": ["该科目有下级科目，编码不能修改"]})
        child.full_name = f"{account.full_name} / {child.name}"
        _rename_below(ctx, child)
