"""交办事项: what somebody asks a colleague to do about a record, until a day (2.7, X18)."""

from datetime import date

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, Module
from models.system.organization import Employee


class ErrandState(Kind):
    """What became of it."""

    PENDING = "待办理"
    DONE = "已办理"
    WITHDRAWN = "已撤回"


class Errand(Entity):
    """One thing to do about one record, for one colleague who may read it; kept with its answer once it is done.

    Never edited: who has thought better takes it back, who is not the right one hands it on.
    """

    spec = Spec(
        "交办事项",
        Module.WORKBENCH,
        title="what",
        rank=6,
        order="due_on",
        listed=("what", "about", "giver", "doer", "due_on", "state", "answer"),
        searched=("what", "about"),
        filtered=("giver_id", "doer_id", "due_on", "state"),
        state="state",
        scope=Scope(hangs_on=("owner_table", "owner_id")),
        saved_by=("add",),
        is_imported=False,  # it hangs on a record, from whose page it is given
        help="在任何记录的“备注与交办”里交给能查看该记录的同事，到期前后都在对方的待办事项中。",
    )
    __table_args__ = (
        CheckConstraint("(state = 'DONE') = (done_on is not null)", name="ck_errand_done"),
        Index("ix_errand_owner", "owner_table", "owner_id"),
        Index("ix_errand_doer", "doer_id", "state", "due_on"),
        Index("ix_errand_giver", "giver_id", "state"),
    )

    what: Mapped[str] = c.text("交办内容", 300, required=True)
    doer_id: Mapped[int] = c.reference("承办人", "employee", required=True, index=False)
    doer: Mapped[Employee] = c.related(doer_id)
    due_on: Mapped[date] = c.day("办理期限", required=True, index=True)
    owner_table: Mapped[str] = c.text("所属对象", 64, required=True)
    owner_id: Mapped[int] = c.whole("所属记录", required=True)
    about: Mapped[str] = c.computed(c.text("关于", 200, required=True))
    giver_id: Mapped[int | None] = c.computed(c.reference("交办人", "employee", index=False))
    giver: Mapped[Employee | None] = c.related(giver_id)
    answer: Mapped[str | None] = c.computed(c.text("办理结果", 300))
    done_on: Mapped[date | None] = c.computed(c.day("办结日期"))
    state: Mapped[ErrandState] = c.state("状态", ErrandState, ErrandState.PENDING)
