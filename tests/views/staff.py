"""People of the built-in roles for the tests of screens, hired once and copied for every module."""

from datetime import UTC, datetime
from pathlib import Path

from app import create_app
from app.extensions import db
from models.base.actor import SYSTEM
from models.guarantee.bank import PartnerBank
from models.system.organization import Department, Employee
from models.system.setup import SystemState
from tests.template import settings_of
from workflows.base.context import Ctx
from workflows.system import operators

PASSWORD = "Danbao@2026"
# sign-in name -> person, roles
PEOPLE = {
    "admin": ("方志远", ["系统管理员"]),
    "safe": ("顾海燕", ["安全管理员"]),
    "manager": ("周敏", ["客户经理"]),
    "other": ("林一凡", ["客户经理"]),
    "head": ("陈立", ["业务部门经理"]),
    "clerk": ("吴洁", ["会计"]),
    "chief": ("石慧", ["财务主管"]),
    "boss": ("唐霞", ["财务主管"]),
    "cashier": ("罗娜", ["出纳"]),
}


def hire(url: str, data_dir: Path) -> None:
    """Give the installation at `url` two departments, the people above with their accounts, and a bank."""
    app = create_app(settings_of(url, data_dir))
    with app.app_context():
        session = db.session()
        today = session.get_one(SystemState, 1).business_date
        ctx = Ctx(session=session, actor=SYSTEM, today=today, now=datetime.now(UTC), source="test")
        departments = [
            Department(code=code, name=name, path="/")
            for code, name in (("D1", "业务一部"), ("D2", "业务二部"))
        ]
        session.add_all(departments)
        session.flush()
        for department in departments:
            department.path = f"/{department.id}/"
        for number, (username, (name, roles)) in enumerate(PEOPLE.items(), 1):
            department = departments[1 if username == "other" else 0]
            employee = Employee(number=f"E{number:03}", name=name, department_id=department.id)
            session.add(employee)
            session.flush()
            operators.create_operator(ctx, employee, username, PASSWORD, roles, must_change=False)
        session.add(PartnerBank(code="ICBC", name="工商银行", credit_line=None))
        session.commit()
        db.session.remove()
        db.engine.dispose()
