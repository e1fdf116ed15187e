"""Round every page: what waits in the books, where one is, and how far the work is that one has started."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.guarantee.bank import PartnerBank
from models.ledger.voucher import BusinessEvent
from models.system.setup import JobRun, JobStatus, job_label
from workflows.ledger import posting

BEGINS_WITH = "staffed"


@pytest.fixture(scope="module")
def event(product):
    """A business event that waits to be booked; returns its id."""
    with product.session() as session:
        bank = session.scalars(select(PartnerBank)).first()
        amounts = {"amount": Decimal(5000)}
        made = posting.raise_event(
            product.ctx(session), "margin.placed", record=bank, amounts=amounts, bank=bank
        )
        session.commit()
        return made.id


def entry(product, name, url, path="/password/"):
    """(is lit, count) of a menu entry."""
    page = product.browser(name).get(path).get_data(as_text=True)
    found = re.search(
        rf'<li( class="active")?><a href="{url}"[^>]*><span>[^<]*</span>(?:<b class="n">(\d+)</b>)?',
        page,
    )
    return None if found is None else (bool(found[1]), int(found[2] or 0))


def test_the_menu_counts_what_waits_for_the_reader(product, event):
    assert entry(product, "clerk", "/review/") == (False, 1)
    assert entry(product, "clerk", "/voucher/list/") == (False, 0)
    assert entry(product, "cashier", "/review/") in {None, (False, 0)}
    assert entry(product, "manager", "/review/") is None
    with product.session() as session:
        ctx = product.ctx(session)
        ctx.actor = ctx.actor.__class__(product.employees["clerk"], "吴洁", is_system=True)
        posting.book(ctx, session.get_one(BusinessEvent, event))
        session.commit()
    assert entry(product, "clerk", "/review/") == (False, 0)
    assert entry(product, "chief", "/voucher/list/") == (False, 1)


def test_a_record_without_a_list_in_the_menu_lights_its_queue(product, event):
    assert entry(product, "clerk", "/review/", f"/business_event/show/{event}") == (True, 0)
    assert entry(product, "clerk", "/closing/", "/accounting_period/list/") == (False, 0)


@pytest.mark.parametrize(
    ("job", "place", "words"),
    [
        ("month_end:2026-10#2", "/closing/?period=2026-10", "2026-10 月末处理：计提准备金"),
        ("day_end", "/day-end/", "2026-10-31 日终处理：计提准备金"),
    ],
)
def test_work_that_one_has_started_is_seen_on_every_page(product, job, place, words):
    with product.session() as session:
        run = JobRun(
            job=job,
            business_date=date(2026, 10, 31),
            status=JobStatus.RUNNING,
            step="计提准备金",
            progress_pct=40,
            requested_by_id=product.employees["chief"],
            lease_until=datetime.now(UTC) + timedelta(minutes=5),
        )
        session.add(run)
        session.commit()
        page = product.browser("chief").get("/password/").get_data(as_text=True)
        assert f'data-job-url="/jobs/{run.id}"' in page
        assert f'<a href="{place}" data-job-label>{words}</a>' in page
        assert "data-job-url" not in product.browser("boss").get("/password/").get_data(
            as_text=True
        )
        run.status, run.finished_at = JobStatus.SUCCEEDED, datetime.now(UTC)
        session.commit()
    assert "data-job-url" not in product.browser("chief").get("/password/").get_data(as_text=True)


def test_jobs_have_names(product):
    assert [job_label(job) for job in ("day_end", "month_end:2026-10", "export:7")] == [
        "日终处理",
        "月末处理 2026-10",
        "导出 7",
    ]
    with product.session() as session:
        assert str(JobRun(job="day_end", business_date=date(2026, 10, 31))) == "日终处理 2026-10-31"
        assert session.scalar(select(JobRun.id).where(JobRun.job == "day_end")) is not None
    page = product.browser("admin").get("/job_run/list/").get_data(as_text=True)
    assert "日终处理" in page
    assert ">day_end<" not in page
