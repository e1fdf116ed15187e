"""Data of the last release come along: its demonstration is brought up to date on both kinds and holds afterwards.

`tests/data/released/NNNN.tar.xz` holds the small demonstration as the release with migration NNNN left it: `demo.db`
and the files beside it. A release puts its own in place of it.
"""

import tarfile
from pathlib import Path

import flask_migrate
import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import URL

from app import create_app
from app.extensions import bind_migrations, db
from app.lifecycle import initialise
from models import schema
from models.base.entity import entities
from models.guarantee.project import Project
from models.registry import metadata
from models.system.organization import Operator
from tests.product import Product
from tests.template import copy_rows, settings_of

BEGINS_WITH = "empty"
(ARCHIVE,) = (Path(__file__).parents[1] / "data" / "released").glob("*.tar.xz")


@pytest.fixture(scope="module")
def released(db_kind, db_url, tmp_path_factory):
    """URL and data directory of an installation of the last release."""
    folder = tmp_path_factory.mktemp("released")
    with tarfile.open(ARCHIVE) as tar:
        tar.extractall(folder, filter="data")
    source = URL.create("sqlite", database=str(folder / "demo.db"))
    if db_kind == "sqlite":
        return source.render_as_string(), folder / "files"
    _fill(db_url, source, folder / "files")
    return db_url, folder / "files"


def _fill(url, source, data_dir):
    """Make the tables of the release by its migrations, and put its rows in."""
    app = create_app(settings_of(url, data_dir))
    bind_migrations(app)
    with app.app_context():
        flask_migrate.upgrade(revision=ARCHIVE.name.partition(".")[0])
        db.engine.dispose()
    ends = create_engine(source), create_engine(url)
    copy_rows(*ends)
    with ends[1].begin() as connection:
        connection.execute(text("ANALYZE"))
    for engine in ends:
        engine.dispose()


def _counts(session):
    """How many rows of business there are: an upgrade adds base data, and loses nothing."""
    there = {fact.table for fact in schema.facts_of(session.connection())}
    found = [
        model for model in entities() if model.__tablename__ in there and model.spec.kind.has_screen
    ]
    return {
        m.__tablename__: session.scalar(select(func.count()).select_from(m.__table__))
        for m in found
    }


@pytest.fixture(scope="module")
def upgraded(released):
    """The product over it, brought up to date, and what there was of each table before."""
    product = Product(*released)
    with product.app.app_context():
        before = _counts(db.session())
        db.session.remove()
        initialise(product.app)
        db.session.remove()
    yield product, before
    product.close()


def test_the_data_of_the_last_release_come_along(upgraded):
    product, before = upgraded
    assert before["project"] > 10
    with product.session() as session:
        after = _counts(session)
        assert {name: count for name, count in before.items() if after[name] < count} == {}
        connection = session.connection()
        assert schema.differences(schema.facts_of(connection), metadata, connection.dialect) == []
    with product.app.app_context():
        ran = product.app.test_cli_runner().invoke(args=["verify"])
    assert ran.exit_code == 0, ran.output


def test_its_people_go_on_working(upgraded):
    product, _ = upgraded
    client = product.client_of("zhoumin")
    with product.session() as session:
        mine = select(func.max(Project.id)).join(
            Operator, Operator.employee_id == Project.manager_id
        )
        number = session.scalar(mine.where(Operator.username == "zhoumin"))
    for page in (
        "/",
        "/project/list/",
        "/corporate_customer/list/",
        "/approvals/",
        f"/project/show/{number}",
    ):
        assert client.get(page).status_code == 200, page
    assert product.crashes == []
