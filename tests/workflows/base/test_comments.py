"""Remarks: whoever works on a record may add one, and nobody else."""

import pytest

from models.base.errors import BusinessError, NotAllowed, NotFound
from models.customer.partner import JointGroup
from reports.base.remarks import remarks_of
from workflows.base import comments


@pytest.fixture
def group(ctx, office):
    made = JointGroup(
        code="LB01", name="联保体", credit_line=1, department_id=office.departments["业务一部"]
    )
    ctx.session.add(made)
    ctx.session.flush()
    return made


def test_remarks_stand_under_the_record_with_their_writers_the_latest_first(ctx, office, group):
    comments.add(ctx, group, "  第一条\x00 ")
    comments.add(office.ctx(ctx.session, "乙"), group, "第二条 𠮷")
    comments.add(office.system(ctx.session), group, "系统说")
    assert [(made.text, made.by) for made in remarks_of(ctx.session, group)] == [
        ("系统说", "系统"),
        ("第二条 𠮷", "乙"),
        ("第一条", "甲"),
    ]
    other = JointGroup(code="LB02", name="另一个", credit_line=1)
    ctx.session.add(other)
    ctx.session.flush()
    assert remarks_of(ctx.session, other) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [(" \x00 ", "请填写备注内容"), ("长" * 2001, "备注最多 2000 个字，现有 2001 个")],
)
def test_nothing_and_too_much_are_refused(ctx, group, text, message):
    with pytest.raises(BusinessError, match=message) as caught:
        comments.add(ctx, group, text)
    assert caught.value.field == "text"


def test_a_remark_needs_the_permission_and_the_record(ctx, office, group):
    with pytest.raises(NotAllowed, match="发表备注"):
        comments.add(office.ctx(ctx.session, permissions=frozenset()), group, "x")
    with pytest.raises(NotFound):
        comments.add(office.ctx(ctx.session, "丙"), group, "x")
    looking = frozenset(
        {("can_show", "joint_group"), ("can_list", "joint_group"), ("can_add", "comment")}
    )
    with pytest.raises(NotAllowed, match="只能查看这条联保体"):
        comments.add(office.ctx(ctx.session, "甲", permissions=looking), group, "x")
    assert remarks_of(ctx.session, group) == []
