"""Serve while writing: `make dev`. A saved file is in force at the next request; a mistake is shown, not fatal.

Werkzeug's reloader watches what is imported, the templates and the base data. The scheduler does not run: `day-end` on
the command line does its work when wanted.
"""

import os
import sys
from pathlib import Path

from flask.cli import main

from app import create_app
from app.lifecycle import ensure_ready
from config import load_settings

ROOT = Path(__file__).parents[1]
WATCHED = ("app/templates/**/*.html", "models/seeds/**/*")


def arguments() -> list[str]:
    """What `flask run` is started with: the address that `make run` would serve at, no interactive debugger."""
    files = [str(path) for pattern in WATCHED for path in ROOT.glob(pattern) if path.is_file()]
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8080")
    # No debugger: it runs whatever somebody types into the browser.
    return [
        "--app",
        "run",
        "--debug",
        "run",
        "--host",
        host,
        "--port",
        port,
        "--no-debugger",
        "--extra-files",
        os.pathsep.join(files),
    ]


if __name__ == "__main__":
    # the process that watches; the one that serves is started anew each time
    if "WERKZEUG_RUN_MAIN" not in os.environ:
        ensure_ready(create_app(load_settings()))
    sys.argv[1:] = arguments()
    main()
