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
from models.base.entity import entity_of
from models.base.money import format_money
from models.guarantee.project import Project, Stage
from models.ledger.voucher import BusinessEvent
from models.system.setup import AuditLog
from reports.base.scope import scoped
from views.kit import record
from views.kit.cells import NONE, Cells, local, record_url
from views.kit.interface import Titles, shape
from views.kit.pages import Section, TimelineItem
from workflows.base.context import Ctx

ROWS = 8
SCAN = 120  # lines of the trail that are enough for so many sentences

# What a new record says: head, then each record in its own values. The first of a click that stands here is told.
CREATED: Mapping[str, tuple[str, str]] = {
    "receipt": ("收取", "{fee_id} {amount} 元，收据 {number}"),
    "repayment": ("登记还款：", "本金 {principal} 元，利息 {interest} 元，回执 {number}"),
    "drawdown": ("放款 ", "{amount} 元，借据 {number}，{due_on} 到期"),
    "resolution": ("审保会通过，形成公司决议 ", "{number}，{amount} 元"),
    "bank_letter": ("出具", "{kind} {number}"),
    "release": ("申请解保，", "{basis}"),
    "termination": ("申请终止办理：", "{cause}"),
    "fee_waiver": ("登记减免：", "{fee_id} {amount} 元，{reason}"),
    "risk_assessment": ("填写风险评估报告：", "{score} 分，{level}"),
    "investigation_report": ("填写保前调查报告：", "{advice}，{advised_amount} 元"),
    "contract": ("起草", "{kind} {number}"),
    "counter_guarantee": ("登记反担保：", "{name}"),
    "meeting_item": ("列入审保会议题，", "提请 {advised_amount} 元"),
    "fee": ("登记费用：", "{kind}"),
    "project": ("登记担保申请：", "{amount} 元，{term_months} 个月"),
    "risk_warning": ("预警：", "{message}"),
    "business_event": ("送复核：", "{label} {total} 元"),
}
# What a change says: table, column, its new value as the trail keeps it (None: any), words.
CHANGED: tuple[tuple[str, str, Any, str], ...] = (
    ("project", "state", "RUNNING", "提交担保申请"),
    ("project", "state", "REFUSED", "项目否决"),
    ("meeting_item", "result", "REFUSED", "审保会未通过：{summary}"),
    ("counter_guarantee", "is_settled", True, "落实反担保 {title}：{settled_evidence}"),
    ("repayment", "state", "REVERSED", "冲正还款 {title}"),
    ("release", "released_on", None, "办结解保 {title}"),
    ("risk_warning", "handling", None, "处理预警：{handling}"),
    ("risk_warning", "state", "LIFTED", "解除预警：{reason}"),
    ("business_event", "state", "BOOKED", "{event}记账，凭证 {voucher_id}"),
    ("business_event", "state", "REFUSED", "复核退回：{event}"),
    ("drawdown", "state", "OVERDUE", "借据 {title} 逾期"),
    ("drawdown", "state", "SETTLED", "借据 {title} 结清"),
)
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
                target = shape(entity_of(row.table)).info(name).get("target")
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
        made = [row for row in rows if row.action == "CREATE"]
        for row in made:
            if row.table == "approval_instance" and not any(r.table in CREATED for r in made):
                return Told(
                    f"提交{approval_name(row.title)}", f"/approvals/instance/{row.record_id}"
                )
        for table, (head, words) in CREATED.items():
            if mine := [row for row in made if row.table == table]:
                return Told(
                    head + "；".join(self._fill(words, row) for row in mine), self._url(mine[0])
                )
        return None

    def _changed(self, rows: Sequence[Line]) -> Told | None:
        for table, column, value, words in CHANGED:
            for row in rows:
                pair = (
                    row.changes.get(column)
                    if row.table == table and row.action == "UPDATE"
                    else None
                )
                if pair and ((value is None and pair[1]) or pair[1] == value):
                    return Told(self._fill(words, row), self._url(row))
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
                if not (known.info(name).get("is_computed") or known.info(name).get("is_state"))
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
