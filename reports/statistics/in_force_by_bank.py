"""在保余额按银行 (9): what stands in force at each bank, and how many customers, within the reader's scope."""

from sqlalchemy import distinct as different
from sqlalchemy import func, select

from models.base.kinds import Module
from models.guarantee.bank import PartnerBank
from models.guarantee.project import Project, ProjectState
from reports.base.asked import Asked
from reports.base.report import (
    Chart,
    Found,
    Line,
    Report,
    balance,
    count,
    distinct,
    ratio,
    register,
    words,
)
from reports.base.scope import scoped

_IN_FORCE = Project.state == ProjectState.IN_FORCE
_FIGURES = (
    func.count(Project.id).label("count"),
    func.count(different(Project.customer_id)).label("customers"),
    func.sum(Project.balance).label("amount"),
)


def projects(asked: Asked, bank: int) -> str:
    """The projects behind a bank's figures."""
    return asked.rows("project", "state:eq:IN_FORCE", f"bank_id:eq:{bank}")


def lines(asked: Asked) -> Found:
    """The banks, the largest first; a customer of two banks counts at each, and once in the total."""
    query = scoped(select(Project.bank_id, *_FIGURES).where(_IN_FORCE), Project, asked.actor)
    part = query.group_by(Project.bank_id).subquery()
    columns = (PartnerBank.id, PartnerBank.name, part.c["count"], part.c.customers, part.c.amount)
    found = asked.session.execute(
        select(*columns).join(part, part.c.bank_id == PartnerBank.id)
    ).all()
    whole = scoped(select(_FIGURES[1]).where(_IN_FORCE), Project, asked.actor)
    return Found(
        [
            Line(
                {"name": name, "count": number, "customers": customers, "amount": amount},
                url=asked.record("partner_bank", bank),
                urls=dict.fromkeys(("count", "amount"), projects(asked, bank)),
            )
            for bank, name, number, customers, amount in sorted(found, key=lambda r: -r.amount)
        ],
        totals={"customers": asked.session.scalar(whole)},
        note=asked.as_of,
    )


register(
    Report(
        "in-force-by-bank",
        "在保余额按银行",
        Module.STATISTICS,
        permission=("by_bank", "project"),
        given_to=(
            "客户经理",
            "业务部门经理",
            "风控专员",
            "风控总监",
            "分管副总",
            "总裁",
            "财务主管",
            "分析员",
        ),
        columns=(
            words("name", "合作银行"),
            count("count", "在保笔数"),
            distinct("customers", "客户"),
            balance("amount", "在保余额"),
            ratio("share", "占比", "amount"),
        ),
        lines=lines,
        rank=10,
        help="营业日期当天在保项目的余额，只含您数据范围内的项目；在多家银行有业务的客户，合计只计一户",
        empty="没有在保项目",
        chart=Chart("name", "amount"),
    )
)
