"""成立以来累计: what was guaranteed, released and paid before the system; the monthly form goes on from it."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Spec
from models.base.kinds import Kind, MenuGroup, Module


class FoundingItem(Kind):
    """Totals of the monthly form that count from the founding on."""

    GUARANTEED = "累计担保额"
    RELEASED = "累计解除担保额"
    COMPENSATED = "累计代偿额"
    RECOVERED = "累计代偿回收额"
    LOST = "累计担保损失额"


class FoundingTotal(Entity):
    """One total since the founding as of a day, entered when the system goes live (4.6)."""

    spec = Spec(
        "成立以来期初累计",
        Module.LEDGER,
        title="item",
        group=MenuGroup.BOOK_SETUP,
        rank=300,
        order="item",
        listed=("item", "as_of", "amount", "financing_amount", "note"),
        key=("item",),
        config=Config(),
        help="系统上线时登记一次：“成立以来累计”从这里接着算，这一天之后的业务由系统累加。",
        demo=(
            {
                "item": "GUARANTEED",
                "as_of": "-1",
                "amount": "1286000000",
                "financing_amount": "1203000000",
            },
            {
                "item": "RELEASED",
                "as_of": "-1",
                "amount": "1102000000",
                "financing_amount": "1041000000",
            },
        ),
    )
    __table_args__ = (
        CheckConstraint(
            "financing_amount >= 0 and financing_amount <= amount", name="ck_founding_total_amounts"
        ),
    )
    item: Mapped[FoundingItem] = c.enum("项目", FoundingItem, required=True, unique=True)
    as_of: Mapped[date] = c.day("截止日", required=True)
    amount: Mapped[Decimal] = c.money("累计金额", required=True)
    financing_amount: Mapped[Decimal] = c.money("其中融资担保", required=True)
    note: Mapped[str | None] = c.text("备注", 200)
