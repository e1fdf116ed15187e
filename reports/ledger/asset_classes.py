"""资产分级: the assets of a month by class with their evidence, and the four ratios of 资产比例管理办法 (K8)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.kinds import MenuGroup, Module
from models.base.moments import last_day
from models.base.money import format_money
from models.ledger.account import ZERO, Account, AccountCategory, AssetClass
from models.ledger.asset_split import AssetSplit
from reports.base.asked import Asked
from reports.base.params import period
from reports.base.report import Found, Line, Mark, Report, balance, drill, register, words
from reports.figures.asset_classes import (
    THREE,
    TWO,
    Caps,
    Holding,
    Part,
    Ratio,
    lines_of,
    totals,
)
from reports.figures.asset_classes import Line as ClassedLine
from reports.figures.balances import is_at, of_accounts
from reports.figures.parameters import number
from reports.figures.provisions import COMPENSATION, UNEARNED

CLAIMS = ("1201", "1231")  # 应收代偿款 less its impairment, as in the balance sheet
COLUMNS = (
    words("code", "科目编码"),
    words("name", "科目名称"),
    words("basis", "分级规则"),
    balance("amount", "金额"),
    *(balance(each.name.lower(), each.label) for each in AssetClass),
    words("evidence", "依据", is_long=True),
)


@dataclass(frozen=True)
class AssetReport:
    """The assets of a month's end in 元, without 应收代偿款, and the ratios."""

    period: str
    lines: list[ClassedLine]
    totals: Mapping[AssetClass, Decimal]
    assets: Decimal
    claims: Decimal
    net_assets: Decimal
    reserves: Decimal
    ratios: list[Ratio]
    notices: list[str] = field(default_factory=list)
    accounts: Mapping[str, int] = field(default_factory=dict)  # ids by code


def asset_report(session: Session, period: str) -> AssetReport:
    """资产分级 of a month by the parameters of its last day."""
    on = last_day(period)
    closing = _closing(session, period)
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
        accounts={a.code: a.id for a in counted},
    )


def _closing(session: Session, period: str) -> dict[Account, Decimal]:
    """What each account with figures stands at."""
    figures = of_accounts(session, period, period)
    query = select(Account).where(Account.id.in_(figures)).order_by(Account.code)
    return {account: figures[account.id].closing for account in session.scalars(query)}


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


# ======================================================================================================== the report
def _lines(asked: Asked) -> Found:
    found = asset_report(asked.session, asked["period"])
    broken = [ratio.label for ratio in found.ratios if not ratio.is_met]
    mark = Mark(f"{len(broken)} 项不达标", "bad", title="；".join(broken))
    return Found(
        [_line(asked, found, line) for line in found.lines],
        heading=f"{found.period} 月末资产（不含应收代偿款）",
        span=found.period,
        marks=[mark if broken else Mark("四项比例达标", "ok")],
        appendix=[_ratio_line(ratio) for ratio in found.ratios],
        source=found,
    )


def _line(asked: Asked, found: AssetReport, line: ClassedLine) -> Line:
    month = {"first": found.period, "last": found.period}
    url = drill(asked, "detail-ledger", account=found.accounts[line.code], **month)
    return Line(
        {
            "code": line.code,
            "name": line.name,
            "basis": line.basis,
            "amount": line.amount,
            **{each.name.lower(): line.classes.get(each, ZERO) for each in AssetClass},
            "evidence": line.evidence,
        },
        url=url,
        urls={"amount": url},
    )


def _ratio_line(ratio: Ratio) -> Line:
    limit = f"{'不低于' if ratio.is_least else '不高于'} {ratio.limit.normalize():f}%"
    share = "无法计算" if ratio.share is None else f"{format_money(ratio.share)}%"
    return Line(
        {
            "name": ratio.label,
            "basis": f"{share}，{limit}",
            "amount": ratio.numerator,
            "evidence": ratio.article,
        }
    )


register(
    Report(
        "asset-classes",
        "资产分级",
        Module.LEDGER,
        permission=("list", "asset_split"),
        columns=COLUMNS,
        lines=_lines,
        params={"period": period()},
        menu=MenuGroup.STATEMENTS,
        rank=82,
        help=(
            "按非合并报表计算；应收代偿款不参加分级。有依据的部分按规则分级，其余按科目的资产分级；"
            "自用型房产合计不超过净资产上限的部分为Ⅱ级（资产比例管理办法第五条至第七条）"
        ),
        empty="这个月没有资产余额",
        total_at="name",
    )
)
