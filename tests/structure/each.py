"""One test over many things: quick looks at each entity, verb or function, all failures told together.

A test of its own for each costs more than the look; pytest's parameters are for what takes time or may be skipped.
"""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

Test = Callable[..., None]


def each(names: str, values: Iterable[Any] | Callable[[], Iterable[Any]]) -> Callable[[Test], Test]:
    """Let a test look at every value, as `parametrize` would; it fails with each value that is wrong.

    What takes long to find is given as a function: it runs with the test, and not wherever tests are collected.
    """
    keys = [name.strip() for name in names.split(",")]

    def over(test: Test) -> Test:
        @wraps(test)
        def look_at_all(**fixtures: Any) -> None:
            known = list(values() if callable(values) else values)
            assert known, "there is nothing to look at"
            wrong = []
            for value in known:
                given = (value,) if len(keys) == 1 else value
                try:
                    test(**dict(zip(keys, given, strict=True)), **fixtures)
                except AssertionError as error:
                    error.add_note(f"at {', '.join(map(_told, given))}")
                    wrong.append(error)
            if wrong:
                raise ExceptionGroup(f"{len(wrong)} of {len(known)} are wrong", wrong)

        asked = inspect.signature(test)
        left = [one for name, one in asked.parameters.items() if name not in keys]
        look_at_all.__signature__ = asked.replace(parameters=left)  # type: ignore[attr-defined]
        return look_at_all

    return over


def _told(value: Any) -> str:
    return str(getattr(value, "__tablename__", value))
