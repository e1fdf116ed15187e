"""工作日历 (A11): the days on which the company works otherwise than the state's calendar says."""

from datetime import date

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Spec
from models.base.kinds import MenuGroup, Module


class CalendarDay(Entity):
    """One day that is worked or not, whatever the weekday and the published holidays say."""

    spec = Spec(
        "工作日历",
        Module.SYSTEM,
        group=MenuGroup.BASICS,
        title="note",
        listed=("day", "is_workday", "note"),
        filtered=("day",),
        order="-day",
        key=("day",),
        rank=62,
        config=Config(),
        help="法定节假日和调休已内置（国务院当年公布的为准，未公布的年份按周一至周五）；这里登记与其不同的日子。审批时限按工作时间计算。",
        demo=({"day": "2027-02-05", "note": "春节前统一休假"},),
    )
    __table_args__ = (UniqueConstraint("day", name="uq_calendar_day_day"),)

    day: Mapped[date] = c.day("日期", required=True)
    is_workday: Mapped[bool] = c.flag("上班")
    note: Mapped[str] = c.text("说明", 60, required=True)
