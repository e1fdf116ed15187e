"""基准利率: the loan prime rate (LPR) with its history; loans may be priced as LPR and a spread (10.3)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Spec
from models.base.kinds import Kind, Module
from models.base.rows import SeedRow


class Benchmark(Kind):
    """Rates that banks price loans by."""

    LPR_1Y = "LPR 一年期"
    LPR_5Y = "LPR 五年期以上"


# 贷款市场报价利率 as published by 全国银行间同业拆借中心: day, one year, five years and more.
_PUBLISHED = (
    ("2022-08-22", "3.65", "4.30"),
    ("2023-06-20", "3.55", "4.20"),
    ("2023-08-21", "3.45", "4.20"),
    ("2024-02-20", "3.45", "3.95"),
    ("2024-07-22", "3.35", "3.85"),
    ("2024-10-21", "3.10", "3.60"),
    ("2025-05-20", "3.00", "3.50"),
)


def _published() -> tuple[SeedRow, ...]:
    return tuple(
        SeedRow("benchmark_rate", {"kind": kind, "effective_on": day, "rate_annual_pct": rate})
        for day, *rates in _PUBLISHED
        for kind, rate in zip(Benchmark.__members__, rates, strict=True)
    )


class BenchmarkRate(Entity):
    """What a benchmark rate is from a day on, until its next row."""

    spec = Spec(
        "基准利率",
        Module.GUARANTEE_SETUP,
        title="kind",
        rank=30,
        order="-effective_on",
        listed=("kind", "effective_on", "rate_annual_pct", "note"),
        filtered=("kind", "effective_on"),
        key=("kind", "effective_on"),
        config=Config(of=("kind",), since="effective_on", is_dated=True),
        seeds=_published(),
    )
    __table_args__ = (UniqueConstraint("kind", "effective_on", name="uq_benchmark_rate"),)
    kind: Mapped[Benchmark] = c.enum("基准", Benchmark, required=True, index=True)
    effective_on: Mapped[date] = c.day("生效日期", required=True, index=True)
    rate_annual_pct: Mapped[Decimal] = c.rate(
        "年利率", unit="%/年", required=True, scale=4, maximum=Decimal(36)
    )
    note: Mapped[str | None] = c.text("备注", 200)
