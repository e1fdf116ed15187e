"""A start on a database that is ready: nothing loads and nothing is asked that can wait (at most 3 seconds)."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from jinja2 import DictLoader, Environment
from sqlalchemy import text

from app import KeptTemplates, create_app
from app.jobs import JOBS, make_scheduler
from tests.template import settings_of

BEGINS_WITH = "installed"

ROOT = Path(__file__).resolve().parents[2]
# What `python run.py` does until the first page, in one process; then what it took.
START = """
import gc, json, sys
from sqlalchemy import event
import run
from app import extensions, lifecycle

asked = []
with run.app.app_context():
    event.listen(extensions.db.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
lifecycle.ensure_ready(run.app)
questions = len(asked)
status = run.app.test_client().get("/login/").status_code
json.dump({
    "status": status, "questions": questions, "modules": sorted(sys.modules),
    "collects": gc.isenabled(), "frozen": gc.get_freeze_count(),
}, sys.stdout)
"""


@pytest.fixture(scope="module")
def started(engine, db_url, tmp_path_factory):
    """What a second start took, with the demonstration loaded as `make run` has it."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE system_state SET demo_marker = 'loaded'"))
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    env = {
        "DATABASE_URL": db_url,
        "DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "DEMO": "1",
        "PYTHONUTF8": "1",
    }
    command = [sys.executable, "-c", START]
    done = subprocess.run(
        command, cwd=ROOT, env={**kept, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_first_page_comes(started):
    assert started["status"] == 200


def test_heavy_engines_wait_for_their_first_use(started):
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    heavy = set(
        settings["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-module-level-imports"]
    )
    assert {"alembic", "apscheduler", "weasyprint"} <= heavy
    assert sorted(heavy & set(started["modules"])) == []


def test_a_ready_database_is_asked_little(started):
    assert started["questions"] <= 6


def test_the_collector_rests_during_the_start_and_works_afterwards(started):
    assert started["frozen"] > 100_000
    assert started["collects"]


def test_templates_are_compiled_once_for_all_processes(tmp_path):
    pages = {"greeting": "Hello {{ name }}"}
    Environment(
        loader=DictLoader(pages), bytecode_cache=KeptTemplates(tmp_path / "cache")
    ).get_template("greeting")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    again = Environment(loader=DictLoader(pages), bytecode_cache=KeptTemplates(tmp_path / "cache"))
    again.compile = None  # the second process has no need of it
    assert again.get_template("greeting").render(name="you") == "Hello you"


def test_a_page_that_cannot_be_kept_is_answered(tmp_path):
    kept = KeptTemplates(tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache")
    page = Environment(loader=DictLoader({"greeting": "Hello"}), bytecode_cache=kept).get_template(
        "greeting"
    )
    assert page.render() == "Hello"


def test_migrations_are_for_the_command_line(tmp_path):
    assert "db" not in create_app(settings_of("sqlite://", tmp_path)).cli.commands
    with click.Context(click.Command("flask")):
        assert "db" in create_app(settings_of("sqlite://", tmp_path)).cli.commands


def test_the_clock_knows_every_job(tmp_path):
    scheduler = make_scheduler(create_app(settings_of("sqlite://", tmp_path)))
    assert sorted(job.id for job in scheduler.get_jobs()) == sorted(job.name for job in JOBS)
