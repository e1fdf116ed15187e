"""What must hold before the month-end makes its vouchers, and before the period is closed."""

from models.base.errors import Conflict
from models.ledger.account import AccountingPeriod
from reports.ledger.closing_checks import ClosingCheck, closing_checks
from workflows.base.context import Ctx


class ClosingRefused(Conflict):
    """A check is not met; `checks` holds those that are not."""

    def __init__(self, checks: list[ClosingCheck]) -> None:
        """Say the first by its name, all by their evidence."""
        super().__init__("；".join(f"{check.label}未通过：{check.evidence}" for check in checks))
        self.checks = checks


def require_checks(
    ctx: Ctx, period: AccountingPeriod, *, only_ready: bool = False
) -> list[ClosingCheck]:
    """All checks when each is met. Raises ClosingRefused naming those that are not."""
    ctx.session.flush()
    found = closing_checks(ctx.session, period, only_ready=only_ready)
    if missing := [check for check in found if not check.is_met]:
        raise ClosingRefused(missing)
    return found
