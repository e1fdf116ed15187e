"""A small guarantee company with everybody in office, and a project driven to any stage through the product's verbs.

`prepare` writes base data and people once into a module's database; `Line` acts in a test's own session. Each person
has the very permissions of the built-in role, so the stories also prove the roles.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

import models.registry  # noqa: F401 - maps every table
from app.roles import ROLES, RoleSpec, all_permissions, permissions_of
from models.approval.approval import (
    ApprovalInstance,
    ApprovalPosition,
    ApprovalPositionMember,
    ApprovalState,
    TaskState,
)
from models.base.actor import SYSTEM, Actor, ScopeLevel
from models.base.entity import Entity
from models.base.moments import add_months
from models.base.paper import PaperState
from models.customer.customer import CorporateCustomer, Customer, EnterpriseScale, Grade
from models.customer.detail import BankAccount, Executive
from models.customer.financial_statement import FinancialStatement, PeriodKind
from models.customer.rating_model import CustomerKind
from models.guarantee.appraisal import Advice, InvestigationReport, RiskAssessment
from models.guarantee.bank import PartnerBank
from models.guarantee.drawdown import Drawdown
from models.guarantee.product import Product, RepaymentMethod
from models.guarantee.project import Project, Stage
from models.guarantee.resolution import (
    MeetingItem,
    MeetingMember,
    Resolution,
    ResolutionCondition,
    ReviewMeeting,
    VoteChoice,
)
from models.guarantee.signing import Contract, CounterGuarantee, CounterKind, Fee, FeeDue
from models.ledger.voucher import BusinessEvent, EventState
from models.system.organization import Department, Employee
from models.system.records import Attachment
from models.system.setup import Parameter
from tests.workflows.accounts import sign_on
from workflows.approval import approval
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import (
    application,
    appraisal,
    collection,
    contracts,
    counters,
    disbursement,
    fees,
    resolution,
)
from workflows.ledger import posting

TODAY = date(2026, 3, 2)
MILLION = Decimal(1_000_000)
# The companies of these stories are small: fees without VAT are a story of their own (test_vat.py).
PARAMETERS = {"exposure.net_assets_override": "100000000", "vat.guarantee_exempt": "否"}
DEPARTMENTS = {
    "HQ": ("总部", None),
    "YW1": ("业务一部", "HQ"),
    "YW2": ("业务二部", "HQ"),
    "FK": ("风控部", "HQ"),
}
# Who is who: name -> (department, role, approval positions).
PEOPLE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "王磊": ("YW1", "客户经理", ()),
    "李静": ("YW1", "客户经理", ()),
    "赵强": ("YW1", "业务部门经理", ()),
    "何平": ("YW2", "客户经理", ()),
    "陈晨": ("FK", "风控专员", ()),
    "孙涛": (
        "FK",
        "风控总监",
        ("evaluation", "review", "risk", "fee_waiver", "after", "collateral"),
    ),
    "周敏": ("HQ", "分管副总", ("vice_president", "counter_guarantee", "asset")),
    "吴刚": ("HQ", "总裁", ("president",)),
    "郑洁": ("FK", "法务", ("legal",)),
    "冯丽": ("HQ", "会计", ("finance",)),
    "陈伟": ("HQ", "财务主管", ()),
    "褚燕": ("HQ", "出纳", ()),
    "卫东": ("FK", "押品专员", ()),
    "蒋欣": ("HQ", "审保会秘书", ()),
    "沈一": ("HQ", "审保会委员", ()),
    "沈二": ("HQ", "审保会委员", ()),
    "沈三": ("HQ", "审保会委员", ()),
    "沈四": ("HQ", "审保会委员", ()),
    "沈五": ("HQ", "审保会委员", ()),
    "沈六": ("HQ", "审保会委员", ()),
    "沈七": ("HQ", "审保会委员", ()),
    "沈八": ("HQ", "审保会委员", ()),
}
MANAGER, ASSISTANT, DEPARTMENT_HEAD, OUTSIDER = "王磊", "李静", "赵强", "何平"
RISK, RISK_HEAD, VICE, PRESIDENT, LEGAL = "陈晨", "孙涛", "周敏", "吴刚", "郑洁"
ACCOUNTANT, CASHIER, SECRETARY = "冯丽", "褚燕", "蒋欣"
BOARD = ("沈一", "沈二", "沈三", "沈四", "沈五")


def prepare(engine: Engine, stages: Iterable[Stage] = ()) -> dict[Stage, int]:
    """Write people and a project at each of these stages into a module's installation, once for its stories.

    Returns the ids of the projects.
    """
    with Session(engine) as session:
        Ctx(session, SYSTEM, TODAY, datetime(2026, 3, 2, 1, 0, tzinfo=UTC), "test")
        for code, value in PARAMETERS.items():
            for row in session.scalars(select(Parameter).where(Parameter.code == code)):
                row.value = value
        _hire(session)
        line = Line(session)
        standing = {
            stage: line.project_at(stage, customer_id=line.customer(f"{stage.name} 公司").id).id
            for stage in stages
        }
        session.commit()
    return standing


def _hire(session: Session) -> None:
    places: dict[str, Department] = {}
    for code, (name, above) in DEPARTMENTS.items():
        places[code] = Department(
            code=code, name=name, parent_id=places[above].id if above else None, path="/"
        )
        session.add(places[code])
        session.flush()
        places[code].path = f"{places[above].path if above else '/'}{places[code].id}/"
    for number, (name, (place, _, positions)) in enumerate(PEOPLE.items(), 1):
        person = Employee(number=f"E{number:03}", name=name, department_id=places[place].id)
        session.add(person)
        session.flush()
        sign_on(session, person, PEOPLE[name][1])
        for code in positions:
            position = session.scalars(
                select(ApprovalPosition).where(ApprovalPosition.code == code)
            ).one()
            session.add(ApprovalPositionMember(position_id=position.id, employee_id=person.id))
        if name == DEPARTMENT_HEAD:
            places[place].manager_id = person.id
    session.flush()


@dataclass
class Line:
    """One test's company at work: who acts, on which day, and short ways along the line."""

    session: Session
    today: date = TODAY
    standing: dict[Stage, int] = field(default_factory=dict)
    people: dict[str, Employee] = field(default_factory=dict)
    made: int = 0

    def __post_init__(self) -> None:
        self.people = {person.name: person for person in self.session.scalars(select(Employee))}
        # Numbers go on where the module's standing projects have left off.
        self.made = sum(
            self.session.scalar(select(func.count(m.id))) or 0
            for m in (Customer, PartnerBank, Drawdown)
        )

    # -- who acts ------------------------------------------------------------------------------------------------

    def ctx(self, who: str = "") -> Ctx:
        """A unit of work of a person with the permissions of the built-in role, or of the system."""
        now = datetime(self.today.year, self.today.month, self.today.day, 1, 0, tzinfo=UTC)
        return Ctx(self.session, self.actor(who) if who else SYSTEM, self.today, now, "test")

    def actor(self, who: str) -> Actor:
        person, role = self.people[who], _role(PEOPLE[who][1])
        return Actor(
            employee_id=person.id,
            name=who,
            department_id=person.department_id,
            department_ids=frozenset({person.department_id}),
            scope=ScopeLevel[role.scope.name],
            roles=frozenset({role.name}),
            permissions=_permissions(role.name),
        )

    def id(self, who: str) -> int:
        return self.people[who].id

    def later(self, **delta: Any) -> date:
        """Let days pass; returns the new business date."""
        self.today += timedelta(**delta)
        return self.today

    # -- what there is ------------------------------------------------------------------------------------------

    def customer(
        self, name: str = "江州明达机械有限公司", manager: str = MANAGER, **facts: Any
    ) -> CorporateCustomer:
        """A company that may apply: complete file, a grade in force, its documents on file."""
        self.made += 1
        facts = {
            "kind": CustomerKind.CORPORATE,
            "number": f"KH{self.made:06}",
            "name": name,
            "uscc": f"91330106MA1T{self.made:05}X",
            "legal_person": "李晓明",
            "actual_controller": "李晓明",
            "registered_capital": 20 * MILLION,
            "paid_in_capital": 20 * MILLION,
            "established_on": date(2012, 5, 1),
            "industry": "14",
            "scale": EnterpriseScale.SMALL,
            "enterprise_nature": "30",
            "employee_count": 80,
            "business_scope": "精密机械制造",
            "region": "330100",
            "registered_address": "杭州市滨江区江南大道 1 号",
            "address": "杭州市滨江区江南大道 1 号",
            "contact": "王芳",
            "phone": "057188880000",
            "email": "office@mingda.example",
            "manager_id": self.id(manager),
            "department_id": self.people[manager].department_id,
            "grade": Grade.A,
            "grade_valid_until": date(2027, 12, 31),
            **facts,
        }
        made = CorporateCustomer(**facts)
        self.session.add(made)
        self.session.flush()
        self._file(made)
        return made

    def _file(self, customer: CorporateCustomer) -> None:
        amounts = (
            "current_assets",
            "total_assets",
            "current_liabilities",
            "total_liabilities",
            "net_assets",
            "revenue",
            "net_profit",
        )
        statement = FinancialStatement(
            corporate_customer=customer,
            period_kind=PeriodKind.YEAR,
            period_end=date(2025, 12, 31),
            **dict.fromkeys(amounts, 10 * MILLION),
        )
        account = BankAccount(
            customer=customer,
            bank_name="测试银行高新支行",
            account_name=customer.name,
            account_no=f"62000000{self.made:08}",
        )
        person = Executive(corporate_customer=customer, name="李晓明", position="总经理")
        self.session.add_all([statement, account, person])
        for category in ("LICENCE", "FINANCE"):
            self.attach("corporate_customer", customer.id, category)
        self.session.flush()

    def attach(self, table: str, record_id: int, category: str | None) -> None:
        """Put a document on file, without its bytes."""
        self.session.add(
            Attachment(
                owner_table=table,
                owner_id=record_id,
                category=category,
                original_name=f"{category}.pdf",
                sha256="0" * 64,
                detected_type="application/pdf",
                size_bytes=1,
                stored_path="none",
                uploaded_at=datetime(2026, 3, 1, tzinfo=UTC),
            )
        )
        self.session.flush()

    def bank(self, name: str = "测试银行高新支行", **facts: Any) -> PartnerBank:
        """A partner bank with a line of 500 million 元."""
        found = self.session.scalars(select(PartnerBank).where(PartnerBank.name == name)).first()
        if found is None:
            self.made += 1
            found = PartnerBank(
                **{"code": f"B{self.made:03}", "name": name, "credit_line": 500 * MILLION, **facts}
            )
            self.session.add(found)
            self.session.flush()
        return found

    def product(self, code: str = "LDZJ") -> Product:
        return self.session.scalars(select(Product).where(Product.code == code)).one()

    def facts(self, **facts: Any) -> dict[str, Any]:
        """The form of an application: 5 million for 12 months at 1.5 % a year."""
        if "customer_id" not in facts:
            facts["customer_id"] = self.customer().id
        return {
            "product_id": self.product().id,
            "bank_id": self.bank().id,
            "amount": 5 * MILLION,
            "term_months": 12,
            "purpose": "WORKING",
            "rate_annual_pct": Decimal("4.35"),
            "repayment_method": RepaymentMethod.EQUAL_INSTALMENT,
            "fee_rate_pct": Decimal("1.5"),
            "bank_share_pct": Decimal(20),
            "counter_offer": "厂房抵押",
            "assistant_id": self.id(ASSISTANT),
            "small_kind": "NONE",
            "small_reason": "以最近一期报表为准",
            **facts,
        }

    def apply(self, **facts: Any) -> Project:
        """A drawn-up application of the account manager."""
        return records.create(self.ctx(MANAGER), Project, self.facts(**facts))

    # -- approvals and books --------------------------------------------------------------------------------------

    def running(self, record: Entity) -> ApprovalInstance:
        """The approval that a record is in."""
        query = select(ApprovalInstance).where(
            ApprovalInstance.table_name == record.__tablename__,
            ApprovalInstance.record_id == record.id,
            ApprovalInstance.state == ApprovalState.RUNNING,
        )
        return self.session.scalars(query).one()

    def decide(
        self,
        record: Entity,
        decision: approval.Decision = approval.Decision.APPROVE,
        opinion: str = "",
    ) -> str:
        """Let the first person who is asked decide; returns who it was."""
        instance = self.running(record)
        self.session.expire(instance, ["tasks"])
        task = next(task for task in instance.tasks if task.state is TaskState.PENDING)
        who = task.assignee.name
        approval.decide(self.ctx(who), task, decision, opinion)
        return who

    def approve(self, record: Entity) -> None:
        """Let everybody who is asked agree until the approval has passed."""
        instance = self.running(record)
        while instance.state is ApprovalState.RUNNING:
            self.decide(record)

    def reject(self, record: Entity, opinion: str = "不符合要求") -> None:
        self.decide(record, approval.Decision.REJECT, opinion)

    def give_back(self, record: Entity, opinion: str = "请补充材料") -> None:
        self.decide(record, approval.Decision.RETURN, opinion)

    def withdraw(self, record: Entity, who: str = MANAGER) -> None:
        approval.withdraw(self.ctx(who), self.running(record))

    def events(self, project: Project, *states: EventState, code: str = "") -> list[BusinessEvent]:
        """The project's business events, all of them or those in these states."""
        query = select(BusinessEvent).where(BusinessEvent.project_id == project.id)
        found = self.session.scalars(query.order_by(BusinessEvent.id)).all()
        return [
            e
            for e in found
            if (not states or e.state in states) and (not code or e.event_code == code)
        ]

    def book(self, project: Project) -> None:
        """Let the accountant book all that waits."""
        for event in self.events(project, EventState.PENDING):
            posting.book(self.ctx(ACCOUNTANT), event)

    def refuse(self, event: BusinessEvent, reason: str = "金额有误") -> None:
        posting.refuse(self.ctx(ACCOUNTANT), event, reason)

    def unbook(self, event: BusinessEvent, reason: str = "重新核对") -> None:
        posting.unbook(self.ctx(), event, reason)

    # -- the line ---------------------------------------------------------------------------------------------------

    def project_at(self, stage: Stage, **facts: Any) -> Project:
        """A project that stands at this stage, every step before it taken by whoever takes it in life."""
        project = self.apply(**facts)
        while project.stage is not stage:
            STEPS[project.stage](self, project)
        return project

    def at(self, stage: Stage) -> Project:
        """The module's own project at this stage (see `prepare`)."""
        return self.session.get_one(Project, self.standing[stage])

    def step(self, project: Project) -> Stage:
        """Finish the present stage of a project; returns the next one."""
        STEPS[project.stage](self, project)
        return project.stage

    def report(self, project: Project, **facts: Any) -> InvestigationReport:
        words = dict.fromkeys(
            ("operation", "finance", "repayment_source", "security", "risks"), "正常"
        )
        return records.create(
            self.ctx(MANAGER),
            InvestigationReport,
            {
                "project_id": project.id,
                "visited_on": self.today,
                "visit_place": "企业现场",
                "advice": Advice.SUPPORT,
                "advised_amount": project.amount,
                "advised_months": project.term_months,
                **words,
                **facts,
            },
        )

    def assessment(self, project: Project, **facts: Any) -> RiskAssessment:
        return records.create(
            self.ctx(RISK),
            RiskAssessment,
            {
                "project_id": project.id,
                "score_customer": 26,
                "score_repayment": 25,
                "score_security": 20,
                "score_compliance": 13,
                "findings": "可控",
                "measures": "按季检查",
                "opinion": "同意",
                **facts,
            },
        )

    def meeting(
        self, *projects: Project, members: tuple[str, ...] = BOARD, **facts: Any
    ) -> ReviewMeeting:
        """A meeting as the secretary prepares it."""
        ctx = self.ctx(SECRETARY)
        meeting = records.create(
            ctx,
            ReviewMeeting,
            {
                "held_on": self.today,
                "place": "第一会议室",
                "chair_id": self.id(members[0]),
                "secretary_id": self.id(SECRETARY),
                **facts,
            },
        )
        for name in members:
            records.create(
                ctx, MeetingMember, {"meeting_id": meeting.id, "employee_id": self.id(name)}
            )
        for seq, project in enumerate(projects, 1):
            records.create(
                ctx,
                MeetingItem,
                {
                    "meeting_id": meeting.id,
                    "project_id": project.id,
                    "seq": seq,
                    "advised_amount": project.amount,
                    "advised_months": project.term_months,
                },
            )
        return meeting

    def items(self, meeting: ReviewMeeting) -> list[MeetingItem]:
        return list(
            self.session.scalars(select(MeetingItem).where(MeetingItem.meeting_id == meeting.id))
        )

    def vote(
        self, meeting: ReviewMeeting, *choices: VoteChoice, opinion: str = "落实抵押登记"
    ) -> None:
        """Every board member votes on every item, in the order of the board; without choices all agree."""
        for item in self.items(meeting):
            for name, choice in zip(
                BOARD, choices or (VoteChoice.AGREE,) * len(BOARD), strict=True
            ):
                resolution.cast(
                    self.ctx(name), item, choice, "" if choice is VoteChoice.AGREE else opinion
                )

    def resolve(self, project: Project, *choices: VoteChoice) -> ReviewMeeting:
        """A meeting on the project from its opening to its result."""
        meeting = self.meeting(project)
        resolution.open_meeting(self.ctx(SECRETARY), meeting)
        self.vote(meeting, *choices)
        return resolution.close_meeting(self.ctx(SECRETARY), meeting)

    def confirmed(
        self, project: Project, amount: Decimal | None = None, months: int | None = None
    ) -> Resolution:
        """A resolution on these terms, signed and told to the bank; the project goes on."""
        meeting = self.meeting(project)
        for item in self.items(meeting):
            terms = {
                "advised_amount": amount or project.amount,
                "advised_months": months or project.term_months,
            }
            records.update(self.ctx(SECRETARY), item, terms, item.version)
        resolution.open_meeting(self.ctx(SECRETARY), meeting)
        self.vote(meeting)
        resolution.close_meeting(self.ctx(SECRETARY), meeting)
        self.approve(self.resolution(project))
        resolution.issue_confirmation(self.ctx(MANAGER), project)
        return self.resolution(project)

    def run_out(self, project: Project) -> Resolution:
        """Let the days pass until the project's resolution holds no more, without a day-end."""
        found = self.resolution(project)
        self.today = found.valid_until + timedelta(days=1)
        return found

    def resolution(self, project: Project) -> Resolution:
        """The latest resolution on the project."""
        query = (
            select(Resolution)
            .where(Resolution.project_id == project.id)
            .order_by(Resolution.id.desc())
        )
        return self.session.scalars(query.limit(1)).one()

    def fee(self, project: Project, kind: str = "GUARANTEE") -> Fee:
        query = select(Fee).where(Fee.project_id == project.id)
        return next(fee for fee in self.session.scalars(query) if fee.kind.name == kind)

    def dues(self, fee: Fee) -> list[FeeDue]:
        return list(
            self.session.scalars(select(FeeDue).where(FeeDue.fee_id == fee.id).order_by(FeeDue.seq))
        )

    def contract(self, project: Project, kind: str) -> Contract:
        """The latest contract of a kind."""
        query = (
            select(Contract).where(Contract.project_id == project.id).order_by(Contract.id.desc())
        )
        return next(c for c in self.session.scalars(query) if c.kind.name == kind)

    def draw_up(self, project: Project) -> list[Contract]:
        """The contracts that the project lacks, the bank's number entered."""
        made = contracts.propose_contracts(self.ctx(MANAGER), project)
        for contract in made:
            if contract.main_number is None:
                records.update(
                    self.ctx(MANAGER), contract, {"main_number": "JK-2026-0001"}, contract.version
                )
        return made

    def sign(self, project: Project) -> None:
        """Draw up, submit and approve what contracts are missing."""
        for contract in self.draw_up(project):
            contracts.submit(self.ctx(MANAGER), contract)
            self.approve(contract)

    def counter(self, project: Project, **facts: Any) -> CounterGuarantee:
        """A plant worth twice the guaranteed amount, mortgaged at the cap of its kind."""
        given = {
            "project_id": project.id,
            "kind": CounterKind.MORTGAGE,
            "name": "滨江厂房",
            "asset_kind": "PLANT",
            "certificate_no": "浙2026不动产权0001",
            "appraised_value": project.amount * 2,
            **facts,
        }
        return records.create(self.ctx(MANAGER), CounterGuarantee, given)

    def collect(self, fee: Fee, amount: Decimal | str | None = None, **facts: Any) -> Any:
        """The cashier takes in what is open, or an amount."""
        given = {
            "amount": fee.open_amount if amount is None else Decimal(amount),
            "received_on": self.today,
            "payer": fee.project.customer.name,
            **facts,
        }
        return collection.collect(self.ctx(CASHIER), fee, **given)

    def settle(self, project: Project) -> None:
        """Everything that the gate still asks for: counter-guarantees and conditions are settled."""
        items = select(CounterGuarantee).where(CounterGuarantee.project_id == project.id)
        for item in self.session.scalars(items):
            if item.state is PaperState.APPROVED and not item.is_settled:
                counters.settle(self.ctx("卫东"), item, "不动产登记证明 0001 号", self.today)
        for condition in self.session.scalars(select(ResolutionCondition)):
            if condition.resolution.project_id == project.id and not condition.is_met:
                disbursement.meet_condition(self.ctx(MANAGER), condition, "已办理")

    def note(self, project: Project, **facts: Any) -> dict[str, Any]:
        """The bank's note on the whole amount and term, drawn today."""
        self.made += 1
        drawn_on = facts.get("drawn_on", self.today)
        return {
            "bank_note_no": f"YH{self.made:06}",
            "drawn_on": drawn_on,
            "amount": project.amount,
            "rate_annual_pct": project.rate_annual_pct,
            "repayment_method": project.repayment_method,
            "due_on": add_months(drawn_on, project.term_months),
            **facts,
        }

    def confirm(self, project: Project, **facts: Any) -> Any:
        return disbursement.confirm(self.ctx(MANAGER), project, **self.note(project, **facts))


def _role(name: str) -> RoleSpec:
    return next(role for role in ROLES if role.name == name)


_KNOWN: dict[str, frozenset[tuple[str, str]]] = {}


def _permissions(role: str) -> frozenset[tuple[str, str]]:
    if role not in _KNOWN:
        pairs = permissions_of(_role(role), all_permissions())
        _KNOWN[role] = frozenset((f"can_{verb}", table) for verb, table in pairs)
    return _KNOWN[role]


def _evaluate(line: Line, project: Project) -> None:
    report = line.report(project)
    appraisal.submit_report(line.ctx(MANAGER), report)
    line.approve(report)


def _review(line: Line, project: Project) -> None:
    appraisal.submit_review(line.ctx(MANAGER), project)
    line.approve(project)


def _assess(line: Line, project: Project) -> None:
    paper = line.assessment(project)
    appraisal.submit_risk(line.ctx(RISK), paper)
    line.approve(paper)


def _decide(line: Line, project: Project) -> None:
    line.confirmed(project)


def _register(line: Line, project: Project) -> None:
    fees.propose_fees(line.ctx(MANAGER), project)
    fees.submit_fees(line.ctx(MANAGER), project)


def _secure(line: Line, project: Project) -> None:
    line.counter(project)
    line.sign(project)
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)


def _collect(line: Line, project: Project) -> None:
    for fee in line.session.scalars(select(Fee).where(Fee.project_id == project.id)).all():
        if fee.open_amount:
            line.collect(fee)
    line.book(project)


def _notify(line: Line, project: Project) -> None:
    line.settle(project)
    disbursement.issue_notice(line.ctx(MANAGER), project)


STEPS: dict[Stage, Callable[[Line, Project], Any]] = {
    Stage.APPLY: lambda line, project: application.submit(line.ctx(MANAGER), project),
    Stage.EVALUATE: _evaluate,
    Stage.INTENT: lambda line, project: appraisal.issue_intent(line.ctx(MANAGER), project),
    Stage.REVIEW: _review,
    Stage.RISK: _assess,
    Stage.RESOLVE: _decide,
    Stage.FEE_PLAN: _register,
    Stage.FEE_BOOK: Line.book,
    Stage.CONTRACT: Line.sign,
    Stage.COUNTER: _secure,
    Stage.FEE_COLLECT: _collect,
    Stage.NOTICE: _notify,
    Stage.CONFIRM: Line.confirm,
}
