"""导入还款 (4.5e, X3): upload the bank's file, see what each row will do, then confirm; all rows or none."""

from decimal import Decimal
from urllib.parse import urlencode

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from wtforms import FileField, Form

from models.base.errors import BusinessError
from models.base.money import format_money
from views.kit import edge, mapping
from views.kit.pages import Action, Cell, Column, Field, FieldGroup, FormPage, ReportPage, Row
from views.kit.report_page import told
from workflows.base.sheet_mapping import guess, is_unknown
from workflows.guarantee import repayment_import
from workflows.guarantee.plan_import import PlanError
from workflows.guarantee.repayment_import import Outcome, Outcomes
from workflows.guarantee.repayment_sheets import COLUMNS, KIND

_CRUMBS = [("保后管理", ""), ("还款登记", "/repayment/list/"), ("导入还款", "")]
_TONES = {
    "新增": "ok",
    "冲正": "warn",
    "已登记": "draft",
    "对冲": "draft",
    "不在范围": "warn",
    "有误": "bad",
}
_DONE = ("新增", "冲正")
_HELP = "、".join(COLUMNS[key][0] for key in ("note_no", "paid_on", "principal", "interest"))


class _UploadForm(Form):
    """The one control of the page."""

    file = FileField("银行还款明细", render_kw={"accept": ".xlsx,.xls,.csv"})


class RepaymentImportView(BaseView):
    """/repayment_import/: upload, preview, confirm."""

    route_base = "/repayment_import"
    class_permission_name = "repayment"
    default_view = "upload"
    title = "导入还款"

    @expose("/", methods=("GET", "POST"))
    @edge.screen("import")
    def upload(self) -> ResponseReturnValue:
        """Ask for the file; with one, show what it will do."""
        if request.method == "GET":
            if "key" not in request.args:
                return self._form()
            return self._preview(mapping.kept(request.args["key"], request.args.get("name", "")))
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            return self._form(BusinessError("请选择银行还款明细文件", field="file"))
        return self._preview((sent.filename[-200:], sent.read()))

    def _preview(self, file: mapping.File) -> ResponseReturnValue:
        name, data = file
        try:
            if is_unknown(KIND, data, name, edge.session()) and guess(
                KIND, data, name, edge.session()
            ):
                message = "未找到还款明细表，请说明各列是什么"
                return self._map(file, BusinessError(message)), 400
            with edge.writing("import") as ctx:  # the trial writes and takes everything back
                found = repayment_import.preview(ctx, data, name)
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            return self._form(error)
        return self.render_template("report.html", page=_preview(found, mapping.keep(data), name))

    @expose("/columns", methods=("GET", "POST"))
    @edge.screen("import")
    def columns(self) -> ResponseReturnValue:
        """Say by hand what each column of a file holds; it is remembered for its source."""
        file = mapping.kept(request.values.get("key", ""), request.values.get("name", ""))
        if request.method == "GET":
            return self._map(file)
        try:
            flash(f"已记住“{mapping.save(KIND, file)}”的列对应", "success")
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            return self._map(file, error), error.status
        return redirect(
            "/repayment_import/?" + urlencode({"key": mapping.keep(file[1]), "name": file[0]})
        )

    def _map(self, file: mapping.File, error: BusinessError | None = None) -> str:
        url = "/repayment_import/"
        page = mapping.page(
            KIND,
            file,
            f"{url}columns",
            url,
            [*_CRUMBS[:2], ("导入还款", url), ("列对应", "")],
            error,
        )
        return str(self.render_template("form.html", page=page))

    @expose("/confirm", methods=("POST",))
    @edge.screen("import")
    def confirm(self) -> ResponseReturnValue:
        """Import the file that was previewed."""
        name, data = mapping.kept(request.form.get("key", ""), request.form.get("name", ""))
        try:
            with edge.writing("import") as ctx:
                answered = request.form.get("answered") == "1"
                found = repayment_import.import_file(ctx, data, name, answered=answered)
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            return self._form(error)
        counts = {label: sum(outcome.label == label for outcome in found) for label in _TONES}
        words = [f"已登记还款 {counts['新增']} 笔"] if counts["新增"] else []
        words += [f"冲正 {counts['冲正']} 笔"] if counts["冲正"] else []
        left = counts["不在范围"] + counts["有误"]
        words += [f"{left} 行未导入"] if left else []
        flash("，".join(words or ["文件中的还款均已登记，没有变化"]), "success")
        return redirect("/repayment/list/")

    def _form(self, error: BusinessError | None = None) -> ResponseReturnValue:
        control = _UploadForm()["file"]
        whole_bank = edge.current_ctx().actor.may("import_bank", "repayment")
        reach = "整份银行文件都可导入" if whole_bank else "不在您数据范围内的行只列出，不导入"
        help_text = f"Excel 或 CSV；按列名识别：{_HELP}；{reach}"
        own, top = [], []
        if isinstance(error, PlanError):
            top = [("", "", str(row)) for row in error.rows[:200]]
        elif error is not None:
            own = [error.message]
        fields = [
            Field("file", "银行还款明细", control, "file", True, "", help_text, tuple(own), True)
        ]
        page = FormPage(
            "导入还款",
            [FieldGroup("", fields)],
            "/repayment_import/",
            "/repayment/list/",
            hidden=[edge.csrf_input()],
            submit_label="预览",
            errors=[*top, *[("file", "银行还款明细", message) for message in own]],
            crumbs=_CRUMBS,
            is_upload=True,
            help_key="repayment",
            note="先预览每一行的结果，确认后才登记；有一行有误则全部不登记，重复导入不会重复登记",
        )
        return self.render_template("form.html", page=page), (error.status if error else 200)


_COLUMNS = [
    Column("row", "行", "int"),
    Column("note", "借据号"),
    Column("customer", "客户"),
    Column("bank", "银行"),
    Column("paid_on", "还款日期", "date"),
    Column("principal", "还本金额", "money", "元"),
    Column("interest", "还息金额", "money", "元"),
    Column("balance", "还款后余额", "money", "元"),
    Column("label", "结果"),
    Column("problem", "说明", "long_text"),
]


def _preview(found: Outcomes, key: str, name: str) -> ReportPage:
    counts = {label: sum(o.label == label for o in found) for label in _TONES}
    columns_url = "/repayment_import/columns?" + urlencode({"key": key, "name": name})
    actions = [Action("重新上传", "/repayment_import/"), Action("列对应", columns_url)]
    questions = found.questions
    only_unknown = counts["有误"] == found.unknown and (not found.unknown or bool(questions))
    if only_unknown and (number := sum(counts[label] for label in _DONE)):
        fields = (("key", key), ("name", name), *((("answered", "1"),) if questions else ()))
        asked = "；".join([*questions, f"只导入认得的 {number} 笔？"]) if questions else ""
        actions.insert(
            0,
            Action(
                f"确认导入 {number} 笔",
                "/repayment_import/confirm",
                "POST",
                "primary",
                confirm=asked,
                fields=fields,
            ),
        )
    notes = [
        *(("请确认", question) for question in questions),
        *(("提示", notice) for notice in found.notices),
    ]
    taken = [o.row for o in found if o.label in _DONE]
    total_p, total_i = (
        sum((getattr(row, k) for row in taken), Decimal(0)) for k in ("principal", "interest")
    )
    return ReportPage(
        "导入还款预览",
        _COLUMNS,
        [_row(outcome) for outcome in found],
        note=name,
        heading=f"共 {len(found)} 行",
        states=[
            Cell(f"{label} {n} 行", "enum", tone=_TONES[label]) for label, n in counts.items() if n
        ],
        actions=actions,
        crumbs=_CRUMBS,
        help_key="repayment",
        above=told(notes),
        sums=[
            ("可导入合计", {"principal": format_money(total_p), "interest": format_money(total_i)})
        ],
        foot="有误的行请在文件中更正后重新上传" if counts["有误"] else "",
    )


def _row(outcome: Outcome) -> Row:
    row = outcome.row
    balance = "" if outcome.balance_after is None else format_money(outcome.balance_after)
    return Row(
        str(row.row_no),
        "",
        (
            Cell(str(row.row_no), "int"),
            Cell(row.note_no),
            Cell(outcome.customer),
            Cell(outcome.bank),
            Cell(row.paid_on.isoformat(), "date"),
            Cell(format_money(row.principal), "money"),
            Cell(format_money(row.interest), "money"),
            Cell(balance, "money"),
            Cell(outcome.label, "enum", tone=_TONES[outcome.label]),
            Cell(_remark(outcome)),
        ),
    )


def _remark(outcome: Outcome) -> str:
    row = outcome.row
    if outcome.problem:
        return outcome.problem.message
    words = []
    if row.penalty:
        words.append(f"含罚息 {format_money(row.penalty)} 元")
    if outcome.extra_interest:
        words.append(f"超出计划利息 {format_money(outcome.extra_interest)} 元")
    if outcome.label == "对冲":
        words.append("同一文件中已冲正，不登记")
    if None not in (row.balance, outcome.balance_after) and row.balance != outcome.balance_after:
        words.append(
            f"银行余额 {format_money(row.balance or Decimal(0))} 元与登记后余额不同，请核对"
        )
    return "；".join(words)
