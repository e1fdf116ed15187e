"""部门额度 (2.6): how much the projects of a department may amount to, granted by approval for a period."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Scope, Spec
from models.base.kinds import MenuGroup, Module, SpecKind
from models.base.paper import Paper, PaperState
from models.base.rights import READ, WRITE
from models.base.rows import SeedRow, decided, numbered
from models.system.organization import Department, Employee

_REQUIRED = {
    "code": "quota.is_required",
    "label": "部门须有部门额度才能申请",
    "value": "否",
    "value_kind": "FLAG",
    "effective_on": "2000-01-01",
    "module": "GUARANTEE_SETUP",
    "note": "是：承办部门及其上级部门都没有有效额度时不能提交申请；否：没有额度的部门不限",
}


class DepartmentQuota(Paper):
    """What a department and those below it without a quota of their own may have in force and reserved, in 元.

    Approved, the one that begins last is the department's, until it ends.
    """

    spec = Spec(
        "部门额度",
        Module.WORKBENCH,
        SpecKind.DOCUMENT,
        group=MenuGroup.QUOTAS,
        title="number",
        rank=8,
        listed=("number", "department", "amount", "starts_on", "ends_on", "handler", "state"),
        searched=("number", "reason"),
        filtered=("department_id", "starts_on", "ends_on", "state"),
        scope=Scope(owner="handler_id", department="department_id"),
        state="state",
        drafts=(PaperState.DRAFT,),
        seeds=(
            SeedRow("parameter", _REQUIRED),
            *numbered("department_quota", "部门额度编号", "BMED{yyyy}-{no:04d}"),
            *decided(
                "department_quota",
                "部门额度授权",
                ("风控审批", "risk"),
                ("总裁签字", "president"),
                remark="授权部门可承办的担保额度",
                sort_no=230,
            ),
        ),
        roles={"业务部门经理": WRITE, "分管副总": WRITE, "总裁": READ, "风控总监": READ},
        help="通过后，承办部门（含没有单独额度的下级部门）的在保余额与决议占用合计不超过额度，"
        "提交申请、决议和放款时检查。",
        demo=(
            {
                "department_id": "*",
                "amount": "500000000",
                "starts_on": "-30",
                "ends_on": "+335",
                "reason": "年度业务计划",
            },
        ),
    )
    __table_args__ = (
        CheckConstraint("amount > 0", name="ck_department_quota_amount"),
        CheckConstraint("ends_on >= starts_on", name="ck_department_quota_dates"),
    )
    number_label = "额度编号"
    department_id: Mapped[int] = c.reference("部门", "department", required=True)
    department: Mapped[Department] = c.related(department_id)
    amount: Mapped[Decimal] = c.money("担保额度", required=True, positive=True)
    starts_on: Mapped[date] = c.day("有效期起", required=True, index=True)
    ends_on: Mapped[date] = c.day("有效期止", required=True, index=True)
    reason: Mapped[str] = c.text("授权依据", 200, required=True)
    handler_id: Mapped[int | None] = c.computed(c.reference("经办人", "employee"))
    handler: Mapped[Employee | None] = c.related(handler_id)
