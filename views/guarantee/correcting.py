"""更正、撤销、清理 (10.3): the buttons of the records that may be set right, and what a paper says will change."""

from typing import Any, ClassVar

from models.base import columns as c
from models.base.entity import Entity, entities, fields_of
from models.guarantee.correction import Correction
from models.guarantee.drawdown import Drawdown
from reports.base.scope import is_visible
from views.kit import hooks
from views.kit.buttons import Button, Questions, Values, page_of, register, to_result
from views.kit.entity_view import EntityView
from views.kit.pages import Action, Cell, Column, Row, Section
from workflows.base.context import Ctx
from workflows.guarantee import correction, revoking


def _fields(_: Ctx, record: Any) -> Questions:
    asked = {name: c.asked(facts) for name, facts in correction.correctable(record).items()}
    return {**asked, "reason": c.long_text("更正原因", required=True)}


def _now(_: Ctx, record: Any) -> Values:
    return {name: facts.get(record) for name, facts in correction.correctable(record).items()}


def _why(_: Ctx, __: Any) -> Questions:
    return {"reason": c.long_text("原因", required=True)}


def correction_section(record: Entity, ctx: Ctx) -> Section | None:
    """The fields before and after, or what the record that went away said."""
    del ctx
    if not isinstance(record, Correction):
        return None
    if record.changes:
        columns = [Column("label", "字段"), Column("old", "原值"), Column("new", "更正为")]
        rows = [
            Row(str(number), "", tuple(Cell(one[name]) for name in ("label", "old", "new")))
            for number, one in enumerate(record.changes)
        ]
        return Section("changes", "更正内容", columns=columns, rows=rows)
    if record.content:
        columns = [Column("label", "字段"), Column("value", "原内容")]
        rows = [
            Row(label, "", (Cell(label), Cell(value))) for label, value in record.content.items()
        ]
        return Section("content", "原记录内容", columns=columns, rows=rows)
    return None


hooks.TEXTS.append(correction_section)


class CorrectionView(EntityView):
    """Screens of 更正、撤销、清理: one looks at what changes, and goes on to the record that it is about."""

    model: ClassVar[Any] = Correction

    def default_tab(self, record: Entity) -> str:
        """What changes, or what the record said."""
        assert isinstance(record, Correction)
        if record.changes:
            return "changes"
        return "content" if record.content else super().default_tab(record)

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """The buttons, and the way to the record while it is there and the reader may look at it."""
        assert isinstance(record, Correction)
        found = super().verbs(record, ctx)
        about = correction.target(ctx.session, record)
        if about is None or not is_visible(ctx.session, ctx.actor, about):
            return found
        return [*found, Action("打开记录", page_of(about))]


for _model in entities():
    if any(facts.is_correctable for facts in fields_of(_model).values()):
        register(
            Button(
                correction.ACTS["correct"],
                correction.correct,
                on=str(_model.__tablename__),
                when=correction.may_correct,
                why_not=correction.why_not,
                questions=_fields,
                given=_now,
                rank=80,
                done="已提交更正审批，通过后由系统更正",
                note="只列可以更正的字段；改动的几项连同原值写入更正单，审批通过后更正并留痕",
                after=to_result,
            )
        )
for _model in correction.PURGED:
    register(
        Button(
            correction.ACTS["purge"],
            correction.purge,
            on=str(_model.__tablename__),
            when=correction.may_purge,
            why_not=correction.why_not_purge,
            questions=_why,
            rank=85,
            done="已提交清理审批，通过后由系统清理",
            note="审批通过后记录及其附件、备注删除，编号和内容保留在更正单上",
            after=to_result,
        )
    )
register(
    Button(
        correction.ACTS["revoke"],
        correction.revoke,
        on=str(Drawdown.__tablename__),
        when=correction.may_revoke,
        why_not=revoking.why_not,
        questions=_why,
        rank=85,
        done="已提交撤销审批，通过后由系统撤销",
        note="放款登记有误时撤销；通过后借据及还款计划删除，项目回到“放款确认”，额度重新占用",
        after=to_result,
    ),
    Button(
        correction.STEPS["ask_again"],
        correction.ask_again,
        style="primary",
        rank=1,
        done="已再次提交",
    ),
    Button(correction.STEPS["drop"], correction.drop, rank=2, done="已放弃"),
)
