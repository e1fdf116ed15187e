"""待备案项目 (4.10): what a re-guarantor shares and has not been told of, until when, and why it does not qualify."""

from decimal import Decimal

from sqlalchemy import select

from models.base.kinds import MenuGroup, Module
from models.customer.partner import GuaranteeCompany, PartnerRole
from models.guarantee.project import Project
from reports.base.asked import Asked
from reports.base.params import pick
from reports.base.report import Found, Line, Mark, Report, additive, register, stated, words
from reports.base.scope import scoped
from reports.figures import reguarantee

MOST = 500


def lines(asked: Asked) -> Found:
    """By company, the soonest due first."""
    query = select(GuaranteeCompany).where(GuaranteeCompany.role == PartnerRole.RE_GUARANTEE)
    if asked["company"] is not None:
        query = query.where(GuaranteeCompany.id == asked["company"].id)
    found: list[Line] = []
    for company in asked.session.scalars(query.order_by(GuaranteeCompany.name)).all():
        rows = scoped(reguarantee.unfiled(company.id), Project, asked.actor).limit(MOST)
        found += [_line(asked, company, one) for one in asked.session.scalars(rows).all()]
    late = sum(line.tone == "bad" for line in found)
    marks = [Mark(f"{late} 个逾期", "bad")] if late else []
    return Found(found, note=asked.as_of, marks=marks)


def _line(asked: Asked, company: GuaranteeCompany, project: Project) -> Line:
    reasons = reguarantee.reasons(asked.session, project, company, asked.today)
    why = reguarantee.why_not(reasons)
    last = reguarantee.due_on(project)
    left = (last - asked.today).days if last else None
    share = reguarantee.share_of(asked.session, project, company.id)
    is_late = left is not None and left < 0 and not why
    return Line(
        {
            "company": company.name,
            "number": project.number,
            "customer": project.customer.name,
            "amount": project.amount,
            "balance": project.balance,
            "share": share,
            "due_on": last.isoformat() if last else "",
            "left": Decimal(left) if left is not None else "",
            "state": "符合" if not why else "不符合",
            "why": why,
        },
        url=asked.record("project", project.id),
        tone="bad" if is_late else "",
        tones={"left": "bad" if is_late else "", "state": "warn" if why else "ok"},
    )


register(
    Report(
        "unfiled",
        "待备案项目",
        Module.GUARANTEE,
        permission=("list", "filing_row"),
        columns=(
            words("company", "再担保公司"),
            words("number", "项目编号"),
            words("customer", "客户"),
            additive("amount", "担保金额"),
            additive("balance", "在保余额"),
            stated("share", "再担保比例", "rate", "%"),
            words("due_on", "备案期限"),
            stated("left", "剩余天数", "int", "天"),
            words("state", "备案条件"),
            words("why", "不符合的原因", is_long=True),
        ),
        lines=lines,
        params={"company": pick("再担保公司", "guarantee_company")},
        menu=MenuGroup.SHARING,
        rank=90,
        help="在保、由再担保公司分担而没有列入备案批次的项目；备案期限按分险方案，自放款起算",
        empty="没有待备案的项目",
        group_by="company",
        has_totals=False,
    )
)
