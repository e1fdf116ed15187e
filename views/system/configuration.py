"""配置版本 and 四眼发布 (X15): what changed, when, by whom and why; an earlier version again; what uses a record."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from flask import request
from sqlalchemy import func, select

from models.base.entity import Entity, entity_of
from models.system.configuration import ConfigProposal, ConfigVersion, ProposalState, VersionAct
from models.system.role import RoleProfile
from reports.base.scope import scoped
from reports.figures.configuration import (
    Content,
    Thing,
    key_columns,
    label_of,
    name_of,
    right_to_change,
    way_up,
)
from reports.figures.configuration_changes import Change, changes
from reports.figures.uses import Use, uses
from views.kit import buttons, cells, hooks, lists
from views.kit.cells import format_value, record_url
from views.kit.entity_view import EntityView
from views.kit.interface import model_of, valid_id
from views.kit.pages import Action, Cell, Column, RecordPage, Row, Section
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.versions import of_thing
from workflows.system import configuration, proposals

VERSIONS: Final = "versions"
USES: Final = "uses"
ROWS: Final = 100
_CHANGED = [Column("place", "所在"), Column("label", "项目")]

for _table in ("config_version", "config_proposal"):
    cells.WORDS[_table, "table_name"] = label_of


# ------------------------------------------------------------------------------------------------- the page of a record
def versions_tab(record: Entity, ctx: Ctx) -> Section | None:
    """Every version of a piece of configuration, the newest first."""
    if record.spec.config is None or not ctx.actor.may("show", "config_version"):
        return None
    section = Section(
        VERSIONS, "版本", empty="自启用以来没有修改过；修改一次即有版本", columns=_VERSION_COLUMNS
    )
    if request.args.get("tab") == VERSIONS:
        where = of_thing(str(record.__tablename__), _name(ctx, record), record.id)
        section.rows = [_version_row(one) for one in _versions(ctx, where)]
        section.note = "点开一版看它改了什么，可与任何一版比较，也可恢复"
    return section


def uses_tab(record: Entity, ctx: Ctx) -> Section | None:
    """Everything that uses a piece of configuration; asked for when the tab is open."""
    if way_up(type(record)) is None:
        return None
    section = Section(USES, "使用情况", empty="没有被使用")
    if request.args.get("tab") == USES:
        section.columns = [Column("what", "使用处"), Column("count", "数量", "int")]
        section.rows = [_use_row(ctx, one) for one in uses(ctx.session, record)]
        section.note = "正在使用的不能删除；改名、停用前请先看这里"
    return section


hooks.SECTIONS += [versions_tab, uses_tab]

_VERSION_COLUMNS = [
    Column("number", "版本"),
    Column("at", "时间", "datetime"),
    Column("act", "方式"),
    Column("summary", "变更内容", "long_text"),
    Column("author", "修改人"),
    Column("publisher", "发布人"),
    Column("reason", "变更原因", "long_text"),
]


def _name(ctx: Ctx, record: Entity) -> str:
    key = tuple(getattr(record, name) for name in key_columns(type(record)))
    return name_of(ctx.session, Thing(str(record.__tablename__), key))


def _versions(ctx: Ctx, where: Any) -> Sequence[ConfigVersion]:
    query = scoped(select(ConfigVersion).where(where), ConfigVersion, ctx.actor)
    return ctx.session.scalars(query.order_by(ConfigVersion.number.desc()).limit(ROWS)).all()


def _version_row(one: ConfigVersion, *, actions: tuple[Action, ...] = ()) -> Row:
    found = (
        Cell(f"第 {one.number} 版", "link"),
        Cell(format_value(one.at, "datetime"), "datetime"),
        Cell(one.act.label),
        _words(one.summary),
        Cell(one.author.name if one.author else "系统"),
        Cell(format_value(one.published_by, "text")),
        _words(one.reason),
    )
    return Row(str(one.id), f"/config_version/show/{one.id}", found, actions=actions)


def _words(text: str | None) -> Cell:
    """A text of any length; a dash for none."""
    return Cell(format_value(text, "long_text"), "long_text")


def _use_row(ctx: Ctx, one: Use) -> Row:
    url = ""
    if model_of(one.table) is not None and ctx.actor.may("list", one.table):
        if one.record_id is not None:
            url = record_url(one.table, one.record_id)
        elif one.condition:
            url = f"/{one.table}/list/?f={one.condition}"
    found = (
        Cell(one.what, "link" if url else "text", url=url),
        Cell(format_value(one.count or None, "int"), "int"),
    )
    return Row(f"{one.table}-{one.what}", url, found)


# ------------------------------------------------------------------------------------------------ a version, a proposal
def _page_of(found: ConfigVersion | ConfigProposal, ctx: Ctx) -> str:
    """The page of the configuration itself, where it is still there."""
    model, key = entity_of(found.table_name), found.record_id
    record = None if key is None else ctx.session.get(model, key)
    if record is None:
        return ""
    if isinstance(record, RoleProfile):
        return f"/roles/{record.role_id}"
    return record_url(found.table_name, record.id)


def _open(found: ConfigVersion | ConfigProposal, ctx: Ctx) -> list[Action]:
    url = _page_of(found, ctx)
    return [Action(f"打开{label_of(found.table_name)}", url)] if url else []


def changes_section(
    ctx: Ctx, table: str, before: Content, after: Content, heads: tuple[str, str]
) -> Section:
    """Old and new beside each other, under what they are called."""
    found = changes(ctx.session, table, before, after)
    sides = (Column(k, head, "long_text") for k, head in zip(("old", "new"), heads, strict=True))
    columns = [*_CHANGED, *sides]
    section = Section("changes", "变更内容", columns=columns, empty="内容相同")
    section.rows = [_change_row(number, one) for number, one in enumerate(found)]
    return section


def _change_row(number: int, one: Change) -> Row:
    old, new = one.old, one.new
    if one.lines:
        old = "\n".join(line[1:] for line in one.lines if not line.startswith("+"))
        new = "\n".join(line[1:] for line in one.lines if not line.startswith("-"))
    what = one.label or ("新增" if one.old == "—" else "删除")
    texts = (_words(one.place), Cell(what), Cell(old, "long_text"), Cell(new, "long_text"))
    return Row(str(number), "", texts)


def _whole(ctx: Ctx, table: str, content: Content) -> Section:
    """All that a version says, field by field."""
    nothing: Content = [{"values": {}, "parts": {}}]
    found: Iterable[Change] = (
        one for row in content for one in changes(ctx.session, table, nothing, [row])
    )
    columns = [*_CHANGED, Column("value", "内容", "long_text")]
    section = Section("content", "这一版的内容", columns=columns, empty="已删除")
    section.rows = [
        Row(str(n), "", (_words(one.place), _words(one.label), Cell(one.new, "long_text")))
        for n, one in enumerate(found)
    ]
    return section


class ConfigVersionView(EntityView):
    """Screens of ConfigVersion: a version with what it changed, beside any other."""

    model = ConfigVersion

    def narrow_list(self, asked: lists.ListQuery) -> None:
        """What was there before its first change is no change; a thing's own versions have it."""
        if not any(one.startswith(("act:", "object_key:")) for one in request.args.getlist("f")):
            asked.fixed.append(ConfigVersion.act != VersionAct.BEFORE)

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """What changed first; then all of it, and the other versions to compare with."""
        assert isinstance(record, ConfigVersion)
        where = of_thing(record.table_name, record.object_key, record.record_id)
        others = _versions(ctx, where)
        other = self._beside(ctx, record, others)
        before, head = (other.content, f"第 {other.number} 版") if other else ([], "原来")
        heads = (head, f"第 {record.number} 版")
        section = changes_section(ctx, record.table_name, before, record.content, heads)
        rest = [one for one in page.sections if one.key in ("facts", "timeline")]
        page.sections = [
            section,
            _whole(ctx, record.table_name, record.content),
            self._all(record, others),
            *rest,
        ]
        page.active = _tab(page)
        page.actions += _open(record, ctx)
        return page

    def _beside(
        self, ctx: Ctx, record: ConfigVersion, others: Sequence[ConfigVersion]
    ) -> ConfigVersion | None:
        """The version that is asked for, else the one before."""
        key = valid_id(request.args.get("with", ""))
        if key is not None:
            asked = records.find(ctx, ConfigVersion, key)
            if asked.table_name == record.table_name:
                return asked
        earlier = [one for one in others if one.number < record.number]
        return max(earlier, key=lambda one: one.number, default=None)

    def _all(self, record: ConfigVersion, others: Sequence[ConfigVersion]) -> Section:
        section = Section("all", "各版本", columns=_VERSION_COLUMNS, count=len(others))
        section.rows = [
            _version_row(
                one,
                actions=()
                if one.id == record.id
                else (Action("与此版比较", f"/config_version/show/{record.id}?with={one.id}"),),
            )
            for one in others
        ]
        return section


class ConfigProposalView(EntityView):
    """Screens of ConfigProposal: what would change, and the decision."""

    model = ConfigProposal

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """What would change first; what holds is said to be unchanged."""
        assert isinstance(record, ConfigProposal)
        section = changes_section(
            ctx, record.table_name, record.before, record.content, ("现行", "发布后")
        )
        page.sections = [section, *page.sections]
        page.active = _tab(page)
        page.actions += _open(record, ctx)
        if record.state is ProposalState.PENDING:
            page.notice = "待另一人发布；在此之前现行内容不变"
            if record.proposed_by_id == ctx.actor.employee_id:
                page.notice = "您提交的变更，待另一人发布；在此之前现行内容不变"
        return page


def _tab(page: RecordPage) -> str:
    """The tab that is asked for, else what changed."""
    keys = [one.key for one in page.sections]
    asked = request.args.get("tab", "")
    return dict.fromkeys(keys, asked).get(asked, keys[0])


def _is_own(ctx: Ctx, one: ConfigProposal) -> bool:
    return one.proposed_by_id == ctx.actor.employee_id


def _may_decide(ctx: Ctx, one: ConfigProposal) -> bool:
    return not _is_own(ctx, one) and ctx.actor.may(*right_to_change(one.table_name))


def _is_earlier(ctx: Ctx, one: ConfigVersion) -> bool:
    """Whether the version is not what holds, and the reader may change this kind."""
    if not ctx.actor.may(*right_to_change(one.table_name)):
        return False
    newest = select(func.max(ConfigVersion.number)).where(
        of_thing(one.table_name, one.object_key, one.record_id)
    )
    return bool(one.number != ctx.session.scalar(newest))


def _to_newest(one: ConfigVersion, _: object) -> str:
    return f"/config_version/show/{one.id}?tab=all"


buttons.register(
    buttons.Button(
        configuration.ACTS["restore"],
        configuration.restore,
        when=_is_earlier,
        ask="恢复原因",
        style="primary",
        after=_to_newest,
        done="已恢复，并留下一个新版本",
    ),
    buttons.Button(
        proposals.STEPS["publish"],
        proposals.publish,
        when=_may_decide,
        confirm="发布后立即生效，并留下一个版本。",
        style="primary",
        rank=1,
        done="已发布",
    ),
    buttons.Button(
        proposals.STEPS["refuse"],
        proposals.refuse,
        when=_may_decide,
        ask="拒绝原因",
        style="danger",
        rank=2,
        done="已拒绝，现行内容不变",
    ),
    buttons.Button(
        proposals.STEPS["withdraw"],
        proposals.withdraw,
        when=_is_own,
        confirm="撤回后现行内容不变。",
        rank=3,
        done="已撤回",
    ),
)
