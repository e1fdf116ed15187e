"""4.9 批量 · 见贷即保: a bank's list from a file, accepted or refused as a whole, stopped by 代偿率, sampled."""

import io
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.money import round_to
from models.customer.customer import CorporateCustomer, Customer, PersonalCustomer
from models.guarantee.bank import BankStatus
from models.guarantee.bank_batch import BankBatch, BatchLoan, CheckState, SampleCheck
from models.guarantee.drawdown import Drawdown
from models.guarantee.product import ProductRepayment, RepaymentMethod
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.release import Release
from models.guarantee.scheme import RuleUse
from models.guarantee.sharing import ProjectShare
from models.guarantee.signing import Fee
from models.ledger.voucher import EventState
from models.system.imports import ImportMode, ImportRow, Verdict
from reports.figures import sharing
from reports.figures.custom_fields import editable_now
from tests.workflows.guarantee.factories import ASSISTANT, DEPARTMENT_HEAD, MANAGER, MILLION, RISK
from tests.workflows.guarantee.sharing_world import drawn_up, rule
from workflows import verify
from workflows.base import records
from workflows.guarantee import bank_batch, correction, release, repayment
from workflows.guarantee import scheme as schemes
from workflows.guarantee.repayment import Paid
from workflows.ledger import posting
from workflows.system import import_load, imports
from workflows.system.import_rows import Door

HEAD = (
    "借款人",
    "社会信用代码",
    "身份证号",
    "借据号",
    "贷款金额",
    "执行利率",
    "放款日",
    "到期日",
    "小微类型",
)
USCC = ("91320105MA1MCT7E48", "91320100MA1MU7RE3X", "91320100MA1P0CQT2R")
PERSON = "32010619880512003X"
GOOD = (
    (
        "江州明信印刷有限公司",
        USCC[0],
        None,
        "GH-001",
        1000000,
        4.2,
        "2026-02-10",
        "2027-02-10",
        "小型企业",
    ),
    (
        "江州和信商贸有限公司",
        USCC[1],
        None,
        "GH-002",
        800000.55,
        4.2,
        "2026-02-11",
        "2027-02-11",
        "微型企业",
    ),
    ("何秋生", None, PERSON, "GH-003", 300000, 4.5, "2026-02-12", "2026-08-12", "非小微"),
)


@pytest.fixture
def scheme(line):
    """A scheme under which small loans come in lists, at most two million for each customer."""
    product = line.product()
    product.is_bulk, product.audience = True, type(product.audience).ANY
    made = drawn_up(line)
    rule(line, made, "利率不超过 5%", "贷款年利率 <= 5", RuleUse.ADMISSION)
    line.session.expire(made)
    records.update(line.ctx(), made.banks[0], {"customer_cap": "2000000"}, made.banks[0].version)
    return schemes.enable(line.ctx(), made)


def batch_of(line, scheme, **facts):
    values = {
        "scheme_id": scheme.id,
        "bank_id": line.bank().id,
        "product_id": line.product().id,
        "assistant_id": line.id(ASSISTANT),
        "fee_rate_pct": "1",
        **facts,
    }
    return records.create(line.ctx(MANAGER), BankBatch, values)


def book(*rows):
    made, file = openpyxl.Workbook(), io.BytesIO()
    for row in (HEAD, *rows):
        made.active.append(row)
    made.save(file)
    return file.getvalue()


def _save(ctx, record, values, version):
    if record is None:
        return records.create(ctx, BatchLoan, values)
    return records.update(ctx, record, values, version)


def looked(line, tmp_path, *rows):
    """A file as it is looked through."""
    ctx = line.ctx(MANAGER)
    ctx.session.info["data_dir"] = str(tmp_path)
    door = Door(BatchLoan, editable_now(ctx.session, BatchLoan, ctx.actor), _save)
    task = imports.ask(ctx, door, ("放款清单.xlsx", book(*rows)), ImportMode.UPDATE)
    imports.check(ctx, task, door, imports.opened(ctx, task, door))
    return ctx, task, door


def loaded(line, tmp_path, *rows):
    ctx, task, door = looked(line, tmp_path, *rows)
    assert imports.number_of(task, Verdict.WRONG) == 0, told(line, task)
    return import_load.load(ctx, task, door)


def told(line, task):
    query = select(ImportRow).where(
        ImportRow.import_task_id == task.id, ImportRow.verdict == Verdict.WRONG
    )
    return {row.row_no: row.errors for row in line.session.scalars(query)}


def test_a_list_becomes_projects_in_force_with_shares_fees_and_samples(line, scheme, tmp_path):
    batch = batch_of(line, scheme)
    loaded(line, tmp_path, *GOOD)
    assert (batch.row_count, batch.amount) == (3, Decimal("2100000.55"))
    before = line.session.scalar(select(func.count(Customer.id)))
    bank_batch.submit(line.ctx(MANAGER), batch)
    assert line.session.scalar(select(func.count(Project.id))) == 0
    line.give_back(batch)
    bank_batch.submit(line.ctx(MANAGER), batch)
    line.approve(batch)
    projects = list(line.session.scalars(select(Project).order_by(Project.id)))
    assert {(one.stage, one.state) for one in projects} == {(Stage.IN_FORCE, ProjectState.IN_FORCE)}
    assert [one.balance for one in projects] == [1000000, Decimal("800000.55"), 300000]
    assert line.session.scalar(select(func.count(Customer.id))) == before + 3
    assert line.session.scalar(select(PersonalCustomer.name)) == "何秋生"
    assert line.session.scalar(select(func.count(ProjectShare.id))) == 12
    fees = list(line.session.scalars(select(Fee).order_by(Fee.id)))
    assert [fee.amount for fee in fees] == [10000, Decimal("8000.01"), 1500]
    registered = line.events(projects[0], EventState.PENDING, code="fee.registered")
    recognised = line.events(projects[0], EventState.PENDING, code="income.recognised")
    assert len(registered) == len(recognised) == 1
    loan = line.session.scalars(select(Drawdown).order_by(Drawdown.id.desc()).limit(1)).one()
    with pytest.raises(Conflict, match="没有据以放款的公司决议（如见贷即保）"):
        correction.revoke(line.ctx(MANAGER), loan, "银行未放款")
    line.book(projects[0])
    (check,) = line.session.scalars(select(SampleCheck))  # a tenth of three, one at least
    with pytest.raises(Conflict, match="不能抽查自己经办的业务"):
        bank_batch.inspect(_as_risk(line, MANAGER), check, CheckState.PASSED, "核对借据")
    bank_batch.inspect(line.ctx(RISK), check, CheckState.FAILED, "借据金额与清单不符")
    next_one = batch_of(line, scheme)
    assert bank_batch.past_checks(line.ctx(), next_one) == "不符合 1 笔"
    _, task, _ = looked(line, tmp_path, *GOOD)  # the same file once more changes nothing
    assert imports.number_of(task, Verdict.SAME) == 3


def test_what_came_in_a_list_is_repaid_and_released_like_any_other(line, scheme, tmp_path):
    batch = batch_of(line, scheme)
    loaded(line, tmp_path, GOOD[0])
    bank_batch.submit(line.ctx(MANAGER), batch)
    line.approve(batch)
    project = line.session.scalars(select(Project)).one()
    loan = line.session.scalars(select(Drawdown)).one()
    line.book(project)
    fee = line.session.scalars(select(Fee)).one()
    line.collect(fee)
    line.book(project)
    line.today = loan.due_on
    repayment.register(
        line.ctx(MANAGER), loan, Paid(line.today, loan.balance, Decimal(42000), is_final=True)
    )
    made = records.create(line.ctx(MANAGER), Release, {"project_id": project.id})
    release.submit(line.ctx(MANAGER), made, made.version)
    line.approve(made)
    assert (project.state, project.balance) == (ProjectState.RELEASED, 0)
    assert verify.verify_exposures(line.session) == verify.verify_plans(line.session) == []
    found = sharing.breaker(line.session, scheme, scheme.banks[0], line.today)
    assert (found.released, found.rate_pct) == (MILLION, 0)


def _as_risk(line, who):
    """Somebody with the right to look at samples who brought the loan in himself."""
    ctx = line.ctx(RISK)
    return replace(ctx, actor=replace(ctx.actor, employee_id=line.id(who)))


def test_each_error_stands_at_its_cell_and_the_good_rows_may_go_in_alone(line, scheme, tmp_path):
    line.customer("江州和信商贸有限公司", uscc=USCC[1], is_blacklisted=True)
    batch = batch_of(line, scheme)
    wrong = (
        (*GOOD[1][:8], "小型企业"),
        ("何秋生", None, "320106198805120031", *GOOD[2][3:]),
        (
            "江州明信印刷有限公司",
            USCC[0],
            None,
            "GH-004",
            1000000.01,
            5.5,
            "2026-02-10",
            "2026-01-10",
            "小型企业",
        ),
        (
            "江州新材有限公司",
            USCC[2],
            None,
            "GH-001",
            500000,
            4.2,
            "2026-02-10",
            "2027-02-10",
            "小型企业",
        ),
    )
    ctx, task, door = looked(line, tmp_path, GOOD[0], *wrong)
    found = told(line, task)
    assert "黑名单" in found[3]["customer_name"][0]
    assert list(found[4]) == ["id_number"]
    assert {*found[5]} == {"amount", "due_on"}
    assert "合计 2,000,000.01 元（已有 1,000,000.00 元），单户上限 2,000,000.00 元" in str(
        found[5]["amount"]
    )
    assert "利率不超过 5%" in str(found[5]["amount"])
    assert found[6] == {"bank_note_no": ["与第 2 行重复"]}
    with pytest.raises(Conflict, match="有 4 行有误"):
        import_load.load(ctx, task, door)
    imports.leave_wrong_out(ctx, task)
    import_load.load(ctx, task, door)
    assert (batch.row_count, batch.amount) == (1, MILLION)


def test_a_scheme_that_breaks_its_circuit_stops_the_next_batch(line, scheme, tmp_path):
    first = batch_of(line, scheme)
    loaded(line, tmp_path, *GOOD)
    bank_batch.submit(line.ctx(MANAGER), first)
    line.approve(first)
    project = line.session.scalars(select(Project)).first()
    second = batch_of(line, scheme)
    loaded(line, tmp_path, (*GOOD[0][:3], "GH-101", *GOOD[0][4:]))
    bank_batch.submit(line.ctx(MANAGER), second)
    paid = {"principal": Decimal(300000), "bank_paid": Decimal(300000)}
    event = posting.raise_event(
        line.ctx(), "compensation.paid", record=project, project=project, amounts=paid
    )
    said = (
        "停办下一批：测试银行高新支行在“银担分险 FX4222”下本年代偿率 100%"
        "（代偿 300,000.00 元 / 解除 300,000.00 元），上限 3%"
    )
    with pytest.raises(BusinessError) as caught:  # also a list that was put up before
        line.approve(second)
    assert said in str(caught.value)
    assert line.session.scalar(select(func.count(Project.id))) == 3
    third = batch_of(line, scheme)
    loaded(line, tmp_path, (*GOOD[1][:3], "GH-102", *GOOD[1][4:]))
    with pytest.raises(BusinessError) as caught:
        bank_batch.submit(line.ctx(MANAGER), third)
    assert said in str(caught.value)
    posting.cancel(line.ctx(), event, "误登")
    bank_batch.submit(line.ctx(MANAGER), third)
    customer = line.session.scalars(
        select(CorporateCustomer).where(CorporateCustomer.uscc == USCC[1])
    ).one()
    customer.is_blacklisted = True
    with pytest.raises(BusinessError, match=r"不能承保：.*黑名单"):
        line.approve(third)


def test_limits_are_asked_for_the_whole_list_and_once_more_when_it_is_accepted(
    line, scheme, tmp_path
):
    line.bank().credit_line = 2 * MILLION
    batch = batch_of(line, scheme)
    loaded(line, tmp_path, *GOOD)
    with pytest.raises(
        BusinessError, match=r"银行授信办理后为 2,100,000.55元，限额 2,000,000.00元"
    ):
        bank_batch.submit(line.ctx(MANAGER), batch)
    line.bank().credit_line = 3 * MILLION
    bank_batch.submit(line.ctx(MANAGER), batch)
    line.bank().credit_line = MILLION
    line.session.flush()
    with pytest.raises(BusinessError, match=r"江州和信商贸有限公司 800,000.55”超过限额：银行授信"):
        line.approve(batch)


def test_a_list_needs_a_product_and_a_scheme_that_take_it(line, scheme):
    line.product().is_bulk = False
    with pytest.raises(FieldErrors, match="没有开通批量业务"):
        batch_of(line, scheme)
    line.product().is_bulk = True
    with pytest.raises(FieldErrors, match="不适用杭州银行"):
        batch_of(line, scheme, bank_id=line.bank("杭州银行").id)
    row = dict(zip(("customer_name", "uscc"), GOOD[0][:2], strict=True))
    row |= {"bank_note_no": "X", "amount": "1", "rate_annual_pct": "4"}
    row |= {"drawn_on": "2026-02-10", "due_on": "2027-02-10"}
    with pytest.raises(FieldErrors, match="没有您的草稿批次"):
        records.create(line.ctx(DEPARTMENT_HEAD), BatchLoan, row)
    assert line.session.scalar(select(func.count(Drawdown.id))) == 0
    assert line.session.scalar(select(func.count(CorporateCustomer.id))) == 0


LOAN = {
    "customer_name": GOOD[0][0],
    "uscc": USCC[0],
    "bank_note_no": "GH-201",
    "amount": "1000000",
    "rate_annual_pct": "4.2",
    "drawn_on": "2026-02-10",
    "due_on": "2027-02-10",
    "small_kind": "SMALL",
}


def wrong_at(line, batch, **facts):
    """At which columns a loan of a list is refused, with what is said there."""
    values = {"batch_id": batch.id, **LOAN, **facts}
    with pytest.raises(FieldErrors) as caught:
        records.create(line.ctx(MANAGER), BatchLoan, values)
    return {name: "；".join(said) for name, said in caught.value.field_errors.items()}


def test_a_loan_keeps_to_the_scheme_the_product_and_the_bank(line, scheme):
    batch, product = batch_of(line, scheme), line.product()
    tomorrow = line.today + timedelta(days=1)
    line.bank().single_limit = MILLION
    for facts, column, said in (
        ({"uscc": None}, "uscc", "请填写统一社会信用代码"),
        ({"uscc": None, "drawn_on": tomorrow}, "drawn_on", "放款日期不能晚于营业日期 2026-03-02"),
        ({"drawn_on": "2025-12-31"}, "drawn_on", "不在分险方案有效期 2026-01-01 起 内"),
        ({"amount": "1000000.01"}, "amount", "单笔上限 1,000,000.00 元"),
        ({"due_on": "2056-02-10"}, "due_on", f"产品“{product.name}”的期限应在"),
        ({"rate_annual_pct": "30"}, "rate_annual_pct", "贷款年利率不得高于"),
    ):
        assert said in wrong_at(line, batch, **facts)[column]
    scheme.valid_to = line.today - timedelta(days=20)  # 2026-02-10 was its last day
    line.session.flush()
    said = wrong_at(line, batch, drawn_on="2026-02-11")
    assert said == {"drawn_on": "放款日期不在分险方案有效期 2026-01-01 至 2026-02-10 内"}
    made = records.create(line.ctx(MANAGER), BatchLoan, {"batch_id": batch.id, **LOAN})
    assert (made.batch, batch.row_count, batch.amount) == (batch, 1, MILLION)


def test_a_loan_agrees_with_what_is_registered_of_customer_and_note(line, scheme):
    batch = batch_of(line, scheme)
    project = line.project_at(Stage.IN_FORCE)
    loan = line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    said = wrong_at(line, batch, bank_note_no=loan.bank_note_no)
    assert said == {"bank_note_no": f"银行借据号 {loan.bank_note_no} 已登记，不能重复担保"}
    customer = line.customer("江州明信机械有限公司", uscc=USCC[0])
    said = wrong_at(line, batch)
    assert said == {"customer_name": f"统一社会信用代码 {USCC[0]} 已登记为“江州明信机械有限公司”"}
    said = wrong_at(line, batch, customer_name=customer.name, small_kind="MICRO")
    assert said == {"small_kind": "客户的企业规模为“小型企业”，小微属性应为“小型企业”"}


def test_a_branch_that_left_the_bank_of_a_scheme_puts_up_no_list(line, scheme):
    """Its rows are not measured by a cap that is not theirs; the list itself does not go on."""
    branch = line.bank("测试银行高新支行东门分理处", parent_id=line.bank().id)
    batch = batch_of(line, scheme, bank_id=branch.id)
    over = {"amount": "2000000.01"}
    assert "单户上限 2,000,000.00 元" in wrong_at(line, batch, **over)["amount"]
    branch.parent_id = line.bank("杭州银行").id
    line.session.flush()
    line.session.expire(branch)
    records.create(line.ctx(MANAGER), BatchLoan, {"batch_id": batch.id, **LOAN, **over})
    with pytest.raises(BusinessError, match=f"不适用{branch.name}"):
        bank_batch.submit(line.ctx(MANAGER), batch)


def test_what_was_closed_after_a_list_was_put_up_is_not_guaranteed(line, scheme, tmp_path):
    batch = batch_of(line, scheme)
    loaded(line, tmp_path, GOOD[0])
    bank_batch.submit(line.ctx(MANAGER), batch)
    line.decide(batch)  # the head of the department; 风控 accepts last
    bank, product = line.bank(), line.product()
    changes = (
        (bank, "status", BankStatus.SUSPENDED, "不能办理新业务"),
        (product, "is_bulk", False, "没有开通批量业务"),
        (product, "amount_max", MILLION / 2, "“江州明信印刷有限公司 1,000,000.00”"),
        (scheme, "valid_to", line.today - timedelta(days=1), "不在有效期内"),
    )
    for record, column, value, said in changes:
        before = getattr(record, column)
        setattr(record, column, value)
        line.session.flush()
        with (
            pytest.raises(BusinessError, match=f"批次 {batch.number} 不能承保：.*{said}") as caught,
            line.session.begin_nested(),
        ):
            line.decide(batch)
        line.session.expire_all()
        assert not isinstance(caught.value, FieldErrors)  # nobody who decides has such a field
        setattr(record, column, before)
        line.session.flush()
    assert line.session.scalar(select(func.count(Project.id))) == 0
    line.approve(batch)
    assert line.session.scalar(select(func.count(Project.id))) == 1


def test_a_list_costs_no_less_and_is_repaid_no_other_way_than_its_product_says(
    line, scheme, tmp_path
):
    product = line.product()
    product.fee_rate_min_pct = Decimal("0.8")
    product.repayment_method = RepaymentMethod.EQUAL_INSTALMENT
    line.session.add(ProductRepayment(product=product, method=RepaymentMethod.EQUAL_INSTALMENT))
    line.session.flush()
    with pytest.raises(FieldErrors, match=r"担保费率不得低于 0\.8%") as caught:
        batch_of(line, scheme, fee_rate_pct="0.79")
    assert list(caught.value.field_errors) == ["fee_rate_pct"]
    batch_of(line, scheme, fee_rate_pct="0.8")
    _, task, _ = looked(line, tmp_path, GOOD[0])  # 一次还本付息 unless the file says otherwise
    (found,) = told(line, task).values()
    assert "的还款方式为等额本息" in str(found)


@given(
    st.sets(st.text("0123456789", min_size=1, max_size=8), min_size=1),
    st.decimals(0, 100, places=2),
)
def test_samples_are_the_same_whoever_draws_them_and_in_whatever_order(notes, percent):
    one = bank_batch.drawn("PL2026-0001", sorted(notes), percent)
    assert one == bank_batch.drawn("PL2026-0001", sorted(notes, reverse=True), percent)
    assert len(set(one)) == len(one) <= len(notes)
    assert len(one) >= round_to(len(notes) * percent / 100, 4)
    assert set(one) <= notes
