"""What a source of 待办 says of itself, and the kinds of what waits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, false
from sqlalchemy.orm import InstrumentedAttribute

from models.base.actor import Actor
from models.base.kinds import Kind
from reports.base.scope import scoped

Rows: TypeAlias = Select[*tuple[Any, ...]]


class TodoKind(Kind):
    """Kinds of things that wait, in the order in which they are shown."""

    TASK = "审批"
    LATE = "审批超时督办"
    NEXT = "项目下一步"
    UNSENT = "提交审批"
    RETURNED = "退回待重办"
    PREPAY = "登记提前还款"
    BALLOT = "审保会表决"
    CONVENE = "召开审保会"
    ANNOUNCE = "宣布表决结果"
    AGENDA = "列入审保会议题"
    RATING = "等级复评"
    RISK = "风险评估报告"
    SMALL = "小微属性更正复核"
    SETTLE = "反担保落实"
    COLLECT = "收款"
    FOLLOW_UP = "落实放款后条件"
    SEAL = "用印登记"
    SAMPLE = "批量抽查"
    REPORT = "报送再担保备案"
    CEDE = "支付分出担保费"
    COMPENSATE = "支付代偿款"
    FILE = "归档"
    TAKE_BACK = "收回档案"
    CUSTODY = "押品出入库"
    STRIKE_OUT = "注销登记"
    WATCH = "押品监管"
    BOOK = "复核记账"
    REVIEW = "凭证审核"
    SIGN = "出纳签字"
    POST = "凭证记账"
    ERRAND = "交办"
    WARNING = "预警处理"
    CONFIG = "配置发布"


@dataclass(frozen=True)
class Source:
    """Rows of one kind, the record that is opened, who may do it, and whom of these alone or not it waits for."""

    kind: TodoKind
    model: Any
    permission: tuple[str, str]
    rows: Callable[[date], Rows]
    of_project: Callable[[int], ColumnElement[bool]] = lambda _: false()
    holder: InstrumentedAttribute[Any] | None = None
    barred: tuple[InstrumentedAttribute[Any], ...] = ()
    is_scoped: bool = False
    reach: Callable[[Actor], ColumnElement[bool]] | None = (
        None  # which of the rows are this person's, beside
    )
    numbered: Any = None  # of the project, where nothing else is said: a column as default would be a descriptor

    def rows_for(self, actor: Actor, today: date) -> Rows:
        """What of it waits for this actor, who may do it."""
        query = self.rows(today)
        if self.holder is not None:
            query = query.where(self.holder == actor.employee_id)
        query = query.where(*(part.is_distinct_from(actor.employee_id) for part in self.barred))
        if self.reach is not None:
            query = query.where(self.reach(actor))
        return scoped(query, self.model, actor) if self.is_scoped else query
