"""Several people at the same moment: real threads on real connections, each with its own transaction."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from models.base.errors import BusinessError

DONE = "done"
# what the edge answers with "刚被他人修改"
DECIDED_BY_THE_DATABASE = (
    IntegrityError,
    StaleDataError,
)


def together(engine: Engine, acts: Sequence[Callable[[Session], object]]) -> list[str]:
    """Run the acts at once; returns sorted "done" and names of refusals."""
    found = outcomes(engine, acts)
    return sorted(type(one).__name__ if isinstance(one, Exception) else DONE for one in found)


def outcomes(engine: Engine, acts: Sequence[Callable[[Session], object]]) -> list[Any]:
    """Run the acts at once, each committed or rolled back as the edge does: what each returned, or its refusal.

    Anything that the edge would answer with 500, a deadlock included, is raised.
    """
    barrier = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)
    wrong: list[BaseException] = []

    def run(place: int, act: Callable[[Session], object]) -> None:
        try:
            with Session(engine, expire_on_commit=False) as session:
                barrier.wait()
                results[place] = act(session)
                session.commit()
        except (BusinessError, *DECIDED_BY_THE_DATABASE) as error:
            results[place] = error
        except BaseException as error:  # noqa: BLE001 - it is raised again in the test's own thread
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return results
