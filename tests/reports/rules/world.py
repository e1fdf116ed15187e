"""Random rules and the rows that they are asked of: every kind of column, filled and empty, a relation, child rows."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st
from sqlalchemy.orm import Session

from models.base.custom import CustomFacts
from models.base.money import MONEY_MAX
from models.customer.customer import CorporateCustomer, EnterpriseScale
from models.customer.detail import Shareholder
from models.system.organization import Department, Employee
from reports.rules.names import Vocabulary

TODAY = date(2026, 3, 31)
ITEMS = {"industry": [("C13", "食品制造"), ("C14", "酒（饮料）"), ("F51", "批发业")]}
NAMES = ("王五", "王", "李-王五", "Wang", "wang", "a%b", "a_b", None, "")
AMOUNTS = (
    *map(Decimal, ("0.00", "0.01", "999999.99", "1000000.00", "12000000.00", "9999999999.99")),
    None,
)


# Fields that an administrator has defined: one of each kind, on companies.
CUSTOM = {
    fact.name: fact
    for fact in (
        CustomFacts("c_money", "自设金额", "money", maximum=MONEY_MAX, signed=True),
        CustomFacts("c_rate", "自设比例", "rate", unit="%", scale=4, maximum=MONEY_MAX),
        CustomFacts("c_int", "自设数", "int"),
        CustomFacts("c_date", "自设日期", "date"),
        CustomFacts("c_text", "自设文字"),
        CustomFacts("c_code", "自设行业", "dictionary", dictionary="industry"),
        CustomFacts("c_flag", "自设是否", "bool"),
        CustomFacts("c_who", "自设员工", "reference", target="employee"),
    )
}
KNOWN = Vocabulary(
    lambda code: ITEMS.get(code, []), lambda model: CUSTOM if model is CorporateCustomer else {}
)


def fill(session: Session, count: int = 24, seed: int = 7) -> None:
    """Companies of three managers and none, with up to three shareholders each."""
    draw = random.Random(seed)
    department = Department(code="D1", name="业务一部", path="/1/")
    session.add(department)
    session.flush()
    people = [
        Employee(number=f"E{n}", name=name, department=department, entered_on=day)
        for n, (name, day) in enumerate(
            (("王五", TODAY), ("李四", None), ("Wang", date(2020, 2, 29)))
        )
    ]
    session.add_all(people)
    session.flush()
    for number in range(count):
        company = CorporateCustomer(
            number=f"C{number}",
            name=f"公司{number}",
            uscc=f"U{number}",
            legal_person=draw.choice(NAMES),
            contact=draw.choice(NAMES),
            registered_capital=draw.choice(AMOUNTS),
            paid_in_capital=draw.choice(AMOUNTS),
            established_on=_day(draw),
            licence_expires_on=_day(draw),
            industry=draw.choice(["C13", "F51", None]),
            scale=draw.choice([*EnterpriseScale, None]),
            is_agriculture=draw.random() < 0.5,
            employee_count=draw.choice([0, 1, 30, 300, None]),
            manager=draw.choice([*people, None]),
            created_at=datetime(2026, 3, 30, draw.choice([15, 16, 17]), 59, tzinfo=UTC),
        )
        for fact, values in (
            ("c_money", AMOUNTS),
            ("c_rate", (Decimal("33.3333"), Decimal(70), None)),
            ("c_int", (0, 1, 30, 300, None)),
            ("c_date", (_day(draw), None)),
            ("c_text", NAMES[:-1]),
            ("c_code", ("C13", "F51", None)),
            ("c_flag", (True, False, None)),
            ("c_who", (*(one.id for one in people), None)),
        ):
            CUSTOM[fact].set(company, draw.choice(values))
        session.add(company)
        session.flush()
        for row in range(draw.choice([0, 1, 2, 3])):
            session.add(
                Shareholder(
                    corporate_customer_id=company.id,
                    name=draw.choice(NAMES[:5]),
                    subscribed=draw.choice(AMOUNTS),
                    paid_in=draw.choice(AMOUNTS),
                    share_pct=Decimal(draw.choice(["0", "33.3333", "50", "70", "100"])),
                    contributed_on=_day(draw),
                    is_controller=row == 0,
                )
            )
    session.flush()


def _day(draw: random.Random) -> date | None:
    near = TODAY + timedelta(days=draw.choice([-400, -91, -90, -31, -30, -1, 0, 1, 30, 365]))
    return draw.choice([near, None, date(2024, 2, 29)])


COMPARED = st.sampled_from(["=", "≠", ">", "≥", "<", "≤", "大于", "不小于"])
SAME = st.sampled_from(["=", "≠", "等于", "不等于"])
DATES = st.sampled_from(
    [
        "今天",
        "本月初",
        "上月末",
        "今天 - 30天",
        "3个月前",
        "1年后",
        "2024-02-29",
        "上年末",
        "今天 + 1天",
    ]
)
PERIODS = st.sampled_from(
    ["近30天", "近91天", "近1年", "未来30天", "未来1个月", "本周", "上月", "本季", "上年"]
)
MONEY = st.sampled_from(
    ["0", "0.01", "0.001", "100万", "999999.99元", "1200万元", "1亿", "99.9亿", "12345678901234"]
)
PERCENT = st.sampled_from(["0%", "33.3333%", "33.33333%", "50%", "100%"])
RATIO = st.sampled_from(["0.5", "1", "2", "33.3333%", "100%", "0"])
COUNT = st.sampled_from(["0", "1", "30", "2.5", "300"])
TEXT = st.sampled_from(["“王”", "“王五”", "“wang”", "“%”", "“_”", "“公司1”"])
HOW = st.sampled_from(["包含", "不包含"])
EDGE = st.sampled_from(["开头", "结尾"])


def _say(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    drawn = [part if isinstance(part, st.SearchStrategy) else st.just(part) for part in parts]
    return st.tuples(*drawn).map(" ".join)


def tests_of(
    money: st.SearchStrategy[str],
    dates: st.SearchStrategy[str],
    texts: st.SearchStrategy[str],
    figures: st.SearchStrategy[str],
) -> st.SearchStrategy[str]:
    """Single tests over fields of these kinds."""
    sums = _say("(", money, st.sampled_from("+-"), money, ")")
    return st.one_of(
        _say(money, COMPARED, MONEY),
        _say(money, COMPARED, money),
        _say(money, "÷", money, COMPARED, RATIO),
        _say(sums, "÷", money, COMPARED, RATIO),
        _say(sums, "× 3", COMPARED, MONEY),
        _say(money, "÷", COUNT, COMPARED, money),
        _say("-", money, "+", money, COMPARED, MONEY),
        _say(money, "介于", MONEY, "和", MONEY),
        _say(money, st.sampled_from(["属于", "不属于"]), "( 0.01 , 100万,", MONEY, ")"),
        _say(sums, st.sampled_from(["为空", "不为空"])),
        _say(money, "÷", money, st.sampled_from(["为空", "不为空"])),
        _say(dates, COMPARED, DATES),
        _say(dates, COMPARED, dates),
        _say(dates, "介于", DATES, "和", DATES),
        _say(dates, st.sampled_from(["在", "不在", "属于"]), PERIODS),
        _say(dates, "-", st.one_of(dates, _say("(", DATES, ")")), COMPARED, COUNT),
        _say(dates, "+ 30天", COMPARED, dates),
        _say(dates, st.sampled_from(["属于", "不属于"]), "(", DATES, ",", DATES, ")"),
        _say(texts, SAME, TEXT),
        _say(texts, SAME, texts),
        _say(texts, HOW, TEXT),
        _say(texts, "以", TEXT, EDGE),
        _say(texts, st.sampled_from(["属于", "不属于"]), "(", TEXT, ",", TEXT, ")"),
        _say(st.one_of(money, dates, texts), st.sampled_from(["为空", "不为空"])),
        _say(figures, COMPARED, COUNT),
    )


HOLDERS = st.one_of(
    tests_of(
        st.sampled_from(["认缴出资额", "实缴出资额", "客户的注册资本", "客户的自设金额"]),
        st.sampled_from(["出资日期", "客户的成立日期", "客户的自设日期"]),
        st.sampled_from(["股东名称", "客户的法定代表人", "客户的客户经理"]),
        st.sampled_from(["客户的从业人数", "数量(客户的股东出资 其中 控股股东)"]),
    ),
    _say("持股比例", COMPARED, PERCENT),
    _say("控股股东", SAME, st.sampled_from("是否")),
    st.just("控股股东"),
    st.just("客户的涉农企业"),
    _say("客户的企业规模", SAME, "“小型企业”"),
)
SUMS = _say(
    st.sampled_from(["合计", "最大", "最小"]),
    "(股东出资的",
    st.sampled_from(["认缴出资额", "实缴出资额"]),
    st.one_of(st.just(""), _say("其中", HOLDERS)),
    ")",
)
COMPANIES = st.one_of(
    tests_of(
        st.one_of(st.sampled_from(["注册资本", "实收资本", "授信额度", "自设金额"]), SUMS),
        st.one_of(
            st.sampled_from(
                ["成立日期", "自设日期", "营业执照有效期至", "创建时间", "自设员工的入职日期"]
            ),
            _say("最大(股东出资的出资日期 其中", HOLDERS, ")"),
        ),
        st.sampled_from(
            ["法定代表人", "自设文字", "客户经理", "客户经理的姓名", "客户名称", "自设员工"]
        ),
        st.one_of(
            st.sampled_from(["从业人数", "自设数"]), _say("数量(股东出资 其中", HOLDERS, ")")
        ),
    ),
    _say("企业规模", SAME, st.sampled_from(["小型企业", "“大型企业”"])),
    _say("企业规模", st.sampled_from(["属于", "不属于"]), "(小型企业，“微型企业”)"),
    _say("所属行业", SAME, st.sampled_from(["食品制造", "“酒（饮料）”", "“批发业”"])),
    _say(st.sampled_from(["所属行业", "自设行业"]), st.sampled_from(["为空", "不为空"])),
    _say("自设行业", SAME, "“食品制造”"),
    _say("自设比例", COMPARED, PERCENT),
    _say("自设是否", SAME, st.sampled_from("是否")),
    st.just("自设是否"),
    _say("涉农企业", SAME, st.sampled_from("是否")),
    st.just("涉农企业"),
    _say("客户经理", st.sampled_from(["为空", "不为空"])),
    _say("最大(股东出资的持股比例)", COMPARED, PERCENT),
    _say(st.sampled_from(["存在", "任一", "所有"]), "股东出资 其中", HOLDERS),
    _say("存在(股东出资 其中", HOLDERS, "或 非", HOLDERS, ")"),
    st.just("存在 股东出资"),
)


def whole(tests: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Rules of several tests: 且, 或, 非 and brackets."""
    return st.recursive(
        tests,
        lambda inner: st.one_of(
            _say("(", inner, ")", "且", inner),
            _say(inner, "或", inner),
            _say("非 (", inner, ")"),
        ),
        max_leaves=4,
    )
