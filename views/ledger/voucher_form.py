"""The voucher form: word, date, memo and entry lines; what was typed stays, line by line, when something is wrong."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import flash, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from markupsafe import Markup
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from models.base.entity import Entity
from models.base.errors import BusinessError, FieldErrors
from models.base.money import format_money, parse_amount
from models.ledger.account import ZERO, Account
from models.ledger.voucher import CashFlow, Voucher, VoucherEntry, VoucherKind, VoucherWord
from models.ledger.voucher_template import VoucherTemplate, VoucherTemplateLine
from views.kit import copying, drafts, edge, lookup, once, record, widgets
from views.kit.entity_view import EntityView
from views.kit.interface import Titles, valid_id
from views.kit.pages import Action, Draft, Field
from workflows.base import records
from workflows.base.context import Ctx
from workflows.ledger import voucher as vouchers
from workflows.ledger.entries import AUXILIARIES, LINES_MAX, Line

BLANK_LINES = 4
MEMOS = 40
TEMPLATE = "template"  # of the address: which one a voucher begins with
_COLUMNS = ("account_id", "memo", "debit", "credit", *AUXILIARIES, "cash_flow")
_CASH_FLOWS = [("", "无"), *((flow.name, flow.label) for flow in CashFlow)]


@dataclass
class EntryRow:
    """One line of the form as it was typed, with its controls."""

    number: int
    values: dict[str, str]
    account: Markup
    parts: list[tuple[str, str, Markup]]  # name, label, control
    needs: tuple[str, ...] = ()  # parts that the account asks for
    is_wrong: bool = False


@dataclass
class VoucherPage:
    """What voucher_form.html draws."""

    title: str
    action_url: str
    cancel_url: str
    fields: list[Field]
    rows: list[EntryRow]
    blank: EntryRow
    debit: str = ""
    credit: str = ""
    hidden: list[Any] = field(default_factory=list)
    errors: list[tuple[str, str, str]] = field(default_factory=list)
    crumbs: list[tuple[str, str]] = field(default_factory=list)
    note: str = ""
    is_fixed: bool = False  # a red-letter voucher keeps the entries of its original
    memos: list[str] = field(default_factory=list)  # what this person wrote lately
    help_key: str = "voucher"
    draft: Draft | None = None


class VoucherForms(EntityView):
    """The part of the voucher's screens that writes."""

    @expose("/add", methods=("GET", "POST"))
    @edge.screen("add")
    def add(self) -> ResponseReturnValue:
        """Write a draft."""
        ctx = edge.current_ctx()
        if request.method == "GET":
            typed = drafts.typed(ctx) or _begun(ctx)
            return self.render_template("voucher_form.html", page=_page(ctx, None, typed, None))
        try:
            with edge.writing() as ctx:
                facts = _facts(request.form)
                voucher = vouchers.create_draft(ctx, **facts)
        except BusinessError as error:
            return self._again(None, error)
        return self._saved(voucher)

    @expose("/edit/<pk>", methods=("GET", "POST"))
    @edge.screen("edit")
    def edit(self, pk: str) -> ResponseReturnValue:
        """Change a draft of one's own."""
        ctx = edge.current_ctx()
        found = records.find(ctx, Voucher, pk)
        records.require_draft(found, "修改")
        if request.method == "GET":
            typed = drafts.typed(ctx) or _stored(found)
            return self.render_template("voucher_form.html", page=_page(ctx, found, typed, None))
        try:
            with edge.writing() as ctx:
                voucher = records.find(ctx, Voucher, pk)
                facts = _facts(request.form)
                if voucher.reverses_id is not None:
                    facts.pop("entries")
                version = valid_id(request.form.get("version", "")) or 0
                vouchers.edit_draft(ctx, voucher, version, **facts)
        except BusinessError as error:
            return self._again(pk, error)
        return self._saved(voucher)

    @expose("/accounts")
    @edge.screen("add", "edit")
    def accounts(self) -> ResponseReturnValue:
        """Leaf accounts in use, with the auxiliaries each asks for."""
        ctx = edge.current_ctx()
        text = request.args.get("q", "").replace("\x00", "").strip()[: lookup.MAX_TEXT]
        page = min(valid_id(request.args.get("page", "1")) or 1, 500)
        order = lookup.by_code(Account.code, text)
        answer = lookup.candidates(ctx, Account, text, page, Account.is_leaf.is_(True), order=order)
        ids = [item["id"] for item in answer["result"]]
        known = {a.id: a for a in ctx.session.scalars(select(Account).where(Account.id.in_(ids)))}
        for item in answer["result"]:
            needed = [
                label for _, flag, label in AUXILIARIES.values() if getattr(known[item["id"]], flag)
            ]
            item["hint"] = "须填 " + "、".join(needed) if needed else ""
            item["needs"] = " ".join(_needs(known[item["id"]]))
        return jsonify(answer)

    @expose("/part/<name>")
    @edge.screen("add", "edit")
    def part(self, name: str) -> ResponseReturnValue:
        """Candidates for an auxiliary of a line."""
        if name not in AUXILIARIES:
            raise BusinessError("没有这个辅助核算项")
        return jsonify(
            lookup.answer(
                edge.current_ctx(), Voucher.entries.property.mapper.class_, _with_field(name)
            )
        )

    def list_actions(self, ctx: Ctx) -> list[Action]:
        """填制凭证, from a template too, and 断号整理."""
        found = []
        if ctx.actor.may("add", "voucher") and ctx.actor.may("list", "voucher_template"):
            found.append(Action("凭证模板", "/voucher_template/list/"))
        if ctx.actor.may("renumber", "voucher"):
            found.append(Action("断号整理", "/voucher/renumber"))
        if ctx.actor.may("add", "voucher"):
            found.append(Action("填制凭证", "/voucher/add", style="primary", icon="plus"))
        return found

    def edit_actions(self, found: Entity, ctx: Ctx) -> list[Action]:
        """A draft is changed by who prepared it; later there is nothing to change, so no button is in the way."""
        assert isinstance(found, Voucher)
        if not ctx.actor.may("edit", "voucher") or record.why_frozen(found):
            return []
        why = "" if found.prepared_by_id in (None, ctx.actor.employee_id) else "只能由制单人修改"
        return [Action("修改", self.url(f"edit/{found.id}"), icon="edit", why_not=why, hotkey="e")]

    def _again(self, pk: str | None, error: BusinessError) -> ResponseReturnValue:
        if error.status in {403, 404} and error.field is None:
            raise error
        ctx = edge.current_ctx()
        found = records.find(ctx, Voucher, pk) if pk is not None else None
        page = _page(ctx, found, request.form, error)
        return self.render_template("voucher_form.html", page=page), error.status

    def _saved(self, voucher: Voucher) -> ResponseReturnValue:
        once.about(voucher)
        flash(f"已保存凭证“{voucher.code}”", "success")
        if request.form.get("then") == "next":  # the next one is mostly of the same word and day
            return redirect(
                f"/voucher/add?{urlencode({'word': voucher.word.code, 'date': voucher.date})}"
            )
        return redirect(f"/voucher/show/{voucher.id}")


def _needs(account: Account | None) -> tuple[str, ...]:
    """The parts of a line that its account asks for."""
    if account is None:
        return ()
    found = [name for name, (_, flag, _) in AUXILIARIES.items() if getattr(account, flag)]
    return (*found, *(("cash_flow",) if account.is_cash_bank else ()))


def _memos(ctx: Ctx) -> list[str]:
    """What this person wrote on the latest vouchers, each once."""
    query = select(Voucher.memo).where(
        Voucher.prepared_by_id == ctx.actor.employee_id, Voucher.event_id.is_(None)
    )
    return list(dict.fromkeys(ctx.session.scalars(query.order_by(Voucher.id.desc()).limit(MEMOS))))


def _with_field(name: str) -> "MultiDict[str, str]":
    asked = MultiDict(request.args)
    asked["field"] = name
    return asked


def _first_word(ctx: Ctx) -> str:
    return ctx.session.scalars(_words()).first() or ""


def _words() -> Any:
    return (
        select(VoucherWord.code)
        .where(VoucherWord.is_active)
        .order_by(VoucherWord.rank, VoucherWord.id)
    )


# ------------------------------------------------------------------------------------------------------- what came in
def _facts(form: "MultiDict[str, str]") -> dict[str, Any]:
    """What the verb takes. Raises FieldErrors with everything that cannot be read."""
    wrong: dict[str, list[str]] = {}
    found: dict[str, Any] = {"word": form.get("word", "")[:20], "memo": form.get("memo", "")}
    try:
        found["date"] = dt.date.fromisoformat(form.get("date", ""))
    except ValueError:
        wrong["date"] = ["请填写凭证日期，如 2026-11-23"]
    text = form.get("attachments", "").strip() or "0"
    if text.isascii() and text.isdecimal() and len(text) <= 4:
        found["attachments"] = int(text)
    else:
        wrong["attachments"] = ["附单据数应为0到9999的整数"]
    found["entries"], problems = _lines(form)
    if problems:
        wrong["entries"] = problems
    if wrong:
        raise FieldErrors(wrong)
    return found


def _rows(form: "MultiDict[str, str]") -> list[dict[str, str]]:
    """The lines as typed; those in which nothing stands are left out."""
    columns = {name: form.getlist(f"line_{name}")[: LINES_MAX + 1] for name in _COLUMNS}
    count = max((len(values) for values in columns.values()), default=0)
    rows = [
        {name: (values[n].strip() if n < len(values) else "") for name, values in columns.items()}
        for n in range(count)
    ]
    return [row for row in rows if any(row.values())]


def _lines(form: "MultiDict[str, str]") -> tuple[list[Line], list[str]]:
    lines, problems = [], []
    for number, row in enumerate(_rows(form), 1):
        try:
            lines.append(_line(row))
        except ValueError as error:
            problems.append(f"第{number}行：{error}")
    return lines, problems


def _line(row: dict[str, str]) -> Line:
    account = valid_id(row["account_id"])
    if account is None:
        raise ValueError("请选择会计科目")
    parts: dict[str, Any] = {}
    for name, (_, _, label) in AUXILIARIES.items():
        parts[name] = valid_id(row[name]) if row[name] else None
        if row[name] and parts[name] is None:
            raise ValueError(f"{label}须从列表中选择")
    if row["cash_flow"] and row["cash_flow"] not in CashFlow.__members__:
        raise ValueError("没有这个现金流量项目")
    flow = CashFlow[row["cash_flow"]] if row["cash_flow"] else None
    return Line(
        account, _money(row["debit"]), _money(row["credit"]), row["memo"], cash_flow=flow, **parts
    )


def _money(text: str) -> Decimal:
    return parse_amount(text[:60]) if text else ZERO


# ------------------------------------------------------------------------------------------------------- what is shown
def _begun(ctx: Ctx) -> "MultiDict[str, str]":
    """What a new form begins with: a word and a day, and the lines of a voucher where one is copied."""
    key, template = (request.args.get(name, "")[:20] for name in (copying.PARAM, TEMPLATE))
    if template:
        typed = _typed(records.find(ctx, VoucherTemplate, template))
    elif key:
        source = records.find(ctx, Voucher, key)
        if not may_copy(source):
            raise BusinessError(f"凭证“{source}”由系统生成或是红字冲销凭证，不能复制")
        typed = _typed(source)
    else:
        typed = MultiDict({"word": request.args.get("word", "")[:20] or _first_word(ctx)})
    # Papers and day are the new voucher's own.
    typed["date"] = request.args.get("date", "")[:10] or ctx.today.isoformat()
    typed["attachments"] = "0"
    return typed


def may_copy(voucher: Voucher) -> bool:
    """Whether people write such vouchers by hand: not what a month-end made, nor red letters."""
    return voucher.kind is VoucherKind.ORDINARY and voucher.reverses_id is None


def _stored(voucher: Voucher) -> "MultiDict[str, str]":
    """A stored voucher as it would have been typed."""
    typed = _typed(voucher)
    typed["date"], typed["attachments"] = voucher.date.isoformat(), str(voucher.attachments)
    typed["version"] = str(voucher.version)
    return typed


def _typed(source: Voucher | VoucherTemplate) -> "MultiDict[str, str]":
    """The word, memo and lines of a voucher or template as they would have been typed."""
    typed: MultiDict[str, str] = MultiDict({"word": source.word.code, "memo": source.memo})
    lines: Sequence[VoucherEntry | VoucherTemplateLine] = (
        source.entries if isinstance(source, Voucher) else source.lines
    )
    for entry in lines:
        typed.add("line_account_id", str(entry.account_id))
        typed.add("line_memo", entry.memo or "")
        for side in ("debit", "credit"):
            value = getattr(entry, side)
            typed.add(f"line_{side}", format_money(value) if value else "")
        for name in AUXILIARIES:
            typed.add(f"line_{name}", str(getattr(entry, name) or ""))
        typed.add("line_cash_flow", entry.cash_flow.name if entry.cash_flow else "")
    return typed


def _head(ctx: Ctx, typed: "MultiDict[str, str]", errors: widgets.Errors | None) -> list[Field]:
    """凭证字, date, number of papers and memo."""
    words = [
        (w.code, w.name)
        for w in ctx.session.scalars(select(VoucherWord).where(VoucherWord.code.in_(_words())))
    ]
    return [
        widgets.choice(
            "word", "凭证字", words, typed.get("word", ""), errors=errors, required=True
        ),
        widgets.day("date", "凭证日期", typed.get("date", ""), errors=errors, required=True),
        widgets.text(
            "attachments",
            "附单据",
            typed.get("attachments", ""),
            errors=errors,
            kind="int",
            unit="张",
            inputmode="numeric",
        ),
        widgets.text(
            "memo", "摘要", typed.get("memo", ""), errors=errors, required=True, maxlength=200
        ),
    ]


def _page(
    ctx: Ctx, voucher: Voucher | None, typed: "MultiDict[str, str]", error: BusinessError | None
) -> VoucherPage:
    errors = error.field_errors if error else None
    fields = _head(ctx, typed, errors)
    rows = _rows(typed)
    wrong = {
        m.partition("行：")[0].removeprefix("第")
        for m in (errors or {}).get("entries", ())
        if "行：" in m
    }
    drawn = _drawn(ctx, rows, wrong)
    is_fixed = voucher is not None and voucher.reverses_id is not None
    total = {side: _sum(rows, side) for side in ("debit", "credit")}
    title = "填制凭证" if voucher is None else f"修改凭证：{voucher.code}"
    back = "/voucher/list/" if voucher is None else f"/voucher/show/{voucher.id}"
    hidden = [edge.csrf_input()]
    if voucher is not None:
        hidden.append(widgets.hidden("version", typed.get("version") or str(voucher.version)))
    return VoucherPage(
        title,
        drafts.place(),
        back,
        fields=fields,
        rows=drawn,
        blank=_entry_row(0, dict.fromkeys(_COLUMNS, ""), Titles(ctx.session)),
        debit=total["debit"],
        credit=total["credit"],
        hidden=hidden,
        errors=_summary(fields, error),
        crumbs=[("总账管理", ""), ("凭证", "/voucher/list/"), (title, "")],
        note="红字冲销凭证的分录与原凭证一致，不能修改" if is_fixed else "",
        is_fixed=is_fixed,
        memos=_memos(ctx),
        draft=drafts.of_form(ctx),
    )


def _summary(fields: Sequence[Field], error: BusinessError | None) -> list[tuple[str, str, str]]:
    """Messages about lines are read as they are; they name the line."""
    return [
        (key, label if key else "", message)
        for key, label, message in widgets.summary(fields, error)
    ]


def _drawn(ctx: Ctx, rows: list[dict[str, str]], wrong: set[str]) -> list[EntryRow]:
    titles = Titles(ctx.session)
    ids = _ids(rows, "account_id")
    titles.load("account", ids)
    accounts = {a.id: a for a in ctx.session.scalars(select(Account).where(Account.id.in_(ids)))}
    for name, (table, _, _) in AUXILIARIES.items():
        titles.load(table, _ids(rows, name))
    blanks = [dict.fromkeys(_COLUMNS, "") for _ in range(max(BLANK_LINES - len(rows), 1))]
    return [
        _entry_row(
            n, row, titles, accounts.get(valid_id(row["account_id"]) or 0), is_wrong=str(n) in wrong
        )
        for n, row in enumerate([*rows, *blanks], 1)
    ]


def _ids(rows: list[dict[str, str]], name: str) -> list[int]:
    return [key for row in rows if (key := valid_id(row[name])) is not None]


def _entry_row(
    number: int,
    values: dict[str, str],
    titles: Titles,
    account: Account | None = None,
    *,
    is_wrong: bool = False,
) -> EntryRow:
    def control(name: str, url: str, table: str, label: str) -> Markup:
        key = valid_id(values[name])
        shown = titles.text(table, key) if key is not None else ""
        return widgets.lookup_html(
            f"line_{name}",
            url,
            values[name] if shown else "",
            shown,
            id_=f"line-{number}-{name}",
            data_placeholder=label,
            aria_label=f"第{number}行{label}",
        )

    parts = [
        (name, label, control(name, f"/voucher/part/{name}", table, label))
        for name, (table, _, label) in AUXILIARIES.items()
    ]
    flow = Markup("<select %s>%s</select>") % (
        widgets.attributes(
            name="line_cash_flow", class_="form-control", aria_label=f"第{number}行现金流量项目"
        ),
        widgets.options_html(_CASH_FLOWS, values["cash_flow"]),
    )
    parts.append(("cash_flow", "现金流量", flow))
    box = control("account_id", "/voucher/accounts", "account", "科目编码、名称或拼音首字母")
    return EntryRow(number, values, box, parts=parts, needs=_needs(account), is_wrong=is_wrong)


def _sum(rows: list[dict[str, str]], side: str) -> str:
    total = ZERO
    for row in rows:
        try:
            total += _money(row[side])
        except ValueError:
            return "—"
    return format_money(total)
