"""快捷桌面 (2.1): which quick modules a person has chosen, and in which order."""

from collections.abc import Sequence

from sqlalchemy import select

from models.base.errors import BusinessError, FieldErrors
from models.system.organization import DesktopModule, Operator, Theme
from workflows.base.context import Ctx

ROWS_MAX = 200


def chosen_modules(operator: Operator) -> list[DesktopModule]:
    """The modules of a person's desktop in their order; every module until the person has chosen."""
    names = (operator.desktop or {}).get("modules")
    if names is None:
        return list(DesktopModule)
    return [DesktopModule[name] for name in names if name in DesktopModule.__members__]


def choose_modules(ctx: Ctx, names: Sequence[str]) -> list[DesktopModule]:
    """Show exactly these modules on one's own desktop: those already there keep their places, new ones follow.

    Raises BusinessError for a name that is no module.
    """
    operator, wanted = _own(ctx), _modules(names)
    kept = [module for module in chosen_modules(operator) if module in wanted]
    return _save(
        operator,
        kept + [module for module in DesktopModule if module in wanted and module not in kept],
    )


def arrange_modules(ctx: Ctx, names: Sequence[str]) -> list[DesktopModule]:
    """Put the modules of one's own desktop into this order; those not named follow, none is added or taken away.

    Raises BusinessError for a name that is no module.
    """
    operator, wanted = _own(ctx), _modules(names)
    shown = chosen_modules(operator)
    first = [module for module in wanted if module in shown]
    return _save(operator, first + [module for module in shown if module not in first])


def show_module(ctx: Ctx, module: DesktopModule) -> None:
    """Let a module stand on one's own desktop, at its end where one has arranged it without."""
    operator = _own(ctx)
    shown = chosen_modules(operator)
    if module not in shown:
        _save(operator, [*shown, module])


def choose_columns(ctx: Ctx, table: str, names: Sequence[str]) -> None:
    """Remember which columns of a list one wants to see, in this order; none of them: those that everybody begins with.

    Whoever calls knows the columns of the list.
    """
    operator = _own(ctx)
    kept = {
        name: columns for name, columns in (operator.list_columns or {}).items() if name != table
    }
    operator.list_columns = {**kept, table: list(names)} if names else kept


def choose_order(ctx: Ctx, table: str, order: str) -> None:
    """Remember how one has sorted a list; empty: as it is from the start. Whoever calls knows what can be sorted by."""
    operator = _own(ctx)
    kept = {name: old for name, old in (operator.list_orders or {}).items() if name != table}
    operator.list_orders = {**kept, table: order} if order else kept


def save_preferences(ctx: Ctx, theme: str, rows: str | None = None) -> Operator:
    """Keep one's own theme and rows per page (2.6); None leaves the rows as they are. Raises FieldErrors."""
    operator, wrong = _own(ctx), {}
    if rows is not None:
        if rows.isascii() and rows.isdecimal() and 5 <= int(rows[:6]) <= ROWS_MAX:
            operator.rows_per_page = int(rows)
        else:
            wrong["rows"] = [f"每页行数应为 5 至 {ROWS_MAX} 的整数"]
    if theme in Theme.__members__:
        operator.theme = Theme[theme]
    else:
        wrong["look"] = ["请选择界面主题"]
    if wrong:
        raise FieldErrors(wrong)
    return operator


def _own(ctx: Ctx) -> Operator:
    return ctx.session.scalars(
        select(Operator).where(Operator.employee_id == ctx.actor.employee_id)
    ).one()


def _modules(names: Sequence[str]) -> list[DesktopModule]:
    unknown = [name for name in names if name not in DesktopModule.__members__]
    if unknown:
        raise BusinessError("桌面上没有这样的快捷模块，请刷新页面后重试")
    return [DesktopModule[name] for name in dict.fromkeys(names)]


def _save(operator: Operator, modules: list[DesktopModule]) -> list[DesktopModule]:
    operator.desktop = {"modules": [module.name for module in modules]}
    return modules
