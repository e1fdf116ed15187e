"""The generated record page: facts by group, what belongs to the record in tabs, and the timeline of its changes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from models.base.custom import CustomFacts
from models.base.entity import STAMPS, Entity
from models.base.fields import FieldFacts
from models.base.kinds import SpecKind
from models.system.setup import AuditLog
from reports.base.scope import may_act
from views.kit import looks
from views.kit.cells import ACTIONS, NONE, Cells, format_value, record_url
from views.kit.interface import Shape, Titles, shape
from views.kit.pages import Cell, Column, Fact, Section, TimelineItem
from workflows.base.audit import PROOFS
from workflows.base.context import Ctx

TIMELINE_ROWS = 30
HEAD_FACTS = 8
GENERAL = "基本信息"
STAMPED = "登记信息"
TIMELINE = "timeline"


def head_facts(cells: Cells, record: Entity) -> list[Fact]:
    """The strip under the title: the first listed columns that are neither title nor state."""
    known, spec = cells.shape, record.spec
    skip = {known.key(spec.title), spec.state}
    names = [n for n in spec.listed if known.key(n) not in skip][:HEAD_FACTS]
    return [Fact(known.label(n), _with_unit(cells, record, n), n) for n in names]


def about(ctx: Ctx, record: Entity) -> list[Section]:
    """What a form is about, beside it: the same facts as in the head of the record; nothing where it has none."""
    cells = Cells(ctx, type(record))
    cells.prepare([record], cells.shape.visible())
    facts = head_facts(cells, record)
    found = Section(
        "about",
        record.spec.label,
        template="parts/pairs.html",
        data=facts,
        more_label="打开",
    )
    found.note = cells.titles.of(record)
    found.more_url = record_url(str(record.__tablename__), record.id)
    return [found] if facts else []


def _with_unit(cells: Cells, record: Entity, name: str) -> Cell:
    """A value with its unit beside it, as a figure stands alone here."""
    cell, unit = cells.cell(record, name), cells.shape.facts(name).unit
    return replace(cell, hint=cell.hint or unit) if unit and cell.text != NONE else cell


def _is_not_asked(facts: FieldFacts, record: Entity) -> bool:
    """A field that its condition asks other records for: this one has nothing in it."""
    is_open = isinstance(facts, CustomFacts) and bool(facts.visible_if)
    return is_open and facts.get(record) is None


def fact_groups(cells: Cells, record: Entity) -> list[tuple[str, list[Fact]]]:
    """Every visible column under the heading it names, stamps last; what this record is not asked for is left out."""
    known = cells.shape
    groups: dict[str, list[Fact]] = {}
    for name in known.visible():
        if _is_not_asked(known.facts(name), record):
            continue
        label = STAMPED if name in STAMPS else str(known.facts(name).group or GENERAL)
        groups.setdefault(label, []).append(
            Fact(known.label(name), _with_unit(cells, record, name), name)
        )
    return list(groups.items())


def column(known: Shape, name: str) -> Column:
    """The head of a column without sorting."""
    facts = known.facts(name)
    return Column(name, facts.label, facts.kind, facts.unit)


def may_save(ctx: Ctx, model: type[Entity], verb: str) -> bool:
    """Whether the generated screens offer add, edit or delete of this model to this reader."""
    return offers(model, verb) and ctx.actor.may(verb, str(model.__tablename__))


def may_change(ctx: Ctx, record: Entity, verb: str) -> bool:
    """Whether they offer to edit or delete this record: it may lie beyond what the right reaches."""
    permission = (verb, str(record.__tablename__))
    return may_save(ctx, type(record), verb) and may_act(ctx.session, ctx.actor, permission, record)


def offers(model: type[Entity], verb: str) -> bool:
    """Whether people write this model by hand at all."""
    return model.spec.kind.is_writable and verb in model.spec.saved_by


def why_frozen(record: Entity) -> str:
    """Why a document may not be edited or deleted now; empty while it may."""
    spec = record.spec
    if not (spec.state and spec.drafts):
        return ""
    state = getattr(record, spec.state)
    return "" if state in spec.drafts else f"{spec.label}{state.label}，不能直接修改"


def timeline(ctx: Ctx, record: Entity, titles: Titles, active: str) -> Section | None:
    """What happened to the record: who, when, old → new; masked columns stay masked. Read when its tab is open."""
    if record.spec.kind in (SpecKind.LOG, SpecKind.INTERNAL):
        return None
    section = Section(
        TIMELINE, "变更记录", template="parts/timeline.html", data=[], empty="暂无变更记录"
    )
    if active == TIMELINE:
        section.data = trail_items(ctx, record, titles, looks.since(ctx, record))
    return section


def trail_items(
    ctx: Ctx, record: Entity, titles: Titles, since: datetime | None = None
) -> list[TimelineItem]:
    """The newest lines of the trail about a record, in words; those of others after `since` are marked as new."""
    query = (
        select(
            AuditLog.at,
            AuditLog.actor_name,
            AuditLog.action,
            AuditLog.changes,
            AuditLog.note,
            AuditLog.employee_id,
        )
        .where(AuditLog.table_name == shape(type(record)).table, AuditLog.record_id == record.id)
        .where(AuditLog.action.not_in(PROOFS))
        .order_by(AuditLog.id.desc())
        .limit(TIMELINE_ROWS)
    )
    lines = ctx.session.execute(query).all()
    cells = Cells(ctx, type(record), titles)
    _learn(cells, [line.changes for line in lines])
    seen = since or ctx.now
    return [
        TimelineItem(
            format_value(line.at, "datetime"),
            line.actor_name,
            line.note or ACTIONS.get(line.action, "业务操作"),
            tuple(changes_in_words(cells, line.changes)) if line.action != "CREATE" else (),
            is_new=line.at > seen and line.employee_id != ctx.actor.employee_id,
        )
        for line in lines
    ]


def _learn(cells: Cells, all_changes: Sequence[dict[str, Any]]) -> None:
    wanted: dict[str, set[int]] = {}
    for changes in all_changes:
        for name, pair in (changes or {}).items():
            if target := cells.shape.facts(name).target:
                wanted.setdefault(target, set()).update(v for v in pair if isinstance(v, int))
    for target, ids in wanted.items():
        cells.titles.load(target, ids)


def changes_in_words(cells: Cells, changes: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Label, old and new value of each changed column that people may see; nothing stands for no old value."""
    shown = []
    for name, pair in (changes or {}).items():
        facts, is_known = cells.shape.facts(name), cells.shape.key(name) is not None
        if not is_known or facts.is_hidden or not isinstance(pair, list) or len(pair) != 2:
            continue
        old, new = (logged(cells, name, value) for value in pair)
        if old != new:
            shown.append((facts.label, "" if old == NONE else old, new))
    return shown


def logged(cells: Cells, name: str, value: Any) -> str:
    """A value of the trail in words: codes were kept by name, amounts as text."""
    facts = cells.shape.facts(name)
    if value is None or value == "":
        return NONE
    if facts.choices is not None:
        members = facts.choices.__members__
        return str(members[value].value) if value in members else str(value)
    if facts.kind in {"date", "datetime"}:
        return str(value)[:16]
    if facts.kind == "json":
        return "（已更新）"
    try:
        return cells.text(name, value)
    except (ArithmeticError, TypeError, ValueError):
        return str(value)
