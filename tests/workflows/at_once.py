"""Several people at the same moment: real threads on real connections, each with its own transaction."""

import threading
from collections.abc import Callable, Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from models.base.errors import BusinessError

DONE = "done"
DECIDED_BY_THE_DATABASE = (IntegrityError, StaleDataError)  # what the edge answers with "刚被他人修改"


def together(engine: Engine, acts: Sequence[Callable[[Session], object]]) -> list[str]:
    """Run the acts at once, each committed or rolled back as the edge does; returns sorted "done" and error names.

    Anything that the edge would answer with 500, a deadlock included, is raised.
    """
    barrier = threading.Barrier(len(acts))
    results: list[str] = []
    wrong: list[BaseException] = []

    def run(act: Callable[[Session], object]) -> None:
        try:
            with Session(engine) as session:
                barrier.wait()
                act(session)
                session.commit()
            results.append(DONE)
        except (BusinessError, *DECIDED_BY_THE_DATABASE) as error:
            results.append(type(error).__name__)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the test's own thread
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return sorted(results)
