"""押品盘点 (7.4): listed as the books have it, counted row by row, and confirmed by somebody who counted nothing."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, func, select

from models.base.errors import BusinessError, Conflict, FieldErrors, IllegalTransition
from models.collateral.asset import (
    IN_CUSTODY,
    Collateral,
    CollateralCertificate,
    CustodyState,
)
from models.collateral.kind import CollateralType
from models.collateral.pledge import CollateralPledge
from models.collateral.stock_take import (
    DIFFERENT,
    OPEN_TAKES,
    CountResult,
    Covers,
    StockTake,
    StockTakeRow,
    StockTakeState,
)
from models.guarantee.signing import CounterGuarantee
from reports.base.scope import scoped
from reports.figures import collateral, dictionaries
from workflows.base import documents, records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.transition import Step, enter, move, steps
from workflows.guarantee import letters, stages

KEEPER = "押品专员"
CHECKERS = ("风控总监", "风控专员")
PAPER = "stock_take"
State = StockTakeState
STEPS = steps(
    Step(
        "stock_take",
        "begin",
        "开始盘点",
        column="state",
        sources=(State.DRAFT,),
        targets=(State.COUNTING,),
        roles=(KEEPER,),
    ),
    Step(
        "stock_take",
        "finish",
        "完成盘点",
        column="state",
        sources=(State.COUNTING,),
        targets=(State.COUNTED,),
        roles=(KEEPER,),
    ),
    Step(
        "stock_take",
        "confirm",
        "确认盘点结果",
        column="state",
        sources=(State.COUNTED,),
        targets=(State.CONFIRMED,),
        roles=CHECKERS,
    ),
    Step(
        "stock_take",
        "send_back",
        "退回重盘",
        column="state",
        sources=(State.COUNTED,),
        targets=(State.COUNTING,),
        roles=CHECKERS,
    ),
    Step(
        "stock_take",
        "drop",
        "作废盘点",
        column="state",
        sources=(State.COUNTING,),
        targets=(State.VOID,),
        roles=(KEEPER,),
    ),
)
ROWS = steps(
    Step(
        "stock_take_row",
        "agree",
        "相符",
        column="state",
        sources=tuple(CountResult),
        targets=(CountResult.AGREES,),
        roles=(KEEPER,),
    ),
    Step(
        "stock_take_row",
        "differ",
        "不符",
        column="state",
        sources=tuple(CountResult),
        targets=(CountResult.DIFFERS,),
        roles=(KEEPER,),
    ),
    Step(
        "stock_take_row",
        "miss",
        "未见",
        column="state",
        sources=tuple(CountResult),
        targets=(CountResult.MISSING,),
        roles=(KEEPER,),
    ),
)


@records.rule(StockTake)
def check_take(ctx: Ctx, take: StockTake, is_new: bool) -> None:
    """Goods lie where they are, not in a vault."""
    if take.place_id is not None and take.covers is not Covers.PAPERS:
        raise FieldErrors({"place_id": ["动产存放在现场，盘点动产不选库位"]})
    if is_new:
        take.number = next_number(ctx, "stock_take")


def begin(ctx: Ctx, take: StockTake, version: int | None = None) -> StockTake:
    """List what should be there now. BusinessError where nothing should, Conflict where some is counted."""
    enter(ctx, STEPS["begin"], take, version)
    rows = list(_expected(ctx, take))
    if not rows:
        raise BusinessError("没有应盘的权证或动产")
    counted = (
        select(StockTakeRow.code, StockTake.number)
        .join(StockTake, StockTakeRow.stock_take_id == StockTake.id)
        .where(StockTake.state.in_(OPEN_TAKES))
    )
    elsewhere = dict(ctx.session.execute(counted).tuples().all())
    for row in rows:
        if row.code in elsewhere:
            said = f"“{row.name}”正在盘点 {elsewhere[row.code]} 中"
            raise Conflict(f"{said}，办结后再开始")
    ctx.session.add_all(rows)
    take.started_on, take.row_count = ctx.today, len(rows)
    move(STEPS["begin"], take)
    ctx.session.flush()
    return take


def _expected(ctx: Ctx, take: StockTake) -> Iterator[StockTakeRow]:
    if take.covers is not Covers.GOODS:
        kinds = dictionaries.labels(ctx.session, "certificate_kind")
        for paper in ctx.session.scalars(_papers(take)):
            yield StockTakeRow(
                stock_take=take,
                code=f"C{paper.id}",
                name=f"{kinds.get(paper.kind, paper.kind)} {paper.number}"[:160],
                collateral_id=paper.collateral_id,
                certificate_id=paper.id,
                expected=_where(paper)[:200],
                state=CountResult.PENDING,
            )
    if take.covers is not Covers.PAPERS:
        for asset in ctx.session.scalars(_goods()):
            yield StockTakeRow(
                stock_take=take,
                code=f"A{asset.id}",
                name=asset.name,
                collateral_id=asset.id,
                expected=asset.location,
                state=CountResult.PENDING,
            )


def _papers(take: StockTake) -> Select[CollateralCertificate]:
    """Originals of a place; of all places those that are lent as well."""
    query = select(CollateralCertificate).order_by(
        CollateralCertificate.place_id, CollateralCertificate.id
    )
    if take.place_id is None:
        return query.where(CollateralCertificate.state.in_(IN_CUSTODY))
    return query.where(
        CollateralCertificate.state == CustodyState.STORED,
        CollateralCertificate.place_id == take.place_id,
    )


def _goods() -> Select[Collateral]:
    """Movable goods that stand behind a project."""
    pledged = (
        select(CollateralPledge.collateral_id)
        .join(CounterGuarantee)
        .where(CollateralPledge.collateral_id == Collateral.id, collateral.live())
        .exists()
    )
    return (
        select(Collateral)
        .join(CollateralType, CollateralType.id == Collateral.type_id)
        .where(CollateralType.is_counted, pledged)
        .order_by(Collateral.id)
    )


def _where(paper: CollateralCertificate) -> str:
    if paper.state is CustodyState.LENT and paper.holder is not None:
        return f"{paper.holder.name}借出，应还 {paper.due_on}"
    return "" if paper.place is None else paper.place.name


def may_count(_: Ctx, row: StockTakeRow) -> bool:
    """Whether its stock-take is being counted."""
    return row.stock_take.state is State.COUNTING


def agree(ctx: Ctx, row: StockTakeRow, version: int | None = None) -> StockTakeRow:
    """It is where it should be and as it should be."""
    return _count(ctx, row, ROWS["agree"], None, version)


def differ(ctx: Ctx, row: StockTakeRow, reason: str, version: int | None = None) -> StockTakeRow:
    """It is there, and not as the books have it: in what it differs."""
    return _count(ctx, row, ROWS["differ"], reason, version)


def miss(ctx: Ctx, row: StockTakeRow, reason: str, version: int | None = None) -> StockTakeRow:
    """It is not there: what is known of it."""
    return _count(ctx, row, ROWS["miss"], reason, version)


def _count(
    ctx: Ctx, row: StockTakeRow, step: Step, reason: str | None, version: int | None
) -> StockTakeRow:
    enter(ctx, step, row, version)
    if not may_count(ctx, row):
        raise IllegalTransition(f"盘点 {row.stock_take} {row.stock_take.state.label}，不能登记结果")
    row.note = None if reason is None else stages.checked_reason(reason, step.label)
    row.counted_on, row.counted_by_id = ctx.today, ctx.actor.employee_id
    move(step, row)
    ctx.session.flush()
    return row


def left(ctx: Ctx, take: StockTake) -> int:
    """How many rows are not counted yet."""
    return _number(ctx, take, CountResult.PENDING)


def _number(ctx: Ctx, take: StockTake, *states: CountResult) -> int:
    query = select(func.count(StockTakeRow.id)).where(
        StockTakeRow.stock_take_id == take.id, StockTakeRow.state.in_(states)
    )
    return ctx.session.scalar(query) or 0


def why_not_finish(ctx: Ctx, take: StockTake) -> str:
    """What is still to be counted."""
    count = left(ctx, take)
    return f"还有 {count} 项没有盘点" if count else ""


def finish(
    ctx: Ctx, take: StockTake, surplus: str | None = None, version: int | None = None
) -> StockTake:
    """All rows are counted and differences explained: the count goes to a second person."""
    enter(ctx, STEPS["finish"], take, version)
    if why := why_not_finish(ctx, take):
        raise BusinessError(why)
    take.surplus, take.returned_reason = surplus, None
    take.differences = _number(ctx, take, *DIFFERENT)
    move(STEPS["finish"], take)
    ctx.session.flush()
    return take


def counted_it(ctx: Ctx, take: StockTake) -> bool:
    """Whether the reader took part in the count."""
    mine = ctx.actor.employee_id
    query = select(StockTakeRow.id).where(
        StockTakeRow.stock_take_id == take.id, StockTakeRow.counted_by_id == mine
    )
    return take.taker_id == mine or ctx.session.scalar(query.limit(1)) is not None


def why_not_confirm(ctx: Ctx, take: StockTake) -> str:
    """Nobody confirms what he counted."""
    return "盘点结果应由没有参加盘点的人确认" if counted_it(ctx, take) else ""


def confirm(ctx: Ctx, take: StockTake, version: int | None = None) -> StockTake:
    """A second person stands for the result; it is printed and kept."""
    enter(ctx, STEPS["confirm"], take, version)
    if why := why_not_confirm(ctx, take):
        raise BusinessError(why)
    take.confirmed_on, take.confirmed_by_id = ctx.today, ctx.actor.employee_id
    move(STEPS["confirm"], take)
    ctx.session.flush()
    title = f"押品盘点表 {take.number}"
    paper = documents.issue(
        ctx, PAPER, take, title=title, data=_data(ctx, take), number=take.number
    )
    take.document_id = paper.id
    ctx.session.flush()
    return take


def _data(ctx: Ctx, take: StockTake) -> dict[str, Any]:
    query = select(StockTakeRow).where(StockTakeRow.stock_take_id == take.id)
    rows = ctx.session.scalars(query.order_by(StockTakeRow.id)).all()
    return {
        "company": letters.company_data(ctx.session),
        "stock": {
            "place": "全部库位" if take.place is None else take.place.name,
            "covers": take.covers.label,
            "date": take.started_on,
            "taker": take.taker.name,
            "checker": ctx.actor.name,
            "count": take.row_count,
            "agreed": take.row_count - take.differences,
            "differences": take.differences,
            "surplus": take.surplus or "",
        },
        "items": [
            {
                "code": row.code,
                "name": row.name,
                "asset": row.collateral.name,
                "expected": row.expected,
                "result": row.state.label,
                "note": row.note or "",
                "counter": "" if row.counted_by is None else row.counted_by.name,
            }
            for row in rows
        ],
    }


def send_back(ctx: Ctx, take: StockTake, reason: str, version: int | None = None) -> StockTake:
    """What does not convince is counted again."""
    enter(ctx, STEPS["send_back"], take, version)
    take.returned_reason = stages.checked_reason(reason, "退回")
    move(STEPS["send_back"], take)
    ctx.session.flush()
    return take


def drop(ctx: Ctx, take: StockTake, reason: str, version: int | None = None) -> StockTake:
    """Give a count up; what it listed may be counted by another."""
    enter(ctx, STEPS["drop"], take, version)
    take.returned_reason = stages.checked_reason(reason, "作废")
    move(STEPS["drop"], take)
    ctx.session.flush()
    return take


def row_to_count(ctx: Ctx, code: str) -> StockTakeRow | None:
    """The row of a label in a stock-take that is being counted and that the reader may see, if there is one."""
    query = (
        select(StockTakeRow)
        .join(StockTake, StockTake.id == StockTakeRow.stock_take_id)
        .where(StockTakeRow.code == code, StockTake.state == State.COUNTING)
        .order_by(StockTakeRow.id.desc())
    )
    return ctx.session.scalars(scoped(query, StockTakeRow, ctx.actor).limit(1)).first()
