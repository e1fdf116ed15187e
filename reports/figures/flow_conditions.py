"""适用条件 of a flow as a rule (A2, A9, X13): what an application is to it, and whether its rule holds for one."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from models.approval.approval import FlowCustomerKind
from models.base.entity import entity_of
from models.base.errors import BusinessError
from models.base.money import MONEY_MAX
from models.system.organization import Department
from reports.figures.vocabulary import vocabulary
from reports.rules.check import understand
from reports.rules.names import SUBJECTS, Fact, K, Subject
from reports.rules.python import Asked
from reports.rules.tree import RuleError

_FACTS = (
    Fact("金额", "amount", K.MONEY, scale=2, most=int(MONEY_MAX.scaleb(2))),
    Fact("产品", "product_id", K.RECORD, target="product", link="product"),
    Fact(
        "客户类型",
        "customer_kind",
        K.CODE,
        choices={kind.name: kind.label for kind in FlowCustomerKind},
        members=FlowCustomerKind,
    ),
    Fact("申请部门", "department_id", K.RECORD, target="department", link="department"),
    Fact("风险等级", "risk_grade", K.CODE, dictionary="risk_grade"),
)
SUBJECTS["approval_request"] = Subject("审批申请", {fact.label: fact for fact in _FACTS})


@dataclass(frozen=True)
class Request:
    """An application as the rules of flows see it; what it refers to is read when a rule asks."""

    session: Session
    amount: Decimal | None
    product_id: int | None
    customer_kind: FlowCustomerKind | None
    department_id: int | None
    risk_grade: str | None

    @property
    def product(self) -> object:
        """The product applied for."""
        return self.product_id and self.session.get(entity_of("product"), self.product_id)

    @property
    def department(self) -> object:
        """The department that applies."""
        return self.department_id and self.session.get(Department, self.department_id)


def holds(whose: str, condition: str, request: Request, today: date) -> bool:
    """Whether a rule of a flow holds for an application; `whose` names it in the refusal.

    Raises BusinessError where the rule makes no sense any more: nobody may slip past it.
    """
    session = request.session
    try:
        rule = understand(
            condition,
            SUBJECTS["approval_request"],
            vocabulary(session),
        )
    except RuleError as problem:
        raise BusinessError(f"{whose}已失效（{problem}），请联系系统管理员修改") from None
    return Asked(request, today).holds(rule)
