"""Every paper that bears a number is found by it from any page, by whoever may read it and by nobody else."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.actor import Actor, ScopeLevel
from models.base.entity import entities
from models.guarantee.drawdown import Drawdown
from models.ledger.voucher import Voucher
from reports.base.search import global_search
from tests.structure.wiring import NUMBERED


def reader(scope: ScopeLevel, *, without: str = "") -> Actor:
    """Somebody without a business of their own who may look at every table but one."""
    rights = {
        (f"can_{verb}", model.__tablename__) for model in entities() for verb in ("list", "show")
    }
    return Actor(0, "读者", scope=scope, permissions=frozenset(rights - {("can_list", without)}))


def found(session, actor, number):
    return {(hit.table, hit.record_id) for hit in global_search(session, actor, number)}


@pytest.mark.parametrize("model", NUMBERED, ids=lambda model: model.__name__)
def test_a_paper_is_found_by_its_number(demo_app, model):
    table = model.__tablename__
    with Session(demo_app.engine) as session:
        record = session.scalars(select(model).order_by(model.id.desc()).limit(1)).one()
        number = record.code if model is Voucher else record.number
        for typed in (number, f" {number.lower()} ", number.replace("〔", "(").replace("〕", ")")):
            assert (table, record.id) in found(session, reader(ScopeLevel.ALL), typed)
        assert (table, record.id) not in found(
            session, reader(ScopeLevel.ALL, without=table), number
        )
        if not model.spec.scope.is_open:
            assert (table, record.id) not in found(session, reader(ScopeLevel.SELF), number)


def test_a_loan_is_found_by_the_number_that_the_bank_gives_it(demo_app):
    with Session(demo_app.engine) as session:
        loan = session.scalars(select(Drawdown).order_by(Drawdown.id)).first()
        for typed in (loan.bank_note_no, f" {loan.bank_note_no.lower()} "):
            assert ("drawdown", loan.id) in found(session, reader(ScopeLevel.ALL), typed)
        assert ("drawdown", loan.id) not in found(
            session, reader(ScopeLevel.SELF), loan.bank_note_no
        )
        assert (
            found(session, reader(ScopeLevel.ALL, without="drawdown"), loan.bank_note_no) == set()
        )


def test_a_person_goes_from_the_number_to_the_page(demo_app):
    client = demo_app.client_of("hejianguo")
    with Session(demo_app.engine) as session:
        for model in NUMBERED:
            record = session.scalars(select(model).order_by(model.id.desc()).limit(1)).one()
            number = record.code if model is Voucher else record.number
            answer = client.get(
                "/search", query_string={"q": number}, headers={"Accept": "application/json"}
            )
            urls = [
                hit["url"]
                for hit in answer.json["result"]
                if hit["id"] == f"{model.__tablename__}-{record.id}"
            ]
            assert len(urls) == 1, number
            assert client.get(urls[0], follow_redirects=True).status_code == 200, urls
