"""期初余额 (8.6): upload both workbooks, see what each row will do, then load all of it or nothing."""

from urllib.parse import urlencode

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from markupsafe import Markup
from sqlalchemy import select
from wtforms import FileField, Form

from models.base.errors import BusinessError, NotFound
from models.base.money import format_money
from models.ledger.account import Account
from models.ledger.closing import OpeningImport
from views.kit import edge, mapping, staging, widgets
from views.kit.cells import record_url
from views.kit.fields import Tick
from views.kit.pages import Action, Cell, Column, Field, FieldGroup, FormPage, ReportPage, Row
from views.kit.report_page import money, told
from workflows.base.sheet_mapping import guess, is_unknown
from workflows.ledger import opening
from workflows.ledger.opening_replaced import why_not_replaced
from workflows.ledger.opening_sheets import AUXILIARIES, BALANCES, RowError

TITLE = "期初余额"
KINDS = {"balances": BALANCES, "auxiliaries": AUXILIARIES}
_CRUMBS = [("总账管理", ""), (TITLE, "")]
_ACCEPT = {"accept": ".xlsx,.xls,.csv"}


class _UploadForm(Form):
    """The controls of the page."""

    balances = FileField("科目余额表", render_kw=_ACCEPT)
    auxiliaries = FileField("辅助余额表", render_kw=_ACCEPT)
    create_customers = Tick("自动建立不存在的客户")


class OpeningView(BaseView):
    """/opening/: upload, preview, load."""

    route_base = "/opening"
    class_permission_name = "opening_import"
    default_view = "upload"
    title = TITLE

    @expose("/", methods=("GET", "POST"))
    @edge.screen("load")
    def upload(self) -> ResponseReturnValue:
        """Ask for the files, or show what is loaded; with files, show what they will do."""
        ctx = edge.current_ctx()
        if request.method == "GET":
            known = ctx.session.scalars(select(OpeningImport)).one_or_none()
            again = (
                known is not None and "again" in request.args and not why_not_replaced(ctx, known)
            )
            return self._form() if known is None or again else self._loaded(known)
        try:
            files = [_sent(name) for name in ("balances", "auxiliaries")]
            if files[0] is None:
                raise BusinessError("请选择科目余额表", field="balances")
            for name, sent in zip(KINDS, files, strict=True):
                if sent is not None and _needs_mapping(name, sent):
                    return self._map(
                        name, sent, BusinessError("没有找到表头，请说明各列是什么")
                    ), 400
            make = bool(request.form.get("create_customers"))
            plan = opening.preview_opening(ctx, files[0], files[1], create_customers=make)
            names = dict(ctx.session.execute(select(Account.code, Account.name)).all())
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            return self._form(error)
        fields = [("create_customers", "1" if make else "")]
        for name, sent in zip(("balances", "auxiliaries"), files, strict=True):
            if sent is not None:
                fields += [(name, mapping.keep(sent[1])), (f"{name}_name", sent[0])]
        return self.render_template("report.html", page=_preview(plan, tuple(fields), names))

    @expose("/columns/<name>", methods=("GET", "POST"))
    @edge.screen("load")
    def columns(self, name: str) -> ResponseReturnValue:
        """Say by hand what each column of a file holds; it is remembered for its source."""
        if name not in KINDS:
            raise NotFound("没有这种表")
        file = mapping.kept(request.values.get("key", ""), request.values.get("name", ""))
        if request.method == "GET":
            return self._map(name, file)
        try:
            source = mapping.save(KINDS[name], file)
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            return self._map(name, file, error), error.status
        flash(f"已记住“{source}”的列对应，请再上传一次预览", "success")
        return redirect("/opening/")

    def _map(self, name: str, file: opening.File, error: BusinessError | None = None) -> str:
        crumbs = [_CRUMBS[0], (TITLE, "/opening/"), ("列对应", "")]
        page = mapping.page(
            KINDS[name], file, f"/opening/columns/{name}", "/opening/", crumbs, error
        )
        return str(self.render_template("form.html", page=page))

    @expose("/confirm", methods=("POST",))
    @edge.screen("load")
    def confirm(self) -> ResponseReturnValue:
        """Load the files that were previewed."""
        balances, auxiliaries = _kept("balances"), _kept("auxiliaries")
        if balances is None:
            raise NotFound("上传的文件已不在，请重新上传")
        try:
            with edge.writing("import") as ctx:
                make = bool(request.form.get("create_customers"))
                kept = opening.load_opening(ctx, balances, auxiliaries, create_customers=make)
                code = kept.period.code
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            return self._form(error)
        flash(f"期初余额已装入 {code}", "success")
        return redirect(f"/report/trial-balance?first={code}&last={code}")

    def _form(self, error: BusinessError | None = None) -> ResponseReturnValue:
        form = _UploadForm()
        form.create_customers.data = bool(request.form.get("create_customers"))
        errors = error.field_errors if error else {}
        waiting, chosen = _waiting()
        helps = {
            "balances": "按列名识别：科目编码、科目名称、方向、期末余额；表头上方注明期间；"
            "期初在年中的，另加年初余额、本年累计借方和贷方",
            "auxiliaries": "按列名识别：科目编码、客户名称、统一社会信用代码、期末余额；预收担保费另填起始、到期日期",
            "create_customers": "只登记名称和统一社会信用代码，由您暂管，资料请补全",
        } | chosen
        fields = [
            Field(
                c.name,
                c.label.text,
                c,
                "bool" if c.name == "create_customers" else "file",
                c.name == "balances",
                "",
                helps[c.name],
                tuple(errors.get(c.name, ())),
                True,
            )
            for c in form
        ]
        summary = [
            (name if name in helps else "", "", m)
            for name, messages in errors.items()
            for m in messages
        ]
        page = FormPage(
            TITLE,
            [FieldGroup("", fields)],
            "/opening/",
            "/account/list/",
            hidden=[edge.csrf_input(), *waiting],
            submit_label="预览",
            errors=summary,
            crumbs=_CRUMBS,
            is_upload=True,
            help_key="opening",
            note="先预览，确认后才装入；借贷不平或有一行有误则全部不装入，重复装入同一文件不会改变账簿",
        )
        return self.render_template("form.html", page=page), (error.status if error else 200)

    def _loaded(self, known: OpeningImport) -> ResponseReturnValue:
        code, why = known.period.code, why_not_replaced(edge.current_ctx(), known)
        again = [] if why else [Action("重新装入", "/opening/?again=1")]
        page = ReportPage(
            TITLE,
            [
                Column("file", "文件"),
                Column("period", "期间"),
                Column("total", "借方合计", "money", "元"),
                Column("voucher", "期初凭证"),
            ],
            [
                Row(
                    str(known.id),
                    record_url("opening_import", known.id),
                    (
                        Cell("、".join(filter(None, (known.file_name, known.auxiliary_file_name)))),
                        Cell(code),
                        money(known.total),
                        Cell(
                            known.voucher.code, "link", url=record_url("voucher", known.voucher_id)
                        ),
                    ),
                )
            ],
            heading="期初余额已装入",
            states=[Cell("试算平衡", "enum", tone="ok")],
            crumbs=_CRUMBS,
            help_key="opening",
            actions=[
                *again,
                Action("科目余额表", f"/report/trial-balance?first={code}&last={code}"),
                Action("收入确认计划", "/income_schedule/list/"),
                Action("期初前担保费收入", "/income_history/list/"),
            ],
            foot=why or "还没有其他凭证，可以重新装入；原期初凭证红字冲销",
        )
        return self.render_template("report.html", page=page)


def _sent(name: str) -> opening.File | None:
    """The file that was chosen now, else the one that was chosen before a refusal and waits (X19)."""
    ctx, sent = edge.current_ctx(), request.files.get(name)
    if sent is not None and sent.filename:
        sent.stream.seek(0)
        return sent.filename[-200:], sent.read()
    data = staging.found(ctx, request.form.get(f"{name}_kept", ""))
    return None if data is None else (request.form.get(f"{name}_name", "")[-200:], data)


def _waiting() -> tuple[list[Markup], dict[str, str]]:
    """The files of a refused form, as they travel along, and what the form says of each."""
    hidden, words = [], {}
    for name in KINDS:
        if (file := _sent(name)) is not None:
            digest = staging.keep(edge.current_ctx(), file[1])
            hidden += [
                widgets.hidden(f"{name}_kept", digest),
                widgets.hidden(f"{name}_name", file[0]),
            ]
            words[name] = f"已选“{file[0]}”，不必再选；另选一个则以新的为准"
    return hidden, words


def _needs_mapping(name: str, file: opening.File) -> bool:
    """Whether no table is found in a file, and one could be made of it by hand."""
    kind, session = KINDS[name], edge.session()
    return (
        is_unknown(kind, file[1], file[0], session)
        and guess(kind, file[1], file[0], session) is not None
    )


def _kept(name: str) -> opening.File | None:
    try:
        return mapping.kept(request.form.get(name, ""), request.form.get(f"{name}_name", ""))
    except NotFound:
        return None


_COLUMNS = [
    Column("row", "行", "int"),
    Column("code", "科目编码"),
    Column("name", "科目名称"),
    Column("side", "方向"),
    Column("amount", "余额", "money", "元"),
    Column("goes", "装入科目"),
    Column("state", "结果"),
    Column("problem", "说明", "long_text"),
]


def _rows(
    plan: opening.OpeningPlan, names: dict[str, str], wrong: dict[int, list[str]]
) -> list[Row]:
    """Each line of the sheet with the account it goes to and what is wrong with it."""
    new = {line.code for line in plan.new_accounts}
    rows = []
    for line in plan.sheet.lines:
        target = plan.leaves.get(line.code, (line, ""))[1]
        word, tone = (
            ("有误", "bad")
            if line.row in wrong
            else (("新增科目", "warn") if line.code in new else ("", ""))
        )
        goes = f"{target} {names.get(target, line.name)}" if target else "上级，不装入"
        cells = (
            Cell(str(line.row), "int"),
            Cell(line.code),
            Cell(line.name),
            Cell("借" if line.is_debit else "贷"),
            money(line.amount if line.is_debit else -line.amount),
            Cell(goes),
            Cell(word, "enum", tone=tone),
            Cell("；".join(wrong.get(line.row, ())), "long_text"),
        )
        rows.append(Row(str(line.row), "", cells, tone="bad" if line.row in wrong else ""))
    return rows


def _notes(plan: opening.OpeningPlan, others: list[RowError]) -> list[tuple[str, str]]:
    """What concerns no line of this sheet."""
    notes = [
        *(("错误", error.text) for error in others),
        *(("提示", notice) for notice in plan.notices),
    ]
    if plan.new_customers:
        text = f"新建客户 {len(plan.new_customers)} 户：" + "、".join(
            list(plan.new_customers.values())[:10]
        )
        notes.append(("提示", text))
    return notes


def _actions(plan: opening.OpeningPlan, fields: tuple[tuple[str, str], ...]) -> list[Action]:
    actions = [Action("重新上传", "/opening/")]
    sent = dict(fields)
    for name, kind in KINDS.items():
        if name in sent:
            where = urlencode({"key": sent[name], "name": sent[f"{name}_name"]})
            actions.append(Action(f"列对应：{kind.label}", f"/opening/columns/{name}?{where}"))
    if not plan.errors:
        words = (
            f"期初余额装入 {plan.sheet.period}，借贷各 {format_money(plan.total)} 元；"
            "有其他凭证之前可以重新装入，之后不能更换。"
        )
        actions.insert(
            0,
            Action("确认装入", "/opening/confirm", "POST", "primary", confirm=words, fields=fields),
        )
    return actions


def _preview(
    plan: opening.OpeningPlan, fields: tuple[tuple[str, str], ...], names: dict[str, str]
) -> ReportPage:
    wrong: dict[int, list[str]] = {}
    shown = {line.row for line in plan.sheet.lines}
    for error in plan.errors:
        if error.file == plan.file_name and error.row in shown:
            wrong.setdefault(error.row, []).append(error.message)
    others = [
        error for error in plan.errors if error.file != plan.file_name or error.row not in shown
    ]
    rows = _rows(plan, names, wrong)
    count = len(plan.errors)
    return ReportPage(
        f"{TITLE}预览",
        _COLUMNS,
        rows,
        note=f"{plan.file_name} {plan.auxiliary_file_name}",
        heading=f"期间 {plan.sheet.period or '未注明'}，共 {len(rows)} 个科目，客户明细 {len(plan.parts)} 行",
        states=[
            Cell(
                f"{count} 处错误" if count else "借贷平衡，可以装入",
                "enum",
                tone="bad" if count else "ok",
            )
        ],
        actions=_actions(plan, fields),
        above=told(_notes(plan, others)),
        crumbs=_CRUMBS,
        help_key="opening",
    )
