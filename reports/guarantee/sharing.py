"""分险敞口 (4.10): what stands in force under each scheme, in full and by who bears it."""

from decimal import Decimal

from sqlalchemy import select

from models.base.kinds import MenuGroup, Module
from models.guarantee.project import Project
from models.guarantee.scheme import SharingParty
from reports.base.asked import Asked
from reports.base.params import pick
from reports.base.report import Found, Line, Report, balance, count, ratio, register, words
from reports.base.scope import scoped
from reports.figures import sharing

NO_SCHEME = "不选方案（银行与本公司）"


def lines(asked: Asked) -> Found:
    """The schemes, the largest first; of one bank where it is asked for."""
    query = scoped(select(Project.id), Project, asked.actor)
    bank = asked["bank"]
    if bank is not None:
        query = query.where(Project.bank_id == bank.id)
    by_scheme: dict[int | None, list[sharing.Borne]] = {}
    for one in sharing.borne(asked.session, query):
        by_scheme.setdefault(one.scheme.id if one.scheme else None, []).append(one)
    return Found([_line(asked, found) for found in by_scheme.values()], note=asked.as_of)


def _line(asked: Asked, groups: list[sharing.Borne]) -> Line:
    scheme = groups[0].scheme
    conditions = ["state:eq:IN_FORCE"]
    if scheme is not None:
        conditions.append(f"scheme_id:eq:{scheme.id}")
    if asked["bank"] is not None:
        conditions.append(f"bank_id:eq:{asked['bank'].id}")
    projects = asked.rows("project", *conditions) if scheme is not None else ""
    values = {
        "name": str(scheme) if scheme else NO_SCHEME,
        "count": sum(one.count for one in groups),
        "total": sum((one.total for one in groups), Decimal(0)),
        **{
            party.name: sum((one.of(party) for one in groups), Decimal(0)) for party in SharingParty
        },
    }
    url = asked.record("sharing_scheme", scheme.id) if scheme else ""
    return Line(values, url=url, urls=dict.fromkeys(("count", "total"), projects))


register(
    Report(
        "sharing-exposure",
        "分险敞口",
        Module.GUARANTEE,
        permission=("list", "project"),
        columns=(
            words("name", "分险方案"),
            count("count", "在保笔数"),
            balance("total", "在保余额（全额）"),
            *(balance(party.name, party.label) for party in SharingParty),
            ratio("share", "本公司占比", "OWN", "total"),
        ),
        lines=lines,
        params={"bank": pick("合作银行", "partner_bank")},
        menu=MenuGroup.SHARING,
        rank=86,
        help="在保余额按各方案的比例拆分到分，各列合计等于全额；责任余额另按“额度与集中度”",
        empty="没有在保项目",
    )
)
