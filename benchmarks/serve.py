"""One system in a process of its own: signs in once, then times the pages that it is asked for on standard input.

All systems are asked by the same client over their WSGI callable, so that nothing but the system differs.
"""

import gc
import importlib
import json
import re
import resource
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any, Final

from werkzeug.test import Client

from benchmarks import PASSWORD

SIGN_IN: Final = {"ours": "/login/", "fab": "/login/", "django": "/short/login/"}
FIELD: Final = re.compile(r'<input[^>]*name="(?:csrf_token|csrfmiddlewaretoken)"[^>]*>')


def sign_in(client: Client, path: str, username: str) -> None:
    """Sign in as a person does: open the form, send it back with its token."""
    found = FIELD.search(client.get(path).get_data(as_text=True))
    if found is None:
        raise SystemExit(f"no token in the sign-in form {path}")
    token = dict(re.findall(r'(name|value)="([^"]*)"', found[0]))
    fields = {"username": username, "password": PASSWORD, token["name"]: token["value"]}
    response = client.post(path, data=fields, headers={"Referer": f"http://localhost{path}"})
    if response.status_code != 302:
        raise SystemExit(f"sign-in at {path} answered {response.status_code}")


def ask(client: Client, path: str, expected: list[list[str]]) -> dict[str, Any]:
    """Time one page; wall and processor time in ms, size in bytes. Garbage of earlier pages is cleared before."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    response = client.get(path)
    body = response.get_data()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    text = body.decode(errors="replace")
    return {
        "wall": wall * 1000,
        "cpu": cpu * 1000,
        "size": len(body),
        "status": response.status_code,
        "missing": [words for words in expected if not any(word in text for word in words)],
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


class Watch:
    """Counts the statements of a page on every SQLite connection of this process; watches only when told to."""

    def __init__(self) -> None:
        self.connections: list[sqlite3.Connection] = []
        self.seen: list[str] = []
        self.is_on = False
        original = sqlite3.connect

        def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            connection = original(*args, **kwargs)
            self.connections.append(connection)
            self._switch(connection)
            return connection

        sqlite3.connect = sqlite3.dbapi2.connect = connect  # type: ignore[assignment]

    def switch(self, is_on: bool) -> None:
        """Start anew, or stop."""
        self.is_on = is_on
        if is_on:
            self.seen.clear()
        for connection in list(self.connections):
            try:
                self._switch(connection)
            except sqlite3.ProgrammingError:  # closed meanwhile
                self.connections.remove(connection)

    def _note(self, statement: str) -> None:
        if "search_index_" not in statement:  # the full-text engine's own reading of its tables
            self.seen.append(statement)

    def _switch(self, connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(self._note if self.is_on else None)


def main(system: str, database: Path) -> None:
    """Serve until standard input ends."""
    watch = Watch()
    module = importlib.import_module(
        f"benchmarks.{'ours' if system == 'ours' else f'peer_{system}'}"
    )
    out, sys.stdout = sys.stdout, sys.stderr
    client = Client(module.make(database))
    sign_in(client, SIGN_IN[system], module.USERNAME)
    print(json.dumps({"ready": True}), file=out, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        watch.switch(asked["watch"])
        answer = ask(client, asked["path"], asked["expected"])
        print(json.dumps({**answer, "statements": len(watch.seen)}), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
