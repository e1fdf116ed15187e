"""资产分级依据: what a month's balance of an account consists of, where its class is not the account's own (K8)."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Spec
from models.base.kinds import Kind, MenuGroup, Module
from models.base.rights import WRITE
from models.ledger.account import Account

if TYPE_CHECKING:
    from models.customer.customer import Customer


class AssetRule(Kind):
    """What 融资担保公司资产比例管理办法 articles 5 to 7 name; its class is in reports.figures.asset_classes."""

    MONEY_FUND = "货币市场基金"
    GOVERNMENT_BOND = "国债、金融债券"
    AAA_BOND = "债项 AAA 级的债券"
    SHORT_PRODUCT = "可随时赎回或三个月内到期的银行理财"
    BANK_PRODUCT = "其他银行理财"
    AA_BOND = "债项 AA、AA+ 级的债券"
    GUARANTOR_EQUITY = "对其他融资担保、再担保公司的股权"
    CLIENT_EQUITY = "对在保客户的股权投资"
    CLIENT_LOAN = "对在保客户六个月以内的委托贷款"
    OWN_PROPERTY = "自用型房产"
    OTHER = "其他（Ⅲ级）"


class AssetSplit(Entity):
    """A part of a month's closing balance with the rule that classes it and the evidence for it."""

    spec = Spec(
        "资产分级依据",
        Module.LEDGER,
        title="evidence",
        listed=("month", "account", "rule", "amount", "customer", "ends_on", "evidence"),
        searched=("evidence",),
        filtered=("month", "account_id"),
        order="-month",
        sums=("amount",),
        rank=665,
        roles={"会计": WRITE},
        group=MenuGroup.STATEMENTS,
        help="科目余额中有依据的部分按规则分级；其余按科目的资产分级。每月各自登记，资产分级报表可复制上月。",
    )
    __table_args__ = (CheckConstraint("amount > 0", name="ck_asset_split_amount"),)

    month: Mapped[str] = c.text("月份", 7, required=True, index=True, help="如 2025-12")
    account_id: Mapped[int] = c.reference("会计科目", "account", required=True, help="末级资产科目")
    account: Mapped[Account] = c.related(account_id)
    rule: Mapped[AssetRule] = c.enum("分级规则", AssetRule, required=True)
    amount: Mapped[Decimal] = c.money(
        "金额", required=True, positive=True, help="月末余额的这一部分；备抵科目也填正数"
    )
    customer_id: Mapped[int | None] = c.reference(
        "在保客户", "customer", help="对在保客户的股权、委托贷款须填"
    )
    customer: Mapped["Customer | None"] = c.related(customer_id)
    starts_on: Mapped[date | None] = c.day("合同起始日期", help="委托贷款须填")
    ends_on: Mapped[date | None] = c.day("合同到期日期", help="委托贷款须填")
    evidence: Mapped[str] = c.text(
        "依据", 200, required=True, help="如：债券名称与评级报告、不动产权证号、合同编号"
    )
