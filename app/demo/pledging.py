"""押品 of the demonstration: what stands behind projects in force, registered, insured and in the vault."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from app.demo.stage import Stage
from app.demo.story import decide_all_of, login_of
from models.base.entity import Entity, entity_of
from models.base.moments import add_months
from models.base.money import round_money
from models.base.paper import PaperState
from models.collateral.asset import Collateral
from models.collateral.change import PledgeChange
from models.collateral.custody import CustodyKind, CustodyPaper
from models.collateral.disposal import CollateralDisposal
from models.collateral.kind import CollateralType, StoragePlace
from models.collateral.pledge import CollateralPledge
from models.collateral.stock_take import StockTake, StockTakeRow
from models.guarantee.project import Project, ProjectState
from models.guarantee.signing import CounterGuarantee
from models.system.organization import Employee
from workflows.after import warning
from workflows.base import records
from workflows.collateral import (
    change,
    custody,
    disposal,
    pledge,
    registration,
    stock_take,
    watch,
)

KEEPER = "fangyuan"
MOST = 8
YEAR = timedelta(days=365)


def play(stage: Stage) -> None:
    """Plants behind the first projects in force: one has lost value, one's title is lent, one's is still to come."""
    query = (
        select(CounterGuarantee)
        .join(Project)
        .where(
            Project.state == ProjectState.IN_FORCE,
            CounterGuarantee.state == PaperState.APPROVED,
            CounterGuarantee.asset_kind == "PLANT",
            CounterGuarantee.released_on.is_(None),
        )
        .order_by(CounterGuarantee.id)
        .limit(MOST)
    )
    for number, item in enumerate(stage.session.scalars(query).all()):
        _pledged(stage, item, number)
    watch.plan(stage.ctx())
    warning.evaluate(stage.ctx())
    _count(stage, is_done=True)
    _count(stage, is_done=False)


def _pledged(stage: Stage, item: CounterGuarantee, number: int) -> None:
    asset = _asset(stage, item, number)
    made = pledge.link(stage.ctx(KEEPER), item, asset)
    registration.register(
        stage.ctx(KEEPER),
        made,
        f"浙（2026）江州不动产证明第{number + 101:07d}号",
        made.amount,
        stage.today - timedelta(days=20),
        expires_on=add_months(stage.today, 1 if number == 3 else 24),
    )
    if number != 5:
        _store(stage, asset, is_lent=number == 2)
    if number == 4:
        _sell(stage, made)
    if number == 6:
        _change(stage, made)
    if number == 1:
        assert asset.value is not None
        _add(
            stage,
            "valuation",
            asset,
            valued_on=stage.today,
            value=round_money(asset.value * Decimal("0.78")),
            method="MARKET",
            valuer="江州房地产评估有限公司",
        )


def _sell(stage: Stage, made: CollateralPledge) -> None:
    """A customer sells his plant to repay; the first round has found no buyer."""
    manager_id, asset = made.project.manager_id, made.collateral
    assert manager_id is not None
    assert asset.value is not None
    who = login_of(stage, manager_id)
    values = {
        "project_id": made.project_id,
        "collateral_id": asset.id,
        "cause": "REPAY",
        "way": "AUCTION",
        "reserve_price": round_money(asset.value * Decimal("0.85")),
        "agent": "江州产权交易中心",
        "reason": "客户迁建厂区，出售旧厂房归还借款。",
    }
    paper = records.create(stage.ctx(who), CollateralDisposal, values)
    disposal.PAPER.submit(stage.ctx(who), paper, paper.version)
    decide_all_of(stage, paper)
    day = stage.today - timedelta(days=3)
    disposal.pass_over(stage.ctx(KEEPER), paper, asset.value, day, "无人报名")


def _count(stage: Stage, *, is_done: bool) -> None:
    """The vault is counted: last quarter's count was confirmed, this one is under way."""
    keeper = stage.session.scalars(select(Employee).where(Employee.name == "方圆")).one()
    values = {"covers": "PAPERS", "planned_on": stage.today, "taker_id": keeper.id}
    take = records.create(stage.ctx(KEEPER), StockTake, values)
    stock_take.begin(stage.ctx(KEEPER), take, take.version)
    query = select(StockTakeRow).where(StockTakeRow.stock_take_id == take.id)
    for row in stage.session.scalars(query.order_by(StockTakeRow.id)).all():
        if "借出" in row.expected:
            stock_take.miss(stage.ctx(KEEPER), row, "法务办理续押登记，借条相符")
        elif is_done or row.id % 2:
            stock_take.agree(stage.ctx(KEEPER), row)
    if is_done:
        stock_take.finish(stage.ctx(KEEPER), take)
        stock_take.confirm(stage.ctx("heping"), take, take.version)


def _change(stage: Stage, made: CollateralPledge) -> None:
    """A part of what stands behind a project that has repaid is to be set free; the paper waits for its decision."""
    manager_id = made.project.manager_id
    assert manager_id is not None
    who = login_of(stage, manager_id)
    values = {
        "project_id": made.project_id,
        "kind": "REDUCE",
        "pledge_id": made.id,
        "kept_amount": round_money(made.amount * Decimal("0.95")),
        "reason": "已归还部分借款，客户申请减少押品占用。",
    }
    paper = records.create(stage.ctx(who), PledgeChange, values)
    if not change.obstacles(stage.ctx(who), paper):
        change.PAPER.submit(stage.ctx(who), paper, paper.version)


def _asset(stage: Stage, item: CounterGuarantee, number: int) -> Collateral:
    kind = stage.session.scalars(
        select(CollateralType).where(CollateralType.code == item.asset_kind)
    ).one()
    keeper = stage.session.scalars(select(Employee).where(Employee.name == "方圆")).one()
    customer = item.project.customer
    values = {
        "name": item.name,
        "type_id": kind.id,
        "customer_id": customer.id,
        "location": "江州市" + item.name.partition("· ")[2],
        "region": customer.region,
        "rate_pct": item.rate_pct,
        "keeper_id": keeper.id,
        "plant_area": Decimal(1800 + 160 * number),
    }
    manager_id = item.project.manager_id
    assert manager_id is not None
    asset = records.create(stage.ctx(login_of(stage, manager_id)), Collateral, values)
    _add(stage, "collateral_owner", asset, name=customer.name, share_pct=Decimal(100))
    _add(stage, "collateral_certificate", asset, kind="TITLE", number=item.certificate_no)
    then = item.appraised_value or Decimal(0)
    for months, part in ((11, Decimal("0.96")), (5, Decimal("1.02")), (1, Decimal(1))):
        _add(
            stage,
            "valuation",
            asset,
            valued_on=add_months(stage.today, -months),
            value=round_money(then * part),
            method="MARKET",
            valuer="江州房地产评估有限公司",
        )
    if number != 4:
        _add(
            stage,
            "collateral_insurance",
            asset,
            insurer="人保财险江州分公司",
            policy_no=f"PQDZ2026330100{number + 10}",
            insured_amount=then,
            starts_on=stage.today - timedelta(days=60),
            ends_on=stage.today + (timedelta(days=12) if number == 0 else YEAR),
            is_first=True,
        )
    return asset


def _add(stage: Stage, table: str, asset: Collateral, **values: object) -> Entity:
    facts = {"collateral_id": asset.id, **values}
    return records.create(stage.ctx(KEEPER), entity_of(table), facts)


def _store(stage: Stage, asset: Collateral, *, is_lent: bool) -> None:
    place = stage.session.scalars(select(StoragePlace).order_by(StoragePlace.id)).first()
    papers: list[dict[str, object]] = [
        {"kind": CustodyKind.IN, "counterparty": "客户经理", "reason": "放款后权证入库"}
    ]
    if is_lent:
        borrower = stage.session.scalars(select(Employee).where(Employee.name == "刘文")).one()
        papers.append(
            {
                "kind": CustodyKind.LEND,
                "reason": "办理续押登记",
                "borrower_id": borrower.id,
                "due_on": stage.today + timedelta(days=5),
            }
        )
    for facts in papers:
        paper = records.create(
            stage.ctx(KEEPER), CustodyPaper, {"collateral_id": asset.id, **facts}
        )
        custody.submit(stage.ctx(KEEPER), paper, paper.version)
        decide_all_of(stage, paper)
        where = place if paper.kind.needs_place else None
        custody.carry_out(stage.ctx(KEEPER), paper, paper.counterparty or "刘文", where)
