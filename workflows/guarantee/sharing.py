"""4.10 分险 of a project: its scheme must admit it, and what each party bears is fixed when the bank has paid."""

from models.guarantee.bank import PartnerBank
from models.guarantee.project import Project
from models.guarantee.scheme import RuleUse, SchemeProduct, SharingParty, SharingScheme
from models.guarantee.sharing import ProjectShare
from reports.figures import sharing
from reports.figures.sharing import RuleAnswer
from workflows.base.context import Ctx


def check(ctx: Ctx, project: Project, bank: PartnerBank) -> list[str]:
    """Why a project may not come under its scheme; one that may has the bank's share of the scheme."""
    if project.scheme_id is None:
        return []
    scheme = ctx.session.get_one(SharingScheme, project.scheme_id)
    found = []
    if not sharing.is_valid_on(scheme, ctx.today):
        found.append(f"分险方案“{scheme}”{scheme.state.label}或不在有效期内，请另选")
    if project.product_id not in products_of(scheme):
        found.append(f"分险方案“{scheme}”不适用这个产品")
    if sharing.entry_of(ctx.session, scheme, bank) is None:
        found.append(f"分险方案“{scheme}”不适用{bank.name}")
    by_party = {one.party: one.share_pct for one in sharing.in_order(scheme.shares)}
    project.bank_share_pct = by_party.get(SharingParty.BANK, project.bank_share_pct)
    return found


def products_of(scheme: SharingScheme) -> set[int]:
    """The products that a scheme admits, by id."""
    rows: list[SchemeProduct] = scheme.products
    return {row.product_id for row in rows}


def admission(ctx: Ctx, project: Project) -> list[RuleAnswer]:
    """The conditions of the project's scheme, as they come to now."""
    if project.scheme_id is None:
        return []
    scheme = ctx.session.get_one(SharingScheme, project.scheme_id)
    return sharing.rule_answers(ctx.session, project, scheme, RuleUse.ADMISSION, ctx.today)


def fix(ctx: Ctx, project: Project) -> list[ProjectShare]:
    """Keep who bears what of a project of a scheme, once its first loan is drawn."""
    if project.scheme_id is None:
        return []
    scheme = ctx.session.get_one(SharingScheme, project.scheme_id)
    made = [
        ProjectShare(
            project=project,
            scheme=scheme,
            party=one.party,
            company=one.company,
            share_pct=one.share_pct,
            fee_share_pct=one.fee_share_pct,
            fixed_on=ctx.today,
        )
        for one in sharing.in_order(scheme.shares)
    ]
    ctx.session.add_all(made)
    return made
