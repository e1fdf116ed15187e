"""The peer "plain FAB": what its tutorial leads to, one ModelView per table on plain models of the same tables.

Every column that people fill in and every many-to-one is mapped; search, add and edit forms keep the documented
defaults (all columns, related ones as select boxes).
"""

import logging
from pathlib import Path
from typing import Any

from flask import Flask
from flask_appbuilder import AppBuilder, Model, ModelView
from flask_appbuilder.models.sqla.base import SQLA
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Integer, String, Text
from sqlalchemy.orm import relationship

from benchmarks import PASSWORD

USERNAME = "plain-fab"


class Department(Model):
    """业务部门."""

    __tablename__ = "department"
    id = Column(Integer, primary_key=True)
    name = Column(String(60), nullable=False)

    def __repr__(self) -> str:
        return str(self.name)


class Employee(Model):
    """员工."""

    __tablename__ = "employee"
    id = Column(Integer, primary_key=True)
    number = Column(String(20), nullable=False)
    name = Column(String(50), nullable=False)

    def __repr__(self) -> str:
        return str(self.name)


class Product(Model):
    """产品."""

    __tablename__ = "product"
    id = Column(Integer, primary_key=True)
    name = Column(String(60), nullable=False)

    def __repr__(self) -> str:
        return str(self.name)


class PartnerBank(Model):
    """合作银行."""

    __tablename__ = "partner_bank"
    id = Column(Integer, primary_key=True)
    name = Column(String(100), nullable=False)

    def __repr__(self) -> str:
        return str(self.name)


class Customer(Model):
    """客户."""

    __tablename__ = "customer"
    id = Column(Integer, primary_key=True)
    kind = Column(String(32), nullable=False)
    number = Column(String(40), nullable=False)
    name = Column(String(100), nullable=False)
    region = Column(String(32))
    address = Column(String(200))
    contact_phone = Column(String(30))
    is_guarantee_customer = Column(Boolean, nullable=False)
    is_credit_customer = Column(Boolean, nullable=False)
    grade = Column(String(32))
    watch = Column(String(32))
    status = Column(String(32), nullable=False)
    note = Column(String(300))
    manager_id = Column(Integer, ForeignKey("employee.id"))
    manager = relationship("Employee")
    department_id = Column(Integer, ForeignKey("department.id"))
    department = relationship("Department")
    __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": ""}  # noqa: RUF012 - as the tutorial of SQLAlchemy

    def __repr__(self) -> str:
        return str(self.name)


class CorporateCustomer(Customer):
    """对公客户."""

    __tablename__ = "corporate_customer"
    __mapper_args__ = {"polymorphic_identity": "CORPORATE"}  # noqa: RUF012
    id = Column(Integer, ForeignKey("customer.id"), primary_key=True)
    short_name = Column(String(40))
    uscc = Column(String(18), nullable=False)
    legal_person = Column(String(50))
    registered_capital = Column(BigInteger)
    established_on = Column(Date)
    industry = Column(String(32))
    scale = Column(String(32))
    employee_count = Column(Integer)
    business_scope = Column(Text)
    registered_address = Column(String(200))
    contact = Column(String(50))
    phone = Column(String(30))


class Project(Model):
    """担保项目."""

    __tablename__ = "project"
    id = Column(Integer, primary_key=True)
    number = Column(String(40), nullable=False)
    customer_id = Column(Integer, ForeignKey("customer.id"), nullable=False)
    customer = relationship("Customer")
    product_id = Column(Integer, ForeignKey("product.id"), nullable=False)
    product = relationship("Product")
    bank_id = Column(Integer, ForeignKey("partner_bank.id"), nullable=False)
    bank = relationship("PartnerBank")
    amount = Column(BigInteger, nullable=False)
    term_months = Column(Integer, nullable=False)
    purpose = Column(String(32), nullable=False)
    purpose_note = Column(String(200))
    rate_annual_pct = Column(BigInteger, nullable=False)
    repayment_method = Column(String(32), nullable=False)
    fee_rate_pct = Column(BigInteger, nullable=False)
    bank_share_pct = Column(BigInteger, nullable=False)
    counter_offer = Column(Text)
    small_kind = Column(String(32), nullable=False)
    is_farmer = Column(Boolean, nullable=False)
    is_agriculture = Column(Boolean, nullable=False)
    is_internet = Column(Boolean, nullable=False)
    is_housing = Column(Boolean, nullable=False)
    issuer_grade = Column(String(32), nullable=False)
    manager_id = Column(Integer, ForeignKey("employee.id"))
    manager = relationship("Employee", foreign_keys=[manager_id])
    assistant_id = Column(Integer, ForeignKey("employee.id"))
    assistant = relationship("Employee", foreign_keys=[assistant_id])
    department_id = Column(Integer, ForeignKey("department.id"))
    department = relationship("Department")
    stage = Column(String(32), nullable=False)
    state = Column(String(32), nullable=False)
    stage_since = Column(Date)
    applied_on = Column(Date)
    end_on = Column(Date)
    balance = Column(BigInteger, nullable=False)

    def __repr__(self) -> str:
        return str(self.number)


class ProjectModelView(ModelView):
    """Projects."""

    datamodel = SQLAInterface(Project)
    base_order = ("id", "desc")
    list_columns = [  # noqa: RUF012 - the framework's way
        "number",
        "customer",
        "product",
        "bank",
        "amount",
        "balance",
        "end_on",
        "stage",
        "state",
        "manager",
        "stage_since",
    ]


class CorporateCustomerModelView(ModelView):
    """Corporate customers."""

    datamodel = SQLAInterface(CorporateCustomer)
    base_order = ("id", "desc")
    list_columns = [  # noqa: RUF012
        "number",
        "name",
        "uscc",
        "legal_person",
        "industry",
        "scale",
        "region",
        "grade",
        "watch",
        "manager",
    ]


def make(database: Path) -> Any:
    """The WSGI application, its tables of users filled as its own commands do."""
    logging.getLogger("flask_appbuilder").setLevel(logging.ERROR)
    app = Flask("plain_fab")
    app.config.from_mapping(
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{database}",
        SECRET_KEY="k" * 40,
        CSRF_ENABLED=True,
        AUTH_TYPE=1,
        APP_NAME="plain",
        SQLALCHEMY_TRACK_MODIFICATIONS=False,
    )
    db = SQLA()
    with app.app_context():
        db.init_app(app)
        builder = AppBuilder(app, db.session)
        builder.add_view(ProjectModelView, "Projects", category="Guarantee")
        builder.add_view(CorporateCustomerModelView, "Customers", category="Guarantee")
        manager = builder.sm
        if manager.find_user(username=USERNAME) is None:
            manager.add_user(
                USERNAME,
                "plain",
                "fab",
                "plain@local.invalid",
                manager.find_role("Admin"),
                PASSWORD,
            )
        db.session.remove()
    return app
