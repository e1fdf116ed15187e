"""押品 as its keepers meet it: assets and what stands on them, a sale, a stock-take with its labels, on the screens."""

import io
import re

import pypdf
import pytest
from sqlalchemy import select

from models.collateral.asset import Collateral, CollateralCertificate, CustodyState
from models.collateral.disposal import CollateralDisposal
from models.collateral.kind import CollateralType, StoragePlace
from models.collateral.pledge import CollateralPledge
from models.collateral.stock_take import CountResult, StockTake, StockTakeRow, StockTakeState
from models.guarantee.project import Project, ProjectState
from models.guarantee.signing import CounterGuarantee
from models.system.setup import SystemState

KEEPER = "fangyuan"


@pytest.fixture
def keeper(demo):
    return demo.client_of(KEEPER)


def first(demo, query):
    with demo.session() as session:
        return session.scalars(query).first()


def do(demo, client, record, verb, **fields):
    """Press a button of a record as it stands now."""
    with demo.session() as session:
        version = session.get_one(type(record), record.id).version
    url = f"/do/{record.__tablename__}/{record.id}/{verb}"
    return demo.post(client, url, version=version, **fields)


def fresh(demo, record):
    with demo.session() as session:
        return session.get_one(type(record), record.id)


def test_an_asset_says_what_is_left_of_it_and_how_its_value_moved(demo, keeper):
    pledged = select(CollateralPledge.collateral_id)
    asset = first(demo, select(Collateral).where(Collateral.id.in_(pledged)))
    page = keeper.get(f"/collateral/show/{asset.id}").text
    for words in ("可用价值", "剩余可用", "本公司占用", "估值历史", "比上次", "打印标签"):
        assert words in page
    asked = keeper.get(f"/do/collateral/{asset.id}/pledge")
    assert asked.status_code == 302 or "占用价值" in asked.text


def test_a_kind_shows_its_cap_and_its_own_fields(demo):
    admin = demo.client_of("admin")
    plant = first(demo, select(CollateralType).where(CollateralType.code == "PLANT"))
    page = admin.get(f"/collateral_type/show/{plant.id}?tab=fields").text
    for words in ("抵押率上限", "今日上限", "种类要素", "厂房面积", "实物盘点"):
        assert words in page
    assert "要素名称" in admin.get(f"/do/collateral_type/{plant.id}/add_field").text
    done = do(demo, admin, plant, "add_field", label="层高", field_kind="RATE", unit="米")
    assert done.status_code == 302, done.text
    assert "层高" in admin.get(done.location).text


def test_an_asset_is_put_behind_a_mortgage_and_taken_from_it_again(demo):
    query = (
        select(CounterGuarantee)
        .join(Project)
        .where(
            CounterGuarantee.appraised_value.is_not(None),
            CounterGuarantee.released_on.is_(None),
            Project.state == ProjectState.IN_FORCE,
            CounterGuarantee.id.not_in(select(CollateralPledge.counter_guarantee_id)),
        )
        .order_by(CounterGuarantee.id)
    )
    item, client = first(demo, query), demo.client_of(KEEPER)
    page = client.get(f"/counter_guarantee/show/{item.id}").text
    assert "关联押品" in page
    assert "顺位" in client.get(f"/do/counter_guarantee/{item.id}/link").text
    taken = first(demo, select(Collateral).order_by(Collateral.id))
    said = do(demo, client, item, "link", collateral_id=taken.id, amount="", rank="")
    assert said.status_code in {302, 400}, said.text


def test_a_registration_is_asked_for_before_a_mortgage_counts_as_settled(demo, keeper):
    query = (
        select(CounterGuarantee)
        .join(Project)
        .where(
            CounterGuarantee.state == "APPROVED",
            CounterGuarantee.is_settled.is_(False),
            CounterGuarantee.asset_kind == "PLANT",
            Project.state == ProjectState.RUNNING,
        )
    )
    item = first(demo, query)
    assert item is not None, "the demonstration leaves one to be settled"
    assert "须办理抵质押登记" in keeper.get(f"/counter_guarantee/show/{item.id}").text
    day = first(demo, select(SystemState)).business_date
    refused = do(demo, keeper, item, "settle", evidence="已取得", on=day)
    assert (refused.status_code, "请先关联押品" in refused.text) == (400, True)


def test_a_pledge_asks_for_its_registration_with_what_it_holds(demo, keeper):
    pledge = first(demo, select(CollateralPledge).where(CollateralPledge.released_on.is_(None)))
    form = keeper.get(f"/do/collateral_pledge/{pledge.id}/register").text
    assert f'value="{pledge.amount:,.2f}"' in form
    assert "登记机构" in form


def test_a_sale_tells_who_gets_what_and_ends_the_pledge(demo, keeper):
    paper = first(demo, select(CollateralDisposal))
    assert paper is not None, "the demonstration has one under way"
    page = keeper.get(f"/collateral_disposal/show/{paper.id}").text
    for words in ("对各项目的影响", "按底价分配", "足够", "登记成交", "登记流拍"):
        assert words in page
    assert "起拍价" in keeper.get(f"/do/collateral_disposal/{paper.id}/pass_over").text
    day = first(demo, select(SystemState)).business_date
    facts = {"buyer": "江州恒通公司", "costs": "50000", "on": day, "evidence": "成交确认书 9 号"}
    low = do(demo, keeper, paper, "sell", price="1", **facts)
    assert (low.status_code, "低于批准的底价" in low.text) == (400, True)
    done = do(demo, keeper, paper, "sell", price=paper.reserve_price + 100_000, **facts)
    assert done.status_code == 302, done.text
    page = keeper.get(done.location).text
    for words in ("价款分配", "处置费用", "所有权人"):
        assert words in page
    asset = fresh(demo, first(demo, select(Collateral).where(Collateral.id == paper.collateral_id)))
    assert asset.disposed_on == day
    assert "已于" in keeper.get(f"/collateral/show/{asset.id}").text
    assert "已处置" in keeper.get("/report/collateral-book").text
    assert keeper.get("/report/collateral-concentration?by=owner").status_code == 200


def open_take(demo):
    query = select(StockTake).where(StockTake.state == StockTakeState.COUNTING)
    found = first(demo, query)
    assert found is not None, "the demonstration is counting"
    return found


def test_a_stock_take_is_counted_from_its_page_and_confirmed_by_another(demo, keeper):
    take = open_take(demo)
    inbox = keeper.get("/approvals/")
    assert inbox.status_code == 200
    assert "全部库位" in inbox.text
    page = keeper.get(f"/stock_take/show/{take.id}").text
    assert "待盘" in page
    pending = select(StockTakeRow).where(
        StockTakeRow.stock_take_id == take.id, StockTakeRow.state == CountResult.PENDING
    )
    with demo.session() as session:
        rows = session.scalars(pending.order_by(StockTakeRow.id)).all()
    assert rows
    for row in rows:
        assert f"/do/stock_take_row/{row.id}/agree" in page
    bare = do(demo, keeper, rows[0], "miss")
    assert (bare.status_code, "请填写" in bare.text) == (400, True)
    assert do(demo, keeper, rows[0], "differ", reason="编号印刷不清").status_code == 302
    for row in rows[1:]:
        done = do(demo, keeper, row, "agree")
        assert done.location.endswith(f"/stock_take/show/{take.id}")
    assert "已全部盘点" in keeper.get(f"/stock_take/show/{take.id}").text
    assert "账外实物" in keeper.get(f"/do/stock_take/{take.id}/finish").text
    assert do(demo, keeper, take, "finish", surplus="").status_code == 302
    assert do(demo, keeper, take, "confirm").status_code == 403
    head = demo.client_of("heping")
    assert "盘点确认" in head.get("/approvals/").text
    assert do(demo, head, take, "confirm").status_code == 302
    paper = head.get(f"/issued_document/{fresh(demo, take).document_id}/pdf")
    text = "".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(paper.data)).pages)
    assert "编号印刷不清" in text.replace("\n", "")


def test_a_new_stock_take_begins_with_its_keeper_and_today(demo, keeper):
    form = keeper.get("/stock_take/add").text
    day = first(demo, select(SystemState)).business_date
    assert str(day) in form
    assert "方圆" in form


def test_labels_are_printed_and_lead_to_what_they_are_on(demo, keeper):
    vault = first(demo, select(StoragePlace))
    stored = select(CollateralCertificate).where(
        CollateralCertificate.state == CustodyState.STORED,
        CollateralCertificate.place_id == vault.id,
    )
    deed = first(demo, stored)
    assert "打印标签" in keeper.get(f"/storage_place/show/{vault.id}").text
    answer = keeper.get(f"/stock/labels/storage_place/{vault.id}")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    text = "".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(answer.data)).pages)
    assert re.search(rf"\bC{deed.id}\b", text)
    assert keeper.get(f"/stock/labels/collateral/{deed.collateral_id}").status_code == 200
    take = first(demo, select(StockTake))
    assert keeper.get(f"/stock/labels/stock_take/{take.id}").status_code == 200
    empty = StoragePlace(name="空库位")
    with demo.session() as session:
        session.add(empty)
        session.commit()
    assert keeper.get(f"/stock/labels/storage_place/{empty.id}").status_code == 400
    assert keeper.get("/stock/labels/voucher/1").status_code == 404


def test_a_label_opens_the_row_that_is_counted_or_the_thing_itself(demo, keeper):
    with demo.session() as session:
        deed = session.scalars(
            select(CollateralCertificate).where(CollateralCertificate.state == CustodyState.STORED)
        ).first()
        rows = select(StockTakeRow).join(StockTake)
        counting = session.scalars(
            rows.where(
                StockTake.state == StockTakeState.COUNTING, StockTakeRow.code == f"C{deed.id}"
            )
        ).first()
    there = keeper.get(f"/stock/item/C{deed.id}").location
    own = f"/collateral_certificate/show/{deed.id}"
    assert there == (own if counting is None else f"/stock_take_row/show/{counting.id}")
    assert keeper.get(f"/stock/item/A{deed.collateral_id}").location == (
        f"/collateral/show/{deed.collateral_id}"
    )
    for wrong in ("X1", "C0", "Cx", "C999999999"):
        assert keeper.get(f"/stock/item/{wrong}").status_code == 404
