"""客户合并 on the screen: what would go over is looked at first, then asked for; the paper says what did (10.2)."""

from typing import Any, ClassVar

from sqlalchemy import ColumnElement

from models.base import columns as c
from models.base.entity import Entity, entity_of
from models.customer.customer import (
    CorporateCustomer,
    Customer,
    CustomerStatus,
    PersonalCustomer,
)
from models.customer.merge import CustomerMerge
from views.kit.buttons import Button, Questions, Values, register, to_result
from views.kit.entity_view import EntityView
from views.kit.lookup import CHOSEN
from views.kit.pages import Cell, Column, Fact, Row, Section
from workflows.base import records
from workflows.base.context import Ctx
from workflows.customer import merging


def _is_own(_: Ctx, customer: Customer) -> bool:
    return customer.status is not CustomerStatus.MERGED


def _asked(_: Ctx, customer: Customer) -> Questions:
    return {
        "merged_into_id": c.reference(
            "保留的客户",
            str(customer.__tablename__),
            required=True,
            help="本客户并入它；有已记账余额的一方应作为保留的客户",
        ),
        "reason": c.text("合并原因", merging.REASON_MAX, required=True, help="如：重复登记"),
    }


def _preview(ctx: Ctx, customer: Customer, values: Values) -> Section:
    """What goes over and what stands in the way, before anything is asked for."""
    kept = records.find(ctx, Customer, values["merged_into_id"])
    facts = [
        Fact("不能合并", Cell(words, tone="bad"))
        for words in merging.obstacles(ctx, customer, kept)
    ]
    facts += [
        Fact(what, Cell(f"{count} 条转到保留的客户"))
        for what, count in merging.preview(ctx, customer)
    ]
    facts.append(Fact("在保与占用", Cell(f"合并后合计 {merging.together(ctx, customer, kept)} 元")))
    facts.append(Fact("不变", Cell("已记账的分录、已出具的文书、操作记录仍记在原客户名下")))
    label = f"{customer} 并入 {kept}"
    return Section("merge", label, template="parts/pairs.html", data=facts)


def _not_merged() -> ColumnElement[bool]:
    return Customer.status != CustomerStatus.MERGED


# Nobody chooses a tombstone; who names one all the same is told whom it became.
for _model in (Customer, PersonalCustomer, CorporateCustomer):
    CHOSEN[_model] = _not_merged
for table in ("personal_customer", "corporate_customer"):
    register(
        Button(
            merging.ACTS["merge"],
            merging.merge,
            on=table,
            when=_is_own,
            questions=_asked,
            preview=_preview,
            rank=90,
            done="已提交合并审批，通过后由系统合并",
            note="审批通过后，指向本客户的业务和资料全部转到保留的客户，本客户留作存根；当日可以撤销",
            after=to_result,
        )
    )
register(
    Button(
        merging.STEPS["ask_again"], merging.ask_again, style="primary", rank=1, done="已再次提交"
    ),
    Button(merging.STEPS["drop"], merging.drop, rank=2, done="已放弃"),
    Button(
        merging.STEPS["undo"],
        merging.undo,
        why_not=merging.why_not_undo,
        ask="撤销原因",
        rank=3,
        done="已撤销合并，转移的记录已退回",
        confirm="转移的记录全部退回原客户",
    ),
)


class CustomerMergeView(EntityView):
    """Screens of 客户合并."""

    model: ClassVar[Any] = CustomerMerge

    def extra_sections(self, record: Entity, ctx: Ctx) -> list[Section]:
        """What went over by kind, once it has; before that what would."""
        assert isinstance(record, CustomerMerge)
        counts: dict[str, int] = {}
        for name, _, ids in record.moved:
            label = entity_of(name).spec.label
            counts[label] = counts.get(label, 0) + len(ids)
        found = list(counts.items()) if record.done_on else merging.preview(ctx, record.merged)
        rows = [Row(what, "", (Cell(what), Cell(str(n), "int"))) for what, n in found]
        label = "转移的记录" if record.done_on else "将转移的记录"
        section = Section(
            "moved",
            label,
            columns=[Column("what", "内容"), Column("count", "条数", "int")],
            rows=rows,
            empty="没有记录指向被合并客户",
        )
        return [section, *super().extra_sections(record, ctx)]
