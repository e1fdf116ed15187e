"""分险 (4.10): the shares of a project as they stood when its first loan was drawn; nothing changes them afterwards."""

from datetime import date
from decimal import Decimal

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, News, Scope, Spec
from models.base.kinds import MenuGroup, Module, SpecKind
from models.customer.partner import GuaranteeCompany
from models.guarantee.project import Project, Stage
from models.guarantee.scheme import SharingParty, SharingScheme


class ProjectShare(Entity):
    """What one party bears of a project, fixed at the drawdown."""

    spec = Spec(
        "项目分险",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        group=MenuGroup.SHARING,
        title="party",
        rank=85,
        order="-project_id,id",
        listed=("project", "party", "company", "share_pct", "fee_share_pct", "scheme", "fixed_on"),
        filtered=("project_id", "company_id", "scheme_id", "fixed_on"),
        scope=Scope(through="project"),
        news=News(900, made=("确定分险比例：", "{party} {share_pct}%")),
    )
    __table_args__ = (UniqueConstraint("project_id", "party", name="uq_project_share_party"),)
    project_id: Mapped[int] = c.reference(
        "担保项目", "project", required=True, part=c.Part(57, since=Stage.IN_FORCE, is_rare=True)
    )
    project: Mapped[Project] = c.related(project_id)
    scheme_id: Mapped[int] = c.reference("分险方案", "sharing_scheme", required=True)
    scheme: Mapped[SharingScheme] = c.related(scheme_id)
    party: Mapped[SharingParty] = c.enum("分担方", SharingParty, required=True)
    company_id: Mapped[int | None] = c.reference("再担保公司", "guarantee_company")
    company: Mapped[GuaranteeCompany | None] = c.related(company_id)
    share_pct: Mapped[Decimal] = c.rate("分担比例", scale=4, required=True)
    fee_share_pct: Mapped[Decimal] = c.rate("保费分成比例", scale=4, required=True)
    fixed_on: Mapped[date] = c.day("确定日期", required=True, index=True)
