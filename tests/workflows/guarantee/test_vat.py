"""VAT of fees (domain.md 2): exempt by customer, project and date, with its filing; due by instalment or invoice."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from models.base.columns import Money
from models.base.errors import Conflict, FieldErrors, NotAllowed
from models.customer.customer import EnterpriseScale, PersonalCustomer
from models.customer.detail import Shop
from models.guarantee.product import FeeKind, FeePayment, GuaranteeKind, ProductFee
from models.guarantee.project import Project, Stage
from models.guarantee.signing import Fee, FeeState
from models.ledger.account import Account
from models.ledger.voucher import EventState, Voucher, VoucherEntry, VoucherState
from models.system.setup import Parameter
from reports.figures import parameters, vat
from reports.figures.fees import first_dues
from tests.workflows.guarantee.factories import ACCOUNTANT, CASHIER, MANAGER, MILLION
from tests.workflows.guarantee.test_termination import end
from tests.workflows.guarantee.test_waivers import grant
from workflows.base import records
from workflows.guarantee import fees
from workflows.ledger.period import ensure_period
from workflows.ledger.vat import transfer

STAGES = (Stage.FEE_PLAN,)
CHIEF = "陈伟"


@pytest.fixture
def project(line):
    return line.at(Stage.FEE_PLAN)


@pytest.fixture
def law(line):
    """公告2023年第18号 in force, as it is seeded."""
    rows = {
        row.effective_on: row
        for row in line.session.scalars(select(Parameter).where(Parameter.code == vat.EXEMPT))
    }
    assert sorted(rows) == [date(2000, 1, 1), date(2018, 1, 1), date(2028, 1, 1)]
    rows[date(2018, 1, 1)].value = "是"
    line.session.flush()
    parameters.forget(line.session)


@pytest.fixture
def three_years(line):
    """4,000,000 for 36 months at 1.5 %, 按年: 60,000 a year, with 10,188.68 of VAT in all."""
    terms = select(ProductFee).where(
        ProductFee.product_id == line.product().id, ProductFee.kind == FeeKind.GUARANTEE
    )
    line.session.scalars(terms).one().payment = FeePayment.YEARLY
    line.session.flush()
    customer = line.customer("江州三年机械有限公司")
    return line.project_at(
        Stage.FEE_BOOK, customer_id=customer.id, amount=4 * MILLION, term_months=36
    )


def stands(line, project, code):
    """Credit of an account that the vouchers of a project make."""
    net = func.sum(VoucherEntry.credit - VoucherEntry.debit, type_=Money())
    query = select(net).join(Voucher, Voucher.id == VoucherEntry.voucher_id).join(Account)
    own = (
        VoucherEntry.project_id == project.id,
        Account.code == code,
        Voucher.state != VoucherState.VOID,
    )
    return line.session.scalar(query.where(*own)) or Decimal(0)


def pending(line, project):
    """What stands in 待转销项税额, by the books and on the fee."""
    fee = line.fee(project)
    assert stands(line, project, "2221.09") == fee.vat_pending_amount
    return str(fee.vat_pending_amount)


def month_end(line, year, month):
    line.today = max(line.today, date(year, month, 28) + timedelta(days=4))
    ctx = line.ctx(CHIEF)
    return f"{transfer(ctx, ensure_period(ctx, date(year, month, 1))):.2f}"


def registered(line, project, **facts):
    given = {
        "project_id": project.id,
        "kind": "GUARANTEE",
        "rate_pct": "1.5",
        "is_rate_annual": True,
    }
    return records.create(line.ctx(MANAGER), Fee, {**given, "vat_rate_pct": "6", **facts})


# ------------------------------------------------------------------------------------------------------- by due date
def test_a_fee_of_three_years_by_the_year_owes_the_vat_of_its_first_year(line, three_years):
    fee = line.fee(three_years)
    (event,) = (e for e in line.events(three_years) if e.record_id == fee.id)
    assert event.amounts == {
        "gross": "180000.00",
        "deferred": "169811.32",
        "tax": "3396.23",
        "tax_pending": "6792.45",
    }
    assert fee.vat_amount == Decimal("10188.68")
    assert pending(line, three_years) == "0.00", "nothing is booked yet"
    line.book(three_years)
    others = stands(line, three_years, "2221.01.02") - Decimal("3396.23")
    assert others == line.fee(three_years, "SERVICE").vat_amount
    assert pending(line, three_years) == "6792.45"
    line.unbook(event)
    assert pending(line, three_years) == "0.00"


def test_a_month_end_moves_the_vat_of_what_fell_due(line, three_years):
    line.book(three_years)
    first, second, third = line.dues(line.fee(three_years))
    assert [due.due_on for due in (first, second, third)] == [
        date(2026, 3, 2),
        date(2027, 3, 2),
        date(2028, 3, 2),
    ]
    assert [month_end(line, 2026, 3), month_end(line, 2027, 2)] == ["0.00", "0.00"]
    before = stands(line, three_years, "2221.01.02")
    assert month_end(line, 2027, 3) == "3396.22"
    assert month_end(line, 2027, 3) == "0.00", "once"
    assert stands(line, three_years, "2221.01.02") - before == Decimal("3396.22")
    assert pending(line, three_years) == "3396.23"
    assert month_end(line, 2028, 3) == "3396.23"
    assert pending(line, three_years) == "0.00"


def test_an_invoice_makes_the_vat_due_before_the_money_is(line, three_years):
    line.book(three_years)
    second = line.dues(line.fee(three_years))[1]
    with pytest.raises(NotAllowed):
        fees.invoice(line.ctx(MANAGER), second, line.today, "24442000000012345678")
    with pytest.raises(FieldErrors) as wrong:
        fees.invoice(line.ctx(ACCOUNTANT), second, date(2026, 4, 1), " ")
    assert set(wrong.value.field_errors) == {"invoiced_on", "invoice_number"}
    line.later(days=40)
    fees.invoice(line.ctx(ACCOUNTANT), second, date(2026, 4, 10), "24442000000012345678")
    assert (second.invoiced_on, second.invoice_number) == (
        date(2026, 4, 10),
        "24442000000012345678",
    )
    with pytest.raises(Conflict, match="已于 2026-04-10 开票"):
        fees.invoice(line.ctx(CASHIER), second, line.today, "2")
    assert [month_end(line, 2026, 3), month_end(line, 2026, 4)] == ["0.00", "3396.22"]
    assert pending(line, three_years) == "3396.23"


def test_a_waiver_gives_up_first_what_is_due_first(line, three_years):
    line.book(three_years)
    while three_years.stage is not Stage.FEE_COLLECT:
        line.step(three_years)
    for due in first_dues(line.session, three_years.id):
        line.collect(due.fee, due.amount)
    line.book(three_years)
    # the first is collected: the second year's
    waiver = grant(line, line.fee(three_years), "60000")
    (event,) = (e for e in line.events(three_years, code="fee.waived") if e.record_id == waiver.id)
    assert (event.amounts["tax"], event.amounts["tax_pending"]) == ("0.00", "3396.23")
    line.book(three_years)
    assert pending(line, three_years) == "3396.22"
    line.unbook(event)
    assert pending(line, three_years) == "6792.45"
    line.book(three_years)
    assert month_end(line, 2028, 3) == "3396.22"


def test_what_is_collected_early_is_due(line, three_years):
    line.book(three_years)
    while three_years.stage is not Stage.FEE_COLLECT:
        line.step(three_years)
    line.collect(line.fee(three_years))
    assert month_end(line, 2026, 4) == "0.00", "not in the books yet"
    line.book(three_years)
    assert month_end(line, 2026, 4) == "6792.45"
    assert pending(line, three_years) == "0.00"


def test_a_termination_leaves_no_vat_behind(line, three_years):
    line.book(three_years)
    end(line, three_years)
    (event,) = (e for e in line.events(three_years, code="fee.reversed") if e.total == 180_000)
    assert (event.amounts["tax"], event.amounts["tax_pending"]) == ("3396.23", "6792.45")
    line.book(three_years)
    assert pending(line, three_years) == "0.00"
    assert stands(line, three_years, "2221.01.02") == 0


# --------------------------------------------------------------------------------------------------------- exemption
def test_a_small_company_pays_no_vat_and_the_fee_says_why(line, project, law):
    fee = registered(line, project, vat_filing="  免备 2026-018 ")
    assert (fee.vat_rate_pct, fee.vat_amount, fee.amount) == (0, 0, 75000)
    assert fee.vat_exemption == "小型企业借款担保，免征增值税（财政部 税务总局公告2023年第18号）"
    assert fee.vat_filing == "免备 2026-018"
    service = registered(line, project, kind="SERVICE", rate_pct="0.2", is_rate_annual=False)
    assert (service.vat_exemption, service.vat_amount) == (None, Decimal("566.04")), "担保费 alone"
    fees.submit_fees(line.ctx(MANAGER), project)
    events = {event.record_id: event.amounts for event in line.events(project, EventState.PENDING)}
    assert events[fee.id] == {"gross": "75000.00", "deferred": "75000.00", "tax": "0.00"}
    line.book(project)
    assert stands(line, project, "2203") == 75000


def test_an_exempt_fee_without_its_filing_is_refused_at_the_field(line, project, law):
    with pytest.raises(FieldErrors) as wrong:
        registered(line, project, vat_filing=" ")
    said = "：请填写免税备案号或留存备查资料的编号，未登记的不能免税"
    assert wrong.value.field_errors == {
        "vat_filing": [f"小型企业借款担保，免征增值税（{vat.LAW}）{said}"]
    }
    assert line.session.scalars(select(Fee).where(Fee.project_id == project.id)).all() == []
    fee = next(
        f for f in fees.propose_fees(line.ctx(MANAGER), project) if f.kind is FeeKind.GUARANTEE
    )
    assert (fee.vat_rate_pct, fee.vat_filing) == (0, None)
    with pytest.raises(Conflict, match="请先填写该费用的“免税备案或资料编号”"):
        fees.submit_fees(line.ctx(MANAGER), project)
    assert (fee.state, project.stage) == (FeeState.DRAFT, Stage.FEE_PLAN)
    with pytest.raises(FieldErrors):
        records.update(line.ctx(MANAGER), fee, {"note": "再填"}, fee.version)
    line.session.expire_all()
    records.update(line.ctx(MANAGER), fee, {"vat_filing": "免备 2026-018"}, fee.version)
    fees.submit_fees(line.ctx(MANAGER), project)
    assert project.stage is Stage.FEE_BOOK


def test_who_is_not_named_by_the_law_pays(line, project, law):
    project.customer.scale = EnterpriseScale.MEDIUM
    line.session.flush()
    with pytest.raises(FieldErrors) as wrong:
        registered(line, project, vat_rate_pct="0", vat_filing="免备 2026-018")
    assert set(wrong.value.field_errors) == {"vat_rate_pct"}
    fee = registered(line, project)
    assert (fee.vat_exemption, fee.vat_amount) == (None, Decimal("4245.28"))


def test_a_rate_of_nothing_needs_its_filing_also_where_the_law_is_not_looked_at(line, project):
    with pytest.raises(FieldErrors) as wrong:
        registered(line, project, vat_rate_pct="0")
    assert set(wrong.value.field_errors) == {"vat_filing"}
    fee = registered(line, project, vat_rate_pct="0", vat_filing="免备 1")
    assert fee.vat_exemption == "按登记的免税资料免征增值税"


def test_what_the_books_hold_keeps_its_rate(line, project):
    fees.propose_fees(line.ctx(MANAGER), project)
    fees.submit_fees(line.ctx(MANAGER), project)
    line.book(project)
    fee = line.fee(project)
    fee.state = FeeState.DRAFT  # as a new resolution makes it
    line.session.flush()
    project.stage = Stage.FEE_PLAN
    with pytest.raises(FieldErrors) as wrong:
        records.update(line.ctx(MANAGER), fee, {"vat_rate_pct": "3"}, fee.version)
    assert wrong.value.field_errors == {"vat_rate_pct": ["已记账的费用不能改增值税率"]}


@pytest.mark.parametrize(
    ("who", "facts", "on", "wanted"),
    [
        ({"scale": EnterpriseScale.MICRO}, {}, date(2026, 3, 2), "微型企业借款担保"),
        (
            {"scale": EnterpriseScale.SMALL},
            {"guarantee_kind": GuaranteeKind.BOND},
            date(2027, 12, 31),
            "小型企业发行债券担保",
        ),
        ({"scale": EnterpriseScale.SMALL}, {}, date(2028, 1, 1), None),
        ({"scale": EnterpriseScale.SMALL}, {}, date(2017, 12, 31), None),
        ({"scale": EnterpriseScale.LARGE}, {}, date(2026, 3, 2), None),
        ({"scale": None}, {}, date(2026, 3, 2), None),
        ({"scale": None, "enterprise_nature": "410"}, {}, date(2026, 3, 2), "个体工商户借款担保"),
        (
            {"scale": EnterpriseScale.SMALL},
            {"guarantee_kind": GuaranteeKind.PERFORMANCE},
            date(2026, 3, 2),
            None,
        ),
        (None, {"is_farmer": True}, date(2026, 3, 2), "农户借款担保"),
        (None, {}, date(2026, 3, 2), None),
        ("shop", {}, date(2026, 3, 2), "个体工商户借款担保"),
    ],
)
def test_exemption_comes_from_customer_project_and_date(line, project, law, who, facts, on, wanted):
    if isinstance(who, dict):
        for name, value in who.items():
            setattr(project.customer, name, value)
    else:
        person = PersonalCustomer(number="KH-P1", name="陈大山", id_number="330106198001010017")
        line.session.add(person)
        line.session.flush()
        project.customer = person
        if who == "shop":
            line.session.add(Shop(personal_customer_id=person.id, name="大山五金店"))
    for name, value in facts.items():
        setattr(project, name, value)
    line.session.flush()
    found = vat.exemption(line.session, line.session.get_one(Project, project.id), on)
    assert (found and found.split("，")[0]) == wanted


def test_parts_that_fall_due_after_the_law_has_run_out_are_named(line, project, law):
    assert "届时规定" in vat.exemption(line.session, project, date(2026, 3, 2), date(2028, 3, 2))
    assert "届时规定" not in vat.exemption(
        line.session, project, date(2026, 3, 2), date(2027, 3, 2)
    )
