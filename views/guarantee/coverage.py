"""担保范围与期间 (4.8) on the page of a project in force: what the company answers for today, and until when."""

from models.base.money import format_money
from models.guarantee.project import Project
from reports.figures import coverage
from views.kit.pages import Cell, Fact, Section
from workflows.base.context import Ctx


def coverage_section(ctx: Ctx, project: Project) -> Section | None:
    """Scope, amount covered today and 保证期间; None where no contract with the bank is in force."""
    found = coverage.standing(ctx.session, project, ctx.today)
    if found is None:
        return None
    scope = found.scope
    left = (found.last - ctx.today).days
    share = f"{scope.share_pct.normalize():f}%"
    agreed = scope.contract
    contract = Cell(agreed.number, url=f"/{agreed.__tablename__}/show/{agreed.id}")
    facts = [
        Fact(agreed.kind.label, contract),
        Fact("保证方式", Cell(scope.liability.label)),
        Fact("担保范围", Cell(f"{scope.parts.label}，承担 {share}")),
        Fact("今日承担", Cell(format_money(found.covered.amount), "text", hint="元")),
        Fact("保证期间", Cell(f"{found.first} 至 {found.last}")),
        Fact("距届满", Cell(f"{left} 天" if left >= 0 else "已届满")),
    ]
    if scope.cap is not None:
        facts.insert(3, Fact("最高担保额", Cell(format_money(scope.cap), "text", hint="元")))
    facts += [Fact("不承担", Cell(words)) for words in found.covered.outside]
    facts += [Fact("说明", Cell(words)) for words in found.covered.notes]
    owed = format_money(found.claim.total)
    note = f"借款余额及欠息 {owed} 元"
    return Section("coverage", "担保范围与期间", template="parts/pairs.html", data=facts, note=note)
