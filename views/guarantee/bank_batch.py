"""批量业务: a list with its file of loans, the figures of its bank, and what samples have shown."""

from dataclasses import replace
from typing import Any, ClassVar

from models.base import columns as c
from models.base.entity import Entity
from models.base.kinds import Kind
from models.base.paper import PaperState
from models.guarantee.bank_batch import BankBatch, BatchLoan, CheckState, SampleCheck
from views.guarantee.sharing import label_of
from views.kit import importing
from views.kit.buttons import Button, Questions, register
from views.kit.entity_view import EntityView
from views.kit.pages import Action, Cell, Fact, Section
from workflows.base.context import Ctx
from workflows.guarantee import application, bank_batch


class Finding(Kind):
    """What may be said of a sample."""

    PASSED = "符合"
    FAILED = "不符合"


def _finding(_: Ctx, __: SampleCheck) -> Questions:
    return {
        "result": c.enum("抽查结果", Finding, required=True),
        "findings": c.long_text("抽查情况", required=True, help="核对了哪些资料，发现了什么"),
    }


def _inspect(
    ctx: Ctx, check: SampleCheck, result: Finding, findings: str, version: int | None = None
) -> SampleCheck:
    return bank_batch.inspect(ctx, check, CheckState[result.name], findings, version)


def _not_mine(ctx: Ctx, check: SampleCheck) -> bool:
    return ctx.actor.employee_id not in {check.batch.handler_id, check.project.manager_id}


register(
    Button(
        bank_batch.STEPS["submit"],
        bank_batch.submit,
        why_not=bank_batch.why_not_submit,
        style="primary",
        rank=1,
        done="已提交承保审批",
    ),
    Button(
        bank_batch.STEPS["redraft"],
        bank_batch.redraft,
        style="primary",
        rank=2,
        done="已重新起草，改正后再提交",
    ),
    Button(
        bank_batch.CHECK["inspect"],
        _inspect,
        when=_not_mine,
        questions=_finding,
        style="primary",
        rank=1,
        done="已登记抽查结果",
    ),
)


class BankBatchView(EntityView):
    """Screens of 批量业务: rows come from a file straight from the page of their draft."""

    model: ClassVar[Any] = BankBatch

    def default_tab(self, record: Entity) -> str:
        """Whoever opens a list looks at its rows."""
        return str(BatchLoan.__tablename__)

    def defaults(self, ctx: Ctx) -> dict[str, Any]:
        """The usual B角."""
        return {"assistant_id": application.usual_assistant(ctx)}

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """The file of rows is the next step of a list that has none."""
        assert isinstance(record, BankBatch)
        found = super().verbs(record, ctx)
        if record.state is not PaperState.DRAFT or not ctx.actor.may("import", "batch_loan"):
            return found
        upload = Action("从 Excel 导入明细", f"{importing.URL}of/batch_loan", icon="up")
        if record.row_count:
            return [*found, upload]
        return [replace(upload, style="primary"), *(replace(one, style="plain") for one in found)]

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """代偿率 of the bank under the scheme, which stops the next list, and what samples have shown."""
        assert isinstance(record, BankBatch)
        breaker = bank_batch.breaker_of(ctx, record)
        if breaker is None:
            return []
        rate, cap = (
            f"{one.normalize():f}%" for one in (breaker.rate_pct, breaker.entry.breaker_pct)
        )
        state = (
            Cell("停办下一批", "enum", tone="bad")
            if breaker.is_broken
            else Cell("正常", "enum", tone="ok")
        )
        facts = [
            Fact(
                "银行与方案", Cell(label_of(breaker), url=f"/scheme_bank/show/{breaker.entry.id}")
            ),
            Fact("代偿率", Cell(rate, hint=f"上限 {cap}")),
            Fact("代偿", Cell(f"{breaker.compensated:,.2f}", hint="元")),
            Fact("解除", Cell(f"{breaker.released:,.2f}", hint="元")),
            Fact("状态", state),
        ]
        if (past := bank_batch.past_checks(ctx, record)) is not None:
            facts.append(Fact("抽查", Cell(past)))
        return [Section("breaker", "代偿率上限", template="parts/pairs.html", data=facts)]
