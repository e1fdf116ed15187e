"""What the cards of the workbench share: the figures of one page and the addresses of lists."""

from decimal import Decimal
from functools import cached_property

from models.after.warning import OPEN_WARNING
from models.guarantee.project import UNDER_WAY
from reports.workbench import desktop
from views.kit.filters import among
from workflows.base.context import Ctx

PROJECTS = f"/project/list/?f={among('state', UNDER_WAY)}"
WARNINGS = f"/risk_warning/list/?f={among('state', OPEN_WARNING)}"


class Desk:
    """What one page of the workbench asks: figures that stand in the line above and in a card are read once."""

    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx
        self.session, self.actor, self.today = ctx.session, ctx.actor, ctx.today

    @cached_property
    def stages(self) -> list[desktop.StageCount]:
        """Projects under way by stage."""
        return desktop.project_stages(self.session, self.actor)

    @cached_property
    def running(self) -> desktop.Total:
        """Projects under way in all."""
        amount = sum((line.amount for line in self.stages), Decimal(0))
        return desktop.Total(sum(line.count for line in self.stages), amount)

    @cached_property
    def force(self) -> desktop.Total:
        """Projects in force."""
        return desktop.in_force(self.session, self.actor)

    @cached_property
    def warnings(self) -> int:
        """Warnings that are not lifted."""
        return desktop.open_warning_count(self.session, self.actor)
