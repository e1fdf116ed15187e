"""部门额度 in the demonstration: what each business department may have this year (2.6)."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import select

from app.demo.stage import Stage
from app.demo.story import decide_all_of
from models.guarantee.quota import DepartmentQuota
from models.system.organization import Department
from workflows.base import records
from workflows.guarantee import quota

DEPUTY: Final = "lujun"
# department, 元
GRANTED: Final = (("02", 600_000_000), ("03", 400_000_000))


def play(stage: Stage) -> None:
    """The deputy manager asks for both, and whoever is asked agrees."""
    for code, amount in GRANTED:
        query = select(Department.id).where(Department.code == code)
        values = {
            "department_id": stage.session.scalars(query).one(),
            "amount": Decimal(amount),
            "starts_on": stage.today - timedelta(days=30),
            "ends_on": stage.today + timedelta(days=335),
            "reason": "年度业务计划",
        }
        made = records.create(stage.ctx(DEPUTY), DepartmentQuota, values)
        quota.submit(stage.ctx(DEPUTY), made)
        decide_all_of(stage, made)
