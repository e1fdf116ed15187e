"""部门额度使用 (2.6): what each department was granted, what of it is in force or reserved, and what is left."""

from sqlalchemy import select

from models.base.kinds import MenuGroup, Module
from models.guarantee.quota import DepartmentQuota
from reports.base.asked import Asked
from reports.base.report import Found, Line, Report, balance, ratio, register, words
from reports.base.scope import scoped
from reports.figures import quotas


def lines(asked: Asked) -> Found:
    """The quotas of today that the reader sees, in the order of their departments."""
    session, today = asked.session, asked.today
    held = quotas.granted(session, today)
    taken = quotas.used_by_all(session, held)
    ids = [quota.id for quota in held.quotas.values()]
    mine = scoped(
        select(DepartmentQuota.id).where(DepartmentQuota.id.in_(ids)), DepartmentQuota, asked.actor
    )
    seen = set(session.scalars(mine))
    shown = [quota for quota in held.quotas.values() if quota.id in seen]
    shown.sort(key=lambda quota: quota.department.path)
    found = [_line(asked, quota, taken.get(quota.department_id, quotas.NOTHING)) for quota in shown]
    return Found(found, note=asked.as_of)


def _line(asked: Asked, quota: DepartmentQuota, used: quotas.Used) -> Line:
    left = quota.amount - used.total
    return Line(
        {
            "department": quota.department.name,
            "number": quota.number,
            "until": quota.ends_on,
            "amount": quota.amount,
            "in_force": used.in_force,
            "reserved": used.reserved,
            "used": used.total,
            "left": left,
        },
        url=asked.record("department_quota", quota.id),
        urls={"in_force": asked.rows("project", f"department_id:eq:{quota.department_id}")},
        tones={"left": "bad"} if left < 0 else {},
    )


register(
    Report(
        "department-quotas",
        "部门额度使用",
        Module.WORKBENCH,
        permission=("list", "department_quota"),
        columns=(
            words("department", "部门"),
            words("number", "额度编号"),
            words("until", "有效期止", kind="date"),
            balance("amount", "担保额度"),
            balance("in_force", "在保余额"),
            balance("reserved", "决议占用"),
            balance("used", "已用合计"),
            balance("left", "剩余额度"),
            ratio("share", "使用率", "used", "amount"),
        ),
        lines=lines,
        menu=MenuGroup.QUOTAS,
        rank=9,
        help="含没有单独额度的下级部门；一个部门有几份有效额度的，以最后生效的为准",
        empty="没有有效的部门额度",
    )
)
