"""What a node asks for besides the opinion (A10, A11): fields of the record, files, a signature by hand."""

import io
import struct
import zlib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from models.approval.approval import (
    ApprovalBranch,
    ApprovalNode,
    ApprovalState,
    BranchKind,
    NodeMode,
    Repeats,
    SignatureRule,
    TaskState,
)
from models.base.actor import ScopeLevel
from models.base.entity import Decides
from models.base.errors import BusinessError, Conflict, FieldErrors, NotFound, StaleRecord
from models.guarantee.product import Product
from models.system.custom_field import CustomField, CustomKind
from models.system.setup import NumberReset, NumberRule
from reports.figures import node_fields, resubmissions
from reports.figures.approval_sheet import filled_words, sheet
from tests.workflows.approval_world import World
from workflows.approval import approval, at_node, decide, flows, signatures, steps
from workflows.approval.at_node import Given
from workflows.approval.sheet import issue_sheet
from workflows.base import attachments, documents, records
from workflows.base.documents import load_templates

BEGINS_WITH = "tables"
EDIT = frozenset({("can_add", "approval_node"), ("can_edit", "approval_node")})


def picture(width=900, height=360, *, ink=True, mode="RGB", **how):
    """What the canvas sends: black strokes on white."""
    sheet_ = Image.new(mode, (width, height), "white")
    if ink:
        ImageDraw.Draw(sheet_).line([(90, 300), (300, 60), (500, 280), (800, 90)], "black", 8)
    target = io.BytesIO()
    sheet_.save(target, **{"format": "PNG", **how})
    return target.getvalue()


def claiming(width, height):
    """A few bytes that say they are a picture of this size."""

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


@pytest.fixture
def world(session, monkeypatch, tmp_path):
    monkeypatch.setattr(steps, "_HANDLERS", {})
    session.info["data_dir"] = tmp_path
    monkeypatch.setattr(
        Product,
        "spec",
        replace(
            Product.spec,
            approvals={"loan.test": Decides(free=("fee_rate_pct",), lowered=("amount_max",))},
        ),
    )
    return World(session)


@pytest.fixture
def product(world):
    """Any record with an amount, a term and a rate stands for what is decided on."""
    made = Product(
        code="P1",
        name="流贷担保",
        guarantee_kind="LOAN",
        amount_max=Decimal(1000),
        months_max=12,
        fee_rate_pct=Decimal(2),
    )
    world.session.add(made)
    world.session.flush()
    world.session.refresh(made)  # as it is kept
    return made


def agree(world, found, name, signature=b"", **values):
    return world.approve(found, name, given=Given(values, signature))


def test_who_decides_lowers_what_was_asked_for_and_it_stays_with_the_decision(world, product):
    risk = world.position("risk", "甲", "乙")
    asks = {"required_fields": "最高金额", "filled_fields": "担保费率"}
    world.flow(world.node(10, risk, **asks), world.node(20, **asks))
    label = node_fields.offered(world.session, Product, "loan.test")["fee_rate_pct"].label
    for node in found_nodes(world):
        node.filled_fields = label
    found = world.start(record=product)
    agree(world, found, "甲", amount_max="800", fee_rate_pct="1.8")
    assert (product.amount_max, product.fee_rate_pct) == (Decimal(800), Decimal("1.8"))
    filled = world.task(found, "甲").filled
    assert [filled["amount_max"], [Decimal(one) for one in filled["fee_rate_pct"]]] == [
        ["1000.00", "800.00"],
        [Decimal(2), Decimal("1.8")],
    ]
    lines = sheet(world.session, found)["nodes"][0]["filled"]
    assert "最高金额：800.00 元（原 1,000.00 元）" in lines
    with pytest.raises(FieldErrors) as refused:  # of what was asked for, not of what is left of it
        agree(world, found, "经理", amount_max="1000.01")
    assert refused.value.field_errors == {"amount_max": ["最高金额不能超过提交时的 1,000.00 元"]}
    agree(world, found, "经理", amount_max="1000")
    assert (product.amount_max, found.state) == (Decimal(1000), ApprovalState.APPROVED)


def found_nodes(world):
    return world.session.query(ApprovalNode).all()


def test_what_was_filled_in_is_among_the_changes_when_it_is_put_up_again(world, product):
    world.flow(
        world.node(10, world.position("risk", "甲"), filled_fields="最高金额"), world.node(20)
    )
    first = world.start(record=product)
    agree(world, first, "甲", amount_max="700")
    world.give_back(first, "经理")
    again = world.start(record=product)
    (change,) = resubmissions.changes(world.session, world.actor("甲"), first, again)
    assert (change.label, change.before, change.now) == ("最高金额", "1,000.00 元", "700.00 元")


def sent_straight_back(world, product, fields="最高金额", **values):
    """甲 fills in, 经理 returns it to the applicant to come straight again."""
    world.flow(world.node(10, world.position("risk", "甲"), required_fields=fields), world.node(20))
    found = world.start("1000", record=product)
    agree(world, found, "甲", **values)
    decision = approval.Decision.RETURN
    decide.decide(world.ctx("经理"), world.task(found, "经理"), decision, "补", is_direct=True)
    return found


def test_who_filled_in_is_asked_again_where_the_applicant_has_undone_it(world, product):
    sent_straight_back(world, product, amount_max="600")
    product.amount_max = Decimal(1000)
    again = world.start("1000", record=product)
    assert world.waiting(again) == ["甲"]


def test_what_stands_as_it_was_filled_in_comes_straight_again_for_the_lesser_amount_too(
    world, product
):
    sent_straight_back(world, product, amount_max="600")
    again = world.start("600", record=product)
    assert world.waiting(again) == ["经理"]
    decision = approval.Decision.RETURN
    decide.decide(world.ctx("经理"), world.task(again, "经理"), decision, "再补", is_direct=True)
    product.amount_max = Decimal(700)  # what was filled in two submissions ago
    assert world.waiting(world.start("700", record=product)) == ["甲"]


def test_another_amount_than_was_filled_in_is_asked_of_everybody(world, product):
    sent_straight_back(world, product, amount_max="600")
    assert world.waiting(world.start("500", record=product)) == ["甲"]


def test_what_must_be_filled_in_is_filled_in_by_who_agrees(world, product):
    risk = world.position("risk", "甲", "乙", "丙")
    world.flow(world.node(10, risk, required_fields="最高金额"))
    found = world.start(record=product)
    with pytest.raises(FieldErrors, match="本节点须由审批人填写最高金额"):
        world.approve(found, "甲")
    for values, said in (
        ({"amount_max": " "}, "请填写最高金额"),
        ({"amount_max": "很多"}, "不是有效的金额"),
        ({"amount_max": "-1"}, "amount_max"),
        ({"amount_max": "1", "months_max": "6"}, "本节点不填写这个字段"),
        ({"amount_max": "1", "fee_rate_pct": "1"}, "本节点不填写这个字段"),
        ({"amount_max": "1", "nothing": "1"}, "本节点不填写这个字段"),
    ):
        with pytest.raises(FieldErrors) as refused:
            agree(world, found, "甲", **values)
        assert said in str(refused.value.field_errors)
    assert product.amount_max == Decimal(1000)
    approval.add_signer(world.ctx("甲"), world.task(found, "甲"), world.id("丁"))
    agree(world, found, "甲", amount_max="900")
    assert world.approve(found, "丁").state is ApprovalState.APPROVED, "a consent and no more"
    again = world.start(record=product)
    assert world.reject(again, "乙").state is ApprovalState.REJECTED
    assert product.amount_max == Decimal(900)


def test_a_node_that_asks_for_nothing_takes_nothing(world, product):
    world.flow(world.node(10, world.position("risk", "甲")))
    found = world.start(record=product)
    with pytest.raises(FieldErrors, match="本节点不填写这个字段"):
        agree(world, found, "甲", amount_max="1")


def test_the_records_own_checks_hold_and_custom_fields_are_asked_for_too(world, product):
    world.session.add(
        CustomField(table_name="product", code="deal", label="批准条件", kind=CustomKind.TEXT)
    )
    world.session.flush()
    world.flow(world.node(10, world.position("risk", "甲"), required_fields="批准条件、担保费率"))
    found = world.start(record=product)
    label = node_fields.offered(world.session, Product, "loan.test")["fee_rate_pct"].label
    found_nodes(world)[0].required_fields = f"批准条件、{label}"
    with pytest.raises(FieldErrors):
        agree(world, found, "甲", deal="按季检查", fee_rate_pct="1.23456789")
    agree(world, found, "甲", deal="按季检查", fee_rate_pct="1.5")
    assert product.extra == {"deal": "按季检查"}
    assert sheet(world.session, found)["nodes"][0]["filled"][0] == "批准条件：按季检查（原 —）"


def test_the_administrator_is_told_what_may_be_asked_for(world, product):
    flow = world.flow(world.node(10, world.position("risk", "甲")), state=flows.FlowState.DRAFT)
    node, ctx = flow.nodes[0], world.ctx("丁", permissions=EDIT, scope=ScopeLevel.ALL)

    def save(**values):
        with world.session.begin_nested():
            records.update(ctx, node, values, node.version)

    for column, text, said in (
        ("filled_fields", "最高金额、担保期", "没有“担保期”；可用：最高金额"),
        ("required_fields", "状态", "没有“状态”"),
        ("shown_fields", "没有的", "没有“没有的”"),
        ("required_files", "没有的", "没有“没有的”"),
    ):
        with pytest.raises(FieldErrors) as refused:
            save(**{column: text})
        assert said in refused.value.field_errors[column][0]
    save(filled_fields="最高金额", shown_fields="产品名称")
    share = {"mode": "VOTE", "quorum_pct": "60", "pass_pct": "60"}
    with pytest.raises(FieldErrors, match="票决节点由多人表决"):
        save(**share)


def limited(world):
    """A field of the product that 风控 alone knows of."""
    only = {"visible_to": "风控", "editable_by": "风控"}
    facts = {"table_name": "product", "code": "deal", "label": "批准条件", "kind": CustomKind.TEXT}
    world.session.add(CustomField(**facts, **only))
    world.session.flush()


def test_who_may_not_know_of_a_field_that_must_be_filled_in_cannot_agree(world, product):
    limited(world)
    world.flow(world.node(10, world.position("risk", "甲"), required_fields="批准条件"))
    found = world.start(record=product)
    with pytest.raises(BusinessError, match="本节点须填写批准条件，您无权查看"):
        world.approve(found, "甲")
    with pytest.raises(BusinessError, match="您无权查看"):
        agree(world, found, "甲", deal="按季检查")
    assert world.task(found, "甲").state is TaskState.PENDING


def test_what_was_filled_in_for_some_roles_is_told_to_nobody_else(world, product):
    limited(world)
    world.flow(world.node(10, world.position("risk", "甲"), required_fields="批准条件"))
    found = world.start(record=product)
    who = world.ctx("甲", roles=frozenset({"风控"}))
    task = world.task(found, "甲")
    approval.decide(who, task, approval.Decision.APPROVE, given=Given({"deal": "按季检查"}))
    for roles, told in (
        (frozenset({"风控"}), [("批准条件", "—", "按季检查")]),
        (frozenset({"财务"}), []),
    ):
        reader = world.actor("丁", roles=roles)
        assert filled_words(world.session, task, reader) == told
    assert sheet(world.session, found)["nodes"][0]["filled"] == []
    again = sheet(world.session, world.start(record=product))["fields"]
    assert "按季检查" not in str(again)


def test_what_another_has_filled_in_meanwhile_is_not_undone_unseen(world, product):
    """并行: both pages show 1000; 甲 lowers it to 600, so 丁 looks again before his own figure counts."""
    sides = {
        no: ApprovalBranch(no=no, name=f"分支{no}", fork_no=1, kind=BranchKind.PARALLEL)
        for no in (1, 2)
    }
    asks = {"filled_fields": "最高金额"}
    nodes = [
        world.node(10, world.position("a", "甲"), branch_no=1, **asks),
        world.node(20, world.position("d", "丁"), branch_no=2, **asks),
    ]
    world.flow(*nodes, branches=list(sides.values()))
    found = world.start(record=product)
    fact = node_fields.offered(world.session, Product, "loan.test")["amount_max"]
    shown = {"amount_max": at_node.stands(fact, product)}
    world.approve(found, "甲", given=Given({"amount_max": "600"}, shown=shown))
    with pytest.raises(StaleRecord, match=r"最高金额已改为 600\.00 元；请核对后再办理"):
        world.approve(found, "丁", given=Given({"amount_max": "1000"}, shown=shown))
    assert product.amount_max == Decimal(600)
    shown = {"amount_max": at_node.stands(fact, product)}
    world.approve(found, "丁", given=Given({"amount_max": "550"}, shown=shown))
    assert (product.amount_max, found.state) == (Decimal(550), ApprovalState.APPROVED)


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file_that_the_node_demands_is_there_before_anybody_agrees(world, product, monkeypatch):
    monkeypatch.setattr(node_fields, "categories", lambda _: [("SCAN", "合同扫描件")])
    world.flow(world.node(10, world.position("risk", "甲"), required_files="合同扫描件、别的"))
    found = world.start(record=product)
    with pytest.raises(BusinessError, match="同意前请上传：合同扫描件") as refused:
        world.approve(found, "甲")
    assert refused.value.field == "file_SCAN"
    attachments.hang(
        world.ctx("甲"),
        product,
        name="合同.pdf",
        data=b"%PDF-1.4",
        extension=".pdf",
        category="SCAN",
    )
    assert world.approve(found, "甲").state is ApprovalState.APPROVED


# --- signatures ------------------------------------------------------------------------------------------------------


def test_a_signature_is_kept_with_the_decision_and_never_taken_off(world):
    risk = world.position("risk", "甲", "乙")
    world.flow(
        world.node(10, risk, mode=NodeMode.ALL, signature=SignatureRule.REQUIRED), world.node(20)
    )
    found = world.start()
    for act in (world.approve, world.reject):
        with pytest.raises(BusinessError, match="本节点须手写签名"):
            act(found, "甲")
    agree(world, found, "甲", picture())
    task = world.task(found, "甲")
    kept = signatures.picture_of(world.ctx("乙"), task)
    with Image.open(io.BytesIO(kept)) as image:
        assert (image.format, image.size) == ("PNG", (600, 240))
    assert len(kept) < 10_000
    assert sheet(world.session, found)["nodes"][0]["signature"] == task.signature.sha256
    with pytest.raises(NotFound):
        signatures.picture_of(world.ctx("丁"), task)
    with pytest.raises(NotFound):
        signatures.picture_of(world.ctx("乙"), world.task(found, "乙"))
    may = (
        ("can_delete", "attachment"),
        ("can_show", "approval_instance"),
        ("can_edit", "approval_instance"),
        ("can_show", "department"),
    )
    who = world.ctx("甲", permissions=frozenset(may), scope=ScopeLevel.ALL)
    with pytest.raises(Conflict, match="手写签名是审批决定的一部分"):
        attachments.remove(who, task.signature)
    # sending back needs none
    assert world.give_back(found, "乙").state is ApprovalState.RETURNED


def test_a_signature_is_optional_or_not_wanted(world):
    risk = world.position("risk", "甲")
    world.flow(world.node(10, risk, signature=SignatureRule.OPTIONAL), world.node(20))
    found = world.start()
    world.approve(found, "甲")
    assert world.task(found, "甲").signature_id is None
    with pytest.raises(BusinessError, match="不需要手写签名"):
        agree(world, found, "经理", picture())
    assert world.task(found, "经理").state is TaskState.PENDING


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"<svg onload=alert(1)>", "不是有效的图片"),
        (picture(format="JPEG"), "不是有效的图片"),
        (picture()[:200], "不是有效的图片"),
        (picture(ink=False), "签名是空白的"),
        (picture(4000, 100), "尺寸不对"),
        (claiming(12_000, 9_000), "尺寸不对"),
        (claiming(20_000, 20_000), "不是有效的图片"),
        (picture() + b"<script>", "不是有效的图片"),
        (picture() + b"0" * signatures.BYTES_MAX, "超过 200 KB"),
    ],
)
def test_what_is_no_signature_is_refused(sent, said):
    with pytest.raises(BusinessError, match=said):
        signatures.drawn_anew(sent)


def test_nothing_but_the_lines_is_kept(world):
    said = PngInfo()
    said.add_text("Comment", "<script>alert(1)</script>")
    spied = picture(pnginfo=said)
    assert b"script" in spied
    assert b"script" not in signatures.drawn_anew(spied)
    clear = Image.new("RGBA", (300, 120), (0, 0, 0, 0))  # transparent as some browsers send it
    ImageDraw.Draw(clear).line([(20, 100), (150, 10), (280, 100)], (0, 0, 0, 255), 6)
    target = io.BytesIO()
    clear.save(target, "PNG")
    with Image.open(io.BytesIO(signatures.drawn_anew(target.getvalue()))) as found:
        assert found.convert("L").getpixel((2, 2)) == 255


def test_the_sheet_prints_the_signature(world):
    world.session.add(
        NumberRule(
            code="approval", label="审批单编号", pattern="SP{no:06d}", reset=NumberReset.YEAR
        )
    )
    load_templates(world.session)
    world.flow(world.node(10, world.position("risk", "甲"), signature=SignatureRule.REQUIRED))
    found = world.start()
    agree(world, found, "甲", picture())
    made = issue_sheet(world.ctx(), found)
    digest = world.task(found, "甲").signature.sha256
    assert f'<img src="signature:{digest}" alt="手写签名">' in made.body
    ctx = world.ctx(
        permissions=frozenset({("can_show", "issued_document"), ("can_show", "approval_instance")})
    )
    path = documents.pdf(ctx, made)
    assert b"/Image" in Path(path).read_bytes()


def test_nobody_is_spared_where_more_than_an_opinion_is_asked(world):
    """已同意过的自动通过: what is signed is nobody's to pass by rule; where it does pass, copies are sent."""
    risk, board = world.position("risk", "甲"), world.position("board", "丁")
    world.flow(
        world.node(10, risk),
        world.node(20, risk, signature=SignatureRule.REQUIRED),
        world.node(30, risk, copy_position_id=board.id),
        repeats=Repeats.SPARE,
    )
    found = world.start()
    world.approve(found, "甲")
    assert world.waiting(found) == ["甲"]
    assert agree(world, found, "甲", picture()).state is ApprovalState.APPROVED
    assert [one["name"] for one in sheet(world.session, found)["copies"]] == ["丁"]
