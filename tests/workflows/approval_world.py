"""A small company for approval tests: a head office, a branch, an applicant, managers and position holders."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import inspect

from models.approval.approval import (
    ApprovalFlow,
    ApprovalInstance,
    ApprovalNode,
    ApprovalPosition,
    ApprovalPositionMember,
    ApprovalTask,
    ApprovalType,
    FlowState,
    NodeChooser,
    NodeMode,
    TaskState,
)
from models.approval.delegation import Delegation
from models.base.actor import SYSTEM, Actor, ScopeLevel
from models.base.fields import facts_of
from models.base.kinds import Module
from models.customer.customer import CorporateCustomer
from models.system.organization import Department, Employee
from models.system.setup import Parameter, ValueKind
from workflows.approval import approval
from workflows.base import records
from workflows.base.context import Ctx

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
_OWN = ("id", "number", "name", "id_number", "kind", "uscc")


def required_values(model):
    """Values for the required columns that a story is not about."""
    values = {}
    for attr in inspect(model).column_attrs:
        column = attr.columns[0]
        if column.nullable or column.default is not None or attr.key in _OWN:
            continue
        kind = facts_of(column).kind
        later = date(2026, 3, 2) + timedelta(
            days=len(values)
        )  # what ends does so after it has begun
        plain = {"int": 1, "rate": 1, "money": Decimal(1), "date": later}
        first = next(iter(column.type.enum_class)) if kind == "enum" else f"x{attr.key}"[:18]
        values[attr.key] = plain.get(kind, first)
    return values


class World:
    """People by first name, positions by code, and short ways to submit and decide."""

    def __init__(self, session) -> None:
        self.session = session
        self.now = NOW
        self.people: dict[str, Employee] = {}
        self.set("approval.urge_hours", "1")
        self.set("calendar.work_hours", "09:00-12:00 13:00-18:00")
        self.positions: dict[str, ApprovalPosition] = {}
        self.head = self._department("HQ", "总部", None)
        self.branch = self._department("BR", "业务一部", self.head)
        for name in ("申请人", "经理", "总监", "甲", "乙", "丙", "丁"):
            self.hire(name)
        self.branch.manager_id = self.people["经理"].id
        self.head.manager_id = self.people["总监"].id
        self.type = ApprovalType(code="loan.test", label="测试业务")
        session.add(self.type)
        session.flush()

    def set(self, code, value):
        """A parameter, where the base data has not brought it."""
        if self.session.query(Parameter).filter_by(code=code).count() == 0:
            facts = {"label": code, "value_kind": ValueKind.TEXT, "module": Module.SYSTEM}
            since = date(2000, 1, 1)
            self.session.add(Parameter(code=code, value=value, effective_on=since, **facts))
            self.session.flush()

    def _department(self, code, name, parent):
        made = Department(code=code, name=name, parent_id=parent.id if parent else None, path="/")
        self.session.add(made)
        self.session.flush()
        made.path = f"{parent.path if parent else '/'}{made.id}/"
        return made

    def hire(self, name, **facts):
        made = Employee(
            number=f"E{len(self.people) + 1:03}", name=name, department_id=self.branch.id, **facts
        )
        self.session.add(made)
        self.session.flush()
        self.people[name] = made
        return made

    def customer(self, manager):
        """A corporate customer of one account manager: a record with a data scope of its own."""
        made = CorporateCustomer(
            number=f"KH{manager}",
            name=f"{manager}的客户",
            uscc=f"914400000000000{self.id(manager):03}",
            manager_id=self.id(manager),
            department_id=self.branch.id,
            **required_values(CorporateCustomer),
        )
        self.session.add(made)
        self.session.flush()
        return made

    def id(self, name):
        return self.people[name].id

    def actor(self, name, **facts):
        facts = {"scope": ScopeLevel.SELF, "department_id": self.branch.id, **facts}
        return Actor(employee_id=self.id(name), name=name, **facts)

    def ctx(self, name="申请人", **facts):
        return Ctx(self.session, self.actor(name, **facts), TODAY, self.now)

    def system(self):
        return Ctx(self.session, SYSTEM, TODAY, self.now)

    def position(self, code, *names, department=None):
        if code not in self.positions:
            self.positions[code] = ApprovalPosition(code=code, label=f"{code}岗")
            self.session.add(self.positions[code])
            self.session.flush()
        for name in names:
            department_id = department.id if department else None
            self.session.add(
                ApprovalPositionMember(
                    position_id=self.positions[code].id,
                    employee_id=self.id(name),
                    department_id=department_id,
                )
            )
        self.session.flush()
        return self.positions[code]

    def node(self, seq, position=None, **facts):
        chooser = NodeChooser.POSITION if position else NodeChooser.MANAGER
        facts = {"name": f"节点{seq}", "chooser": chooser, "mode": NodeMode.ANY, **facts}
        return ApprovalNode(seq=seq, position_id=position.id if position else None, **facts)

    def flow(self, *nodes, code="F1", state=FlowState.PUBLISHED, **facts):
        made = ApprovalFlow(
            code=code,
            name=f"流程{code}",
            business_type=self.type,
            state=state,
            published_on=None if state is FlowState.DRAFT else TODAY,
            nodes=list(nodes),
            **facts,
        )
        self.session.add(made)
        self.session.flush()
        return made

    def start(self, amount="1000000", *, ctx=None, record=None, **facts) -> ApprovalInstance:
        return approval.start(
            ctx or self.ctx(),
            "loan.test",
            record or self.branch,
            title="测试申请",
            amount=None if amount is None else Decimal(amount),
            **facts,
        )

    def task(self, instance, name) -> ApprovalTask:
        """The newest task of a person."""
        self.session.expire(instance, ["tasks"])
        return [task for task in instance.tasks if task.assignee_id == self.id(name)][-1]

    def waiting(self, instance):
        """Names of those who are asked now."""
        self.session.expire(instance, ["tasks"])
        return sorted(
            task.assignee.name for task in instance.tasks if task.state is TaskState.PENDING
        )

    def lend(self, name, to, days=3, *, by=None, **facts):
        """工作托管 from today on, as the person (or `by`) sets it in the browser."""
        values = {"employee_id": self.id(name), "delegate_id": self.id(to), "reason": "休假"}
        days_of = {"starts_on": TODAY, "ends_on": TODAY + timedelta(days=days)}
        ctx = by or self.ctx(name, permissions=frozenset({("can_add", "delegation")}))
        return records.create(ctx, Delegation, {**values, **days_of, **facts})

    def approve(self, instance, name, opinion="", **facts):
        return approval.decide(
            self.ctx(name), self.task(instance, name), approval.Decision.APPROVE, opinion, **facts
        )

    def reject(self, instance, name, opinion="不符合要求"):
        return approval.decide(
            self.ctx(name), self.task(instance, name), approval.Decision.REJECT, opinion
        )

    def give_back(self, instance, name, to_seq=None, opinion="请补充材料"):
        return approval.decide(
            self.ctx(name),
            self.task(instance, name),
            approval.Decision.RETURN,
            opinion,
            to_seq=to_seq,
        )
