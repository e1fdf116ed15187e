"""再担保 on screens: buttons of batches, rows and statements, the list that is sent, and why a project qualifies."""

import io
from dataclasses import replace
from typing import Any, ClassVar

from flask import send_file
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from models.base import columns as c
from models.base.entity import Entity
from models.guarantee.ceding import CessionStatement
from models.guarantee.project import Project, ProjectState
from models.guarantee.reguarantee import Filing, FilingRow, FilingState, RowState
from models.system.setup import LogKind
from reports.base.export import ExportColumn, write_xlsx
from reports.figures import reguarantee as figures
from reports.figures import sharing
from views.kit import edge, files, hooks, importing
from views.kit.buttons import Button, Questions, Values, on_tab, register
from views.kit.entity_view import EntityView
from views.kit.pages import Action, Cell, Column, Row, Section
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.guarantee import ceding, reguarantee


def _payment(_: Ctx, __: CessionStatement) -> Questions:
    return {
        "paid_on": c.day("付款日期", required=True),
        "payment_no": c.text("付款凭据号", 60, required=True, help="银行回单号"),
    }


def _today(ctx: Ctx, _: CessionStatement) -> Values:
    return {"paid_on": ctx.today}


def _to_filing(_: Any, filing: Filing) -> str:
    return f"/filing/show/{filing.id}"


register(
    Button(
        reguarantee.ACTS["collect"],
        reguarantee.collect,
        when=lambda _, filing: filing.state is FilingState.DRAFT,
        rank=2,
        done="已带入符合条件的项目",
        after=on_tab("filing_row"),
    ),
    Button(
        reguarantee.STEPS["send"],
        reguarantee.send,
        why_not=reguarantee.why_not_send,
        style="primary",
        rank=1,
        confirm="登记为已报送，所列项目的数据就此固定；请先下载备案清单。",
        done="已登记报送，等待回执",
    ),
    Button(
        reguarantee.ROW["correct"],
        reguarantee.correct,
        when=reguarantee.is_correctable,
        style="primary",
        rank=1,
        ask="更正说明",
        confirm="按项目现在的数据重新填列，待再次报送。",
        done="已更正，待再次报送",
    ),
    Button(
        reguarantee.ACTS["drop"],
        reguarantee.drop,
        when=reguarantee.may_drop,
        rank=20,
        ask="移出原因",
        done="已移出批次",
        after=_to_filing,
    ),
    Button(
        ceding.STEPS["submit"],
        ceding.submit,
        why_not=ceding.why_not_submit,
        style="primary",
        rank=1,
        done="已提交账单审批",
    ),
    Button(
        ceding.ACTS["refresh"],
        ceding.refresh,
        when=lambda _, one: one.state in one.spec.drafts,
        rank=3,
        done="已重新带入",
    ),
    Button(ceding.STEPS["redraft"], ceding.redraft, style="primary", rank=1, done="已重新起草"),
    Button(
        ceding.ACTS["settle"],
        ceding.settle,
        when=ceding.waits_for_settling,
        style="primary",
        rank=1,
        done="已再次送复核",
    ),
    Button(
        ceding.ACTS["pay"],
        ceding.pay,
        when=ceding.waits_for_payment,
        questions=_payment,
        given=_today,
        style="primary",
        rank=1,
        done="已登记付款，送复核记账",
    ),
)

SHEET = "/filing-sheet/"


class FilingView(EntityView):
    """Screens of 再担保备案: the list that is sent, and receipts from a file."""

    model: ClassVar[Any] = Filing

    def default_tab(self, record: Entity) -> str:
        """Whoever opens a batch looks at its rows."""
        return str(FilingRow.__tablename__)

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """The next step is to fill an empty batch; then the list, and the receipts once it was sent."""
        assert isinstance(record, Filing)
        found = super().verbs(record, ctx)
        if not record.row_count:
            return sorted(
                (
                    replace(one, style="primary" if one.url.endswith("/collect") else "plain")
                    for one in found
                ),
                key=lambda one: one.style != "primary",
            )
        found.append(Action("下载备案清单", f"{SHEET}{record.id}", icon="down"))
        if record.state is not FilingState.DRAFT and ctx.actor.may("import", "filing_receipt"):
            upload = Action("导入回执", f"{importing.URL}of/filing_receipt", icon="up")
            found.append(upload)
        return found


COLUMNS = (
    ExportColumn("seq", "序号", "int"),
    ExportColumn("number", "项目编号"),
    ExportColumn("customer_name", "客户名称"),
    ExportColumn("uscc", "统一社会信用代码"),
    ExportColumn("small_kind", "小微属性"),
    ExportColumn("bank_name", "贷款银行"),
    ExportColumn("bank_note_no", "银行借据号"),
    ExportColumn("amount", "担保金额", "money", "元"),
    ExportColumn("rate_annual_pct", "贷款年利率", "rate", "%"),
    ExportColumn("fee_rate_pct", "担保费率", "rate", "%"),
    ExportColumn("start_on", "担保起始日", "date"),
    ExportColumn("end_on", "担保到期日", "date"),
    ExportColumn("share_pct", "再担保比例", "rate", "%"),
    ExportColumn("share_amount", "再担保金额", "money", "元"),
    ExportColumn("correction", "更正说明"),
)


def sheet(ctx: Ctx, filing: Filing) -> bytes:
    """The list of a batch: before it is sent what goes next, afterwards what went last."""
    waiting = reguarantee.rows_of(ctx, filing, RowState.PENDING)
    rows = waiting or [
        row for row in reguarantee.rows_of(ctx, filing) if row.sending_no == filing.sending_no
    ]
    target = io.BytesIO()
    write_xlsx(
        COLUMNS,
        [
            (at, row.project.number, *(getattr(row, one.key) for one in COLUMNS[2:]))
            for at, row in enumerate(rows, 1)
        ],
        target,
        title=f"再担保备案清单 {filing.number}",
        notes=(("再担保公司", filing.company.name), ("备案批次", filing.number)),
    )
    return target.getvalue()


class FilingSheetView(BaseView):
    """/filing-sheet/: the list of a batch as the re-guarantor wants it."""

    route_base = "/filing-sheet"

    @expose("/<pk>")
    @edge.screen()
    def download(self, pk: str) -> ResponseReturnValue:
        """The list as Excel; who may export such rows takes it along, and the trail says so."""
        ctx = edge.current_ctx()
        ctx.require("export", "filing_row", "导出备案明细")
        filing = records.find(ctx, Filing, pk)
        made = io.BytesIO(sheet(ctx, filing))
        with edge.writing() as writing:
            note = f"下载备案清单 {filing.number}"
            audit.log_event(writing, "filing", "EXPORT", LogKind.EXPORT, note=note)
        name = files.file_name(f"再担保备案清单{filing.number}", ctx.today, "xlsx")
        return files.named(send_file(made, mimetype=files.TYPES["xlsx"]), name)


_REASONS = (
    Column("company", "再担保公司"),
    Column("label", "备案条件"),
    Column("state", "结果", "enum"),
    Column("told", "依据"),
)


def reasons_section(record: Entity, ctx: Ctx) -> Section | None:
    """Whether a project in force may be filed with each of its re-guarantors, and why not."""
    if not isinstance(record, Project) or record.state is not ProjectState.IN_FORCE:
        return None
    companies = {
        one.company.id: one.company
        for one in sharing.portions(ctx.session, record)
        if one.company is not None
    }
    if not companies or not ctx.actor.may("list", "filing_row"):
        return None
    rows = []
    for company in companies.values():
        for at, one in enumerate(figures.reasons(ctx.session, record, company, ctx.today)):
            state = (
                Cell("符合", "enum", tone="ok")
                if one.is_met
                else Cell("不符合", "enum", tone="bad")
            )
            cells = (Cell(company.name), Cell(one.label), state, Cell(one.told))
            rows.append(Row(f"{company.id}-{at}", "", cells))
    last = figures.due_on(record)
    return Section(
        "filing_reasons",
        "再担保备案条件",
        columns=list(_REASONS),
        rows=rows,
        note=f"备案期限 {last}" if last else "",
    )


hooks.SECTIONS.append(reasons_section)
