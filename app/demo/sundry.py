"""What else is known of customers and partners: one of each kind, so that every screen of the demo shows something.

Nothing here rolls the demo's dice: the rest of the story stays as it is, whatever is added.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from app.demo import branching, sharing, stated
from app.demo.customers import add_part
from app.demo.stage import Stage, Values
from models.customer.customer import Customer, WatchKind
from models.customer.partner import JointGroup, JointGroupMember
from models.customer.rating_model import CustomerKind
from models.customer.relation import CustomerRelation
from workflows.base import records
from workflows.customer import customer as watching

Owned = list[tuple[Customer, str]]
YEAR: Final = timedelta(days=365)


def play(stage: Stage, owned: Owned) -> Iterator[int]:
    """Managers fill in the files of two customers, then the company finds partners and customers find each other."""
    for kind, parts in (
        (CustomerKind.CORPORATE, _of_firm(stage)),
        (CustomerKind.PERSONAL, _of_person(stage)),
    ):
        for customer, manager in [pair for pair in owned if pair[0].kind is kind][:1]:
            for table, values in parts.items():
                add_part(stage, manager, table, customer, values)
    branching.play(stage)
    yield 7
    stated.play(stage)
    sharing.begin(stage)
    yield 14
    first, manager = owned[0]
    friends = [customer for customer, who in owned if who == manager][:2]
    if len(friends) > 1:
        _together(stage, friends, manager)
    yield 120
    watching.watch(
        stage.ctx(manager), first, WatchKind.VIP, "按期还款，纳税信用 A 级，推荐列入优质客户。"
    )


def _of_firm(stage: Stage) -> dict[str, Values]:
    today = stage.today
    return {
        "qualification": {
            "name": "质量管理体系认证证书",
            "number": "00124Q30388R1M",
            "level": "GB/T 19001",
            "issuer": "江州认证中心",
            "issued_on": today - YEAR,
            "valid_until": today + 2 * YEAR,
        },
        "tax_record": {
            "year": today.year - 1,
            "sales": Decimal("36800000.00"),
            "vat": Decimal("1120000.00"),
            "income_tax": Decimal("460000.00"),
            "other_tax": Decimal("138000.00"),
            "overdue_tax": Decimal(0),
            "tax_grade": "A",
        },
        "external_guarantee": {
            "debtor": "江州同德物资有限公司",
            "creditor": "邮储银行江州分行",
            "guarantee_form": "JOINT",
            "amount": Decimal("2000000.00"),
            "balance": Decimal("1200000.00"),
            "start_on": today - YEAR,
            "end_on": today + YEAR,
        },
        **_news_of_firm(today),
    }


def _news_of_firm(today: date) -> dict[str, Values]:
    """What the company hears about a firm: a case at court, an investment."""
    return {
        "litigation": {
            "case_no": f"（{today.year - 1}）苏0102民初1836号",
            "court": "江州市城东区人民法院",
            "role": "PLAINTIFF",
            "opponent": "滨江安泰商贸有限公司",
            "cause": "买卖合同纠纷",
            "amount": Decimal("386000.00"),
            "filed_on": today - timedelta(days=200),
            "status": "CLOSED",
            "closed_on": today - timedelta(days=60),
            "result": "调解结案，对方已付清货款。",
        },
        "major_event": {
            "happened_on": today - timedelta(days=20),
            "event_kind": "INVEST",
            "level": "NORMAL",
            "summary": "新购数控生产线一条",
            "amount": Decimal("4200000.00"),
            "impact": "投产后产能预计提高三成。",
            "source": "企业提供",
        },
    }


def _of_person(stage: Stage) -> dict[str, Values]:
    today = stage.today
    return {
        "family_member": {
            "relation": "SPOUSE",
            "name": "沈玉梅",
            "employer": "江州市第二小学",
            "health": "1",
        },
        "resume": {
            "start_on": today - 9 * YEAR,
            "end_on": today - 4 * YEAR,
            "employer": "江州东和食品厂",
            "employer_department": "销售科",
            "position": "业务主管",
            "employer_nature": "150",
        },
        "shop": {
            "name": "城东老街食品经营部",
            "registered_capital": Decimal("300000.00"),
            "business_scale": "营业面积 120 平方米",
            "address": "江州市城东区老街 18 号",
            "licence_no": "92320102MA1XK7T36B",
            "registered_on": today - 4 * YEAR,
        },
    }


def _together(stage: Stage, friends: list[Customer], manager: str) -> None:
    """Two customers of one manager trade with each other and stand in for each other."""
    records.create(
        stage.ctx(manager),
        CustomerRelation,
        {
            "customer_id": friends[0].id,
            "kind": "SUPPLY_CHAIN",
            "to_customer_id": friends[1].id,
            "note": "常年供应原材料",
        },
    )
    group = records.create(
        stage.ctx(manager),
        JointGroup,
        {
            "code": "LB01",
            "name": "创业路联保体",
            "credit_line": Decimal("6000000.00"),
            "member_limit": Decimal("3000000.00"),
            "agreement_no": "LB-01",
            "agreement_from": stage.today,
            "agreement_to": stage.today + 2 * YEAR,
        },
    )
    for friend in friends:
        values = {"joint_group_id": group.id, "customer_id": friend.id, "joined_on": stage.today}
        records.create(stage.ctx(manager), JointGroupMember, values)
