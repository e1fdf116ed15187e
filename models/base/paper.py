"""A paper: a record that is approved as a whole. Its state, its number, and what 复核 says of it."""

from typing import Any, ClassVar

from sqlalchemy.orm import Mapped, MappedColumn, declared_attr

from models.base import columns as c
from models.base.entity import Entity
from models.base.kinds import Kind

# Where the columns of every paper stand among its own: number and owner before them, what became of it behind.
FIRST, LAST = -90, 800


class PaperState(Kind):
    """State of a paper that is approved as a whole."""

    DRAFT = "草稿"
    IN_APPROVAL = "审批中"
    APPROVED = "已通过"
    REJECTED = "已否决"
    VOID = "已作废"


# Papers that stand or may come to stand: the others are kept to be read.
LIVE_PAPERS = (PaperState.DRAFT, PaperState.IN_APPROVAL, PaperState.APPROVED)
# Papers that nobody has decided about yet.
OPEN_PAPERS = (PaperState.DRAFT, PaperState.IN_APPROVAL)


def at(place: int, column: MappedColumn[Any]) -> MappedColumn[Any]:
    """A column of a mixin at its place among those of the class."""
    column._sort_order = place  # noqa: SLF001 - helpers of columns take no place
    return column


class Paper(Entity):
    """Number and state of a paper; a class says by `number_label` what its number is called."""

    __abstract__ = True
    number_label: ClassVar[str]

    @declared_attr
    def number(cls) -> Mapped[str]:  # noqa: N805
        """Drawn when the paper is drawn up."""
        return at(FIRST, c.computed(c.text(cls.number_label, 40, required=True, unique=True)))

    @declared_attr
    def state(cls) -> Mapped[PaperState]:  # noqa: N805
        """Where its approval has brought it."""
        return at(LAST, c.state("状态", PaperState, PaperState.DRAFT))


class SentBack:
    """A paper that 复核 may send back; it stands in 待办 until it is handed in again (models/guarantee/paper.py).

    `again` is the verb that hands in again what is approved, `by_manager` whether the A角 of its project alone does so;
    otherwise everybody who has the right to and may read the project is asked.
    """

    again: ClassVar[str] = "submit"
    by_manager: ClassVar[bool] = True

    @declared_attr
    def returned_reason(cls) -> Mapped[str | None]:  # noqa: N805
        """Why the accountant sent it back; empty once it is handed in again."""
        return at(LAST - 2, c.computed(c.text("复核退回原因", 200)))


class Booked(SentBack):
    """A paper that one event books: whether it is in the books, or why 复核 sent it back."""

    @declared_attr
    def is_booked(cls) -> Mapped[bool]:  # noqa: N805
        """Whether the books hold it."""
        return at(LAST - 1, c.computed(c.flag("已记账")))
