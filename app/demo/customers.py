"""Sixty customers with real check digits, complete enough to be rated, entered by their account managers."""

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select
from stdnum.cn import uscc as uscc_module

from app.demo.stage import Stage, Values
from models.base.entity import entity_of
from models.customer.customer import CorporateCustomer, Customer, PersonalCustomer
from models.customer.rating import CustomerRating
from models.customer.rating_model import RatingIndicator, RatingModel, RatingOption
from workflows.base import attachments, records
from workflows.customer.rating import confirm_rating, rate

PLACES = ("江州", "滨江", "高新", "城东", "南湖")
WORDS = (
    "明达",
    "瑞丰",
    "青禾",
    "盛达",
    "金穗",
    "云帆",
    "启航",
    "恒润",
    "华信",
    "恒泰",
    "东和",
    "天工",
    "宏图",
    "永安",
    "嘉禾",
    "新源",
    "安顺",
    "振兴",
    "博远",
    "泰和",
)
TRADES = (
    ("精密机械", "34"),
    ("建材", "30"),
    ("农产品", "01"),
    ("纸业", "22"),
    ("软件", "65"),
    ("物流", "59"),
    ("医药", "27"),
    ("塑胶制品", "29"),
    ("电子科技", "39"),
    ("食品", "14"),
)
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
GIVEN = (
    "建国",
    "丽华",
    "志强",
    "海燕",
    "文",
    "晓明",
    "芳",
    "伟",
    "静",
    "磊",
    "敏",
    "军",
    "洋",
    "艳",
    "勇",
    "杰",
    "娜",
    "涛",
)
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\nxref\n0 4\n0000000000 65535 f \n"
    b"0000000009 00000 n \n0000000052 00000 n \n0000000101 00000 n \n"
    b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n164\n%%EOF\n"
)


def person_name(stage: Stage) -> str:
    """A common name."""
    return stage.pick(list(SURNAMES)) + stage.pick(list(GIVEN))


def mobile(stage: Stage) -> str:
    """A mobile number of the right form."""
    return stage.pick(["138", "139", "150", "186", "189"]) + f"{stage.random.randrange(10**8):08d}"


def identity_number(stage: Stage, born: date) -> str:
    """An 18-digit identity number with its check digit."""
    head = (
        stage.pick(["320102", "330106", "310101"])
        + f"{born:%Y%m%d}"
        + f"{stage.random.randrange(1, 999):03d}"
    )
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return head + "10X98765432"[sum(int(d) * w for d, w in zip(head, weights, strict=True)) % 11]


def credit_code(stage: Stage) -> str:
    """A unified social credit code with its check digit."""
    body = "91320100" + "".join(stage.pick(list(_USCC)) for _ in range(9))
    return body + str(uscc_module.calc_check_digit(body))


def make_customer(stage: Stage, index: int, manager: str) -> Customer:
    """One customer by its manager: every third a person."""
    return _person(stage, manager) if index % 3 == 2 else _corporation(stage, index, manager)


def _corporation(stage: Stage, index: int, manager: str) -> Customer:
    place, word = PLACES[index % len(PLACES)], WORDS[index % len(WORDS)]
    trade, industry = TRADES[(index * 7) % len(TRADES)]
    boss, capital = person_name(stage), Decimal(stage.random.randrange(5, 80)) * 1_000_000
    ctx = stage.ctx(manager)
    customer = records.create(
        ctx,
        CorporateCustomer,
        {
            "name": f"{place}{word}{trade}有限公司",
            "short_name": f"{word}{trade}",
            "uscc": credit_code(stage),
            "legal_person": boss,
            "actual_controller": boss,
            "registered_capital": capital,
            "paid_in_capital": capital,
            "established_on": stage.today - timedelta(days=stage.random.randrange(1500, 7000)),
            "industry": industry,
            "scale": stage.pick(["SMALL", "SMALL", "MICRO", "MEDIUM"]),
            "employee_count": stage.random.randrange(15, 400),
            "business_scope": f"{trade}的研发、生产、销售及相关技术服务",
            "region": "320100",
            "enterprise_nature": None,
            "registered_address": f"{place}区创业路 {stage.random.randrange(1, 199)} 号",
            "contact": boss,
            "phone": mobile(stage),
            "email": f"service{index}@example.com",
            "postcode": "210000",
            "is_agriculture": trade == "农产品",
        },
    )
    _statement(stage, manager, customer, capital)
    add_part(stage, manager, "shareholder", customer, {"name": boss, "share_pct": Decimal(100)})
    add_part(stage, manager, "executive", customer, {"name": boss, "position": "执行董事兼总经理"})
    add_part(
        stage,
        manager,
        "bank_account",
        customer,
        {
            "bank_name": "建行高新支行",
            "account_name": customer.name,
            "account_no": f"32001{stage.random.randrange(10**11):011d}",
        },
    )
    _papers(stage, manager, customer, ("LICENCE", "FINANCE", "CREDIT_AUTH"))
    return customer


def _statement(stage: Stage, manager: str, customer: Customer, capital: Decimal) -> None:
    assets = capital * Decimal(stage.random.randrange(18, 32)) / 10
    liabilities = assets * Decimal(stage.random.randrange(35, 62)) / 100
    revenue = assets * Decimal(stage.random.randrange(11, 19)) / 10
    current, short = assets * Decimal("0.55"), liabilities * Decimal("0.7")
    profit = revenue * Decimal("0.06")
    add_part(
        stage,
        manager,
        "financial_statement",
        customer,
        {
            "period_kind": "YEAR",
            "period_end": date(stage.today.year - 1, 12, 31),
            "cash": assets * Decimal("0.12"),
            "receivables": assets * Decimal("0.2"),
            "inventory": assets * Decimal("0.18"),
            "current_assets": current,
            "fixed_assets": assets * Decimal("0.4"),
            "total_assets": assets,
            "short_loans": liabilities * Decimal("0.4"),
            "current_liabilities": short,
            "total_liabilities": liabilities,
            "net_assets": assets - liabilities,
            "revenue": revenue,
            "cost_of_sales": revenue * Decimal("0.8"),
            "interest_expense": liabilities * Decimal("0.03"),
            "total_profit": profit * Decimal("1.25"),
            "income_tax": profit * Decimal("0.25"),
            "net_profit": profit,
            "operating_cash_flow": profit * Decimal("1.1"),
        },
    )


def _person(stage: Stage, manager: str) -> Customer:
    born = date(
        stage.random.randrange(1966, 1996),
        stage.random.randrange(1, 13),
        stage.random.randrange(1, 28),
    )
    ctx = stage.ctx(manager)
    customer = records.create(
        ctx,
        PersonalCustomer,
        {
            "name": person_name(stage),
            "id_type": "ID_CARD",
            "id_number": identity_number(stage, born),
            "marriage": "20",
            "education": "20",
            "health": "1",
            "residence": "1",
            "region": "320100",
            "address": f"江州市城东区和平路 {stage.random.randrange(1, 299)} 号",
            "mobile": mobile(stage),
            "postcode": "210000",
            "political_status": None,
            "ethnic_group": "01",
        },
    )
    income = Decimal(stage.random.randrange(12, 60)) * 1000
    add_part(
        stage,
        manager,
        "occupation",
        customer,
        {"occupation": "S", "employer": f"{customer.name}经营部"},
    )
    add_part(
        stage,
        manager,
        "income_expense",
        customer,
        {
            "monthly_income": income,
            "household_monthly_income": income * 2,
            "household_size": 3,
        },
    )
    _papers(stage, manager, customer, ("ID_COPY", "CREDIT_AUTH"))
    return customer


def add_part(stage: Stage, manager: str, table: str, customer: Customer, values: Values) -> None:
    """A part of a customer's file, entered by its manager; money to the fen."""
    model = entity_of(table)
    owner = (
        "corporate_customer_id"
        if hasattr(model, "corporate_customer_id")
        else "personal_customer_id"
    )
    owner = owner if hasattr(model, owner) else "customer_id"
    rounded = {
        k: v.quantize(Decimal("0.01")) if isinstance(v, Decimal) and k != "share_pct" else v
        for k, v in values.items()
    }
    records.create(stage.ctx(manager), model, {owner: customer.id, **rounded})


def _papers(stage: Stage, manager: str, customer: Customer, categories: tuple[str, ...]) -> None:
    names = {
        "LICENCE": "营业执照",
        "FINANCE": "上年度财务报表",
        "CREDIT_AUTH": "征信查询授权书",
        "ID_COPY": "身份证复印件",
    }
    for category in categories:
        attachments.store(
            stage.ctx(manager),
            customer,
            filename=f"{names[category]}.pdf",
            data=_PDF,
            category=category,
        )


def rate_customer(stage: Stage, customer: Customer, manager: str, confirmer: str) -> CustomerRating:
    """初评 by the manager, 复评 by 风控; indicators without a figure get one of their better options."""
    session = stage.session
    model = session.scalars(
        select(RatingModel).where(RatingModel.customer_kind == customer.kind, RatingModel.is_active)
    ).one()
    scores: dict[str, str] = {}
    for indicator in session.scalars(
        select(RatingIndicator).where(RatingIndicator.rating_model_id == model.id)
    ):
        options = session.scalars(
            select(RatingOption)
            .where(RatingOption.rating_indicator_id == indicator.id)
            .order_by(RatingOption.rank)
        ).all()
        scores[indicator.code] = stage.pick(list(options[:2])).code
    rating = rate(stage.ctx(manager), customer, scores, opinion="资料齐全，经营稳定，同意评定。")
    return confirm_rating(
        stage.ctx(confirmer), rating, opinion="复核无异议。", version=rating.version
    )
