"""The reports of 统计分析: figures are those of the reader's own projects, and their lists say the same."""

import re
from datetime import timedelta

from sqlalchemy import func, select

from models.guarantee.drawdown import Drawdown
from models.guarantee.product import RepaymentMethod
from models.guarantee.project import Project, ProjectState

BANK, MONTH = "/report/in-force-by-bank", "/report/drawn-by-month"
IN_FORCE = Project.state == ProjectState.IN_FORCE


def total_row(page):
    """The figures of the last line."""
    foot = page.split("<tfoot>")[1].split("</tfoot>")[0]
    return re.findall(r'class="num">([^<]*)<', foot)


def counted(client, page, path):
    """How many rows the lists hold that the figures of a report lead to."""
    found = 0
    for url in dict.fromkeys(re.findall(rf'href="({path}[^"]+)"', page)):
        text = client.get(url.replace("&amp;", "&")).text
        found += int(re.search(r"，共 (?:<a[^>]*>)?([\d,]+)", text).group(1))
    return found


def test_a_bank_stands_for_the_projects_that_the_reader_sees(demo):
    with demo.session() as session:
        query = select(func.count(Project.id), func.sum(Project.balance)).where(IN_FORCE)
        number, amount = session.execute(query).one()
        customers = session.scalar(
            select(func.count(Project.customer_id.distinct())).where(IN_FORCE)
        )
    chief = demo.client_of("heping")
    page = chief.get(BANK).text
    assert total_row(page) == [str(number), str(customers), f"{amount:,.2f}", "100.00"]
    assert counted(chief, page, "/project/list/") == number
    seen = {}
    for username in ("zhoumin", "linyifan"):
        client = demo.client_of(username)
        page = client.get(BANK).text
        assert "数据范围：本人" in page
        seen[username] = counted(client, page, "/project/list/")
        assert seen[username] == (int(total_row(page)[0]) if "<tfoot>" in page else 0)
        assert seen[username] < number
    assert any(seen.values())


def test_a_month_stands_for_its_loans(demo):
    client = demo.client_of("heping")
    with demo.session() as session:
        figures = select(func.count(Drawdown.id), func.sum(Drawdown.amount))
        number, amount = session.execute(figures).one()
        last = session.scalar(select(func.max(Drawdown.drawn_on)))
        methods = {
            method: session.scalar(
                select(func.count(Drawdown.id)).where(Drawdown.repayment_method == method)
            )
            for method in RepaymentMethod
        }
    page = client.get(f"{MONTH}?first=2020-01-01").text
    assert total_row(page)[:2] == [str(number), f"{amount:,.2f}"]
    assert counted(client, page, "/drawdown/list/") == number
    for method, of_it in methods.items():
        page = client.get(f"{MONTH}?first=2020-01-01&method={method.name}").text
        assert counted(client, page, "/drawdown/list/") == of_it
    month = f"{last:%Y-%m}"
    gone = client.get(f"{MONTH}?first={last + timedelta(days=1)}&compare=PREVIOUS")
    assert (gone.status_code, month in gone.text) == (200, True), "drawn then, and no more"
    last_year = client.get(f"{MONTH}?compare=LAST_YEAR").text
    assert "放款金额（上年同期）" in last_year
