"""Two cashiers note the payment of one 代偿 at the same moment (6.2): the bank is paid once."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.after.compensation import Compensation
from models.guarantee.product import RepaymentMethod
from models.guarantee.project import Project, Stage
from models.guarantee.repayment import Repayment, RepaymentSource
from models.ledger.voucher import BusinessEvent
from tests.workflows.after.test_compensation import approved, overdue
from tests.workflows.at_once import DONE, together
from tests.workflows.guarantee.factories import CASHIER, Line, prepare
from workflows.after import compensation


def test_of_two_cashiers_at_once_one_pays(engine):
    prepare(engine)
    with Session(engine) as session:
        line = Line(session)
        found = line.project_at(Stage.CONFIRM, customer_id=line.customer("同时付款公司").id)
        line.confirm(found, repayment_method=RepaymentMethod.INTEREST_FIRST)
        made = approved(line, overdue(line, found))
        key, day = made.id, line.today
        session.commit()

    def act(session):
        line = Line(session, today=day)
        paper = session.get_one(Compensation, key)
        compensation.pay(line.ctx(CASHIER), paper, day, "HK0001", version=paper.version)

    assert together(engine, [act, act])[-1] == DONE
    with Session(engine) as session:
        of_paper = select(func.count(BusinessEvent.id)).where(
            BusinessEvent.event_code == "compensation.paid", BusinessEvent.record_id == key
        )
        settled = select(func.count(Repayment.id)).where(
            Repayment.source == RepaymentSource.COMPENSATION
        )
        assert (session.scalar(of_paper), session.scalar(settled)) == (1, 1)
        owed = select(func.sum(Project.balance))
        assert session.scalar(owed) == 0
