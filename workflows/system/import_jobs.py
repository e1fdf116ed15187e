"""Files of many rows: looked through and taken beside the page, as who sent them, with progress (X3, X10).

Looking through keeps its rows in chunks; taking is one short transaction that also ends the run. Whoever is killed
leaves a task that the next process begins anew: what was kept is dropped first.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.base.actor import Actor
from models.base.errors import BusinessError
from models.system.imports import ImportRow, ImportState, ImportTask, Verdict
from reports.figures.parameters import whole
from workflows.base import jobs
from workflows.base.context import Ctx
from workflows.base.jobs import Edge, JobStep, Tell
from workflows.base.transition import move, move_all
from workflows.system import import_load, imports, proposals
from workflows.system.import_files import Cells, Opened, chunks
from workflows.system.import_rows import Checker, Door

JOB = "import"
MOST_TRIES = 3
_OPEN = (ImportState.UNREAD, ImportState.READY, *imports.AT_WORK)


@dataclass(frozen=True)
class Lent:
    """What the edge lends: who somebody is now (raises where the account is closed), and the form of a table."""

    actor_of: Callable[[Session, int], Actor]
    door_of: Callable[[Ctx, str], Door]


class Dropped(BusinessError):
    """The sender wants it no more."""


def is_many(ctx: Ctx, rows: int) -> bool:
    """Whether so many rows are not for a page to wait for."""
    return rows > whole(ctx.session, "import.direct_rows", ctx.today)


def is_long(ctx: Ctx, task: ImportTask) -> bool:
    """Whether a file is taken beside the page."""
    return is_many(ctx, imports.number_of(task, *imports.TAKEN))


def begin_check(ctx: Ctx, task: ImportTask, found: Opened) -> None:
    """Put a file into the queue to be looked through."""
    imports.begin_check(ctx, task, found)
    task.round += 1


def begin_load(ctx: Ctx, task: ImportTask, door: Door) -> None:
    """Put a file that was looked through into the queue to be taken. Raises Conflict where it is not to be taken."""
    import_load.begin_load(ctx, task, door)
    task.round += 1


# ------------------------------------------------------------------------------------------------------- runs
def job_of(task: ImportTask) -> str:
    """The name of the run that a task waits for."""
    return f"{JOB}:{task.id}-{task.round}"


def percent_of(ctx: Ctx, task: ImportTask) -> int:
    """How far it is."""
    if task.status not in imports.AT_WORK:
        return 100
    run = jobs.find(ctx.session, job_of(task), task.business_date)
    return 0 if run is None else run.progress_pct


def run_waiting(edge: Edge, lent: Lent) -> int:
    """Look through, or take, what waits and nobody is at, one after another; how many ended well."""
    ended, seen = 0, set[tuple[int, int]]()
    while True:
        with edge.reader() as session:
            query = select(ImportTask).where(ImportTask.status.in_(imports.AT_WORK))
            tasks = session.scalars(query.order_by(ImportTask.id)).all()
            task = next((t for t in tasks if (t.id, t.round) not in seen), None)
            if task is None:
                break
            session.expunge(task)
        seen.add((task.id, task.round))
        ended += _carry_out(edge, task, lent)
    sweep(edge)
    return ended


def _carry_out(edge: Edge, task: ImportTask, lent: Lent) -> bool:
    tries = jobs.tries_before(edge, job_of(task), task.business_date)
    if tries is None:
        return False
    try:
        if tries >= MOST_TRIES:
            raise BusinessError(f"办理了 {tries} 次都没有完成，请拆分文件后重新导入")
        with edge.reader() as session:
            actor = lent.actor_of(session, task.employee_id)
        label = f"{imports.LABEL}{task.title}"
        step = JobStep("work", label, lambda _: "")
        lease = jobs.claim(edge, job_of(task), task.business_date, [step], actor)
        if lease is None:
            return False
        if task.status is ImportState.CHECKING:
            _check(lease, task, lent)
        else:
            _load(lease, task, lent)
    except jobs.Taken:
        return False
    except import_load.RowsRefused as refused:
        with edge.open_session() as session:
            ctx = Ctx(session, actor, task.business_date, edge.now(), edge.source)
            import_load.note_refused(ctx, session.get_one(ImportTask, task.id), refused)
            session.commit()
        return False
    except BusinessError as error:
        _fail(edge, task.id, error.message)
        return False
    except Exception:
        _fail(edge, task.id, jobs.FAULT)
        raise
    return True


def _ctx(lease: jobs.Lease, session: Session, task: ImportTask) -> Ctx:
    return Ctx(session, lease.actor, task.business_date, lease.edge.now(), "import")


def _held(session: Session, task: ImportTask) -> ImportTask:
    """The task, still wanted. Raises Dropped."""
    found = session.get_one(ImportTask, task.id, with_for_update=True)
    if found.status is not task.status or found.round != task.round:
        raise Dropped("已放弃")
    return found


def _check(lease: jobs.Lease, task: ImportTask, lent: Lent) -> None:
    edge = lease.edge
    tally: Counter[str] = Counter()

    def act(tell: Tell) -> str:
        with edge.open_session() as session:
            ctx = _ctx(lease, session, task)
            door = lent.door_of(ctx, task.source)
            imports.permit(ctx, door)
            found = imports.opened(ctx, task, door)
            if found is None:
                raise BusinessError("文件中没有找到表头，请重新上传")
            imports.drop_rows(session, _held(session, task))
            session.commit()
        checker = Checker(door, found.columns, task.mode)
        for number, chunk in enumerate(chunks(found.rows(), imports.CHUNK)):
            _check_chunk(lease, task, (checker, found, chunk), tally)
            done = number * imports.CHUNK + len(chunk)
            tell(done * 99 // max(found.number, done), f"已核对 {done:,} 行", {})
        return f"{sum(tally[verdict.name] for verdict in Verdict):,} 行"

    jobs.watch(
        lease,
        imports.LABEL,
        act,
        lambda ctx: imports.end_check(ctx, _held(ctx.session, task), tally),
    )


def _check_chunk(
    lease: jobs.Lease,
    task: ImportTask,
    work: tuple[Checker, Opened, Sequence[tuple[int, Cells]]],
    tally: Counter[str],
) -> None:
    checker, found, chunk = work
    with lease.edge.open_session() as session:
        ctx = _ctx(lease, session, task)
        held = _held(session, task)
        lines = checker.check(imports.reader_of(ctx, held, found), chunk)
        imports.keep_lines(ctx, held, lines, tally)
        session.commit()


def _load(lease: jobs.Lease, task: ImportTask, lent: Lent) -> None:
    def act(tell: Tell) -> str:
        tell(1, "正在写入", {})
        return ""

    def take(ctx: Ctx) -> None:
        ctx.source = "import"
        door = lent.door_of(ctx, task.source)
        import_load.load(ctx, _held(ctx.session, task), door)
        try:
            proposals.hold(ctx)
        except proposals.Held as held:
            most = whole(ctx.session, "import.direct_rows", ctx.today)
            words = f"这些配置须由第二人发布，一次最多导入 {most} 行，请拆分后再导入"
            raise BusinessError(words) from held

    jobs.watch(lease, imports.LABEL, act, take)


def _fail(edge: Edge, key: int, message: str) -> None:
    """What was dropped meanwhile stays so; what was kept of it goes."""
    with edge.open_session() as session:
        facts = {"message": message[:500], "finished_at": edge.now()}
        move_all(session, imports.STEPS["fail"], ImportTask.id == key, facts=facts)
        session.execute(delete(ImportRow).where(ImportRow.import_task_id == key))
        session.commit()


# ------------------------------------------------------------------------------------------------------ sweeping
def sweep(edge: Edge) -> int:
    """Let go what nobody has confirmed in time, and remove files that no open task names; how many files."""
    with edge.reader() as session:
        late = select(ImportTask.id).where(
            ImportTask.status.in_((ImportState.UNREAD, ImportState.READY)),
            ImportTask.expires_at <= edge.now(),
        )
        keys = session.scalars(late).all()
    for key in keys:
        with edge.open_session() as session:
            task = session.get_one(ImportTask, key, with_for_update=True)
            if task.status in (ImportState.UNREAD, ImportState.READY):
                move(imports.STEPS["cancel"], task)
                task.finished_at, task.message = edge.now(), "到期没有确认，已放弃"
                imports.drop_rows(session, task)
            session.commit()
    return _remove_files(edge)


def _remove_files(edge: Edge) -> int:
    gone = 0
    with edge.reader() as session:
        query = select(ImportTask.digest).where(ImportTask.status.in_(_OPEN))
        wanted, now = set(session.scalars(query)), edge.now().timestamp()
        folder = imports.room(session)
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            # a file is written a moment before its task is committed
            if path.name not in wanted and now - path.stat().st_mtime > 3600:
                path.unlink(missing_ok=True)
                gone += 1
    return gone
