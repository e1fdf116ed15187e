"""What waits about collateral (7.1, 7.4): originals to move, drafts to put up, registrations to strike out."""

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from models.base.actor import Actor
from models.base.paper import PaperState
from models.collateral.asset import Collateral
from models.collateral.custody import CustodyKind, CustodyPaper
from models.collateral.disposal import CollateralDisposal
from models.collateral.kind import StoragePlace
from models.collateral.pledge import CollateralPledge
from models.collateral.registration import PledgeRegistration, RegistrationState
from models.collateral.stock_take import StockTake, StockTakeRow, StockTakeState
from models.collateral.watch import CollateralWatch, WatchState
from models.customer.customer import Customer
from models.guarantee.signing import CounterGuarantee
from reports.figures import collateral
from reports.workbench.todo_source import Rows, Source, TodoKind

_ITS = aliased(CollateralPledge)  # the rows asked about may be joined with pledges themselves


def _papers(*where: ColumnElement[bool]) -> Rows:
    return (
        select(
            CustodyPaper.id,
            Customer.name + " · " + Collateral.name,
            CustodyPaper.number,
            null(),
            literal("出入库单"),
            CustodyPaper.updated_at,
        )
        .join(Collateral, Collateral.id == CustodyPaper.collateral_id)
        .join(Customer, Customer.id == Collateral.customer_id)
        .where(*where)
        .order_by(CustodyPaper.id)
    )


def _drafts(_: date) -> Rows:
    return _papers(CustodyPaper.state == PaperState.DRAFT)


def _approved(_: date) -> Rows:
    return _papers(CustodyPaper.state == PaperState.APPROVED, CustodyPaper.done_on.is_(None))


def _whose(actor: Actor) -> ColumnElement[bool]:
    """A draft is its author's; what a release has drafted to go out is the keepers'."""
    mine: ColumnElement[bool] = CustodyPaper.created_by_id == actor.employee_id
    if not actor.may("carry_out", "custody_paper"):
        return mine
    return or_(mine, and_(CustodyPaper.kind == CustodyKind.OUT, CustodyPaper.is_follow_up))


def _of_project(model: Any) -> Any:
    """Papers about the assets of a project."""
    return lambda pk: exists().where(
        _ITS.collateral_id == model.collateral_id, _ITS.project_id == pk
    )


def _ended(_: date) -> Rows:
    """Registrations of pledges that stand no more."""
    return (
        select(
            PledgeRegistration.id,
            Customer.name + " · " + Collateral.name,
            PledgeRegistration.number,
            null(),
            literal(""),
            CollateralPledge.released_on,
        )
        .join(CollateralPledge, CollateralPledge.id == PledgeRegistration.pledge_id)
        .join(Collateral, Collateral.id == CollateralPledge.collateral_id)
        .join(Customer, Customer.id == Collateral.customer_id)
        .join(CounterGuarantee, CounterGuarantee.id == CollateralPledge.counter_guarantee_id)
        .where(PledgeRegistration.state == RegistrationState.VALID, not_(collateral.live()))
        .order_by(PledgeRegistration.id)
    )


def _registration_of(pk: int) -> ColumnElement[bool]:
    return exists().where(_ITS.id == PledgeRegistration.pledge_id, _ITS.project_id == pk)


def _keepers(actor: Actor) -> ColumnElement[bool]:
    """Keepers strike registrations out; others may, without being asked."""
    return PledgeRegistration.id > 0 if actor.may("carry_out", "custody_paper") else false()


def _visits(_: date) -> Rows:
    return (
        select(
            CollateralWatch.id,
            Customer.name + " · " + Collateral.name,
            Collateral.number,
            null(),
            literal(""),
            CollateralWatch.due_on,
        )
        .join(Collateral, Collateral.id == CollateralWatch.collateral_id)
        .join(Customer, Customer.id == Collateral.customer_id)
        .where(CollateralWatch.state == WatchState.PLANNED)
        .order_by(CollateralWatch.due_on, CollateralWatch.id)
    )


def _unsold(_: date) -> Rows:
    """Approved disposals without a buyer."""
    return (
        select(
            CollateralDisposal.id,
            Customer.name + " · " + Collateral.name,
            CollateralDisposal.number,
            CollateralDisposal.reserve_price,
            literal(""),
            CollateralDisposal.updated_at,
        )
        .join(Collateral, Collateral.id == CollateralDisposal.collateral_id)
        .join(Customer, Customer.id == Collateral.customer_id)
        .where(
            CollateralDisposal.state == PaperState.APPROVED, CollateralDisposal.sold_on.is_(None)
        )
        .order_by(CollateralDisposal.id)
    )


def _takes(state: StockTakeState) -> Callable[[date], Rows]:
    def rows(_: date) -> Rows:
        return (
            select(
                StockTake.id,
                func.coalesce(StoragePlace.name, literal("全部库位")),
                StockTake.number,
                null(),
                literal(""),
                StockTake.planned_on,
            )
            .outerjoin(StoragePlace, StoragePlace.id == StockTake.place_id)
            .where(StockTake.state == state)
            .order_by(StockTake.id)
        )

    return rows


def _not_mine(actor: Actor) -> ColumnElement[bool]:
    """Nobody is asked to confirm what he counted."""
    counted = exists().where(
        StockTakeRow.stock_take_id == StockTake.id,
        StockTakeRow.counted_by_id == actor.employee_id,
    )
    return not_(counted)


COLLATERAL: tuple[Source, ...] = (
    Source(
        TodoKind.UNSENT,
        CustodyPaper,
        ("submit", "custody_paper"),
        _drafts,
        _of_project(CustodyPaper),
        is_scoped=True,
        reach=_whose,
        numbered=CustodyPaper.number,
    ),
    Source(
        TodoKind.CUSTODY,
        CustodyPaper,
        ("carry_out", "custody_paper"),
        _approved,
        _of_project(CustodyPaper),
        is_scoped=True,
        numbered=CustodyPaper.number,
    ),
    Source(
        TodoKind.STRIKE_OUT,
        PledgeRegistration,
        ("cancel", "pledge_registration"),
        _ended,
        _registration_of,
        is_scoped=True,
        reach=_keepers,
        numbered=PledgeRegistration.number,
    ),
    Source(
        TodoKind.WATCH,
        CollateralWatch,
        ("report", "collateral_watch"),
        _visits,
        _of_project(CollateralWatch),
        holder=CollateralWatch.keeper_id,
        numbered=cast(CollateralWatch.due_on, String),
    ),
    Source(
        TodoKind.DISPOSE,
        CollateralDisposal,
        ("sell", "collateral_disposal"),
        _unsold,
        lambda pk: CollateralDisposal.project_id == pk,
        is_scoped=True,
        numbered=CollateralDisposal.number,
    ),
    Source(
        TodoKind.COUNT,
        StockTake,
        ("finish", "stock_take"),
        _takes(StockTakeState.COUNTING),
        holder=StockTake.taker_id,
        numbered=StockTake.number,
    ),
    Source(
        TodoKind.CONFIRM_COUNT,
        StockTake,
        ("confirm", "stock_take"),
        _takes(StockTakeState.COUNTED),
        barred=(StockTake.taker_id,),
        is_scoped=True,
        reach=_not_mine,
        numbered=StockTake.number,
    ),
)
