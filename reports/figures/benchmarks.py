"""Rates by a benchmark (10.3): what LPR was on a day, and a loan's rate as LPR and a spread in BP."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.guarantee.benchmark import Benchmark, BenchmarkRate
from models.guarantee.drawdown import Drawdown

BP = Decimal(100)  # of one per cent


def benchmark_on(session: Session, kind: Benchmark, on: date) -> BenchmarkRate | None:
    """The row that holds on a day; None before the first one."""
    query = select(BenchmarkRate).where(
        BenchmarkRate.kind == kind, BenchmarkRate.effective_on <= on
    )
    return session.scalars(query.order_by(BenchmarkRate.effective_on.desc()).limit(1)).first()


def rate_by(session: Session, kind: Benchmark, spread_bp: Decimal, on: date) -> Decimal | None:
    """Benchmark and spread as a rate in % a year; None where no benchmark is known for the day."""
    found = benchmark_on(session, kind, on)
    return None if found is None else found.rate_annual_pct + spread_bp / BP


def spread_over_benchmark(
    session: Session, kind: Benchmark, rate_annual_pct: Decimal, on: date
) -> Decimal | None:
    """By how many BP a rate lies above the benchmark of a day."""
    found = benchmark_on(session, kind, on)
    return None if found is None else (rate_annual_pct - found.rate_annual_pct) * BP


def proposed(session: Session, loan: Drawdown, on: date) -> Decimal | None:
    """What a loan that is priced by a benchmark would cost on a day, in % a year."""
    if loan.benchmark is None or loan.spread_bp is None:
        return None
    return rate_by(session, loan.benchmark, loan.spread_bp, on)


def in_words(session: Session, kind: Benchmark, spread_bp: Decimal, on: date) -> str:
    """LPR 一年期 3%（2025-05-20 起）＋ 85 BP ＝ 3.85%; empty where no benchmark is known for the day."""
    found = benchmark_on(session, kind, on)
    if found is None:
        return ""
    base, whole = found.rate_annual_pct, found.rate_annual_pct + spread_bp / BP
    sign = "－" if spread_bp < 0 else "＋"
    spread = f"{abs(spread_bp).normalize():f} BP"
    since = f"（{found.effective_on} 起）"
    return f"{kind.label} {base.normalize():f}%{since}{sign} {spread} ＝ {whole.normalize():f}%"
