"""The page of a 部门额度: what of it is used; its buttons."""

from typing import ClassVar

from models.base.entity import Entity
from models.base.money import format_money
from models.guarantee.quota import DepartmentQuota
from reports.figures import quotas
from reports.figures.exposure import Check
from views.kit.buttons import Button, register
from views.kit.entity_view import EntityView
from views.kit.meters import meter
from views.kit.pages import Section
from workflows.base.context import Ctx
from workflows.guarantee import quota as verbs


class DepartmentQuotaView(EntityView):
    """Screens of 部门额度."""

    model: ClassVar[type[Entity]] = DepartmentQuota

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """How much of it is used and left."""
        assert isinstance(record, DepartmentQuota)
        used = quotas.used(ctx.session, quotas.granted(ctx.session, ctx.today), record)
        left = format_money(record.amount - used.total)
        note = f"剩余 {left} 元；含没有单独额度的下级部门"
        facts = (used.in_force, used.total, record.amount)
        check = Check("department", record.department.name, *facts, None, "元", note)
        return [
            Section(
                "limit",
                "额度使用",
                template="parts/meters.html",
                data=[meter(check)],
                note="在保 → 含决议占用 / 额度",
            )
        ]


register(
    Button(verbs.STEPS["submit"], verbs.submit, style="primary", rank=1),
    Button(
        verbs.STEPS["close"],
        verbs.close,
        ask="收回原因",
        style="danger",
        rank=60,
        done="部门额度已收回",
        confirm="收回后按之前的额度或上级部门的额度检查。",
    ),
)
