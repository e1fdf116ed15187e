"""资产分级 on the screen: ratios with their articles, evidence, export, and who may enter it."""

from sqlalchemy import select

from models.ledger.asset_split import AssetSplit
from models.system.setup import SystemState

URL = "/report/asset-classes"


def test_the_report_shows_ratios_beside_the_law_and_the_evidence(demo):
    with demo.session() as session:
        month = f"{session.get_one(SystemState, 1).business_date:%Y-%m}"
    client = demo.client_of("shihui")
    page = client.get(f"{URL}?period={month}").text
    for words in (
        "资产比例管理办法第八条",
        "第九条",
        "第十条",
        "第十一条",
        "不低于 20%",
        "不高于 30%",
        "货币市场基金",
        "中债登托管明细",
        "净资产",
    ):
        assert words in page, words
    assert "/asset_split/add" in page
    assert "复制上月依据" not in page, "the month has its own"
    sheet = client.get(f"{URL}?period={month}&format=xlsx")
    assert (sheet.status_code, sheet.data[:2]) == (200, b"PK")
    assert client.get(f"{URL}?period=2019-13").status_code == 400
    assert URL in client.get("/").text, "in the menu"


def test_accountants_enter_evidence_others_read_or_see_nothing(demo):
    with demo.session() as session:
        month = f"{session.get_one(SystemState, 1).business_date:%Y-%m}"
        count = len(session.scalars(select(AssetSplit)).all())
    accountant, cashier = demo.client_of("wujie"), demo.client_of("luona")
    assert accountant.get("/asset_split/add").status_code == 200
    assert cashier.get(URL).status_code == 200
    assert "登记依据" not in cashier.get(URL).text
    assert demo.post(cashier, f"{URL}/carry", period=month).status_code == 403
    again = demo.post(accountant, f"{URL}/carry", period=month)
    assert (again.status_code, "已有分级依据" in again.text) == (409, True)
    with demo.session() as session:
        assert len(session.scalars(select(AssetSplit)).all()) == count
