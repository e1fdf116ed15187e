"""4.6 历史补录: what ran before the system comes in by file or by hand, is approved, and counts like anything else."""

import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed
from models.base.paper import PaperState
from models.customer.customer import CorporateCustomer, PersonalCustomer
from models.guarantee.drawdown import Drawdown, DrawdownState, PlanSource, RepaymentPlan
from models.guarantee.history import HistoryBatch, HistoryGuarantee, HistoryStanding
from models.guarantee.loan_change import ChangeKind, LoanChange
from models.guarantee.product import Product
from models.guarantee.project import Project, ProjectStage, ProjectState, Stage
from models.guarantee.release import Release
from models.guarantee.repayment import Repayment, RepaymentSource
from models.ledger.voucher import BusinessEvent, Voucher
from models.statistics.founding import FoundingItem, FoundingTotal
from models.statistics.snapshot import CompanySnapshot
from models.system.imports import ImportMode, ImportRow, Verdict
from models.system.setup import JobStatus, Parameter
from reports.figures import exposure
from reports.figures.custom_fields import editable_now
from reports.statistics.since_founding import totals
from tests.workflows.guarantee.factories import (
    DEPARTMENT_HEAD,
    MANAGER,
    OUTSIDER,
    RISK_HEAD,
)
from workflows import verify
from workflows.base import jobs, records
from workflows.guarantee import (
    correction,
    disbursement,
    history,
    history_jobs,
    history_projects,
    loan_change,
    release,
    repayment,
)
from workflows.statistics import snapshot
from workflows.system import import_load, imports
from workflows.system.import_rows import Door

FILE = Path(__file__).parents[2] / "data" / "history_guarantees.xlsx"
TODAY = date(2026, 11, 23)
AMOUNT, BALANCE, PAST = Decimal("424700000.00"), Decimal("343660000.00"), 26
USCC = "91320105MA1MCT7E48"


@pytest.fixture
def office(line):
    """The company on the day it goes live, with the banks, products and people of the file."""
    line.today = TODAY
    for name in (
        "中国工商银行江州分行",
        "杭州银行江州分行",
        "农业银行江州分行",
        "建设银行江州分行",
    ):
        line.bank(name)
    return line


def save(ctx, record, values, version):
    """What the form of a row calls."""
    if record is None:
        return records.create(ctx, HistoryGuarantee, values)
    return records.update(ctx, record, values, version)


def door(ctx):
    return Door(HistoryGuarantee, editable_now(ctx.session, HistoryGuarantee, ctx.actor), save)


def looked(line, data, who=MANAGER, mode=ImportMode.UPDATE):
    """A file as it is looked through, with the names that nobody knows said once."""
    ctx = line.ctx(who)
    ctx.session.info["data_dir"] = str(line.room)
    task = imports.ask(ctx, door(ctx), ("历史在保.xlsx", data), mode)
    look(ctx, task)
    if task.words:
        imports.say_words(ctx, task, list(meanings(line, task)))
        look(ctx, task)
    return ctx, task


def look(ctx, task):
    imports.check(ctx, task, door(ctx), imports.opened(ctx, task, door(ctx)))


def meanings(line, task):
    """What the words of the file mean here."""
    people = {"李经理": MANAGER, "王经理": DEPARTMENT_HEAD}
    banks = {bank.name: bank.id for bank in line.session.scalars(select(type(line.bank())))}
    product = line.session.scalars(select(Product).order_by(Product.id)).first().id
    for code, words in task.words.items():
        for word in words:
            if code == "@partner_bank":
                found = next(key for name, key in banks.items() if word in name)
            else:
                found = line.id(people[word]) if code == "@employee" else product
            yield code, word, str(found)


def changed(*cells):
    """The file with (row, column, value) changed."""
    book = openpyxl.load_workbook(FILE)
    for row, column, value in cells:
        book.active.cell(row, column).value = value
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


@pytest.fixture(autouse=True)
def _room(line, tmp_path):
    line.room = tmp_path


def facts(line, **more):
    return {
        "customer_name": "江州明信印刷有限公司",
        "uscc": USCC,
        "bank_id": line.bank().id,
        "product_id": line.product().id,
        "amount": "2000000",
        "balance": "1200000",
        "fee_rate_pct": "1.5",
        "start_on": "2026-01-10",
        "end_on": "2027-01-10",
        "manager_id": line.id(MANAGER),
        "counter": "法定代表人连带保证",
        **more,
    }


def row(line, who=MANAGER, **more):
    return records.create(line.ctx(who), HistoryGuarantee, facts(line, **more))


def taken(line, one):
    """The batch of a row, put up and approved."""
    history.submit(line.ctx(MANAGER), one.batch)
    line.approve(one.batch)
    return one.project


def test_the_companys_file_comes_in_whole_and_counts_from_its_approval(office):
    """80 rows, 424.7 million guaranteed, 343.66 million in force; the books hear nothing of it."""
    line, session = office, office.session
    vouchers = session.scalar(select(func.count(Voucher.id)))
    before = exposure.portfolio(session, line.today).in_force.total
    ctx, task = looked(line, FILE.read_bytes())
    assert task.counts == {"NEW": 80, "alike": 0}
    assert import_load.load(ctx, task, door(ctx))
    (batch,) = session.scalars(select(HistoryBatch))
    assert (batch.row_count, batch.amount, batch.balance) == (80, AMOUNT, BALANCE)
    assert session.scalar(select(func.count(Project.id))) == 0, (
        "nothing counts before it is approved"
    )

    history.submit(line.ctx(MANAGER), batch)
    line.approve(batch)
    projects = list(session.scalars(select(Project)))
    assert (len(projects), sum(p.amount for p in projects)) == (80, AMOUNT)
    assert sum(p.balance for p in projects) == BALANCE
    assert {p.state for p in projects} == {ProjectState.IN_FORCE}
    assert exposure.portfolio(session, line.today).in_force.total - before == BALANCE
    assert session.scalar(select(func.count(BusinessEvent.id))) == 0
    assert session.scalar(select(func.count(Voucher.id))) == vouchers
    loans = list(session.scalars(select(Drawdown)))
    assert {loan.state for loan in loans} == {DrawdownState.ACTIVE}, "the import marks nothing"
    assert verify.verify_exposures(session) == []
    assert verify.verify_plans(session) == []
    assert verify.verify_repayments(session) == []

    repayment.mark_overdue(line.ctx())
    late = [
        loan for loan in session.scalars(select(Drawdown)) if loan.state is DrawdownState.OVERDUE
    ]
    assert len(late) == PAST
    assert all(loan.due_on < TODAY for loan in late)
    snapshot.take(line.ctx())
    day = session.scalars(select(CompanySnapshot)).one()
    assert (day.in_force_count, day.in_force_balance, day.repaid_principal) == (80, BALANCE, 0)

    _, again = looked(line, changed((2, 6, 1)))
    assert (again.counts["SAME"], again.counts["WRONG"]) == (79, 1), (
        "nor does another file change it"
    )


def test_three_bad_rows_are_told_at_their_cells_and_none_comes_in(office):
    line, session = office, office.session
    bad = changed((3, 2, "913301063M16AREQX8"), (5, 6, 99_000_000), (9, 9, "去年"))
    ctx, task = looked(line, bad)
    assert (task.counts["WRONG"], task.counts["NEW"]) == (3, 77)
    wrong = session.scalars(
        select(ImportRow).where(ImportRow.verdict == Verdict.WRONG).order_by(ImportRow.row_no)
    ).all()
    told = [(one.row_no, *one.errors) for one in wrong]
    assert told == [(3, "uscc"), (5, "balance"), (9, "end_on")]
    with pytest.raises(Conflict, match="有 3 行有误"):
        import_load.load(ctx, task, door(ctx))
    assert session.scalar(select(func.count(HistoryGuarantee.id))) == 0
    assert session.scalar(select(func.count(HistoryBatch.id))) == 0


def test_names_that_nobody_knows_are_asked_once_and_only_for_settings(office):
    line = office
    ctx = line.ctx(MANAGER)
    ctx.session.info["data_dir"] = str(line.room)
    task = imports.ask(ctx, door(ctx), ("历史在保.xlsx", FILE.read_bytes()), ImportMode.UPDATE)
    look(ctx, task)
    assert set(task.words) == {"@partner_bank", "@employee", "@product"}
    assert sum(task.words["@employee"].values()) == 80
    for said in ("99999", "x", ""):
        with pytest.raises(BusinessError):
            imports.say_words(ctx, task, [("@employee", "李经理", said)])
    with pytest.raises(BusinessError, match="没有这个选项"):
        imports.say_words(ctx, task, [("@employee", "没有的人", str(line.id(MANAGER)))])


def test_a_row_becomes_a_project_with_its_old_number_and_lives_on(office):
    """Repaid before, half of it; then the customer repays the rest, and the guarantee is released as any other."""
    line, session = office, office.session
    customers = session.scalar(select(func.count(CorporateCustomer.id)))
    one = row(line, old_number="JZ-17", bank_note_no="借2026017")
    project = taken(line, one)
    assert (project.old_number, project.manager_id) == ("JZ-17", line.id(MANAGER))
    assert project.number != "JZ-17"
    assert session.scalar(select(func.count(CorporateCustomer.id))) == customers + 1
    assert (project.customer.name, project.stage) == ("江州明信印刷有限公司", Stage.IN_FORCE)
    loan = session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    (only,) = repayment.plan_rows(session, loan)
    assert (only.due_on, only.principal, only.principal_paid) == (loan.due_on, 2000000, 800000)
    before = session.scalars(select(Repayment)).one()
    assert (before.source, before.paid_on) == (RepaymentSource.HISTORY, one.batch.as_of)
    with pytest.raises(Conflict, match="不能冲正"):
        repayment.reverse(line.ctx(MANAGER), before, "登记有误")
    paid = repayment.Paid(line.today, Decimal(1200000), Decimal(0), is_final=True)
    repayment.register(line.ctx(MANAGER), loan, paid)
    assert (project.balance, loan.state) == (0, DrawdownState.SETTLED)
    paper = records.create(line.ctx(MANAGER), Release, {"project_id": project.id})
    release.submit(line.ctx(MANAGER), paper)
    line.approve(paper)
    assert project.state is ProjectState.RELEASED
    assert verify.verify_plans(session) == verify.verify_exposures(session) == []


def test_the_banks_plan_may_take_the_place_of_the_one_instalment(office):
    line, session = office, office.session
    project = taken(line, row(line, start_on="2026-01-10", end_on="2027-01-10"))
    loan = session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    assert disbursement.may_replan(line.ctx(MANAGER), loan)
    book = openpyxl.Workbook()
    book.active.append(["期次", "还款日期", "本金", "利息"])
    for seq, on, amount in ((1, "2026-06-10", 1000000), (2, "2027-01-10", 1000000)):
        book.active.append([seq, on, amount, 0])
    made = io.BytesIO()
    book.save(made)
    disbursement.replan(line.ctx(MANAGER), loan, made.getvalue(), "计划.xlsx", "补录银行计划")
    paid = [one.principal_paid for one in repayment.plan_rows(session, loan)]
    assert paid == [800000, 0]
    assert verify.verify_plans(session) == verify.verify_repayments(session) == []
    plans = session.scalars(select(RepaymentPlan).order_by(RepaymentPlan.plan_no))
    assert [plan.source for plan in plans] == [PlanSource.HISTORY, PlanSource.IMPORTED]


def test_a_loan_from_before_was_not_drawn_here_and_is_not_taken_back(office):
    line = office
    project = taken(line, row(line, balance="2000000"))
    loan = line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    with pytest.raises(Conflict, match=f"借据 {loan.number} 由历史补录登记，不能撤销放款"):
        correction.revoke(line.ctx(MANAGER), loan, "补录有误")


def test_what_was_released_before_takes_no_limits(office):
    line, session = office, office.session
    before = exposure.portfolio(session, line.today).in_force.total
    one = row(line, balance="0", start_on="2024-01-10", end_on="2025-01-10")
    assert (one.standing, one.released_on) == (HistoryStanding.RELEASED, date(2025, 1, 10))
    project = taken(line, one)
    assert (project.state, project.stage) == (ProjectState.RELEASED, Stage.RELEASE)
    loan = session.scalars(select(Drawdown)).one()
    assert (loan.state, loan.closed_on) == (DrawdownState.SETTLED, date(2025, 1, 10))
    assert exposure.portfolio(session, line.today).in_force.total == before
    passes = session.scalars(select(ProjectStage).order_by(ProjectStage.id))
    assert [p.stage for p in passes] == [Stage.IN_FORCE, Stage.RELEASE]
    assert verify.verify_plans(session) == verify.verify_exposures(session) == []


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"balance": "3000000"}, "balance"),
        ({"end_on": "2025-01-10"}, "end_on"),
        ({"start_on": "2026-11-23"}, "start_on"),
        ({"standing": "RELEASED"}, "balance"),
        ({"standing": "IN_FORCE", "balance": "0"}, "balance"),
        ({"released_on": "2026-05-01"}, "released_on"),
        ({"balance": "0", "released_on": "2026-11-23"}, "released_on"),
        ({"uscc": "91320105MA1MCT7E4X"}, "uscc"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused_at_its_field(office, more, field):
    with pytest.raises(FieldErrors) as error:
        row(office, **more)
    assert field in error.value.field_errors


def test_a_row_that_contradicts_what_is_known_is_refused(office):
    line = office
    first = row(line, bank_note_no="借1")
    for more, field in (
        ({}, "uscc"),
        ({"old_number": "2", "bank_note_no": "借1"}, "bank_note_no"),
        ({"old_number": "2", "customer_name": "别的名字"}, "customer_name"),
    ):
        with pytest.raises(FieldErrors) as error:
            row(line, **more)
        assert field in error.value.field_errors
    known = line.customer("江州已登记有限公司", uscc="913301063M16AREQX7")
    with pytest.raises(FieldErrors, match=f"已登记为“{known.name}”"):
        row(line, uscc=known.uscc)
    other = line.people[OUTSIDER]
    mine = known.manager_id, known.department_id
    known.manager_id, known.department_id = other.id, other.department_id
    with pytest.raises(
        FieldErrors, match="已登记为其他名称"
    ):  # another department's: theirs to tell
        row(line, uscc=known.uscc)
    known.manager_id, known.department_id = mine
    line.people[MANAGER].is_active = False
    with pytest.raises(FieldErrors, match="已停用"):
        row(line, old_number="3")
    line.people[MANAGER].is_active = True
    second = row(line, uscc=known.uscc, customer_name=known.name)
    assert second.batch is first.batch
    assert taken(line, second).customer is known, "who is registered is not registered twice"


def test_a_batch_is_put_up_refused_taken_up_again_and_then_stands(office):
    line, session = office, office.session
    empty = records.create(line.ctx(MANAGER), HistoryBatch, {"as_of": "2026-11-22"})
    with pytest.raises(BusinessError, match="还没有补录明细"):
        history.submit(line.ctx(MANAGER), empty)
    with pytest.raises(FieldErrors, match="不能晚于营业日期"):
        records.create(line.ctx(MANAGER), HistoryBatch, {"as_of": "2026-11-24"})
    one = row(line)
    assert one.batch is empty
    with pytest.raises(FieldErrors, match="起始日期晚于"):
        records.update(line.ctx(MANAGER), empty, {"as_of": "2026-01-01"}, empty.version)
    session.refresh(empty)
    with pytest.raises(NotAllowed):
        history.submit(line.ctx(RISK_HEAD), empty)
    history.submit(line.ctx(MANAGER), empty)
    line.reject(empty, "余额与银行对账单不符")
    assert (empty.state, session.scalar(select(func.count(Project.id)))) == (PaperState.REJECTED, 0)
    with pytest.raises(Conflict, match="明细不能修改"):
        records.update(line.ctx(MANAGER), one, {"balance": "1000000"}, one.version)
    history.redraft(line.ctx(MANAGER), empty)
    records.update(line.ctx(MANAGER), one, {"balance": "1000000"}, one.version)
    assert empty.balance == 1000000
    extra = row(line, old_number="2")
    assert empty.row_count == 2
    records.delete(line.ctx(MANAGER), extra, extra.version)
    assert (empty.row_count, empty.balance) == (1, 1000000)
    history.submit(line.ctx(MANAGER), empty)
    line.give_back(empty)
    history.submit(line.ctx(MANAGER), empty)
    line.approve(empty)
    assert (empty.state, empty.approved_on) == (PaperState.APPROVED, TODAY)
    for act in (
        lambda: records.delete(line.ctx(MANAGER), empty, empty.version),
        lambda: records.delete(line.ctx(MANAGER), one, one.version),
        lambda: history.submit(line.ctx(MANAGER), empty),
    ):
        with pytest.raises(BusinessError):
            act()


def test_a_row_leaves_no_batch_that_was_put_up(office):
    """Else what is approved once could be put up and made a project again."""
    line = office
    one, first = row(line), records.create(line.ctx(MANAGER), HistoryBatch, {"as_of": "2026-11-22"})
    other = one.batch
    records.update(line.ctx(MANAGER), one, {"batch_id": first.id}, one.version)
    assert (first.row_count, other.row_count, other.balance) == (1, 0, 0)
    taken(line, one)
    line.session.refresh(one)
    with pytest.raises(Conflict, match="明细不能修改"):
        records.update(line.ctx(MANAGER), one, {"batch_id": other.id}, one.version)


def test_a_loan_from_before_is_extended_by_what_is_left_of_it(office):
    """Its plan knows no interest and most of it is repaid: interest runs on the balance, from the change on."""
    line, session = office, office.session
    project = taken(line, row(line, loan_rate_pct="4.8"))
    loan = session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    known = {"project_id": project.id, "drawdown_id": loan.id, "effective_on": line.today}
    terms = {"kind": ChangeKind.EXTENSION, "new_due_on": date(2027, 4, 10), "reason": "银行已同意"}
    change = records.create(line.ctx(MANAGER), LoanChange, known | terms)
    loan_change.PAPER.submit(line.ctx(MANAGER), change)
    line.approve(change)
    before, left = repayment.plan_rows(session, loan)
    assert (before.principal, before.interest, before.is_open) == (800000, 0, False)
    assert (left.due_on, left.principal) == (date(2027, 4, 10), 1200000)
    assert left.interest == Decimal("21920.00"), "137 days of 30/360 at 4.8 %"
    assert verify.verify_plans(session) == verify.verify_repayments(session) == []


def test_a_draft_goes_with_its_rows(office):
    line = office
    batch = row(line).batch
    records.delete(line.ctx(MANAGER), batch, batch.version)
    assert line.session.scalar(select(func.count(HistoryGuarantee.id))) == 0


def test_rows_that_came_after_the_day_of_the_balances_are_named(office):
    line = office
    one = row(line, balance="0", start_on="2024-01-10", end_on="2026-11-20")
    other = row(line, old_number="2", start_on="2026-11-20")
    batch = one.batch
    batch.as_of = date(2026, 11, 19)
    with pytest.raises(BusinessError, match=r"起始日期晚于余额截止日；.*解保日期晚于"):
        history.submit(line.ctx(MANAGER), batch)
    assert other.batch is batch


def test_another_department_sees_nothing_of_a_batch(office):
    batch = row(office).batch
    with pytest.raises(BusinessError):
        history.submit(office.ctx(OUTSIDER), batch)


def test_totals_go_on_from_what_was_entered_at_the_start(office):
    """The monthly form's 累计 is the opening and what came since; what was backfilled counts where it began since."""
    line, session = office, office.session
    opening = {
        "item": "GUARANTEED",
        "as_of": "2026-11-22",
        "amount": "900",
        "financing_amount": "800",
    }
    records.create(line.ctx(), FoundingTotal, opening)
    records.create(line.ctx(), FoundingTotal, {**opening, "item": "RELEASED"})
    taken(line, row(line))
    drawn = line.project_at(Stage.IN_FORCE)
    found = totals(session, line.today)
    assert found[FoundingItem.GUARANTEED].whole == 900 + drawn.amount
    assert found[FoundingItem.GUARANTEED].financing == 800 + drawn.amount
    assert found[FoundingItem.RELEASED].whole == 900, "what was repaid before is not repaid again"
    loan = session.scalars(select(Drawdown).where(Drawdown.project_id == drawn.id)).one()
    line.later(days=1)
    paid = repayment.Paid(line.today, Decimal(1000), Decimal(0), note="提前")
    repayment.register(line.ctx(MANAGER), loan, paid)
    assert totals(session, line.today)[FoundingItem.RELEASED].moved == 1000
    assert totals(session, line.today - timedelta(days=1))[FoundingItem.RELEASED].moved == 0
    assert totals(session, line.today)[FoundingItem.LOST].whole == 0
    for known in session.scalars(select(FoundingTotal)):
        known.as_of = date(
            2026, 1, 9
        )  # the backfilled loan began the day after, and 800,000 of it is repaid
    since = totals(session, line.today)
    assert since[FoundingItem.GUARANTEED].moved == drawn.amount + 2000000
    assert since[FoundingItem.RELEASED].moved == 1000 + 800000
    balance = sum(session.scalars(select(Project.balance)))
    assert since[FoundingItem.GUARANTEED].moved - since[FoundingItem.RELEASED].moved == balance


def test_a_private_customer_comes_in_by_the_identity_card(office):
    """A person's guarantee stands on the person, new or registered, under a product that is for persons."""
    line, session = office, office.session
    person = {"uscc": None, "id_number": "32010619880512003x", "customer_name": "何秋生"}
    own = {**person, "product_id": line.product("GRJY").id, "small_kind": "OWNER"}
    for wrong, field in (
        ({**person}, "product_id"),
        ({**own, "uscc": USCC}, "id_number"),
        ({**own, "id_number": None}, "uscc"),
        ({**own, "id_number": "320106198805120039"}, "id_number"),
    ):
        with pytest.raises(FieldErrors) as error:
            row(line, **wrong)
        assert field in error.value.field_errors
    first = row(line, **own)
    with pytest.raises(FieldErrors, match="已补录"):
        row(line, **own)
    with pytest.raises(FieldErrors, match="该身份证号码的另一笔写作“何秋生”"):
        row(line, **own | {"old_number": "2", "customer_name": "何秋"})
    other = row(line, **own | {"old_number": "2"})
    company = row(line)
    project = taken(line, first)
    assert isinstance(project.customer, PersonalCustomer)
    assert (project.customer.name, project.customer.id_number) == ("何秋生", "32010619880512003X")
    assert project.customer.born_on == date(1988, 5, 12)
    assert (other.project.customer, project.is_farmer) == (project.customer, False)
    assert company.project.customer.uscc == USCC
    again = row(line, **own | {"old_number": "3"})
    assert again.batch is not first.batch
    assert taken(line, again).customer is project.customer
    assert verify.verify_exposures(session) == []


def test_persons_and_companies_come_in_one_file(office):
    """A file whose rows have one number or the other; the same file again changes nothing."""
    line = office
    book = openpyxl.Workbook()
    heads = (
        "客户名称",
        "统一社会信用代码",
        "身份证号码",
        "合作银行",
        "产品",
        "担保金额",
        "在保余额",
    )
    book.active.append([*heads, "担保费率", "起始日期", "到期日期", "客户经理", "反担保方式"])
    rest = (1.5, "2026-01-10", "2027-01-10", line.people[MANAGER].name, "连带保证")
    bank = line.bank().name
    company = ("江州明信印刷有限公司", USCC, None, bank, "流动资金贷款担保", 2000000, 900000)
    person = ("何秋生", None, "32010619880512003X", bank, "个人经营性贷款担保", 300000, 180000)
    for one in (company, person):
        book.active.append([*one, *rest])
    made = io.BytesIO()
    book.save(made)
    ctx = line.ctx(MANAGER)
    ctx.session.info["data_dir"] = str(line.room)
    for expected in ("NEW", "SAME"):
        task = imports.ask(ctx, door(ctx), ("两类.xlsx", made.getvalue()), ImportMode.UPDATE)
        look(ctx, task)
        assert task.counts[expected] == 2, task.counts
        if expected == "NEW":
            assert import_load.load(ctx, task, door(ctx))
    assert {one.kind.name for one in line.session.scalars(select(HistoryGuarantee))} == {
        "CORPORATE",
        "PERSONAL",
    }


@pytest.fixture
def many(office, monkeypatch):
    """A batch of five rows where three are too many for a page to wait for; made two at a time."""
    line, session = office, office.session
    monkeypatch.setattr(history_jobs, "CHUNK", 2)
    most = select(Parameter).where(Parameter.code == "history.direct_rows")
    session.scalars(most).one().value = "3"
    rows = [row(line, old_number=str(number)) for number in range(5)]
    rows[4].bank_note_no = "借1"
    history.submit(line.ctx(MANAGER), rows[0].batch)
    return rows[0].batch


def test_a_note_that_was_registered_meanwhile_keeps_a_batch_from_approval(office, many):
    line, session = office, office.session
    other = line.project_at(Stage.IN_FORCE)
    loan = session.scalars(select(Drawdown).where(Drawdown.project_id == other.id)).one()
    loan.bank_note_no = "借1"
    with pytest.raises(Conflict, match="银行借据号已登记：江州明信印刷有限公司（借1）"):
        line.approve(many)


def test_many_rows_are_made_beside_the_page_part_by_part(office, many, monkeypatch):
    """Who approves does not wait; what is broken off goes on where it stopped, and nothing is made twice."""
    line, session = office, office.session
    line.approve(many)
    count = select(func.count(Project.id))
    assert (many.state, session.scalar(count)) == (PaperState.APPROVED, 0)
    assert history_jobs.left(session, many) == 5
    session.commit()

    def opened():
        return Session(session.get_bind(), join_transaction_mode="create_savepoint")

    edge = jobs.Edge(opened, lambda: line.ctx().now)
    real, broken = history_projects.make, []

    def make(ctx, batch, one):
        if one.old_number == "3" and not broken:
            broken.append(one)
            raise BusinessError("客户资料有误")
        return real(ctx, batch, one)

    monkeypatch.setattr(history_projects, "make", make)
    assert history_jobs.run_waiting(edge) == 0
    session.expire_all()
    run = history_jobs.run_of(session, many)
    assert (run.status, run.message) == (JobStatus.FAILED, "客户资料有误")
    assert (session.scalar(count), history_jobs.left(session, many)) == (2, 3)
    assert history_jobs.run_waiting(edge, most_tries=1) == 0, "it waits for somebody"
    ctx, asked = line.ctx(MANAGER), []
    session.info["start_beside"] = asked.append
    history_jobs.go_on(ctx, many)
    for start in ctx.after_commit:
        start()
    assert asked == [history_jobs.JOB]
    session.commit()
    assert history_jobs.run_waiting(edge) == 1
    session.expire_all()
    assert (session.scalar(count), history_jobs.left(session, many)) == (5, 0)
    assert sum(session.scalars(select(Project.balance))) == 5 * 1200000
    with pytest.raises(Conflict, match="没有待建立的项目"):
        history_jobs.go_on(line.ctx(MANAGER), many)
    assert history_jobs.run_waiting(edge) == 0
