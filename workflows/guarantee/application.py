"""4.1a 申请担保: the application, its checks, and its submission."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select

from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.money import format_money
from models.customer.customer import Customer, CustomerStatus
from models.customer.rating_model import CustomerKind
from models.guarantee.admission import Occasion
from models.guarantee.bank import BankStatus, PartnerBank
from models.guarantee.product import Product, ProductAudience, ProductDocument
from models.guarantee.project import UNDER_WAY, Project, ProjectDocument, ProjectState, Stage
from models.system.records import Attachment
from reports.figures import exposure, maximums, products, project_documents
from reports.figures.admission import Answer, answers
from reports.figures.completeness import completeness
from reports.figures.duties import holders_of_right
from reports.figures.parameters import number
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.transition import Step, enter, move, steps
from workflows.guarantee import admission, limits, renewal, sharing, smallness, stages

STEPS = steps(
    Step(
        "project",
        "submit",
        "提交申请",
        column="state",
        sources=(ProjectState.DRAFT,),
        targets=(ProjectState.RUNNING,),
    ),
    Step(
        "project",
        "cancel",
        "撤回申请",
        column="state",
        sources=(ProjectState.DRAFT,),
        targets=(ProjectState.CANCELLED,),
    ),
)


@records.rule(Project)
def check_application(ctx: Ctx, project: Project, is_new: bool) -> None:
    """An application fits its product, bank and customer; a new one gets its number and its place in the line."""
    product = ctx.session.get_one(Product, project.product_id)
    bank = ctx.session.get_one(PartnerBank, project.bank_id)
    customer = ctx.session.get_one(Customer, project.customer_id)
    errors = {
        "scheme_id": sharing.check(ctx, project, bank),
        "product_id": _about_product(ctx, product, customer),
        "customer_id": about_customer(customer),
        "bank_id": []
        if bank.status is BankStatus.ACTIVE
        else [f"{bank.name}{bank.status.label}，不能办理新项目"],
        "amount": about_amount(project.amount, product),
        "term_months": about_term(project.term_months, product),
        "bank_share_pct": _about_share(ctx, project.bank_share_pct),
        "rate_annual_pct": about_rate(ctx, project.rate_annual_pct, product),
        "fee_rate_pct": about_fee_rate(project.fee_rate_pct, product),
        "repayment_method": products.about_method(ctx.session, product, project.repayment_method),
        "assistant_id": _about_assistant(ctx, project),
        "small_reason": smallness.check(project, customer),
    }
    for found in (renewal.about(ctx, project), {} if is_new else _about_maximums(ctx, project)):
        for field, said in found.items():
            errors[field] = [*errors.get(field, ()), *said]
    if wrong := {field: found for field, found in errors.items() if found}:
        raise FieldErrors(wrong)
    project.guarantee_kind = product.guarantee_kind
    project.has_intent, project.has_board = product.has_intent, product.has_board
    project.has_counter = product.has_counter
    if is_new:
        project.number = next_number(ctx, "project")
        project.customer, project.product, project.bank = customer, product, bank
        stages.open_first(ctx, project)


@records.rule(ProjectDocument)
def check_document(ctx: Ctx, noted: ProjectDocument, is_new: bool) -> None:
    """What is noted of a document is what the product asks of it, while the project is under way."""
    del is_new
    project = ctx.session.get_one(Project, noted.project_id)
    if project.state not in UNDER_WAY:
        raise Conflict(f"项目 {project.number} {project.state.label}，不能登记要件")
    query = select(ProductDocument.id).where(
        ProductDocument.product_id == project.product_id,
        ProductDocument.category == noted.category,
    )
    found: dict[str, list[str]] = {}
    if ctx.session.scalar(query) is None:
        found["category"] = [f"产品“{project.product.name}”的要件清单中没有这一项"]
    if noted.valid_until is not None and noted.valid_until < ctx.today:
        found["valid_until"] = [f"已于 {noted.valid_until} 过期，请提供有效的文件"]
    if found:
        raise FieldErrors(found)


def usual_assistant(ctx: Ctx) -> int | None:
    """Who was the actor's B角 last and can still sign in; else the only colleague of the department who applies."""
    mine = (
        select(Project.assistant_id)
        .where(Project.manager_id == ctx.actor.employee_id)
        .order_by(Project.id.desc())
    )
    last = ctx.session.scalar(mine.where(Project.assistant_id.is_not(None)).limit(1))
    able = [
        one
        for one in holders_of_right(ctx.session, "add", "project")
        if one.id != ctx.actor.employee_id
    ]
    if last in {one.id for one in able}:
        return last
    near = [one.id for one in able if one.department_id == ctx.actor.department_id]
    return near[0] if len(near) == 1 else None


def _about_maximums(ctx: Ctx, project: Project) -> dict[str, list[str]]:
    """A contract up to a limit that holds the project is with its customer and bank, whatever it is changed to."""
    errors: dict[str, list[str]] = {}
    with ctx.session.no_autoflush:
        for one in maximums.of_project(ctx.session, project.id):
            for field, why in maximums.misfits(one, project).items():
                errors.setdefault(field, []).append(f"{why}，请先把项目移出该合同")
    return errors


def _about_product(ctx: Ctx, product: Product, customer: Customer) -> list[str]:
    if why := products.why_closed(product, ctx.today):
        return [why]
    return about_audience(product, customer.kind)


def about_audience(product: Product, kind: CustomerKind) -> list[str]:
    """What is wrong with a product for this kind of customer, in words; nothing where it is for them."""
    audience = {
        ProductAudience.PERSONAL: CustomerKind.PERSONAL,
        ProductAudience.CORPORATE: CustomerKind.CORPORATE,
    }
    wanted = audience.get(product.audience)
    return (
        [] if wanted in (None, kind) else [f"产品“{product.name}”仅适用于{product.audience.label}"]
    )


def about_customer(customer: Customer) -> list[str]:
    """Why nothing may be guaranteed for a customer, in words."""
    found = []
    if customer.is_blacklisted:
        found.append(f"“{customer.name}”在黑名单中，不能申请担保")
    if customer.is_own_controller:
        found.append(f"“{customer.name}”是本公司控股股东或实际控制人，按监管规定不得为其担保")
    if customer.status is not CustomerStatus.ACTIVE:
        found.append(f"“{customer.name}”{customer.status.label}，不能申请担保")
    return found


def about_amount(amount: Decimal, product: Product) -> list[str]:
    """What is wrong with an amount under a product."""
    if product.amount_min <= amount <= product.amount_max:
        return []
    low, high = format_money(product.amount_min), format_money(product.amount_max)
    return [f"产品“{product.name}”的担保金额应在 {low} 至 {high} 元之间"]


def about_term(months: int, product: Product) -> list[str]:
    """What is wrong with a term under a product."""
    if product.months_min <= months <= product.months_max:
        return []
    return [f"产品“{product.name}”的期限应在 {product.months_min} 至 {product.months_max} 个月之间"]


def _about_share(ctx: Ctx, share: Decimal) -> list[str]:
    least = number(ctx.session, "bank.share_min_pct", ctx.today)
    return [] if share >= least else [f"银行分担比例不得低于 {least.normalize():f}%"]


def about_rate(ctx: Ctx, rate: Decimal, product: Product) -> list[str]:
    """What is wrong with the rate of a loan, by the product or for all."""
    most = number(ctx.session, "project.rate_max_pct", ctx.today)
    if product.rate_max_pct is not None and product.rate_max_pct < min(most, rate):
        own = product.rate_max_pct.normalize()
        return [f"产品“{product.name}”的贷款年利率不得高于 {own:f}%"]
    return [] if rate <= most else [f"贷款年利率不得高于 {most.normalize():f}%"]


def about_fee_rate(rate: Decimal, product: Product) -> list[str]:
    """What is wrong with a rate of the 担保费 under the product."""
    least = product.fee_rate_min_pct
    if least is None or rate >= least:
        return []
    return [f"产品“{product.name}”的担保费率不得低于 {least.normalize():f}%"]


def _about_assistant(ctx: Ctx, project: Project) -> list[str]:
    manager = project.manager_id or ctx.actor.employee_id
    return ["B角不能与A角为同一人"] if project.assistant_id == manager else []


@records.delete_rule(Project)
def check_delete(ctx: Ctx, project: Project) -> None:
    """A number that was given stays in the row of numbers: an application is withdrawn, not deleted."""
    del ctx
    raise Conflict(f"项目 {project.number} 已编号，不能删除；不再办理时请撤回申请")


@dataclass(frozen=True)
class Condition:
    """What must hold before an application is submitted: how it stands, and what to say while it does not hold."""

    key: str
    label: str
    is_met: bool
    evidence: str
    problem: str


def _documents(ctx: Ctx, project: Project) -> Condition:
    """How complete the documents are, and what is missing: a file, or what is noted of it."""
    found = project_documents.demands(ctx.session, project, ctx.today)
    missing = [one for one in found if one.is_required and one.lack]
    done = f"要件完整度 {project_documents.percent(found)}%"
    label, said = "要件齐全", f"缺少要件：{'、'.join(one.told for one in missing)}（{done}）"
    if missing and all(one.lack != project_documents.MISSING for one in missing):
        return Condition("noted", label, False, done, said)
    lost = _unsorted(ctx, project) if missing else ""
    return Condition("documents", label, not missing, done, said + lost)


def _unsorted(ctx: Ctx, project: Project) -> str:
    """Files that nobody has said what they are."""
    query = (
        select(func.count())
        .select_from(Attachment)
        .where(project_documents.on_file(project), Attachment.category.is_(None))
    )
    count = ctx.session.scalar(query)
    return f"（已上传的 {count} 个文件未分类，不算要件，请改它们的类别）" if count else ""


def conditions(ctx: Ctx, project: Project, answered: list[Answer] | None = None) -> list[Condition]:
    """Everything that the file must show before the application is submitted, in the order in which it is gathered."""
    answered = answers(ctx.session, project, ctx.today) if answered is None else answered
    customer = project.customer
    barred = "；".join(about_customer(customer))
    percent, missing = completeness(ctx.session, customer)
    least = number(ctx.session, "customer.completeness_min_pct", ctx.today)
    thin = f"客户资料完整度 {percent}%，低于 {least.normalize():f}%，缺：" + "、".join(missing[:8])
    until = customer.grade_valid_until
    is_graded = customer.grade is not None and until is not None and until >= ctx.today
    grade = f"{customer.grade}，有效期至 {until}"
    return [
        Condition("customer", "客户可以申请", not barred, "不在黑名单", barred),
        Condition("completeness", "客户资料完整", percent >= least, f"{percent}%", thin),
        Condition(
            "grade", "信用等级有效", is_graded, grade, "客户没有有效的信用等级，请先完成等级评估"
        ),
        _documents(ctx, project),
        *(
            Condition("admission", f"准入：{one.rule.name}", one.is_met, one.told, one.told)
            for one in answered
        ),
        *_about_scheme(ctx, project),
    ]


def _about_scheme(ctx: Ctx, project: Project) -> list[Condition]:
    """The conditions of the scheme that shares the risk; its cap for one customer is among the limits."""
    return [
        Condition("scheme", f"分险方案：{one.rule.name}", one.is_met, one.told, one.told)
        for one in sharing.admission(ctx, project)
    ]


def obstacles(
    ctx: Ctx,
    project: Project,
    checks: Sequence[exposure.Check],
    known: list[Condition] | None = None,
) -> list[str]:
    """Why the application cannot be submitted now by these checks of its limits; empty when it can."""
    known = conditions(ctx, project) if known is None else known
    return [one.problem for one in known if not one.is_met] + [
        check.text for check in checks if check.is_over
    ]


def submit(ctx: Ctx, project: Project, version: int | None = None) -> Project:
    """Submit the application; it moves on to 受理评估 by itself.

    Raises BusinessError with every obstacle, IllegalTransition, StaleRecord, NotAllowed.
    """
    enter(ctx, STEPS["submit"], project, version)
    checks = limits.checks(ctx, project)
    check_application(ctx, project, False)
    if found := obstacles(ctx, project, checks):
        raise BusinessError("暂不能提交：" + "；".join(found))
    move(STEPS["submit"], project)
    project.applied_on = ctx.today
    admission.note(ctx, project, Occasion.APPLY)
    stages.advance(ctx, project, Stage.EVALUATE, "已提交")
    ctx.session.flush()
    return project


def cancel(ctx: Ctx, project: Project, reason: str, version: int | None = None) -> Project:
    """Withdraw an application that was never submitted; one under way is ended by 终止办理."""
    step = STEPS["cancel"]
    enter(ctx, step, project, version)
    reason = stages.checked_reason(reason, step.label)
    stages.stop(ctx, project, ProjectState.CANCELLED, "撤回", step=step)
    audit.log(ctx, project, "CANCEL", note=f"撤回申请：{reason}")
    ctx.session.flush()
    return project
