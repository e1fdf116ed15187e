"""客户移交 on the screen: what goes over with the customers, and the buttons of the paper (10.2)."""

from typing import Any, ClassVar

from models.base.entity import Entity
from models.customer.hand_over import CustomerHandOver
from views.kit.buttons import Button, register
from views.kit.entity_view import EntityView
from views.kit.pages import Cell, Column, RecordPage, Row, Section
from workflows.base.context import Ctx
from workflows.customer import hand_over

SHOWN = 50

register(
    Button(
        hand_over.STEPS["submit"],
        hand_over.submit,
        why_not=hand_over.why_not,
        style="primary",
        rank=1,
        done="已提交移交审批，通过后在生效日期由系统办理",
    ),
    Button(
        hand_over.ACTS["apply"],
        hand_over.apply,
        when=hand_over.waits,
        style="primary",
        rank=2,
        done="已办理移交",
        confirm="按审批通过的内容移交",
    ),
)


class CustomerHandOverView(EntityView):
    """Screens of 客户移交."""

    model: ClassVar[Any] = CustomerHandOver

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """What was in the way on its day stands on top."""
        assert isinstance(record, CustomerHandOver)
        if record.problem:
            page.notice = page.notice or f"未能移交：{record.problem}"
        return page

    def extra_sections(self, record: Entity, ctx: Ctx) -> list[Section]:
        """What goes over as things stand, until it has."""
        assert isinstance(record, CustomerHandOver)
        others = super().extra_sections(record, ctx)
        if record.done_on is not None:
            return others
        going = hand_over.going_over(ctx, record)
        rows = [Row(str(n), "", (Cell(what), Cell(role))) for n, (what, role) in enumerate(going)]
        section = Section(
            "going",
            "将移交",
            columns=[Column("what", "客户与项目"), Column("role", "角色")],
            rows=rows[:SHOWN],
            count=len(rows),
            empty="没有客户",
            foot=f"列出前 {SHOWN} 项" if len(rows) > SHOWN else "",
        )
        return [section, *others]
