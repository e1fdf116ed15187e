"""What must hold when data of a customer is saved, by whatever door it comes in (3.1-3.3, X8)."""

import calendar
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, func, select

from models.base.checks import birth_of, check_value, is_male
from models.base.entity import Entity
from models.base.errors import Conflict, FieldErrors
from models.base.money import format_money
from models.customer.customer import (
    CorporateCustomer,
    Customer,
    CustomerStatus,
    PersonalCustomer,
)
from models.customer.detail import (
    Executive,
    FamilyMember,
    IncomeExpense,
    Litigation,
    Qualification,
    Resume,
    Shareholder,
)
from models.customer.financial_statement import FinancialStatement, PeriodKind
from models.customer.rating_model import CustomerKind, RatingModel
from models.system.organization import Employee, Gender
from reports.base.scope import is_visible
from reports.figures.ratios import ratios
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number

ID_CARD = "ID_CARD"
_HUNDRED = Decimal(100)


@records.rule(PersonalCustomer)
def check_person(ctx: Ctx, customer: PersonalCustomer, is_new: bool) -> None:
    """证件号码 is real, agrees with sex and birthday (and fills them in), and belongs to nobody else."""
    del is_new
    customer.id_number = customer.id_number.upper().replace(" ", "")
    customer.contact_phone = customer.mobile or customer.home_phone
    if customer.id_type == ID_CARD:
        _check_id_card(customer)
    if customer.born_on is not None and customer.born_on > ctx.today:
        raise FieldErrors({"born_on": ["出生日期不能晚于营业日期"]})
    same = and_(
        PersonalCustomer.id_type == customer.id_type,
        PersonalCustomer.id_number == customer.id_number,
    )
    _refuse_duplicate(
        ctx, customer, PersonalCustomer, same=same, field="id_number", label="证件号码"
    )


def _check_id_card(customer: PersonalCustomer) -> None:
    if message := check_value("id_number", customer.id_number):
        raise FieldErrors({"id_number": [message]})
    born, gender = (
        birth_of(customer.id_number),
        Gender.MALE if is_male(customer.id_number) else Gender.FEMALE,
    )
    errors = {}
    if customer.born_on not in (None, born):
        errors["born_on"] = [f"与身份证号不符，身份证号中的出生日期为 {born.isoformat()}"]
    if customer.gender not in (None, gender):
        errors["gender"] = [f"与身份证号不符，身份证号对应的性别为{gender}"]
    if errors:
        raise FieldErrors(errors)
    customer.born_on, customer.gender = born, gender


@records.rule(CorporateCustomer)
def check_company(ctx: Ctx, customer: CorporateCustomer, is_new: bool) -> None:
    """统一社会信用代码 belongs to nobody else; dates and capital make sense."""
    del is_new
    customer.uscc = customer.uscc.upper().replace(" ", "").replace("-", "")
    customer.contact_phone = customer.phone
    errors = {}
    if customer.established_on is not None and customer.established_on > ctx.today:
        errors["established_on"] = ["成立日期不能晚于营业日期"]
    registered, paid = customer.registered_capital, customer.paid_in_capital
    if registered is not None and paid is not None and paid > registered:
        errors["paid_in_capital"] = [f"实收资本不能大于注册资本 {format_money(registered)} 元"]
    if errors:
        raise FieldErrors(errors)
    same = CorporateCustomer.uscc == customer.uscc
    _refuse_duplicate(
        ctx, customer, CorporateCustomer, same=same, field="uscc", label="统一社会信用代码"
    )


def _refuse_duplicate(
    ctx: Ctx, customer: Customer, model: type[Customer], same: Any, field: str, label: str
) -> None:
    """A hit outside one's scope says only that it exists and in which department (architecture rule 9)."""
    query = select(model).where(same)
    if customer.id is not None:
        query = query.where(model.id != customer.id)
    other = ctx.session.scalars(query.limit(1)).first()
    if other is None:
        return
    if is_visible(ctx.session, ctx.actor, other):
        raise FieldErrors({field: [f"{label}已登记：{other.name}（{other.number}）"]})
    department = "其他部门" if other.department is None else f"“{other.department.name}”"
    raise FieldErrors({field: [f"{label}已由{department}登记，如需办理请联系该部门"]})


@records.rule(Customer)
def check_customer(ctx: Ctx, customer: Customer, is_new: bool) -> None:
    """The department follows the manager; new customers get their number, closed ones stay as they are."""
    if not is_new and customer.status is CustomerStatus.MERGED:
        raise Conflict(f"客户“{customer}”已合并，不能修改")
    if not (customer.is_guarantee_customer or customer.is_credit_customer):
        raise FieldErrors({"is_guarantee_customer": ["信贷客户、担保客户至少选择一类"]})
    manager = (
        None if customer.manager_id is None else ctx.session.get(Employee, customer.manager_id)
    )
    if manager is None:
        raise FieldErrors({"manager_id": ["请选择客户经理"]})
    if not manager.is_active:
        raise FieldErrors({"manager_id": [f"{manager.name}已离职，请选择在职员工"]})
    if (
        not is_new
        and "manager_id" in audit.changes_of(customer)
        and not ctx.actor.may("hand_over", "customer")
    ):
        raise FieldErrors(
            {"manager_id": ["不能直接更换客户经理，请由部门经理在员工页面的“移交”中办理"]}
        )
    customer.department_id = manager.department_id
    if customer.rating_model_id is not None:
        _check_rating_model(ctx, customer)
    if is_new:
        customer.number = next_number(ctx, "customer")


def _check_rating_model(ctx: Ctx, customer: Customer) -> None:
    model = ctx.session.get_one(RatingModel, customer.rating_model_id)
    kind = (
        CustomerKind.PERSONAL if isinstance(customer, PersonalCustomer) else CustomerKind.CORPORATE
    )
    if model.customer_kind is not kind:
        raise FieldErrors({"rating_model_id": [f"评分模型“{model}”不适用于{kind}"]})


@records.rule(Shareholder)
def check_shareholder(ctx: Ctx, holder: Shareholder, is_new: bool) -> None:
    """All shareholders together hold at most 100 %, and nobody pays in more than was subscribed."""
    others = select(func.sum(Shareholder.share_pct)).where(
        Shareholder.corporate_customer_id == holder.corporate_customer_id
    )
    if not is_new:
        others = others.where(Shareholder.id != holder.id)
    total = (ctx.session.scalar(others) or Decimal(0)) + holder.share_pct
    if total > _HUNDRED:
        raise FieldErrors(
            {"share_pct": [f"全部股东持股比例合计为 {total.normalize():f}%，不能超过 100%"]}
        )
    if (
        holder.subscribed is not None
        and holder.paid_in is not None
        and holder.paid_in > holder.subscribed
    ):
        raise FieldErrors({"paid_in": ["实缴出资额不能大于认缴出资额"]})


@records.rule(IncomeExpense)
def check_income(ctx: Ctx, income: IncomeExpense, is_new: bool) -> None:
    """A household earns at least what the person earns and feeds at most its members."""
    del ctx, is_new
    errors = {}
    if income.household_monthly_income < income.monthly_income:
        errors["household_monthly_income"] = ["家庭月收入不能小于个人月收入"]
    if income.dependants is not None and income.dependants > income.household_size:
        errors["dependants"] = ["主要供养人口不能大于家庭人口数"]
    if errors:
        raise FieldErrors(errors)


@records.rule(FamilyMember)
def check_family_member(ctx: Ctx, member: FamilyMember, is_new: bool) -> None:
    """An identity card number of a relative is real."""
    del ctx, is_new
    if member.id_number and member.id_type == ID_CARD:
        member.id_number = member.id_number.upper()
        if message := check_value("id_number", member.id_number):
            raise FieldErrors({"id_number": [message]})


@records.rule(FinancialStatement)
def check_statement(ctx: Ctx, statement: FinancialStatement, is_new: bool) -> None:
    """The balance sheet balances, parts do not exceed the whole, the period has ended; then the ratios follow."""
    del is_new
    s = statement
    errors: dict[str, list[str]] = {}
    if s.total_liabilities + s.net_assets != s.total_assets:
        gap = format_money(s.total_assets - s.total_liabilities - s.net_assets)
        errors["net_assets"] = [f"资产总额应等于负债总额与净资产之和，现相差 {gap} 元"]
    if s.current_assets > s.total_assets:
        errors["current_assets"] = ["流动资产合计不能大于资产总额"]
    if s.current_liabilities > s.total_liabilities:
        errors["current_liabilities"] = ["流动负债合计不能大于负债总额"]
    if message := _period_problem(ctx, s.period_kind, s.period_end):
        errors["period_end"] = [message]
    if errors:
        raise FieldErrors(errors)
    for name, figure in ratios(s).items():
        setattr(s, name, figure)


def _period_problem(ctx: Ctx, kind: PeriodKind, end: date) -> str:
    if end > ctx.today:
        return "报表截止日不能晚于营业日期"
    if end.day != calendar.monthrange(end.year, end.month)[1]:
        return "报表截止日应为月末"
    months = {PeriodKind.YEAR: (12,), PeriodKind.HALF: (6,), PeriodKind.QUARTER: (3, 6, 9, 12)}.get(
        kind
    )
    if months and end.month not in months:
        return f"{kind}的截止月份应为 {'、'.join(map(str, months))} 月"
    return ""


def _in_order(model: type[Entity], first: str, last: str, message: str) -> None:
    """Register that one date of a model does not come before another."""

    @records.rule(model)
    def check_dates(ctx: Ctx, record: Any, is_new: bool) -> None:
        del ctx, is_new
        start, end = getattr(record, first), getattr(record, last)
        if start is not None and end is not None and end < start:
            raise FieldErrors({last: [message]})


records.stand_alone(
    PersonalCustomer,
    CorporateCustomer,
    IncomeExpense,
    FamilyMember,
    FinancialStatement,
    Resume,
    Qualification,
    Litigation,
    Executive,
)
_in_order(Resume, "start_on", "end_on", "结束日期不能早于开始日期")
_in_order(Qualification, "issued_on", "valid_until", "有效期不能早于发证日期")
_in_order(Litigation, "filed_on", "closed_on", "结案日期不能早于立案日期")


def _not_in_future(model: type[Entity], name: str, message: str) -> None:
    """Register that a date of a model does not lie after the business date."""

    @records.rule(model)
    def check_date(ctx: Ctx, record: Any, is_new: bool) -> None:
        del is_new
        found = getattr(record, name)
        if found is not None and found > ctx.today:
            raise FieldErrors({name: [message]})


_not_in_future(Litigation, "filed_on", "立案日期不能晚于营业日期")
_not_in_future(Executive, "since", "任职起始日不能晚于营业日期")
