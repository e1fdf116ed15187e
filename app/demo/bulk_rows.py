"""Invented companies by the thousand, as rows for bulk inserts: the demo's large sizes and the benchmarks use them."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from stdnum.cn import uscc

from models.customer.customer import CustomerStatus, EnterpriseScale, Grade
from models.customer.rating_model import CustomerKind

CITIES: Final = (
    "杭州",
    "宁波",
    "温州",
    "嘉兴",
    "湖州",
    "绍兴",
    "金华",
    "台州",
    "丽水",
    "衢州",
    "苏州",
    "无锡",
)
FIRST: Final = "宏恒鼎瑞金德华盛永泰中万新东海嘉凯明天博汇通和广安顺隆源信达兴远佳润益康丰利诚正"
SECOND: Final = "远达盛源泰昌隆祥瑞丰华鑫诚信业腾飞宇航阳光辉煌杰俊凯立创联邦捷锐智科力通顺康"
TRADES: Final = (
    "机械制造",
    "电子科技",
    "纺织",
    "农业开发",
    "食品",
    "建筑工程",
    "国际贸易",
    "物流",
    "新材料",
    "五金制品",
    "塑料",
    "环保设备",
    "信息技术",
    "服饰",
    "医疗器械",
    "汽车配件",
    "化工",
    "家具",
    "印刷包装",
    "装饰工程",
)
SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志文海燕晓东雪梅春生"
PURPOSES: Final = (
    ("WORKING", "补充流动资金"),
    ("PURCHASE", "采购原材料和辅料"),
    ("EQUIPMENT", "购置生产设备"),
    ("PLANT", "新建厂房"),
    ("PROJECT", "项目建设投入"),
    ("REFINANCE", "归还到期贷款"),
    ("TENDER", "工程投标保证"),
    ("TRADE", "支付进口货款"),
    ("FARMING", "春耕备耕"),
    ("BUSINESS", "门店经营周转"),
)
Row = dict[str, Any]


def person(rng: random.Random) -> str:
    """A Chinese name of three characters."""
    return rng.choice(SURNAMES) + rng.choice(GIVEN) + rng.choice(GIVEN)


def company(
    rng: random.Random, key: int, number: str, staff: Sequence[tuple[int, int]], today: date
) -> tuple[Row, Row]:
    """A corporate customer with this id: its row of customer and its row of corporate_customer.

    `staff` are (employee, department); the grade still holds on `today`.
    """
    city, trade = rng.choice(CITIES), rng.choice(TRADES)
    short = f"{rng.choice(FIRST)}{rng.choice(SECOND)}{trade}"
    manager, department = rng.choice(staff)
    code = f"91330{rng.randrange(100, 199)}MA{key:07d}"
    base = {
        "id": key,
        "kind": CustomerKind.CORPORATE,
        "number": number,
        "name": f"{city}{short}有限公司",
        "region": "330100",
        "manager_id": manager,
        "department_id": department,
        "grade": rng.choice(list(Grade)[:6]),
        "grade_valid_until": today + timedelta(days=rng.randrange(365)),
        "status": CustomerStatus.ACTIVE,
        "contact_phone": f"138{rng.randrange(10**8):08d}",
        "address": f"{city}市工业园区{rng.randrange(1, 300)}号",
    }
    own = {
        "id": key,
        "uscc": code + uscc.calc_check_digit(code),
        "short_name": short,
        "legal_person": person(rng),
        "registered_capital": Decimal(rng.randrange(50, 20_000)) * 10_000,
        "industry": "C",
        "established_on": date(2000, 1, 1) + timedelta(days=rng.randrange(9000)),
        "scale": rng.choice(list(EnterpriseScale)),
        "employee_count": rng.randrange(3, 900),
        "phone": base["contact_phone"],
    }
    return base, own
