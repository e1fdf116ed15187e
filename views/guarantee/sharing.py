"""分险 on the pages of projects, schemes, banks and re-guarantors: who bears what, and how the banks have fared."""

from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, select

from models.base.entity import Entity
from models.base.money import format_money
from models.customer.partner import GuaranteeCompany
from models.guarantee.bank import PartnerBank
from models.guarantee.project import Project, ProjectState
from models.guarantee.scheme import SchemeBank, SchemeShare, SchemeState, SharingScheme
from models.guarantee.sharing import ProjectShare
from reports.base.scope import scoped
from reports.figures import sharing
from reports.figures.sharing import Borne, Breaker
from views.kit import hooks
from views.kit.buttons import Button, in_state, register, to_result
from views.kit.entity_view import EntityView
from views.kit.pages import Cell, Column, Fact, Row, Section
from workflows.base.context import Ctx
from workflows.guarantee import scheme


class SchemeView(EntityView):
    """Screens of 分险方案: whoever opens one looks at who bears what."""

    model: ClassVar[Any] = SharingScheme

    def default_tab(self, record: Entity) -> str:
        """The shares."""
        return str(SchemeShare.__tablename__)


register(
    Button(
        scheme.STEPS["enable"],
        scheme.enable,
        why_not=scheme.why_not,
        style="primary",
        rank=1,
        confirm="启用后这个版本不能再修改；原在用的版本同时停用，已选它的项目不受影响。",
        done="已启用",
    ),
    Button(
        scheme.NEW_VERSION,
        scheme.new_version,
        name="new_version",
        when=in_state("state", SchemeState.ACTIVE, SchemeState.RETIRED),
        rank=10,
        done="已复制为新版本的草稿，修改后启用",
        after=to_result,
    ),
    Button(
        scheme.STEPS["retire"],
        scheme.retire,
        rank=50,
        confirm="停用后新的申请不能再选；已选它的项目不受影响。",
        done="已停用",
    ),
)


def _pct(share: Decimal) -> str:
    return f"{share.normalize():f}%"


def shares_section(ctx: Ctx, project: Project) -> Section | None:
    """What each party bears of a project of a scheme, in force of its balance, before of its amount."""
    if project.scheme is None:
        return None
    is_in_force = project.state is ProjectState.IN_FORCE
    amount = project.balance if is_in_force else project.amount
    shared = sharing.portions(ctx.session, project)
    facts = [
        Fact("分险方案", Cell(str(project.scheme), url=f"/sharing_scheme/show/{project.scheme_id}"))
    ]
    facts += [
        Fact(one.party.label, Cell(format_money(part), "text", hint=f"元 · {_pct(one.share_pct)}"))
        for one, part in zip(shared, sharing.split(shared, amount), strict=True)
    ]
    base = "在保余额" if is_in_force else "担保金额"
    note = f"{base} {format_money(amount)} 元" + ("" if is_in_force else "，比例放款时确定")
    return Section("sharing", "分险", template="parts/pairs.html", data=facts, note=note)


_RATES = (
    Column("bank", "适用银行"),
    Column("rate", "代偿率"),
    Column("compensated", "代偿", "money", "元"),
    Column("released", "解除", "money", "元"),
    Column("cap", "上限"),
    Column("state", "状态", "enum"),
)


def _rates(found: list[Breaker], label: str) -> Section:
    rows = [
        Row(
            str(one.entry.id),
            f"/scheme_bank/show/{one.entry.id}",
            (
                Cell(label_of(one)),
                Cell(_pct(one.rate_pct)),
                Cell(format_money(one.compensated), "money"),
                Cell(format_money(one.released), "money"),
                Cell(_pct(one.entry.breaker_pct)),
                Cell("停办下一批", "enum", tone="bad")
                if one.is_broken
                else Cell("正常", "enum", tone="ok"),
            ),
        )
        for one in found
    ]
    return Section("breakers", label, columns=list(_RATES), rows=rows, count=len(rows))


def label_of(found: Breaker) -> str:
    """The bank and the scheme of a rate."""
    return f"{found.entry.bank.name} · {found.entry.scheme}（{found.basis.label}）"


def scheme_section(record: Entity, ctx: Ctx) -> Section | None:
    """代偿率 of each bank of a scheme."""
    if not isinstance(record, SharingScheme) or not record.banks:
        return None
    found = [sharing.breaker(ctx.session, record, entry, ctx.today) for entry in record.banks]
    return _rates(found, "代偿率")


_BORNE = (
    Column("scheme", "分险方案"),
    Column("count", "在保笔数", "int"),
    Column("total", "全额", "money", "元"),
    Column("party", "分担方"),
    Column("share", "比例"),
    Column("amount", "承担", "money", "元"),
)


def borne_rows(groups: list[Borne], company_id: int | None = None) -> list[Row]:
    """A row for each scheme and party, or for those of one company."""
    found = []
    for group in groups:
        url = f"/sharing_scheme/show/{group.scheme.id}" if group.scheme else ""
        name = str(group.scheme) if group.scheme else "不选方案"
        for at, (one, amount) in enumerate(group.parts):
            if company_id is not None and (one.company is None or one.company.id != company_id):
                continue
            cells = (
                Cell(name, url=url),
                Cell(str(group.count), "int"),
                Cell(format_money(group.total), "money"),
                Cell(one.name),
                Cell(_pct(one.share_pct)),
                Cell(format_money(amount), "money"),
            )
            found.append(Row(f"{name}-{at}", url, cells))
    return found


def borne_section(ctx: Ctx, *where: ColumnElement[bool], company_id: int | None = None) -> Section:
    """What stands in force within the reader's scope, in full and by who bears it."""
    query = scoped(select(Project.id).where(*where), Project, ctx.actor)
    rows = borne_rows(sharing.borne(ctx.session, query), company_id)
    return Section(
        "borne",
        "分险敞口",
        columns=list(_BORNE),
        rows=rows,
        count=len(rows),
        note=f"{ctx.actor.scope.label} · 在保余额按比例拆分到分",
        empty="没有在保项目",
        more_url="/report/sharing-exposure",
        more_label="分险敞口",
    )


def partner_sections(record: Entity, ctx: Ctx) -> Section | None:
    """On the page of a bank what of its loans is borne by whom; on that of a re-guarantor what it bears."""
    if not ctx.actor.may("list", "project"):
        return None
    if isinstance(record, PartnerBank):
        return borne_section(ctx, Project.bank_id == record.id)
    if isinstance(record, GuaranteeCompany):
        mine: Any = select(ProjectShare.project_id).where(ProjectShare.company_id == record.id)
        return borne_section(ctx, Project.id.in_(mine), company_id=record.id)
    return None


def bank_rates(record: Entity, ctx: Ctx) -> Section | None:
    """代偿率 of a bank under each scheme in use."""
    if not isinstance(record, PartnerBank):
        return None
    query = (
        select(SchemeBank)
        .join(SharingScheme, SharingScheme.id == SchemeBank.scheme_id)
        .where(SchemeBank.bank_id == record.id, SharingScheme.state == SchemeState.ACTIVE)
    )
    entries = ctx.session.scalars(query.order_by(SchemeBank.id)).all()
    found = [sharing.breaker(ctx.session, one.scheme, one, ctx.today) for one in entries]
    return _rates(found, "代偿率") if found else None


hooks.SECTIONS.extend((scheme_section, partner_sections, bank_rates))
