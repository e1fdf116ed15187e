"""4.10 再担保: what qualifies is filed, answered, corrected and filed again; its part of the fee is paid."""

import io
from datetime import timedelta
from decimal import Decimal

import openpyxl
import pytest
from sqlalchemy import select

from models.after.warning import RiskWarning, WarningRule
from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed
from models.base.moments import add_months
from models.base.paper import PaperState
from models.customer.partner import GuaranteeCompany, PartnerRole
from models.guarantee.ceding import CededFee, CessionStatement
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import ProjectState, Stage
from models.guarantee.reguarantee import Filing, FilingReceipt, FilingState, RowState
from models.guarantee.scheme import RuleUse
from models.ledger.voucher import BusinessEvent, EventState
from models.system.imports import ImportMode, Verdict
from reports.figures import reguarantee as figures
from reports.figures.custom_fields import editable_now
from tests.workflows.guarantee.factories import (
    ACCOUNTANT,
    CASHIER,
    DEPARTMENT_HEAD,
    MANAGER,
    RISK,
)
from tests.workflows.guarantee.sharing_world import company, drawn_up, in_use, rule
from tests.workflows.guarantee.test_loan_change import changed
from tests.workflows.guarantee.test_waivers import grant
from views.guarantee.reguaranteeing import sheet
from workflows.after import warning
from workflows.base import records
from workflows.guarantee import ceding, correction, reguarantee
from workflows.guarantee import scheme as schemes
from workflows.ledger import posting
from workflows.system import import_load, imports
from workflows.system.import_rows import Door


@pytest.fixture
def shared(line):
    """Two projects in force under a scheme that files loans of at most a year."""
    made = drawn_up(line)
    rule(line, made, "期限一年以内", "期限 <= 12", RuleUse.FILING)
    schemes.enable(line.ctx(), made)
    long = line.project_at(
        Stage.IN_FORCE, scheme_id=made.id, term_months=24, customer_id=line.customer("甲公司").id
    )
    short = line.project_at(
        Stage.IN_FORCE, scheme_id=made.id, customer_id=line.customer("乙公司").id
    )
    return long, short


def filing_of(line, who=RISK):
    return records.create(line.ctx(who), Filing, {"company_id": company(line).id})


def receipt(line, project, **facts):
    values = {"project_id": project.id, "answered_on": line.today, **facts}
    return records.create(line.ctx(RISK), FilingReceipt, values)


def test_what_qualifies_is_filed_answered_corrected_and_its_fee_is_ceded_and_paid(line, shared):
    long, short = shared
    why = figures.why_not(figures.reasons(line.session, long, company(line), line.today))
    assert why == "期限一年以内：期限 24 ≤ 12：否"
    filing = filing_of(line)
    with pytest.raises(BusinessError, match="还没有项目"):
        reguarantee.send(line.ctx(RISK), filing)
    assert reguarantee.collect(line.ctx(RISK), filing) == 1
    (row,) = reguarantee.rows_of(line.ctx(), filing)
    assert (row.project, row.share_pct, row.share_amount) == (short, 40, Decimal("2000000.00"))
    with pytest.raises(BusinessError, match=r"没有符合条件的项目，如 .* 期限一年以内"):
        reguarantee.collect(line.ctx(RISK), filing_of(line))
    book = openpyxl.load_workbook(io.BytesIO(sheet(line.ctx(RISK), filing)))
    assert [cell.value for cell in book.active[2]][1:3] == [short.number, "乙公司"]
    with pytest.raises(FieldErrors, match="没有报送"):
        receipt(line, short, outcome="ACCEPTED", receipt_no="JS1")
    reguarantee.send(line.ctx(RISK), filing)
    with pytest.raises(FieldErrors) as caught:
        receipt(line, short, outcome="REFUSED", answered_on=line.today - timedelta(days=1))
    assert set(caught.value.field_errors) == {"reason", "answered_on"}
    receipt(line, short, outcome="REFUSED", reason="借据号有误")
    assert (row.state, filing.state) == (RowState.REFUSED, FilingState.RETURNED)
    with pytest.raises(BusinessError, match="退回的请先更正"):
        reguarantee.send(line.ctx(RISK), filing)
    reguarantee.correct(line.ctx(RISK), row, "银行已改借据号")
    reguarantee.send(line.ctx(RISK), filing)
    receipt(line, short, outcome="ACCEPTED", receipt_no="JS-0001")
    assert (row.state, filing.state, filing.sending_no) == (RowState.DONE, FilingState.DONE, 2)
    (ceded,) = line.session.scalars(select(CededFee))
    assert (ceded.base_amount, ceded.amount) == (Decimal("75000.00"), Decimal("30000.00"))
    _pays(line, ceded)


def _pays(line, ceded):
    with pytest.raises(NotAllowed):
        records.create(line.ctx(CASHIER), CessionStatement, {})
    values = {"company_id": company(line).id, "until_on": line.today}
    statement = records.create(line.ctx(RISK), CessionStatement, values)
    assert (statement.row_count, statement.amount) == (1, ceded.amount)
    other = records.create(line.ctx(RISK), CessionStatement, values)
    with pytest.raises(BusinessError, match="没有应分出的担保费"):
        ceding.submit(line.ctx(RISK), other)
    ceding.submit(line.ctx(RISK), statement)
    line.give_back(statement)
    ceding.submit(line.ctx(RISK), statement)
    line.approve(statement)
    event = _event(line, statement, "cession.settled")
    line.refuse(event, "金额待核")
    assert statement.returned_reason == "金额待核"
    with pytest.raises(Conflict, match="应付还没有记账"):
        ceding.pay(line.ctx(CASHIER), statement, line.today, "HD1")
    ceding.settle(line.ctx(RISK), statement)
    voucher = posting.book(line.ctx(ACCOUNTANT), event)
    assert [(entry.account.code, entry.debit, entry.credit) for entry in voucher.entries] == [
        ("6541", Decimal("30000.00"), 0),
        ("2261", 0, Decimal("30000.00")),
    ]
    with pytest.raises(FieldErrors, match="付款日期应在"):
        ceding.pay(line.ctx(CASHIER), statement, line.today + timedelta(days=1), "HD1")
    ceding.pay(line.ctx(CASHIER), statement, line.today, "HD1")
    paid = _event(line, statement, "cession.paid")
    line.refuse(paid, "回单不清")
    assert statement.paid_on is None
    ceding.pay(line.ctx(CASHIER), statement, line.today, "HD2")
    with pytest.raises(Conflict, match="付款已登记"):
        ceding.pay(line.ctx(CASHIER), statement, line.today, "HD2")
    line.session.refresh(paid)
    posting.book(line.ctx(ACCOUNTANT), paid)
    assert (statement.is_paid, statement.state) == (True, PaperState.APPROVED)
    with pytest.raises(Conflict, match="付款已登记"):
        line.unbook(event)


def _event(line, statement, code):
    query = select(BusinessEvent).where(
        BusinessEvent.event_code == code, BusinessEvent.record_id == statement.id
    )
    found = line.session.scalars(query).one()
    assert found.state is EventState.PENDING
    return found


def filed(line):
    """A project in force that the re-guarantor has accepted, its fee in the books."""
    project = line.project_at(Stage.IN_FORCE, scheme_id=in_use(line).id)
    filing = filing_of(line)
    reguarantee.collect(line.ctx(RISK), filing)
    reguarantee.send(line.ctx(RISK), filing)
    receipt(line, project, outcome="ACCEPTED", receipt_no="JS-0001")
    line.book(project)
    return project


def stated(line):
    values = {"company_id": company(line).id, "until_on": line.today}
    return records.create(line.ctx(RISK), CessionStatement, values)


def test_what_an_extension_costs_is_ceded_too_less_what_is_let_off(line):
    project = filed(line)
    first = stated(line)
    ceding.submit(line.ctx(RISK), first)
    line.approve(first)
    fee, loan = line.fee(project), line.session.scalars(select(Drawdown)).one()
    before = fee.amount
    line.later(days=5)
    changed(line, loan, "EXTENSION", new_due_on=add_months(loan.due_on, 3))
    line.book(project)
    grown = fee.amount - before
    assert grown > 0
    second = stated(line)
    assert (second.row_count, second.amount) == (1, round(grown * 4 / 10, 2))
    grant(line, fee, grown / 2)  # let off while the statement was a draft
    line.book(project)
    ceding.submit(line.ctx(RISK), second)
    assert second.amount == round(grown * 2 / 10, 2)
    line.approve(second)
    planned = figures.ceding(line.session, project, company(line).id)
    assert first.amount + second.amount == sum(one.amount for one in planned)


def test_a_statement_is_with_a_re_guarantor_up_to_a_day_that_has_come(line):
    filed(line)
    other = GuaranteeCompany(
        name="江州科技担保有限公司",
        uscc="91320100MA1P0CQT2R",
        role=PartnerRole.CO_GUARANTEE,
        share_pct=Decimal(50),
    )
    line.session.add(other)
    line.session.flush()
    values = {"company_id": other.id, "until_on": line.today + timedelta(days=1)}
    with pytest.raises(FieldErrors) as caught:
        records.create(line.ctx(RISK), CessionStatement, values)
    assert caught.value.field_errors == {
        "company_id": ["请选择合作方式是“再担保”的公司"],
        "until_on": ["截至日不能晚于营业日期"],
    }
    statement = stated(line)
    number, amount = statement.number, statement.amount
    for until_on, listed in (
        (line.today - timedelta(days=1), (0, 0)),
        (line.today, (1, amount)),
    ):
        records.update(line.ctx(RISK), statement, {"until_on": until_on}, statement.version)
        assert (statement.row_count, statement.amount) == listed
    assert (statement.number, len(ceding.lines_of(line.ctx(), statement))) == (number, 1)
    with pytest.raises(Conflict, match=f"分保账单 {number} 已编号，不能删除"):
        records.delete(line.ctx(RISK), statement, statement.version)


def test_a_draft_is_listed_anew_and_a_refused_statement_is_taken_up_again(line):
    company(line)
    statement = stated(line)
    assert statement.row_count == 0
    filed(line)
    assert ceding.refresh(line.ctx(RISK), statement).row_count == 1
    ceding.submit(line.ctx(RISK), statement)
    with pytest.raises(Conflict):
        ceding.refresh(line.ctx(RISK), statement)
    line.reject(statement)
    assert statement.state is PaperState.REJECTED
    ceding.redraft(line.ctx(RISK), statement)
    ceding.submit(line.ctx(RISK), statement)
    line.approve(statement)
    assert (statement.state, statement.approved_on) == (PaperState.APPROVED, line.today)


def test_what_is_taken_back_of_a_statement_in_the_books_waits_there_again(line):
    filed(line)
    statement = stated(line)
    ceding.submit(line.ctx(RISK), statement)
    line.approve(statement)
    with pytest.raises(Conflict, match="没有退回待送的应付"):
        ceding.settle(line.ctx(RISK), statement)
    owed = _event(line, statement, "cession.settled")
    posting.book(line.ctx(ACCOUNTANT), owed)
    line.unbook(owed)
    assert not statement.is_booked
    with pytest.raises(Conflict, match="应付还没有记账"):
        ceding.pay(line.ctx(CASHIER), statement, line.today, "HD1")
    posting.book(line.ctx(ACCOUNTANT), owed)
    for number in (" ", "长" * 61):
        with pytest.raises(FieldErrors, match="请填写付款凭据号"):
            ceding.pay(line.ctx(CASHIER), statement, line.today, number)
    paid = ceding.pay(line.ctx(CASHIER), statement, line.today, " HD1 ")
    posting.book(line.ctx(ACCOUNTANT), paid)
    assert (statement.is_paid, statement.payment_no) == (True, "HD1")
    line.unbook(paid)
    assert (statement.is_paid, statement.is_booked) == (False, True)
    posting.book(line.ctx(ACCOUNTANT), paid)
    assert statement.is_paid


def test_receipts_come_from_a_file_once_and_a_late_filing_is_warned_of(line, shared, tmp_path):
    _, short = shared
    for one in line.session.scalars(select(WarningRule)):
        one.is_active = one.code == "filing_overdue"
    line.later(days=31)
    warning.evaluate(line.ctx())
    said = list(line.session.scalars(select(RiskWarning.message)))
    assert len(said) == 2
    assert "报送再担保备案，已逾期 1 天" in said[0]
    ctx = line.ctx(DEPARTMENT_HEAD)
    filing = filing_of(line, DEPARTMENT_HEAD)
    reguarantee.collect(ctx, filing)
    reguarantee.send(ctx, filing)
    warning.evaluate(line.ctx())
    assert [w.state.name for w in line.session.scalars(select(RiskWarning))] == [
        "PENDING",
        "LIFTED",
    ]
    data = _file(
        ("项目编号", "备案日期", "审核结果", "备案号", "原因"),
        (short.number, line.today, "已备案", "JS-0009", None),
        ("无此项目", line.today, "已备案", "JS-0010", None),
    )
    ctx.session.info["data_dir"] = str(tmp_path)
    made = Door(FilingReceipt, editable_now(ctx.session, FilingReceipt, ctx.actor), _save)
    task = imports.ask(ctx, made, ("回执.xlsx", data), ImportMode.UPDATE)
    imports.check(ctx, task, made, imports.opened(ctx, task, made))
    assert imports.number_of(task, Verdict.WRONG) == 1
    good = _file(
        ("项目编号", "备案日期", "审核结果", "备案号", "原因"),
        (short.number, line.today, "已备案", "JS-0009", None),
    )
    task = imports.ask(ctx, made, ("回执.xlsx", good), ImportMode.UPDATE)
    imports.check(ctx, task, made, imports.opened(ctx, task, made))
    import_load.load(ctx, task, made)
    assert filing.state is FilingState.DONE
    again = imports.ask(ctx, made, ("回执.xlsx", good), ImportMode.UPDATE)
    imports.check(ctx, again, made, imports.opened(ctx, again, made))
    assert imports.number_of(again, Verdict.SAME) == 1


def _save(ctx, record, values, version):
    if record is None:
        return records.create(ctx, FilingReceipt, values)
    return records.update(ctx, record, values, version)


def _file(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def test_after_a_claim_the_base_data_stand_still(line, shared):
    _, short = shared
    filing = filing_of(line)
    reguarantee.collect(line.ctx(RISK), filing)
    (row,) = reguarantee.rows_of(line.ctx(), filing)
    reguarantee.send(line.ctx(RISK), filing)
    receipt(line, short, outcome="REFUSED", reason="金额有误")
    paid = {"principal": Decimal(1000), "bank_paid": Decimal(1000)}
    posting.raise_event(line.ctx(), "compensation.paid", record=short, project=short, amounts=paid)
    with pytest.raises(Conflict, match="已代偿，备案的基础数据不能再更正"):
        reguarantee.correct(line.ctx(RISK), row, "更正金额")
    why = figures.why_not(figures.reasons(line.session, short, company(line), line.today))
    assert "没有代偿：已代偿 1,000.00 元" in why
    reguarantee.drop(line.ctx(RISK), row, "代偿后另行申报")
    assert (filing.state, filing.row_count) == (FilingState.DONE, 0)
    with pytest.raises(NotAllowed):
        reguarantee.collect(line.ctx(CASHIER), filing)


def test_a_drawdown_that_a_re_guarantor_was_told_of_is_not_taken_back(line, shared):
    _, short = shared
    loan = line.session.scalars(select(Drawdown).where(Drawdown.project_id == short.id)).one()
    paper = correction.revoke(line.ctx(MANAGER), loan, "银行未实际放款")
    line.give_back(paper)
    filing = filing_of(line)
    reguarantee.collect(line.ctx(RISK), filing)
    (row,) = reguarantee.rows_of(line.ctx(), filing)
    with pytest.raises(Conflict, match=f"{filing.number}（待报送），请先移出批次"):
        correction.ask_again(line.ctx(MANAGER), paper)
    reguarantee.send(line.ctx(RISK), filing)
    receipt(line, short, outcome="REFUSED", reason="借据号有误")
    with pytest.raises(Conflict, match="（退回），请先移出批次"):
        correction.ask_again(line.ctx(MANAGER), paper)
    reguarantee.drop(line.ctx(RISK), row, "未放款")
    correction.ask_again(line.ctx(MANAGER), paper)
    line.approve(paper)
    assert short.state is ProjectState.RUNNING


def test_a_drawdown_that_is_filed_stands_until_the_filing_is_taken_back(line, shared):
    _, short = shared
    filing = filing_of(line)
    reguarantee.collect(line.ctx(RISK), filing)
    reguarantee.send(line.ctx(RISK), filing)
    loan = line.session.scalars(select(Drawdown).where(Drawdown.project_id == short.id)).one()
    with pytest.raises(Conflict, match="（待回执），请待回执登记后办理"):
        correction.revoke(line.ctx(MANAGER), loan, "银行未实际放款")
    receipt(line, short, outcome="ACCEPTED", receipt_no="JS-0001")
    with pytest.raises(Conflict, match="（已备案），请先登记撤销备案的回执"):
        correction.revoke(line.ctx(MANAGER), loan, "银行未实际放款")
    with pytest.raises(FieldErrors, match="请填写原因"):
        receipt(line, short, outcome="REVOKED")
    receipt(line, short, outcome="REVOKED", reason="未放款，双方确认撤销")
    (row,) = reguarantee.rows_of(line.ctx(), filing)
    assert (row.state, row.receipt_no, filing.state) == (
        RowState.REFUSED,
        None,
        FilingState.RETURNED,
    )
    assert line.session.scalars(select(CededFee)).all() == []
    with pytest.raises(FieldErrors, match="没有已备案的记录"):
        receipt(line, short, outcome="REVOKED", reason="再次撤销")
    reguarantee.drop(line.ctx(RISK), row, "未放款")
    paper = correction.revoke(line.ctx(MANAGER), loan, "银行未实际放款")
    line.approve(paper)
    assert short.state is ProjectState.RUNNING


def test_a_filing_whose_fee_was_ceded_or_that_was_claimed_on_is_not_taken_back(line):
    project = filed(line)
    statement = stated(line)
    with pytest.raises(FieldErrors, match=f"已列入分保账单 {statement.number}"):
        receipt(line, project, outcome="REVOKED", reason="双方确认撤销")
    paid = {"principal": Decimal(1000), "bank_paid": Decimal(1000)}
    facts = {"record": project, "project": project, "amounts": paid}
    posting.raise_event(line.ctx(), "compensation.paid", **facts)
    with pytest.raises(FieldErrors, match="已代偿，不能撤销备案"):
        receipt(line, project, outcome="REVOKED", reason="双方确认撤销")


def test_nothing_is_told_of_a_project_that_is_not_in_force_any_more(line, shared):
    _, short = shared
    filing = filing_of(line)
    reguarantee.collect(line.ctx(RISK), filing)
    (row,) = reguarantee.rows_of(line.ctx(), filing)
    short.state = ProjectState.RELEASED
    line.session.flush()
    with pytest.raises(BusinessError, match="已解保，请移出批次"):
        reguarantee.send(line.ctx(RISK), filing)
    short.state = ProjectState.IN_FORCE
    reguarantee.send(line.ctx(RISK), filing)
    receipt(line, short, outcome="REFUSED", reason="借据号有误")
    short.state = ProjectState.RELEASED
    line.session.flush()
    with pytest.raises(Conflict, match="已解保，请移出批次"):
        reguarantee.correct(line.ctx(RISK), row, "改正")
