"""资产分级: the assets of a month by class with their evidence, and the four ratios of 资产比例管理办法 (K8)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ledger.account import ZERO, Account, AccountCategory, AssetClass
from models.ledger.asset_split import AssetSplit
from reports.base.export import ExportColumn
from reports.figures.asset_classes import (
    THREE,
    TWO,
    Caps,
    Holding,
    Line,
    Part,
    Ratio,
    lines_of,
    totals,
)
from reports.figures.balances import is_at, of_accounts
from reports.figures.parameters import number
from reports.figures.provisions import COMPENSATION, UNEARNED
from reports.figures.schedules import last_day

CLAIMS = ("1201", "1231")  # 应收代偿款 less its impairment, as in the balance sheet
COLUMNS = (
    ExportColumn("code", "科目编码"),
    ExportColumn("name", "科目名称"),
    ExportColumn("basis", "分级规则"),
    ExportColumn("amount", "金额", "money", "元"),
    *(ExportColumn(each.name.lower(), each.label, "money", "元") for each in AssetClass),
    ExportColumn("evidence", "依据"),
)


@dataclass(frozen=True)
class AssetReport:
    """The assets of a month's end in 元, without 应收代偿款, and the ratios."""

    period: str
    lines: list[Line]
    totals: Mapping[AssetClass, Decimal]
    assets: Decimal
    claims: Decimal
    net_assets: Decimal
    reserves: Decimal
    ratios: list[Ratio]
    notices: list[str] = field(default_factory=list)


def asset_report(session: Session, period: str) -> AssetReport:
    """资产分级 of a month by the parameters of its last day."""
    on = last_day(period)
    figures = of_accounts(session, period, period)
    accounts = {
        a.id: a
        for a in session.scalars(
            select(Account).where(Account.id.in_(figures)).order_by(Account.code)
        )
    }
    closing = {accounts[key]: figure.closing for key, figure in figures.items() if key in accounts}
    own = {a: v for a, v in closing.items() if a.category is AccountCategory.ASSET}
    assets = sum(own.values(), ZERO)
    claims = sum((v for a, v in own.items() if is_claim(a.code)), ZERO)
    net = assets + sum(
        (v for a, v in closing.items() if a.category is AccountCategory.LIABILITY), ZERO
    )
    reserves = -sum(
        (v for a, v in closing.items() if is_at(a.code, UNEARNED) or is_at(a.code, COMPENSATION)),
        ZERO,
    )
    parts = _parts(session, period)
    counted = sorted(
        (a for a in own if not is_claim(a.code) and (own[a] or parts[a.id])), key=lambda a: a.code
    )
    holdings = [
        Holding(
            a.code,
            a.full_name,
            own[a],
            default=a.asset_class,
            ratio=a.asset_ratio_pct,
            parts=_signed(parts[a.id], own[a]),
        )
        for a in counted
    ]
    lines = lines_of(holdings, caps_on(session, on), net)
    sums = totals(lines)
    ratios = _ratios(session, on, sums, assets, assets - claims, net + reserves)
    return AssetReport(
        period,
        lines,
        sums,
        assets=assets,
        claims=claims,
        net_assets=net,
        reserves=reserves,
        ratios=ratios,
        notices=_notices(holdings),
    )


def is_claim(code: str) -> bool:
    """Whether an account belongs to 应收代偿款, which no class counts."""
    return any(is_at(code, top) for top in CLAIMS)


def caps_on(session: Session, on: date) -> Caps:
    """The caps of a day."""
    return Caps(
        number(session, "asset.own_property_pct", on),
        number(session, "asset.client_equity_pct", on),
        number(session, "asset.client_loan_pct", on),
    )


def export_rows(found: AssetReport) -> list[list[str | Decimal]]:
    """Lines, totals and ratios as cells of a workbook."""
    rows: list[list[str | Decimal]] = [
        [line.code, line.name, line.basis, line.amount, *_of(line.classes), line.evidence]
        for line in found.lines
    ]
    rows.append(["", "合计", "", sum(found.totals.values(), ZERO), *_of(found.totals), ""])
    for ratio in found.ratios:
        limit = f"{'不低于' if ratio.is_least else '不高于'} {ratio.limit.normalize():f}%"
        share = "无法计算" if ratio.share is None else f"{ratio.share}%"
        rows.append(
            ["", ratio.label, f"{share}，{limit}", ratio.numerator, "", "", "", ratio.article]
        )
    return rows


def _of(classes: Mapping[AssetClass, Decimal]) -> list[Decimal]:
    return [classes.get(each, ZERO) for each in AssetClass]


def _parts(session: Session, period: str) -> dict[int, list[AssetSplit]]:
    found: dict[int, list[AssetSplit]] = defaultdict(list)
    for row in session.scalars(
        select(AssetSplit).where(AssetSplit.month == period).order_by(AssetSplit.id)
    ):
        found[row.account_id].append(row)
    return found


def _signed(rows: list[AssetSplit], balance: Decimal) -> tuple[Part, ...]:
    sign = -1 if balance < 0 else 1
    return tuple(Part(row.rule, sign * row.amount, row.evidence) for row in rows)


def _ratios(
    session: Session,
    on: date,
    sums: Mapping[AssetClass, Decimal],
    assets: Decimal,
    base: Decimal,
    funds: Decimal,
) -> list[Ratio]:
    law = "资产比例管理办法"
    return [
        Ratio(
            "（净资产 + 未到期责任准备金 + 担保赔偿准备金）/ 资产总额",
            f"{law}第八条",
            funds,
            assets,
            number(session, "asset.own_funds_min_pct", on),
        ),
        Ratio(
            "Ⅰ、Ⅱ级资产 /（资产总额 − 应收代偿款）",
            f"{law}第九条",
            sums[AssetClass.ONE] + sums[TWO],
            base,
            number(session, "asset.first_second_min_pct", on),
        ),
        Ratio(
            "Ⅰ级资产 /（资产总额 − 应收代偿款）",
            f"{law}第十条",
            sums[AssetClass.ONE],
            base,
            number(session, "asset.first_min_pct", on),
        ),
        Ratio(
            "Ⅲ级资产 /（资产总额 − 应收代偿款）",
            f"{law}第十一条",
            sums[THREE],
            base,
            number(session, "asset.third_max_pct", on),
            is_least=False,
        ),
    ]


def _notices(holdings: list[Holding]) -> list[str]:
    over = [h for h in holdings if abs(sum((p.amount for p in h.parts), ZERO)) > abs(h.balance)]
    bare = [f"{h.code} {h.name}" for h in holdings if h.default is None and not h.parts]
    found = [f"科目 {h.code} {h.name} 的分级依据合计超过月末余额，请更正" for h in over]
    return found + ([f"没有资产分级的科目按Ⅲ级计：{'、'.join(bare)}"] if bare else [])
