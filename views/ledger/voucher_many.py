"""Many vouchers at once: the list by what they wait for, checked, signed and posted together, and on paper."""

import io
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from flask import send_file
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from sqlalchemy import select

from models.base.entity import Entity
from models.base.errors import BusinessError
from models.ledger.voucher import Voucher
from reports.ledger.voucher_print import MOST, vouchers_pdf
from reports.workbench import desktop
from views.kit import bulk, edge, lists
from views.kit.pages import Action, ListPage, Tab
from views.ledger.voucher_form import VoucherForms
from workflows.base import records
from workflows.base.context import Ctx
from workflows.ledger import voucher as vouchers

# Verb -> tab, button, verb of the workflow.
_WAITS: dict[str, tuple[str, str, Callable[[Ctx, Voucher], Voucher]]] = {
    "review": ("待审核", "审核", vouchers.review),
    "sign": ("待签字", "出纳签字", vouchers.sign),
    "post": ("待记账", "记账", vouchers.post),
}
_LABELS = {
    "": "全部",
    **{verb: label for verb, (label, _, _) in _WAITS.items()},
    "posted": "已记账",
    "void": "作废",
}


class VoucherMany(VoucherForms):
    """The part of the voucher's screens that lists, and acts on what is ticked."""

    def narrow_list(self, asked: lists.ListQuery) -> None:
        """The tab is what a voucher waits for."""
        view = asked.args.get("view", "")
        if view in _LABELS and view:
            asked.fixed.append(desktop.voucher_views(asked.ctx.actor)[view])

    def enrich_list(self, page: ListPage, asked: lists.ListQuery) -> ListPage:
        """Tabs with counts; what the reader may do with the vouchers of this one; printing of any."""
        ctx, now = asked.ctx, asked.args.get("view", "")
        now = now if now in _LABELS else ""
        counts = desktop.voucher_counts(ctx.session, ctx.actor)
        page.tabs = [
            Tab(
                label,
                asked.url(view=view or None, page=None),
                view == now,
                count=counts[view],
                key=view,
                most=desktop.MANY,
            )
            for view, label in _LABELS.items()
        ]
        page.bulk = []
        if now in _WAITS and ctx.actor.may(now, "voucher"):
            label = _WAITS[now][1]
            final = "记账后不能再修改或删除，只能红字冲销。" if now == "post" else ""
            words = (
                f"{label}所选 {{n}} 张凭证，{{sum}}。{final}每张单独办理，不能{label}的列出原因。"
            )
            page.bulk.append(
                Action(f"批量{label}", f"/voucher/all/{now}", "POST", "primary", confirm=words)
            )
        page.bulk.append(Action("打印", "/voucher/print", "POST", icon="print", new_window=True))
        if now in _WAITS and not asked.is_filtered:
            page.empty, page.empty_action = f"没有{_LABELS[now]}的凭证", None
        return page

    @expose("/all/<name>", methods=("POST",))
    @edge.screen("review", "sign", "post")
    def act_on_many(self, name: str) -> ResponseReturnValue:
        """审核, 出纳签字 or 记账 of the ticked vouchers in the order of their numbers, each by itself."""
        if name not in _WAITS:
            raise BusinessError("没有这个操作")
        _, label, run = _WAITS[name]
        ctx = edge.current_ctx()
        ctx.require(name, "voucher", label)
        picked = _in_order(ctx, self.picked(ctx))

        def act(ctx: Ctx, voucher: Voucher, _: int) -> None:
            run(ctx, voucher)

        outcomes = bulk.each(Voucher, picked, label, act)
        told = bulk.Told(label, "张凭证", f"/voucher/list/?view={name}")
        return bulk.answer(self, Voucher, outcomes, told)

    @expose("/print", methods=("POST",))
    @edge.screen("show")
    def print_many(self) -> ResponseReturnValue:
        """The ticked vouchers as one PDF."""
        ctx = edge.current_ctx()
        return _pdf(ctx, self._readable(ctx), f"记账凭证_{ctx.today:%Y%m%d}")

    def _readable(self, ctx: Ctx) -> list[int]:
        """The ticked vouchers. Raises NotFound where one is none."""
        return [records.find(ctx, Voucher, one.key).id for one in self.picked(ctx, MOST)]

    @expose("/<pk>/print")
    @edge.screen("show")
    def print_one(self, pk: str) -> ResponseReturnValue:
        """One voucher as PDF."""
        found = self.datamodel.find(pk)
        return _pdf(edge.current_ctx(), [found.id], f"记账凭证_{found}")

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """Printing, and the next voucher that waits for this reader."""
        assert isinstance(record, Voucher)
        found = super().verbs(record, ctx)
        counts, waiting = desktop.waiting_vouchers(ctx.session, ctx.actor, 2)
        following = next((voucher for voucher in waiting if voucher.id != record.id), None)
        if following is not None:
            label = f"下一张待办（{sum(counts.values())}）"
            found.append(Action(label, f"/voucher/show/{following.id}", hotkey="n"))
        return [
            *found,
            Action("打印", self.url(f"{record.id}/print"), icon="print", new_window=True),
        ]


def _in_order(ctx: Ctx, picked: Sequence[bulk.Picked]) -> list[bulk.Picked]:
    """Vouchers are posted by number, so they are taken by it; what is no voucher comes last and is refused."""
    keys = [one.key for one in picked]
    query = select(Voucher.id).where(Voucher.id.in_(keys))
    query = query.order_by(Voucher.period_id, Voucher.word_id, Voucher.number)
    place = {key: at for at, key in enumerate(ctx.session.scalars(query))}
    return sorted(picked, key=lambda one: place.get(one.key, len(place)))


def _pdf(ctx: Ctx, ids: list[Any], name: str) -> ResponseReturnValue:
    response = send_file(io.BytesIO(vouchers_pdf(ctx.session, ids)), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(f'{name}.pdf')}"
    return response
