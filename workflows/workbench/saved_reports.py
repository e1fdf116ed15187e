"""我的报表: choices of a report that a person keeps by name; what follows the calendar is not among them."""

from sqlalchemy import select

from models.base.errors import BusinessError, NotFound
from models.base.text import visible
from models.system.organization import Operator
from workflows.base.context import Ctx

NAME_MAX = 20
KEPT_MAX = 12  # of one report: they stand side by side above it


def keep_report(ctx: Ctx, code: str, name: str, query: str) -> None:
    """Keep a choice under a name; one of the same name is replaced. Raises BusinessError.

    Whoever calls knows the parameters of the report.
    """
    operator, name = _own(ctx), visible(name).strip()
    if not 0 < len(name) <= NAME_MAX:
        raise BusinessError(f"请填写名称，最多 {NAME_MAX} 个字")
    saved = operator.saved_reports or {}
    kept = {**saved.get(code, {}), name: query}
    if len(kept) > KEPT_MAX:
        raise BusinessError(f"每张报表最多保存 {KEPT_MAX} 个，请先删除不用的")
    operator.saved_reports = {**saved, code: kept}


def drop_report(ctx: Ctx, code: str, name: str) -> None:
    """Forget a choice. Raises NotFound."""
    operator = _own(ctx)
    saved = operator.saved_reports or {}
    kept = dict(saved.get(code, {}))
    if kept.pop(name, None) is None:
        raise NotFound("没有保存过这个名称的报表，或已删除")
    operator.saved_reports = {**saved, code: kept}


def _own(ctx: Ctx) -> Operator:
    mine = Operator.employee_id == ctx.actor.employee_id
    return ctx.session.scalars(select(Operator).where(mine)).one()
