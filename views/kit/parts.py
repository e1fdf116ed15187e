"""The parts of a record as tabs of its page, as the parts themselves say (`models.base.columns.Part`)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from models.base.entity import STAMPS, Entity, PartOf, parts_of
from models.base.errors import Conflict, NotFound
from models.base.kinds import SpecKind
from reports.base.scope import scoped
from views.kit.cells import Cells, record_url
from views.kit.grids import is_grid
from views.kit.interface import Titles, model_of, narrow, shape, sorting
from views.kit.pages import Action, Row, Section
from views.kit.record import column, may_save, why_frozen
from workflows.base.context import Ctx

CHILD_ROWS = 50
PRINTED_ROWS = 200
# Facts come first; then the parts, files and remarks; then what was decided and booked, who held it, what was changed.
_ORDER = {"overview": -2, "facts": -1, "approvals": 1, "vouchers": 2, "timeline": 9}
_LATE, _LATE_RANK = 8, 900


def in_order(record: Entity, sections: list[Section]) -> list[Section]:
    """The tabs of a page: what is asked for most comes first."""
    parts = parts_of(type(record))

    def place(section: Section) -> int:
        one = parts.get(section.key)
        is_late = one is not None and one.part.rank >= _LATE_RANK
        return _LATE if is_late else _ORDER.get(section.key, 0)

    return sorted(sections, key=place)


def opens_with(record: Entity) -> str:
    """The tab that where the record stands is about, else its facts."""
    now = _standing(record)
    found = (table for table, one in parts_of(type(record)).items() if now in one.part.opens)
    return next(found, "facts")


def asked_papers(ctx: Ctx, record: Entity) -> list[Action]:
    """The paper that the record waits for where it stands: to be filled in, or to be looked at."""
    found = []
    for table, one in parts_of(type(record)).items():
        if one.part.asks and _takes(record, one):
            query = select(one.model).where(getattr(one.model, one.link) == record.id)
            newest = ctx.session.scalars(query.order_by(one.model.id.desc()).limit(1)).first()
            if newest is not None:
                label = f"查看{one.model.spec.label}"
                if getattr(newest, one.model.spec.state) in one.model.spec.drafts:
                    label = f"继续{one.part.asks}"
                found.append(Action(label, record_url(table, newest.id), style="primary"))
            elif ctx.actor.may("add", table):
                url = f"/{table}/add?{one.link}={record.id}"
                found.append(Action(one.part.asks, url, style="primary"))
    return found


def child_sections(
    ctx: Ctx, record: Entity, titles: Titles, active: str, *, may_change: bool
) -> list[Section]:
    """A tab for each part that the reader may list; all are counted at once, the active one alone is read."""
    parts = [
        one
        for table, one in parts_of(type(record)).items()
        if model_of(table) is not None and ctx.actor.may("list", table)
    ]
    if not parts:
        return []
    counts = ctx.session.execute(select(*(_count(ctx, record, one) for one in parts))).one()
    return [
        _child_section(
            ctx,
            record,
            one,
            count=count,
            titles=titles if one.model.__tablename__ == active else None,
            may_change=may_change,
        )
        for one, count in zip(parts, counts, strict=True)
        if count or _is_due(record, one)
    ]


def _standing(record: Entity) -> Any:
    return getattr(record, record.spec.line) if record.spec.line else None


def _is_due(record: Entity, one: PartOf) -> bool:
    """Whether an empty tab says anything: at a stage to come, or of what hardly ever happens, it does not."""
    if one.part.is_rare:
        return False
    if one.part.since is None:
        return True
    return bool(_standing(record).rank >= one.part.since.rank)  # type: ignore[attr-defined]


def _takes(record: Entity, one: PartOf) -> bool:
    """Whether the record, where it stands, takes rows of this part by hand."""
    spec = record.spec
    goes_on = getattr(record, spec.state) in (*spec.drafts, *spec.runs)
    return goes_on and _standing(record) in one.part.adds


def _count(ctx: Ctx, record: Entity, one: PartOf) -> Any:
    query = select(func.count(one.model.id)).where(getattr(one.model, one.link) == record.id)
    return scoped(query, one.model, ctx.actor).scalar_subquery()


def _child_section(
    ctx: Ctx,
    record: Entity,
    one: PartOf,
    *,
    count: int,
    titles: Titles | None,
    may_change: bool,
) -> Section:
    child, link = one.model, one.link
    known = shape(child)
    section = Section(known.table, child.spec.label, empty=f"暂无{child.spec.label}", count=count)
    _offer_rows(ctx, record, one, section, may_change=may_change)
    if titles is None:  # another tab is open
        return section
    rows = _fill(ctx, record, one, section, titles)
    if count > len(rows):
        section.more_url = f"/{known.table}/list/?f={link}:eq:{record.id}"
        section.more_label = f"查看全部 {count} 条"
    return section


def _fill(
    ctx: Ctx, record: Entity, one: PartOf, section: Section, titles: Titles, most: int = CHILD_ROWS
) -> Sequence[Entity]:
    """Put the rows of a part into its section, at most so many."""
    child, known = one.model, shape(one.model)
    names = [n for n in child.spec.listed if known.key(n) != one.link] or [
        n for n in known.visible() if n not in STAMPS
    ]
    rows, cells = _child_rows(ctx, record, one, names, most), Cells(ctx, child, titles)
    cells.prepare(rows, names)
    section.columns = [column(known, name) for name in names]
    main = names.index(child.spec.title) if child.spec.title in names else 0
    section.rows = [
        Row(
            str(row.id),
            record_url(known.table, row.id),
            tuple(cells.cell(row, name) for name in names),
            main=main,
        )
        for row in rows
    ]
    return rows


def whole_sections(ctx: Ctx, record: Entity, titles: Titles) -> list[Section]:
    """Every part that the reader may list with its rows, for paper."""
    found = []
    for table, one in parts_of(type(record)).items():
        if model_of(table) is not None and ctx.actor.may("list", table):
            section = whole_section(ctx, record, one, titles)
            if section.rows:
                found.append(section)
    return found


def whole_section(ctx: Ctx, record: Entity, one: PartOf, titles: Titles) -> Section:
    """A part with its rows, for paper."""
    section = Section(str(one.model.__tablename__), one.model.spec.label)
    if _fill(ctx, record, one, section, titles, PRINTED_ROWS):
        section.note = f"只打印前 {PRINTED_ROWS} 行" * (len(section.rows) == PRINTED_ROWS)
    return section


def rows_of(ctx: Ctx, record: Entity, one: PartOf, most: int) -> Sequence[Entity]:
    """The rows of a part that the reader may list, at most so many, in their order."""
    if model_of(str(one.model.__tablename__)) is None:
        return ()
    if not ctx.actor.may("list", str(one.model.__tablename__)):
        return ()
    return _child_rows(ctx, record, one, list(shape(one.model).visible()), most)


def _offer_rows(
    ctx: Ctx, record: Entity, one: PartOf, section: Section, *, may_change: bool
) -> None:
    """The button by which rows are added: while the record may change, or where it stands takes them."""
    is_owned = shape(one.model).facts(one.link).is_owner
    # Master data may be added wherever it is shown; of papers the place on the line decides.
    is_free = is_owned or one.model.spec.kind is SpecKind.MASTER
    is_taken, place = is_free and may_change, one.link
    if one.part.adds:
        is_taken = _takes(record, one)
    if is_owned:
        place = "owner"
    if is_taken and is_grid(ctx, one):
        url = f"/{record.__tablename__}/rows/{record.id}/{section.key}"
        section.actions = [Action("表格编辑", url, icon="edit")]
    if is_taken and may_save(ctx, one.model, "add"):
        url = f"/{section.key}/add?{place}={record.id}"
        section.actions.append(Action(f"新增{one.model.spec.label}", url, icon="plus"))


def grid_of(ctx: Ctx, record: Entity, table: str) -> PartOf:
    """The part whose rows this reader may fill in as a grid on the page of this record. Raises NotFound, Conflict."""
    one = parts_of(type(record)).get(table)
    if one is None or not is_grid(ctx, one):
        raise NotFound("没有这个子表，或您没有权限")
    if one.part.adds:
        if not _takes(record, one):
            raise Conflict(f"{record.spec.label}“{record}”现在不能登记{one.model.spec.label}")
    elif not shape(one.model).facts(one.link).is_owner:
        raise NotFound("没有这个子表，或您没有权限")
    elif why := why_frozen(record):
        raise Conflict(why)
    return one


def _child_rows(
    ctx: Ctx, record: Entity, one: PartOf, names: Sequence[str], most: int
) -> Sequence[Entity]:
    child, order = one.model, one.model.spec.order
    query = scoped(select(child).where(getattr(child, one.link) == record.id), child, ctx.actor)
    query = query.order_by(*sorting(child, order, after=["-id" if order.startswith("-") else "id"]))
    return ctx.session.scalars(query.options(narrow(child, names)).limit(most)).all()
