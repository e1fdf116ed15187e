"""The page of a 最高额合同: what of it is used, by which projects; its buttons, and 纳入 on the project's page."""

from typing import Any, ClassVar

from sqlalchemy import select

from models.base import columns as c
from models.base.entity import Entity
from models.base.money import format_money
from models.base.paper import PaperState
from models.guarantee.maximum import MaximumContract, MaximumUse
from models.guarantee.project import Project
from reports.base.scope import scoped
from reports.figures import maximums
from reports.figures.exposure import Check
from views.kit.buttons import Button, Questions, Values, register
from views.kit.entity_view import EntityView
from views.kit.meters import meter
from views.kit.pages import Cell, Column, Row, Section
from workflows.base.context import Ctx
from workflows.guarantee import maximums as verbs

USES = "uses"


class MaximumContractView(EntityView):
    """Screens of 最高额合同."""

    model: ClassVar[type[Entity]] = MaximumContract

    def default_tab(self, found: Entity) -> str:
        """Once it is agreed, what it is used for is asked more often than what it says."""
        assert isinstance(found, MaximumContract)
        return USES if found.state is PaperState.APPROVED else super().default_tab(found)

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """How much of the limit is used and left."""
        assert isinstance(record, MaximumContract)
        in_force, used = maximums.taken(maximums.uses_of(ctx.session, record))
        left = format_money(record.limit_amount - used)
        way = "循环使用" if record.is_revolving else "不循环，已还部分不恢复"
        note = f"剩余 {left} 元；{way}"
        check = Check("maximum", "最高限额", in_force, used, record.limit_amount, None, "元", note)
        return [
            Section(
                "limit",
                "额度使用",
                template="parts/meters.html",
                data=[meter(check)],
                note="在保 → 含决议占用 / 限额",
            )
        ]

    def extra_sections(self, found: Entity, ctx: Ctx) -> list[Any]:
        """Every project under it with what it takes, those that were taken out last."""
        assert isinstance(found, MaximumContract)
        query = select(MaximumUse).where(MaximumUse.maximum_id == found.id)
        ordered = query.order_by(MaximumUse.until_on.is_not(None), MaximumUse.id)
        rows = list(ctx.session.scalars(scoped(ordered, MaximumUse, ctx.actor)))
        taken = {use.project_id: use for use in maximums.uses_of(ctx.session, found)}
        section = Section(USES, "使用明细", count=len(rows), empty="还没有项目纳入")
        section.columns = [
            Column("project", "担保项目", "text", ""),
            Column("state", "阶段", "text", ""),
            Column("balance", "在保余额", "money", "元"),
            Column("reserved", "决议占用", "money", "元"),
            Column("taken", "占用限额", "money", "元"),
            Column("since", "纳入日期", "text", ""),
        ]
        section.rows = [_row(one, taken.get(one.project_id)) for one in rows]
        return [section, *super().extra_sections(found, ctx)]


def _row(one: MaximumUse, use: maximums.Use | None) -> Row:
    def money(name: str) -> Cell:
        is_now = use is not None and one.until_on is None
        return Cell(format_money(getattr(use, name)) if is_now else "—", "money")

    project = one.project
    until = f" 至 {one.until_on}" if one.until_on else ""
    return Row(
        str(one.id),
        f"/project/show/{project.id}",
        (
            Cell(project.number, url=f"/project/show/{project.id}"),
            Cell(project.stage.label),
            money("balance"),
            money("reserved"),
            money("taken"),
            Cell(f"{one.since_on}{until}"),
        ),
    )


def _which(_: Ctx, __: Project) -> Questions:
    return {"maximum_id": c.reference("最高额合同", "maximum_contract", required=True)}


def _likely(ctx: Ctx, project: Project) -> Values:
    """The newest contract of the customer that takes something today and that the project is not under yet."""
    under = {one.id for one in maximums.of_project(ctx.session, project.id)}
    query = select(MaximumContract).where(MaximumContract.customer_id == project.customer_id)
    query = scoped(query.order_by(MaximumContract.id.desc()), MaximumContract, ctx.actor)
    for one in ctx.session.scalars(query):
        if one.id not in under and not maximums.why_barred(one, ctx.today):
            return {"maximum_id": one.id}
    return {}


def _has_one(ctx: Ctx, project: Project) -> bool:
    return verbs.may_take(ctx, project) and bool(_likely(ctx, project))


def _settlement(_: Ctx, __: MaximumContract) -> Questions:
    return {
        "evidence": c.text("落实依据", 200, required=True, help="登记证号、交付凭据等"),
        "on": c.day("落实日期", required=True),
    }


def _today(ctx: Ctx, _: MaximumContract) -> Values:
    return {"on": ctx.today}


def _to_project(use: MaximumUse, _: Any) -> str:
    return f"/project/show/{use.project_id}?tab=maximum_use#tabs"


register(
    Button(verbs.STEPS["submit"], verbs.submit, style="primary", rank=1),
    Button(
        verbs.ACTS["settle"],
        verbs.settle,
        when=verbs.may_settle,
        questions=_settlement,
        given=_today,
        style="primary",
        rank=2,
    ),
    Button(
        verbs.STEPS["close"],
        verbs.close,
        ask="终止原因",
        style="danger",
        rank=60,
        done="最高额合同已终止",
        confirm="终止后不能再纳入项目。",
    ),
    Button(
        verbs.ACTS["put_under"],
        verbs.put_under,
        on="project",
        when=_has_one,
        questions=_which,
        given=_likely,
        rank=40,
        done="已纳入最高额合同",
    ),
    Button(
        verbs.ACTS["take_out"],
        verbs.take_out,
        when=verbs.may_take_out,
        ask="移出原因",
        style="danger",
        rank=50,
        done="已移出最高额合同",
        confirm="移出后项目需另签合同或反担保，已过这一环节的退回补办。",
        after=_to_project,
    ),
)
