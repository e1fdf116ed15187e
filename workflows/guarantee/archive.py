"""4.11 项目档案: filed, lent, given back."""

from datetime import date

from sqlalchemy import select

from models.base.errors import FieldErrors
from models.guarantee.archive import ArchiveItem, ArchiveLoan, ArchiveState
from models.system.organization import Employee
from workflows.base.context import Ctx
from workflows.base.transition import Step, enter, move, steps

KEEPERS = ("法务", "押品专员")
STEPS = steps(
    *(
        Step(
            "archive_item",
            verb,
            label,
            column="state",
            sources=(source,),
            targets=(target,),
            roles=KEEPERS,
        )
        for verb, label, source, target in (
            ("file", "归档", ArchiveState.LISTED, ArchiveState.FILED),
            ("lend", "借阅", ArchiveState.FILED, ArchiveState.LENT),
            ("give_back", "归还", ArchiveState.LENT, ArchiveState.FILED),
        )
    )
)


def file(ctx: Ctx, item: ArchiveItem, place: str, version: int | None = None) -> ArchiveItem:
    """Put a piece into the archive, at a place where it is found again."""
    enter(ctx, STEPS["file"], item, version)
    item.place = place
    move(STEPS["file"], item)
    ctx.session.flush()
    return item


def lend(
    ctx: Ctx,
    item: ArchiveItem,
    borrower: Employee,
    purpose: str,
    due_on: date,
    version: int | None = None,
) -> ArchiveLoan:
    """Hand a piece out until a day."""
    enter(ctx, STEPS["lend"], item, version)
    if due_on < ctx.today:
        raise FieldErrors({"due_on": ["应还日期不能早于营业日期"]})
    if not borrower.is_active:
        raise FieldErrors({"borrower_id": [f"{borrower.name}已离职，不能借阅"]})
    loan = ArchiveLoan(
        item=item, borrower_id=borrower.id, purpose=purpose, lent_on=ctx.today, due_on=due_on
    )
    item.borrower_id = borrower.id
    ctx.session.add(loan)
    move(STEPS["lend"], item)
    ctx.session.flush()
    return loan


def give_back(ctx: Ctx, item: ArchiveItem, version: int | None = None) -> ArchiveLoan:
    """Take a piece back to its place."""
    enter(ctx, STEPS["give_back"], item, version)
    query = select(ArchiveLoan).where(
        ArchiveLoan.item_id == item.id, ArchiveLoan.returned_on.is_(None)
    )
    loan = ctx.session.scalars(query).one()
    loan.returned_on, item.borrower_id = ctx.today, None
    move(STEPS["give_back"], item)
    ctx.session.flush()
    return loan
