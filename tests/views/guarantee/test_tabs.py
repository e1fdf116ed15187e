"""审批 and 凭证 stand on the paper itself, and what a project waits for stands on its page (architecture)."""

import re

import pytest
from sqlalchemy import select

from models.base.paper import PaperState
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.release import Release
from models.guarantee.signing import Contract
from models.ledger.voucher import BusinessEvent, Voucher


@pytest.fixture(scope="module")
def release(demo):
    """(id, number of its approval tab's rows, the vouchers of its events) of a release that gave a deposit back."""
    with demo.session() as session:
        booked = (
            select(Release.id, Voucher.code)
            .join(BusinessEvent, BusinessEvent.record_id == Release.id)
            .join(Voucher, Voucher.id == BusinessEvent.voucher_id)
            .where(BusinessEvent.record_table == "release", Release.state == PaperState.APPROVED)
            .order_by(Release.id)
        )
        return session.execute(booked).first()


def _tab(demo, who, address):
    return demo.client_of(who).get(address).text


def test_a_paper_shows_its_own_approval(demo, release):
    page = _tab(demo, "zhoumin", f"/release/show/{release.id}?tab=approvals")
    assert re.search(r'href="/approvals/instance/\d+"', page)
    assert "解保" in page


def test_a_paper_shows_the_vouchers_of_its_events_to_who_may_see_them(demo, release):
    address = f"/release/show/{release.id}?tab=vouchers"
    assert release.code in _tab(demo, "wujie", address)
    hidden = _tab(demo, "zhoumin", address)
    assert "您没有查看凭证的权限" in hidden
    assert release.code not in hidden


def test_a_paper_that_brings_no_money_has_no_tab_of_vouchers(demo):
    with demo.session() as session:
        contract = session.scalar(select(Contract.id).order_by(Contract.id).limit(1))
    page = _tab(demo, "wujie", f"/contract/show/{contract}")
    assert "tab=approvals" in page
    assert "tab=vouchers" not in page


def test_a_stage_to_come_has_no_empty_tab_and_one_that_came_has(demo):
    with demo.session() as session:
        running = select(Project).where(Project.state == ProjectState.RUNNING)
        early = session.scalars(running.where(Project.stage == Stage.EVALUATE).limit(1)).first()
        ended = session.scalars(
            select(Project).where(Project.state == ProjectState.IN_FORCE).limit(1)
        ).first()
    assert early is not None
    page = _tab(demo, "hejianguo", f"/project/show/{early.id}")
    assert "tab=investigation_report" in page
    assert "tab=drawdown" not in page
    page = _tab(demo, "hejianguo", f"/project/show/{ended.id}")
    assert "tab=drawdown" in page
    assert "tab=termination" not in page  # happens to few, and shows with rows alone


@pytest.mark.parametrize("state", [ProjectState.IN_FORCE, ProjectState.RELEASED])
def test_a_stage_is_current_while_the_project_goes_on(demo, state):
    with demo.session() as session:
        key = session.scalar(select(Project.id).where(Project.state == state).limit(1))
    stages = re.search(
        r'<ol class="stages".*?</ol>', _tab(demo, "heping", f"/project/show/{key}"), re.DOTALL
    )
    assert stages is not None
    assert ("current" in stages.group()) is (state is ProjectState.IN_FORCE)
