"""7.4: what should be in custody is listed, counted row by row, explained, and confirmed by somebody else."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors, IllegalTransition, NotAllowed
from models.collateral.custody import CustodyKind
from models.collateral.kind import StoragePlace
from models.collateral.stock_take import (
    CountResult,
    Covers,
    StockTake,
    StockTakeRow,
    StockTakeState,
)
from models.guarantee.project import Stage
from models.guarantee.signing import CounterKind
from models.system.records import IssuedDocument
from reports.workbench.todo_source import TodoKind
from tests.workflows.collateral.test_custody import KEEPER, place, through, title, waits
from tests.workflows.collateral.test_pledge import building, kind
from tests.workflows.guarantee.factories import MANAGER, MILLION, RISK_HEAD
from workflows.base import records
from workflows.collateral import pledge, stock_take

STAGES = (Stage.COUNTER,)


def stored(line, vault, number="证1"):
    """A plant whose title lies in the vault."""
    asset = building(line)
    deed = title(line, asset, number)
    through(line, asset, CustodyKind.IN, vault)
    return asset, deed


def take(line, **facts):
    values = {
        "covers": Covers.PAPERS,
        "planned_on": line.today,
        "taker_id": line.id(KEEPER),
        **facts,
    }
    return records.create(line.ctx(KEEPER), StockTake, values)


def begun(line, **facts):
    made = take(line, **facts)
    return stock_take.begin(line.ctx(KEEPER), made, made.version)


def rows(line, made):
    query = select(StockTakeRow).where(StockTakeRow.stock_take_id == made.id)
    return line.session.scalars(query.order_by(StockTakeRow.id)).all()


def test_originals_are_counted_and_a_difference_is_explained_and_confirmed_by_another(line):
    vault = place(line)
    asset, deed = stored(line, vault)
    _, other = stored(line, vault, "证2")
    loan = {"borrower_id": line.id(RISK_HEAD), "due_on": line.today + timedelta(5)}
    through(line, asset, CustodyKind.LEND, **loan)
    made = begun(line)
    assert (made.state, made.row_count) == (StockTakeState.COUNTING, 2)
    lent, here = rows(line, made)
    if lent.certificate_id != deed.id:
        lent, here = here, lent
    assert (lent.expected, here.expected) == (
        f"{RISK_HEAD}借出，应还 {line.today + timedelta(5)}",
        vault.name,
    )
    assert (here.code, here.name) == (f"C{other.id}", "不动产权证书 证2")
    assert waits(line, KEEPER, TodoKind.COUNT) == [made.id]
    keeper = line.ctx(KEEPER)
    with pytest.raises(NotAllowed):
        stock_take.agree(line.ctx(MANAGER), here)
    stock_take.agree(keeper, here, here.version)
    with pytest.raises(BusinessError, match="还有 1 项没有盘点"):
        stock_take.finish(keeper, made)
    with pytest.raises(BusinessError, match="请填写未见的原因"):
        stock_take.miss(keeper, lent, " ")
    stock_take.miss(keeper, lent, "借条在，原件未见，已催还")
    stock_take.finish(keeper, made, "抽屉里另有旧存单一张", made.version)
    assert (made.differences, made.surplus) == (1, "抽屉里另有旧存单一张")
    assert waits(line, KEEPER, TodoKind.COUNT) == []
    assert waits(line, RISK_HEAD, TodoKind.CONFIRM_COUNT) == [made.id]
    with pytest.raises(NotAllowed):
        stock_take.confirm(keeper, made)
    with pytest.raises(IllegalTransition, match="待确认，不能登记结果"):
        stock_take.agree(keeper, here)
    stock_take.send_back(line.ctx(RISK_HEAD), made, "请附借条", made.version)
    assert (made.state, made.returned_reason) == (StockTakeState.COUNTING, "请附借条")
    stock_take.differ(keeper, lent, "借条日期与台账不符")
    stock_take.finish(keeper, made)
    stock_take.confirm(line.ctx(RISK_HEAD), made, made.version)
    assert (made.state, made.confirmed_by_id, made.returned_reason) == (
        StockTakeState.CONFIRMED,
        line.id(RISK_HEAD),
        None,
    )
    printed = line.session.get_one(IssuedDocument, made.document_id)
    assert printed.number == made.number
    for words in ("应盘 2 项，相符 1 项", "借条日期与台账不符", vault.name, "卫东", RISK_HEAD):
        assert words in printed.body


def test_nobody_confirms_what_he_counted(line):
    stored(line, place(line))
    made = begun(line, taker_id=line.id(RISK_HEAD))
    (row,) = rows(line, made)
    stock_take.agree(line.ctx(KEEPER), row)
    stock_take.finish(line.ctx(KEEPER), made)
    assert waits(line, RISK_HEAD, TodoKind.CONFIRM_COUNT) == []
    with pytest.raises(BusinessError, match="没有参加盘点的人"):
        stock_take.confirm(line.ctx(RISK_HEAD), made)


def test_a_place_is_counted_by_itself_and_nothing_twice_at_once(line):
    vault = place(line)
    safe = records.create(line.ctx(KEEPER), StoragePlace, {"name": "二号保险柜"})
    _, deed = stored(line, vault)
    with pytest.raises(BusinessError, match="没有应盘的权证或动产"):
        begun(line, place_id=safe.id)
    first = begun(line, place_id=vault.id)
    assert stock_take.row_to_count(line.ctx(), f"C{deed.id}").stock_take is first
    with pytest.raises(Conflict, match=f"正在盘点 {first.number} 中"):
        begun(line)
    stock_take.drop(line.ctx(KEEPER), first, "选错了库位")
    assert first.state is StockTakeState.VOID
    assert stock_take.row_to_count(line.ctx(), f"C{deed.id}") is None
    assert begun(line).row_count == 1


def test_goods_that_stand_behind_a_project_are_counted_where_they_lie(line):
    machines = kind(line, "EQUIPMENT")
    pledged = building(line, type_id=machines.id, name="数控机床", location="滨江厂区")
    building(line, type_id=machines.id, name="闲置设备")
    with pytest.raises(FieldErrors, match="盘点动产不选库位"):
        take(line, covers=Covers.ALL, place_id=place(line).id)
    with pytest.raises(BusinessError, match="没有应盘"):
        begun(line, covers=Covers.GOODS)
    project = line.at(Stage.COUNTER)
    pledge.pledge_to(line.ctx(MANAGER), pledged, project, CounterKind.MORTGAGE, amount=MILLION)
    made = take(line, covers=Covers.ALL)
    records.update(line.ctx(KEEPER), made, {"note": "年末"}, made.version)
    stock_take.begin(line.ctx(KEEPER), made)
    (row,) = rows(line, made)
    assert (row.code, row.expected, row.state) == (
        f"A{pledged.id}",
        "滨江厂区",
        CountResult.PENDING,
    )
