"""最近动态: what people did on a project, told as a colleague would: from the trail and from the decisions.

The trail has a line for every record that a click changed; here all lines of one click are one sentence, with the
amounts that moved and the stage that followed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models.approval.approval import ApprovalInstance, ApprovalTask, TaskState
from models.base.entity import News, entity_of
from models.base.moments import local
from models.base.money import format_money
from models.guarantee.project import Project, Stage
from models.ledger.voucher import BusinessEvent
from models.system.setup import AuditLog
from reports.base.scope import scoped
from views.kit import record
from views.kit.cells import NONE, Cells, record_url
from views.kit.interface import Titles, shape
from views.kit.pages import Section, TimelineItem
from workflows.base.context import Ctx

ROWS = 8
SCAN = 120  # lines of the trail that are enough for so many sentences

MOVED = ("amount", "balance")  # amounts of the project that are told whenever they move
_DECIDED = (TaskState.APPROVED, TaskState.REJECTED, TaskState.RETURNED)
_SILENT_ACTIONS = ("ISSUE", "RESOLUTION")  # a paper is told with the record that it belongs to


@dataclass(frozen=True)
class Line:
    """A line of the trail."""

    at: datetime
    who: str
    table: str
    record_id: int
    title: str
    action: str
    changes: Mapping[str, Any]
    note: str


@dataclass(frozen=True)
class Told:
    """A sentence and the record that it leads to."""

    text: str
    url: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()


def news_of(table: str) -> News:
    """What the news say of rows of a table, as its entity has it."""
    return entity_of(table).spec.news


class _Values(dict[str, str]):
    """What a sentence may name, put into words when it is named: a reference costs a question."""

    def __init__(self, cells: Cells, row: Line, events: Mapping[int, str]) -> None:
        super().__init__(title=row.title, event=events.get(row.record_id, row.title))
        self._cells, self._row = cells, row

    def __missing__(self, name: str) -> str:
        return (
            record.logged(self._cells, name, self._row.changes[name][1])
            if name in self._row.changes
            else NONE
        )


class Teller:
    """Puts the trail of one project into sentences for one reader."""

    def __init__(self, ctx: Ctx, rows: Sequence[Line]) -> None:
        """Learn in one query each what the sentences name by id."""
        self.ctx, self.titles = ctx, Titles(ctx.session)
        self._cells: dict[str, Cells] = {}
        wanted: dict[str, set[int]] = defaultdict(set)
        for row in rows:
            for name, pair in row.changes.items():
                target = shape(entity_of(row.table)).facts(name).target
                if target and name in ("fee_id", "voucher_id"):
                    wanted[target].add(pair[1])
        for table, ids in wanted.items():
            self.titles.load(table, ids)
        events = [r.record_id for r in rows if r.table == "business_event" and r.action == "UPDATE"]
        query = select(BusinessEvent.id, BusinessEvent.label, BusinessEvent.total).where(
            BusinessEvent.id.in_(events)
        )
        found = ctx.session.execute(query) if events else ()
        self.events = {key: f"{label} {format_money(total)} 元" for key, label, total in found}

    def tell(self, rows: Sequence[Line]) -> Told | None:
        """All that one click wrote, as one sentence; None where nobody needs to hear of it."""
        found = (
            self._created(rows) or self._changed(rows) or self._noted(rows) or self._edited(rows)
        )
        return found and Told(
            found.text + stage_of(rows), found.url, (*found.changes, *self._moved(rows, found))
        )

    def _created(self, rows: Sequence[Line]) -> Told | None:
        """What was made, by the words of its entity; of several in one click the first by rank is told."""
        made = [row for row in rows if row.action == "CREATE"]
        told = [(news, row) for row in made if (news := news_of(row.table)).made]
        if not told:
            asked = next((row for row in made if row.table == "approval_instance"), None)
            url = f"/approvals/instance/{asked.record_id}" if asked else ""
            return Told(f"提交{approval_name(asked.title)}", url) if asked else None
        news, first = min(told, key=lambda one: one[0].rank)
        head, words = news.made or ("", "")
        mine = [row for _, row in told if row.table == first.table]
        return Told(head + "；".join(self._fill(words, row) for row in mine), self._url(first))

    def _changed(self, rows: Sequence[Line]) -> Told | None:
        """What moved, by the words of its entity; the project itself comes first."""
        updated = [row for row in rows if row.action == "UPDATE"]
        for row in sorted(
            updated, key=lambda row: (row.table != "project", news_of(row.table).rank)
        ):
            for column, value, words in news_of(row.table).moved:
                pair = row.changes.get(column)
                if pair and ((value is None and pair[1]) or pair[1] == value):
                    return Told(self._fill(words, row), self._url(row))
        return self._booked(updated)

    def _booked(self, updated: Sequence[Line]) -> Told | None:
        """What became of a paper in 复核, for whoever does not see its event."""
        for row in updated:
            label = entity_of(row.table).spec.label
            reason, booked = row.changes.get("returned_reason"), row.changes.get("is_booked")
            if reason and reason[1]:
                return Told(f"复核退回{label} {row.title}：{reason[1]}", self._url(row))
            if booked:
                words = "已记账" if booked[1] else "撤回复核"
                return Told(f"{label} {row.title} {words}", self._url(row))
        return None

    def _noted(self, rows: Sequence[Line]) -> Told | None:
        for row in rows:
            if row.note and row.action not in _SILENT_ACTIONS:
                tab = "?tab=files#tabs" if row.action == "ATTACH" else ""
                return Told(
                    row.note.replace("上传附件：", "上传 ", 1),
                    self._url(row) + tab if self._url(row) else "",
                )
        return None

    def _edited(self, rows: Sequence[Line]) -> Told | None:
        """A form that was saved: what it changed; what the system worked out from it stays unsaid."""
        for row in rows:
            known = shape(entity_of(row.table))
            typed = {
                name: pair
                for name, pair in row.changes.items()
                if not (known.facts(name).is_computed or known.facts(name).is_state)
            }
            if row.action == "DELETE":
                return Told(f"删除{entity_of(row.table).spec.label} {row.title}".strip())
            if row.action == "UPDATE" and typed:
                label = entity_of(row.table).spec.label
                words = f"修改{label} {row.title}".strip()
                return Told(
                    words,
                    self._url(row),
                    tuple(record.changes_in_words(self._cells_of(row), typed)),
                )
        return None

    def _moved(self, rows: Sequence[Line], told: Told) -> Iterator[tuple[str, str, str]]:
        """The project's own amounts, where they changed and are not told yet."""
        said = {name for name, _, _ in told.changes}
        for row in rows:
            if row.table == "project" and row.action == "UPDATE":
                moved = {name: row.changes[name] for name in MOVED if name in row.changes}
                yield from (
                    c
                    for c in record.changes_in_words(self._cells_of(row), moved)
                    if c[0] not in said
                )

    def _fill(self, words: str, row: Line) -> str:
        return words.format_map(_Values(self._cells_of(row), row, self.events))

    def _cells_of(self, row: Line) -> Cells:
        if row.table not in self._cells:
            self._cells[row.table] = Cells(self.ctx, entity_of(row.table), self.titles)
        return self._cells[row.table]

    def _url(self, row: Line) -> str:
        is_gone = row.action == "DELETE" or not self.ctx.actor.may("show", row.table)
        return "" if is_gone else record_url(row.table, row.record_id)


def recent(ctx: Ctx, project: Project) -> Section:
    """The last deeds and decisions on the project, the newest first."""
    rows = _lines(ctx, project)
    teller = Teller(ctx, rows)
    clicks: dict[tuple[datetime, str], list[Line]] = defaultdict(list)
    for row in rows:
        clicks[row.at, row.who].append(row)
    decisions = _decisions(ctx, project)
    told: list[tuple[datetime, TimelineItem]] = []
    for (at, who), mine in clicks.items():
        mine.reverse()  # as they were written
        if (at, who) not in decisions and (found := teller.tell(mine)):
            told.append(
                (at, TimelineItem(_when(at, ctx), who, found.text, found.changes, found.url))
            )
    for (at, who), (text, url) in decisions.items():
        told.append(
            (
                at,
                TimelineItem(
                    _when(at, ctx), who, text + stage_of(clicks.get((at, who), ())), (), url
                ),
            )
        )
    items = [item for _, item in sorted(told, key=lambda one: one[0], reverse=True)[:ROWS]]
    return Section(
        "recent",
        "最近动态",
        template="parts/timeline.html",
        data=items,
        empty="还没有动态",
        more_url="?tab=timeline#tabs",
        more_label="变更记录",
    )


def _lines(ctx: Ctx, project: Project) -> list[Line]:
    log = AuditLog
    query = (
        select(
            log.at,
            log.actor_name,
            log.table_name,
            log.record_id,
            log.record_title,
            log.action,
            log.changes,
            log.note,
        )
        .where(log.project_id == project.id, log.table_name.is_not(None))
        .order_by(log.id.desc())
        .limit(SCAN)
    )
    return [
        Line(at, who, str(table), record_id or 0, title or "", action, changes or {}, note or "")
        for at, who, table, record_id, title, action, changes, note in ctx.session.execute(query)
        if ctx.actor.may("show", table)
    ]


def _decisions(ctx: Ctx, project: Project) -> dict[tuple[datetime, str], tuple[str, str]]:
    """Who decided what when, with the opinion, and the approval it belongs to."""
    query = (
        scoped(select(ApprovalTask), ApprovalTask, ctx.actor)
        .join(ApprovalInstance, ApprovalInstance.id == ApprovalTask.instance_id)
        .where(ApprovalInstance.project_id == project.id, ApprovalTask.state.in_(_DECIDED))
        .order_by(ApprovalTask.decided_at.desc())
        .limit(ROWS)
        .options(
            joinedload(ApprovalTask.instance),
            joinedload(ApprovalTask.decided_by),
            joinedload(ApprovalTask.assignee),
            joinedload(ApprovalTask.on_behalf_of),
        )
    )
    found = {}
    for task in ctx.session.scalars(query):
        who = (task.decided_by or task.assignee).name
        behalf = f"（代{task.on_behalf_of.name}）" if task.on_behalf_of else ""
        words = f"{approval_name(task.instance.title)}{behalf}{task.state.label}"
        text = f"{words}：“{task.opinion}”" if task.opinion else words
        if task.decided_at is not None:
            found[task.decided_at, who] = (text, f"/approvals/instance/{task.instance_id}")
    return found


def approval_name(title: str) -> str:
    """评估审批, 反担保合同审批: what people call the approval of this title."""
    name = title.partition("：")[0]
    return name if name.endswith(("审批", "审核", "签字")) else f"{name}审批"


def stage_of(rows: Sequence[Line]) -> str:
    """，转入意向函: where the click moved the project on."""
    moves: list[str] = [
        row.changes["stage"][1]
        for row in rows
        if row.table == "project" and row.action == "UPDATE" and "stage" in row.changes
    ]
    return f"，转入{Stage[moves[-1]].label}" if moves else ""


def _when(at: datetime, ctx: Ctx) -> str:
    moment = local(at)
    return f"{moment:%m-%d %H:%M}" if moment.year == ctx.today.year else f"{moment:%Y-%m-%d}"
