"""期初余额 from the files of two ledger products and of one that nobody knows, through the screens."""

import io
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import select

from models.ledger.closing import OpeningImport
from models.ledger.voucher import Voucher
from models.system.setup import SystemState
from tests.views.conftest import send, token
from tests.views.ledger.test_closing import fields_of

REAL = Path(__file__).resolve().parents[2] / "data" / "real"
U8, KINGDEE = "O1_U8_发生额及余额表.xlsx", "O3_金蝶_科目余额表.xls"
TOTAL = "240,409,976.17"


@pytest.fixture(scope="module")
def chief(product):
    with product.session() as session:
        session.get_one(SystemState, 1).business_date = date(2026, 1, 31)
        session.commit()
    return product.browser("chief")


def upload(client, data, name):
    sent = {"csrf_token": token(client, "/password/"), "balances": (io.BytesIO(data), name)}
    return client.post("/opening/", data=sent, content_type="multipart/form-data")


def loaded(product):
    with product.session() as session:
        found = session.scalars(select(OpeningImport)).one_or_none()
        return (
            None if found is None else (found.file_name, found.period.code, f"{found.total:,.2f}")
        )


def vouchers(product):
    with product.session() as session:
        return len(session.scalars(select(Voucher)).all())


def test_the_files_of_two_products_load_one_in_the_place_of_the_other(product, chief):
    for name in (U8, KINGDEE):
        shown = upload(chief, (REAL / name).read_bytes(), name)
        assert shown.status_code == 200
        assert "期间 2025-12，共 13 个科目" in shown.text
        assert "借贷平衡，可以装入" in shown.text
        before = loaded(product)
        assert before is None or before[0] == U8, "a preview keeps nothing"
        done = send(chief, "/opening/confirm", **fields_of(shown.text, "/opening/confirm"))
        assert done.status_code == 302
        assert loaded(product) == (name, "2025-12", TOTAL)
    count = vouchers(product)
    again = upload(chief, (REAL / KINGDEE).read_bytes(), KINGDEE)
    assert (
        send(chief, "/opening/confirm", **fields_of(again.text, "/opening/confirm")).status_code
        == 302
    )
    assert vouchers(product) == count, "the same file again changes nothing"


def test_a_file_of_an_unknown_product_is_mapped_once(product, chief):
    book = openpyxl.Workbook()
    for row in (
        ["期间：2025年12月"],
        ["代号", "称谓", "年末数", None],
        [None, None, "借方", "贷方"],
        ["1001", "库存现金", 5, None],
        ["4001", "实收资本", None, 5],
    ):
        book.active.append(row)
    made = io.BytesIO()
    book.save(made)
    data, before = made.getvalue(), loaded(product)
    asked = upload(chief, data, "余额.xlsx")
    assert (
        asked.status_code,
        "列对应：科目余额表" in asked.text,
        "如 1001、4001" in asked.text,
    ) == (400, True, True)
    key = asked.text.split('name="key" value="')[1][:64]
    file = {"key": key, "name": "余额.xlsx", "source": "老软件"}
    wrong = send(
        chief, "/opening/columns/balances", **file, c0="code", c1="name", c2="debit", c3="debit"
    )
    assert (wrong.status_code, "对应了两列" in wrong.text) == (400, True)
    done = send(
        chief, "/opening/columns/balances", **file, c0="code", c1="name", c2="debit", c3="credit"
    )
    assert done.status_code == 302
    shown = upload(chief, data, "余额.xlsx")
    assert (shown.status_code, "期间 2025-12，共 2 个科目" in shown.text) == (200, True)
    assert "按“老软件”的列对应读取" in shown.text
    assert loaded(product) == before
