"""Saved views (X14): whose they are, who may change them, what others see of them, and where there are enough."""

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed, NotFound
from models.system.saved_view import PinnedView, SavedView, ViewSharing
from models.system.setup import AuditLog
from reports.figures import saved_views as found_by
from tests.workflows.office import EVERYTHING
from workflows.system import saved_views
from workflows.system.saved_views import Named

TABLE, OTHER = "department", "employee"
USUAL = EVERYTHING - {(f"can_{verb}", "saved_view") for verb in ("share_all", "share_department")}


def opens(ctx):
    return found_by.default_of(ctx.session, ctx.actor, TABLE)


def kept(ctx, name="逾期的", sharing="PERSONAL", query="_flt_0_name=甲"):
    return saved_views.keep(ctx, TABLE, query, Named(name, sharing))


def seen(ctx):
    return [view.name for view in found_by.readable(ctx.session, ctx.actor, TABLE)]


def said(ctx):
    query = select(AuditLog.note).where(AuditLog.note.contains("列表视图"))
    return ctx.session.scalars(query.order_by(AuditLog.id)).all()


def test_mine_is_for_nobody_else_until_it_is_shared(ctx, session, office):
    colleague, stranger = office.ctx(session, "乙"), office.ctx(session, "丙")
    view = kept(ctx)
    assert (seen(ctx), seen(colleague), said(ctx)) == (["逾期的"], [], [])
    with pytest.raises(NotFound, match="没有共享给您"):
        saved_views.drop(colleague, view.id, view.version)
    saved_views.change(ctx, view.id, Named("逾期的", "DEPARTMENT"), view.version)
    session.flush()
    assert (seen(colleague), seen(stranger)) == (["逾期的"], [])
    saved_views.change(ctx, view.id, Named("大家的", "ALL"), view.version)
    session.flush()
    assert (seen(stranger), view.department_id) == (["大家的"], None)
    assert said(ctx)[-1].endswith("“大家的”（department，共享：全部）")


def test_whoever_may_share_so_far_looks_after_what_is_shared_so_far(ctx, session, office):
    view = kept(ctx, sharing="ALL")
    plain = office.ctx(session, "乙", permissions=USUAL)
    with pytest.raises(NotAllowed, match="由他人建立"):
        saved_views.overwrite(plain, view.id, "_flt_0_name=乙", view.version)
    warden = office.ctx(session, "丙")
    saved_views.overwrite(warden, view.id, "_flt_0_name=丙", view.version)
    assert view.query == "_flt_0_name=丙"
    with pytest.raises(NotAllowed):
        kept(plain, "我也要共享", "ALL")
    team = kept(ctx, "部门的", "DEPARTMENT")
    assert not saved_views.may_change(plain.actor, team)
    assert saved_views.may_change(office.ctx(session, "乙").actor, team)
    assert not saved_views.may_change(office.ctx(session, "丙", permissions=USUAL).actor, team)


@pytest.mark.parametrize(
    ("named", "field"),
    [
        (Named("　 "), "name"),
        (Named("长" * 300), "name"),
        (Named("别的", "EVERYONE"), "sharing"),
        (Named("已有的"), "name"),
    ],
)
def test_a_name_that_says_nothing_or_is_taken_is_refused_at_its_field(ctx, named, field):
    kept(ctx, "已有的")
    with pytest.raises(FieldErrors) as refused:
        saved_views.keep(ctx, TABLE, "", named)
    assert list(refused.value.field_errors) == [field]


def test_who_has_no_department_shares_with_none(session, office):
    ctx = office.ctx(session)
    homeless = office.ctx(session)
    object.__setattr__(homeless.actor, "department_id", None)
    view = kept(ctx)
    with pytest.raises(FieldErrors, match="没有所属部门"):
        saved_views.change(homeless, view.id, Named("逾期的", "DEPARTMENT"), view.version)
    assert view.sharing is ViewSharing.PERSONAL


def test_there_are_enough_at_some_time(ctx, monkeypatch):
    monkeypatch.setattr(saved_views, "KEPT_MAX", 2)
    monkeypatch.setattr(saved_views, "PINNED_MAX", 1)
    first, second = kept(ctx, "一"), kept(ctx, "二")
    with pytest.raises(Conflict, match="最多保存 2 个"):
        kept(ctx, "三")
    with pytest.raises(BusinessError, match="地址放不下"):
        saved_views.overwrite(ctx, first.id, "x" * 9999, first.version)
    for _ in "twice":
        saved_views.pin(ctx, first.id)
    with pytest.raises(Conflict, match="最多固定 1 个"):
        saved_views.pin(ctx, second.id)
    saved_views.unpin(ctx, first.id)
    saved_views.pin(ctx, second.id)
    pins = ctx.session.scalars(select(PinnedView.view_id)).all()
    assert pins == [second.id]
    saved_views.drop(ctx, first.id, first.version)
    assert ctx.session.scalars(select(SavedView.name)).all() == ["二"]


def test_a_copy_is_ones_own_and_finds_a_name_of_its_own(ctx, session, office):
    view = kept(ctx, sharing="ALL")
    colleague = office.ctx(session, "乙", permissions=USUAL)
    copies = [saved_views.copy(colleague, view.id) for _ in range(2)]
    assert [(one.name, one.sharing, one.query) for one in copies] == [
        ("逾期的 副本", ViewSharing.PERSONAL, view.query),
        ("逾期的 副本1", ViewSharing.PERSONAL, view.query),
    ]


def test_a_list_opens_with_ones_own_view_before_that_of_the_role(ctx, session, office):
    shared, own = kept(ctx, "全部的", "ALL"), kept(ctx, "自己的")
    for refused, words in ((own, "只有共享给全部"), (shared, "没有这个角色")):
        role = "系统管理员" if refused is own else "没有的角色"
        with pytest.raises(BusinessError, match=words):
            saved_views.open_role_with(ctx, TABLE, refused.id, role)
    saved_views.open_role_with(ctx, TABLE, shared.id, "系统管理员")
    admin = office.ctx(session, "乙", roles=frozenset({"系统管理员"}))
    assert (opens(admin), opens(ctx)) == (shared, None)
    saved_views.open_with(admin, TABLE, None)
    assert opens(admin) is None, "one's own choice of none stands before that of the role"
    saved_views.open_with(ctx, TABLE, own.id)
    assert opens(ctx) == own
    with pytest.raises(NotFound, match="这个列表没有"):
        saved_views.open_with(ctx, OTHER, own.id)
    saved_views.open_role_with(ctx, TABLE, None, "系统管理员")
    fresh = office.ctx(session, "丙", roles=frozenset({"系统管理员"}))
    assert opens(fresh) is None
    plain = office.ctx(session, "丙", permissions=USUAL - {("can_assign", "saved_view")})
    with pytest.raises(NotAllowed):
        saved_views.open_role_with(plain, TABLE, shared.id, "系统管理员")
