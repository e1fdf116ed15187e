"""What must hold when the system is set up: organisation, dictionaries, parameters, numbers, partners (10.1, 10.2)."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from string import Formatter
from typing import Any

from sqlalchemy import func, inspect, select, update

from models.base.entity import STAMPS, Entity, columns_of
from models.base.errors import Conflict, FieldErrors
from models.customer.partner import GuaranteeCompany, JointGroup, JointGroupMember
from models.customer.rating_model import RatingIndicator, RatingOption
from models.guarantee.bank import PartnerBank
from models.system.organization import Department, Employee, Operator
from models.system.setup import (
    PARAMETER_CHOICES,
    SHARES,
    DictionaryItem,
    DictionaryType,
    NumberReset,
    NumberRule,
    Parameter,
    ValueKind,
)
from reports.figures import dictionaries, uses
from reports.figures.parameters import as_share
from workflows.base import records
from workflows.base.context import Ctx

_HUNDRED = Decimal(100)


@records.rule(Department)
def place_department(ctx: Ctx, department: Department, is_new: bool) -> None:
    """Keep `path` of the department and of all below it; a department is never below itself."""
    parent = (
        None
        if department.parent_id is None
        else ctx.session.get_one(Department, department.parent_id)
    )
    above = "/" if parent is None else parent.path
    if not is_new and f"/{department.id}/" in above:
        raise FieldErrors({"parent_id": ["上级部门不能是本部门或其下级部门"]})
    if is_new:
        ctx.session.add(department)
        ctx.session.flush()
    old, new = department.path, f"{above}{department.id}/"
    if old == new:
        return
    department.path = new
    if not is_new:
        below = Department.path.startswith(old, autoescape=True) & (Department.id != department.id)
        moved = new + func.substr(Department.path, len(old) + 1)
        ctx.session.execute(
            update(Department).where(below).values(path=moved),
            execution_options={"synchronize_session": "fetch"},
        )


@records.rule(Department)
def check_department_in_use(ctx: Ctx, department: Department, is_new: bool) -> None:
    """A department with people or active parts stays in use."""
    if is_new or department.is_active:
        return
    people = ctx.session.scalar(
        select(func.count()).where(Employee.department_id == department.id, Employee.is_active)
    )
    parts = ctx.session.scalar(
        select(func.count()).where(Department.parent_id == department.id, Department.is_active)
    )
    if people or parts:
        raise FieldErrors(
            {"is_active": [f"部门下还有 {people} 名在职员工、{parts} 个启用的下级部门，不能停用"]}
        )


@records.rule(Employee)
def check_employee(ctx: Ctx, employee: Employee, is_new: bool) -> None:
    """Dates in order; who has left can no longer sign in."""
    if (
        employee.entered_on is not None
        and employee.left_on is not None
        and employee.left_on < employee.entered_on
    ):
        raise FieldErrors({"left_on": ["离职日期不能早于入职日期"]})
    if not is_new and employee.manager_id == employee.id:
        raise FieldErrors({"manager_id": ["直接上级不能是本人"]})
    if not is_new and not employee.is_active:
        for operator in ctx.session.scalars(
            select(Operator).where(Operator.employee_id == employee.id)
        ):
            operator.is_disabled = True


@records.rule(PartnerBank)
def check_bank(ctx: Ctx, bank: PartnerBank, is_new: bool) -> None:
    """A branch is never above its own head office; the agreement ends after it begins."""
    _check_agreement(bank)
    above = None if bank.parent_id is None else ctx.session.get_one(PartnerBank, bank.parent_id)
    while above is not None:
        if not is_new and above.id == bank.id:
            raise FieldErrors({"parent_id": ["上级行不能是本行或其下级行"]})
        above = above.parent


@records.rule(GuaranteeCompany)
def check_guarantee_company(ctx: Ctx, company: GuaranteeCompany, is_new: bool) -> None:
    """The agreement ends after it begins."""
    del ctx, is_new
    _check_agreement(company)


@records.rule(JointGroup)
def check_joint_group(ctx: Ctx, group: JointGroup, is_new: bool) -> None:
    """Caps fit into the group's line; the agreement ends after it begins."""
    del ctx, is_new
    _check_agreement(group)
    if group.member_limit is not None and group.member_limit > group.credit_line:
        raise FieldErrors({"member_limit": ["单户上限不能大于联保总额度"]})


@records.rule(JointGroupMember)
def check_joint_member(ctx: Ctx, member: JointGroupMember, is_new: bool) -> None:
    """A member's cap fits into the group's line."""
    del is_new
    group = ctx.session.get_one(JointGroup, member.joint_group_id)
    if member.limit_amount is not None and member.limit_amount > group.credit_line:
        raise FieldErrors({"limit_amount": ["单户上限不能大于联保总额度"]})
    if (
        member.joined_on is not None
        and member.left_on is not None
        and member.left_on < member.joined_on
    ):
        raise FieldErrors({"left_on": ["退出日期不能早于加入日期"]})


def _check_agreement(record: PartnerBank | GuaranteeCompany | JointGroup) -> None:
    start, end = record.agreement_from, record.agreement_to
    if start is not None and end is not None and end < start:
        raise FieldErrors({"agreement_to": ["协议到期日不能早于协议起始日"]})


def _fits_number(text: str) -> bool:
    try:
        return Decimal(text.replace(",", "")).is_finite()
    except InvalidOperation:
        return False


def _fits_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _fits_percent(text: str) -> bool:
    return _fits_number(text) and 0 <= Decimal(text.replace(",", "")) <= _HUNDRED


def _fits_days(text: str) -> bool:
    return text.isascii() and text.isdecimal()


_FITS: dict[ValueKind, tuple[Callable[[str], bool], str]] = {
    ValueKind.NUMBER: (_fits_number, "请填写数字"),
    ValueKind.PERCENT: (_fits_percent, "请填写 0 至 100 之间的数字，不带百分号"),
    ValueKind.DAYS: (_fits_days, "请填写整数"),
    ValueKind.FLAG: (lambda text: text in ("是", "否"), "请填写“是”或“否”"),
    ValueKind.DATE: (_fits_date, "日期格式应为 2026-11-23"),
}


@records.rule(Parameter)
def check_parameter(ctx: Ctx, parameter: Parameter, is_new: bool) -> None:
    """The value fits its kind: a threshold that is no number would stop whoever asks for it.

    Its code is what the product asks by; a change begins today or later, and what held before is kept as a row.
    """
    choices = PARAMETER_CHOICES.get(parameter.code)
    if choices and parameter.value not in choices:
        raise FieldErrors({"value": [f"请选择：{'、'.join(choices.values())}"]})
    if parameter.value and parameter.value_kind in _FITS:
        fits, message = _FITS[parameter.value_kind]
        if not fits(parameter.value):
            raise FieldErrors({"value": [message]})
    if parameter.code in SHARES and as_share(parameter.value or "") is None:
        raise FieldErrors({"value": ["请填写大于 0、不超过 1 的比例，如 2/3 或 0.75"]})
    _keep_history(ctx, parameter, is_new)


def _keep_history(ctx: Ctx, parameter: Parameter, is_new: bool) -> None:
    state: Any = inspect(parameter).attrs
    changed = [(name, state[name].history.deleted) for name in ("code", "value", "effective_on")]
    before: dict[str, Any] = {name: old[0] for name, old in changed if old and not is_new}
    if "code" in before:
        raise FieldErrors({"code": [f"系统按编码“{before['code']}”取用参数，不能修改编码"]})
    since = before.get("effective_on", parameter.effective_on)
    if is_new or since > ctx.today or not before:
        return
    if parameter.effective_on < ctx.today:
        said = f"修改自营业日期起生效，请填写 {ctx.today} 或以后的日期；原值保留至前一日"
        raise FieldErrors({"effective_on": [said]})
    if since < parameter.effective_on:
        ctx.session.flush()  # the day of the old row is free only then
        kept = {
            name: getattr(parameter, name) for name in columns_of(Parameter) if name not in STAMPS
        }
        ctx.session.add(
            Parameter(
                **kept | {"value": before.get("value", parameter.value), "effective_on": since}
            )
        )


@records.delete_rule(Parameter)
def refuse_delete_of_last(ctx: Ctx, parameter: Parameter) -> None:
    """A parameter keeps at least one row: code asks for it."""
    others = select(func.count()).where(
        Parameter.code == parameter.code, Parameter.id != parameter.id
    )
    if not ctx.session.scalar(others):
        raise Conflict(f"系统参数“{parameter.label}”只有这一行，不能删除；请直接修改其值")
    if parameter.effective_on <= ctx.today:
        raise Conflict(f"系统参数“{parameter.label}”的这一行已经生效，不能删除；请新增一行")


@records.rule(NumberRule)
def check_number_rule(ctx: Ctx, rule: NumberRule, is_new: bool) -> None:
    """The pattern can be filled, tells numbers apart, and names the period after which it starts again."""
    del ctx, is_new
    try:
        # Plain names alone: a pattern must not reach into what it is filled with.
        if not all(
            name is None or name.isidentifier() for _, name, _, _ in Formatter().parse(rule.pattern)
        ):
            raise ValueError
        first, second = (
            rule.pattern.format_map(_Places(yyyy="2026", mm="01", dd="01", no=no)) for no in (1, 2)
        )
    except ValueError:
        raise FieldErrors({"pattern": ["格式不正确，例：DB{yyyy}-{no:04d}"]}) from None
    if first == second:
        raise FieldErrors({"pattern": ["格式中必须含流水号 {no}，例：DB{yyyy}-{no:04d}"]})
    needs = {NumberReset.YEAR: ("{yyyy}",), NumberReset.MONTH: ("{yyyy}", "{mm}")}.get(
        rule.reset, ()
    )
    if missing := [place for place in needs if place not in rule.pattern]:
        raise FieldErrors(
            {
                "pattern": [
                    f"流水号{rule.reset}重置时，格式中必须含 {'、'.join(missing)}，否则会重号"
                ]
            }
        )


class _Places(dict[str, Any]):
    """Places of a pattern that only the business knows (凭证字, 部门 …)."""

    def __missing__(self, key: str) -> str:
        return key


@records.rule(DictionaryItem)
def check_dictionary_item(ctx: Ctx, item: DictionaryItem, is_new: bool) -> None:
    """The item above exists and is not below this one; a code in use is not changed."""
    dictionary = ctx.session.get_one(DictionaryType, item.dictionary_type_id)
    if not is_new:
        before: Sequence[Any] = inspect(item).attrs.code.history.deleted
        held = uses.holding(ctx.session, dictionary.code, str(before[0])) if before else ()
        if words := uses.in_words(held):
            said = f"编码“{before[0]}”已被使用（{words}），不能修改；可以停用后新增条目"
            raise FieldErrors({"code": [said]})
    if item.parent_code is None:
        return
    parents = dictionaries.parents(ctx.session, dictionary.code)
    above: str | None = item.parent_code
    if above not in parents:
        raise FieldErrors({"parent_code": [f"字典“{dictionary.label}”中没有编码“{above}”"]})
    while above is not None:
        if above == item.code:
            raise FieldErrors({"parent_code": ["上级不能是本条目或其下级条目"]})
        above = parents.get(above)


@records.rule(RatingOption)
def check_rating_option(ctx: Ctx, option: RatingOption, is_new: bool) -> None:
    """No option scores more than its indicator allows; bounds stand in order."""
    del is_new
    indicator = ctx.session.get_one(RatingIndicator, option.rating_indicator_id)
    errors = {}
    if option.score > indicator.max_score:
        errors["score"] = [f"得分不能大于指标满分 {indicator.max_score.normalize():f}"]
    if option.lower is not None and option.upper is not None and option.upper <= option.lower:
        errors["upper"] = ["上限必须大于下限"]
    if errors:
        raise FieldErrors(errors)


@records.rule(RatingIndicator)
def check_rating_indicator(ctx: Ctx, indicator: RatingIndicator, is_new: bool) -> None:
    """The maximum scores of a model make at most 100."""
    others = select(func.sum(RatingIndicator.max_score)).where(
        RatingIndicator.rating_model_id == indicator.rating_model_id
    )
    if not is_new:
        others = others.where(RatingIndicator.id != indicator.id)
    total = (ctx.session.scalar(others) or Decimal(0)) + indicator.max_score
    if total > _HUNDRED:
        raise FieldErrors(
            {"max_score": [f"模型全部指标满分合计 {total.normalize():f} 分，不能超过 100 分"]}
        )


def _never_delete(model: type[Entity], message: str) -> None:
    @records.delete_rule(model)
    def refuse(ctx: Ctx, record: Any) -> None:
        del ctx, record
        raise Conflict(message)


_never_delete(NumberRule, "编号规则由业务功能使用，不能删除；可以修改其格式")
