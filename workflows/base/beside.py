"""Work that a verb leaves to be done beside the request: started after the commit, else found by the clock (X10)."""

from functools import partial

from workflows.base.context import Ctx

# The application puts what starts work by its name here, on every session that it makes.
STARTER = "start_beside"


def ask(ctx: Ctx, name: str) -> None:
    """Have the work of this name begun as soon as the transaction is committed."""
    start = ctx.session.info.get(STARTER)
    if start is not None:
        ctx.after_commit.append(partial(start, name))
