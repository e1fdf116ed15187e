"""Whoever may write SQL changes something; `verify` finds it and names the first wrong row, whatever it was."""

import contextlib
import json
import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from models.base.actor import SYSTEM
from models.base.entity import Entity, entities
from models.customer.customer import (
    CorporateCustomer,
    Customer,
    PersonalCustomer,
)
from models.customer.relation import SUPPLY_CHAIN, CustomerRelation
from models.guarantee.bank import PartnerBank
from models.ledger.voucher import Voucher, VoucherEntry, VoucherState
from models.system.proof import NOT_SEALED, SEALED
from models.system.records import Attachment, IssuedDocument
from models.system.setup import SystemState
from tests.workflows.office import audited
from tests.workflows.tampering import LEDGER, RECORDS, RIGHTS, TRAIL
from workflows import verify
from workflows.base import file_store, seal
from workflows.base.context import Ctx
from workflows.ledger import chain, heads
from workflows.ledger.guards import install_guards, wrong_guards
from workflows.ledger.verify import check_auxiliary_ids, verify_ledger
from workflows.system.proofs import Store, first_wrong, verify_trail


@pytest.fixture(scope="module")
def folder(demo):
    """The data directory of this copy, with one document printed and one remark made."""
    with demo.session() as session:
        paper = session.scalar(select(func.min(IssuedDocument.id)))
    client = demo.client_of("zhoumin")
    project = client.get("/api/v1/project/").get_json()["ids"][0]
    assert demo.post(client, f"/comment/project/{project}", text="留作核对").status_code == 302
    assert demo.client_of("admin").get(f"/issued_document/{paper}/pdf").status_code == 200
    with demo.session() as session:
        session.info.update(places(demo))
        heads.note(demo_ctx(session), "测试")
        session.commit()
    return demo.app.config["SETTINGS"].data_dir


def places(demo):
    settings = demo.app.config["SETTINGS"]
    return {"data_dir": str(settings.data_dir), "chain_heads": str(settings.chain_heads)}


def demo_ctx(session):
    today = session.get_one(SystemState, 1).business_date
    return Ctx(session, SYSTEM, today, datetime.now(UTC), "cli")


@pytest.fixture(scope="module")
def told(demo, folder):
    """What the trail says of every record: read once, for most ways leave the trail as it is."""
    with tempfile.TemporaryDirectory() as room, contextlib.closing(Store(Path(room))) as store:
        with demo.engine.connect() as connection:
            for row in seal.read(connection):
                store.take(row)
        yield store


@pytest.fixture
def attacker(demo, folder):
    """A session past all guards, which are put back before anybody looks; nothing stays."""
    with demo.engine.connect() as connection:
        transaction = connection.begin()
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        with Session(
            connection, join_transaction_mode="create_savepoint", info=places(demo)
        ) as session:
            yield Attacker(session, is_sqlite)
        transaction.rollback()


class Attacker:
    """Somebody with the password of the database."""

    def __init__(self, session, is_sqlite):
        self.session, self.connection, self.is_sqlite = session, session.connection(), is_sqlite

    @contextlib.contextmanager
    def unguarded(self):
        """Triggers and foreign keys asleep."""
        if self.is_sqlite:
            names = self.connection.scalars(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).all()
            for name in (name for name in names if name.startswith("guard")):
                self.connection.execute(text(f"DROP TRIGGER {name}"))
            yield
            install_guards(self.connection)
        else:
            self.connection.execute(text("SET LOCAL session_replication_role = replica"))
            yield
            self.connection.execute(text("SET LOCAL session_replication_role = origin"))

    def run(self, *statements, **values):
        with self.unguarded():
            for statement in statements:
                assert self.connection.execute(text(statement), values).rowcount >= 1, statement

    def copy(self, table, row_id):
        """A row like another one, with other words where they must differ."""
        found = Entity.metadata.tables[table]
        row = dict(
            self.connection.execute(select(found).where(found.c.id == row_id)).mappings().one()
        )
        row["id"] = 999_999
        for name in {"number", "code"} & row.keys():
            row[name] = "X-1"
        if table == "approval_task":
            row["round_no"] = 99
        if table == "project_snapshot":
            row["taken_on"] = row["taken_on"].replace(year=2020)
        with self.unguarded():
            self.connection.execute(insert(found), [row])


# ------------------------------------------------------------------------------------------------------------- records
@pytest.mark.parametrize("way", RECORDS, ids=str)
def test_a_record_changed_taken_away_or_put_in(attacker, told, way):
    first = attacker.connection.scalar(text(f"SELECT min(id) FROM {way.table} WHERE {way.where}"))
    assert first is not None, "the demonstration holds such a row"
    assert first_wrong(attacker.connection, told, way.table) is None
    if way.change == "ADD":
        attacker.copy(way.table, first)
    elif way.change == "DELETE":
        attacker.run(f"DELETE FROM {way.table} WHERE id = :id", id=first)
    else:
        attacker.run(f"UPDATE {way.table} SET {way.change} WHERE id = :id", id=first)
    assert way.says in (first_wrong(attacker.connection, told, way.table) or "")


@pytest.mark.parametrize(("statement", "says"), RIGHTS)
def test_rights_that_nobody_gave(attacker, told, statement, says):
    attacker.run(statement)
    wrong = [first_wrong(attacker.connection, told, table) for table in ("ab_role", "ab_user")]
    assert says in "".join(filter(None, wrong))


def test_a_role_held_by_a_group_that_nobody_made(attacker, told):
    """Approvals ask whoever holds a role, by a group too."""
    attacker.run(
        "INSERT INTO ab_group (id, name) VALUES (1, '自己人')",
        "INSERT INTO ab_group_role (id, group_id, role_id) SELECT 1, 1, id FROM ab_role WHERE name = '总裁'",
        "INSERT INTO ab_user_group (id, user_id, group_id) SELECT 1, id, 1 FROM ab_user "
        "WHERE username = 'zhoumin'",
    )
    assert "操作员“zhoumin”" in (first_wrong(attacker.connection, told, "ab_user") or "")


def test_every_table_is_sealed_or_says_why_not():
    """A new table is on one of the two lists; nothing is on both."""
    found = {model.__tablename__ for model in entities()}
    assert found == set(SEALED) | NOT_SEALED.keys()
    assert not set(SEALED) & NOT_SEALED.keys()


def test_a_customer_is_covered_with_what_it_inherits_and_its_deletion_takes_its_parts_along(demo):
    """Nothing that the product does by itself looks like tampering."""
    with demo.session() as session:
        audited(session)
        demo_ctx(session)
        person = session.scalars(select(PersonalCustomer).limit(1)).one()
        other = session.scalars(select(CorporateCustomer).limit(1)).one()
        person.note = "改过"
        session.flush()
        session.execute(update(Customer).where(Customer.id == other.id).values(note="整批改过"))
        made = CorporateCustomer(
            **{
                name: getattr(other, name)
                for name in ("kind", "name", "manager_id", "department_id", "status")
            },
            number="KH999999",
            uscc="91320100MA0000000X",
        )
        session.add(made)
        session.flush()
        session.add(
            CustomerRelation(customer_id=made.id, to_customer_id=other.id, kind=SUPPLY_CHAIN)
        )
        session.flush()
        session.delete(made)
        session.flush()
        assert verify_trail(session) == []
        session.rollback()


# --------------------------------------------------------------------------------------------------- trail and books
@pytest.mark.parametrize(("statement", "says"), TRAIL)
def test_the_trail_touched(attacker, statement, says):
    attacker.run(statement)
    assert says in "".join(verify_trail(attacker.session))


@pytest.mark.parametrize(("statement", "says"), LEDGER)
def test_the_books_touched(attacker, statement, says):
    attacker.run(statement)
    assert any(says in problem for problem in verify_ledger(attacker.session))


def test_a_customer_swapped_in_entries_and_balances_together(attacker):
    """The balances agree, and the chain covers keys alone: the id and the key no longer name the same customer."""
    one, other = attacker.connection.execute(
        text(
            "SELECT e.customer_id, (SELECT min(c.id) FROM customer c WHERE c.id NOT IN (SELECT customer_id FROM "
            "auxiliary_balance)) FROM voucher_entry e JOIN voucher v ON v.id = e.voucher_id WHERE v.state = 'POSTED' "
            "AND e.customer_id IS NOT NULL ORDER BY e.id LIMIT 1"
        )
    ).one()
    attacker.run(
        "UPDATE voucher_entry SET customer_id = :other WHERE customer_id = :one",
        "UPDATE auxiliary_balance SET customer_id = :other WHERE customer_id = :one",
        one=one,
        other=other,
    )
    found = verify_ledger(attacker.session)
    assert len(found) == 1
    assert "辅助核算与其编号" in found[0]


def test_a_code_that_was_changed_in_the_product_is_no_tampering(attacker):
    """A bank's code is a setting: entries keep the one of their day, the trail tells of the change."""
    entry = attacker.session.scalars(
        select(VoucherEntry)
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .where(Voucher.state == VoucherState.POSTED, VoucherEntry.customer_id.is_not(None))
        .limit(1)
    ).one()
    bank = attacker.session.scalars(select(PartnerBank).limit(1)).one()
    with attacker.unguarded():
        attacker.session.execute(
            update(VoucherEntry)
            .where(VoucherEntry.id == entry.id)
            .values(bank_id=bank.id, auxiliary_keys=f"{entry.auxiliary_keys};银行={bank.code}")
        )
    assert list(check_auxiliary_ids(attacker.session)) == []
    audited(attacker.session)
    Ctx(attacker.session, SYSTEM, date(2026, 1, 1), datetime.now(UTC), "cli")
    bank.code = "NEWCODE"
    attacker.session.flush()
    assert list(check_auxiliary_ids(attacker.session)) == []
    other = "(SELECT min(id) FROM partner_bank WHERE id <> :bank)"
    attacker.run(
        f"UPDATE voucher_entry SET bank_id = {other} WHERE id = :id", id=entry.id, bank=bank.id
    )
    assert len(list(check_auxiliary_ids(attacker.session))) == 1


def test_the_last_voucher_taken_out_together_with_its_balances(attacker, told):
    """What is left is a chain that is sound and balances that agree."""
    last = attacker.session.scalars(
        select(Voucher)
        .where(Voucher.state == VoucherState.POSTED)
        .order_by(Voucher.posting_no.desc())
    ).first()
    number, key = last.posting_no, last.id
    entries = attacker.connection.execute(
        text(
            "SELECT account_id, sum(debit), sum(credit) FROM voucher_entry WHERE voucher_id = :id GROUP BY account_id"
        ),
        {"id": key},
    ).all()
    attacker.run(
        "DELETE FROM voucher_entry WHERE voucher_id = :id",
        "DELETE FROM voucher WHERE id = :id",
        id=key,
    )
    for account, debit, credit in entries:
        attacker.run(
            "UPDATE account_balance SET debit = debit - :debit, credit = credit - :credit, "
            "closing = closing - :debit + :credit WHERE account_id = :account AND period_id = :period",
            debit=debit,
            credit=credit,
            account=account,
            period=last.period_id,
        )
    assert f"记账序号应到 {number}" in "".join(verify_ledger(attacker.session))
    assert "已不在库中" in first_wrong(attacker.connection, told, "voucher")


def test_both_chains_recomputed_to_the_end_are_found_by_the_heads_outside(attacker):
    """Whoever knows how the links are made can make them anew; the file says what they were."""
    voucher = attacker.session.scalars(select(Voucher).where(Voucher.posting_no == 5)).one()
    voucher.memo = "改过的摘要"
    with attacker.unguarded():
        attacker.session.flush()
        previous = voucher.previous_hash
        vouchers = select(Voucher).where(Voucher.posting_no >= 5).order_by(Voucher.posting_no)
        for row in attacker.session.scalars(vouchers):
            row.previous_hash, row.hash = previous, chain.link(previous, *chain.content_of(row))
            previous = row.hash
        attacker.session.flush()
    said = "".join(heads.verify_heads(attacker.session))
    assert "凭证链在记账序号" in said


def test_the_trail_recomputed_to_the_end_is_found_by_the_heads_outside(attacker):
    attacker.run("UPDATE audit_log SET note = '改过' WHERE seal_no = 100 AND lane = 0")
    previous, last = "", None
    for row in (
        attacker.connection.execute(
            select(seal.LINES).where(seal.LINES.c.lane == 0).order_by(seal.LINES.c.seal_no)
        )
        .mappings()
        .all()
    ):
        previous = seal.link(previous, row)
        attacker.connection.execute(
            seal.LINES.update().where(seal.LINES.c.id == row["id"]).values(seal_hash=previous)
        )
        last = previous
    attacker.run("UPDATE chain_lane SET hash = :hash WHERE lane = 0", hash=last)
    assert verify_trail(attacker.session) == []
    assert "操作日志链第" in "".join(heads.verify_heads(attacker.session))


def test_the_whole_trail_wiped_with_its_lanes_is_found_by_the_heads_outside(attacker):
    attacker.run("DELETE FROM audit_log", "DELETE FROM chain_lane")
    assert "没有封存起点" in "".join(verify_trail(attacker.session))
    assert "操作日志链第" in "".join(heads.verify_heads(attacker.session))


# ------------------------------------------------------------------------------------------------- triggers and heads
def test_a_trigger_that_never_fires_is_not_ours(attacker):
    if attacker.is_sqlite:
        attacker.connection.execute(text("DROP TRIGGER guard_voucher_update"))
        attacker.connection.execute(
            text(
                "CREATE TRIGGER guard_voucher_update BEFORE UPDATE ON voucher WHEN 0 "
                "BEGIN SELECT RAISE(ABORT, ''); END"
            )
        )
    else:
        attacker.connection.execute(
            text(
                "CREATE OR REPLACE FUNCTION guard_voucher() RETURNS trigger LANGUAGE plpgsql AS "
                "$body$ BEGIN RETURN NEW; END $body$"
            )
        )
    assert (
        wrong_guards(attacker.connection)[0]
        == "已记账凭证的数据库保护触发器 guard_voucher_update 被停用或改写"
    )
    assert wrong_guards(attacker.connection)[0] in verify_ledger(attacker.session)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE voucher DISABLE TRIGGER guard_voucher_update",
        "ALTER TABLE voucher ENABLE REPLICA TRIGGER guard_voucher_update",
        "ALTER TABLE voucher_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER guard_entry_delete ON voucher_entry",
    ],
)
def test_a_trigger_switched_off(attacker, statement):
    attacker.connection.execute(text(statement))
    assert wrong_guards(attacker.connection)


@contextlib.contextmanager
def kept(path):
    """The file as it was, afterwards."""
    copy = path.with_name(path.name + ".kept")
    shutil.copy(path, copy)
    try:
        yield path
    finally:
        copy.replace(path)


def _drop_last(path):
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def _drop_first(path):
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))


def _alter(path):
    lines = path.read_text().splitlines()
    line = json.loads(lines[3])
    line["vouchers"][1] = "swapped"
    path.write_text("\n".join([*lines[:3], json.dumps(line), *lines[4:]]) + "\n")


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (_drop_last, "链头文件缺第"),
        (_drop_first, "链头文件缺第 1 行"),
        (_alter, "链头文件第 4 行与库中的登记不符"),
        (lambda path: path.write_text(""), "链头文件缺第 1 行"),
        (Path.unlink, "不存在"),
    ],
    ids=["shortened", "beheaded", "altered", "emptied", "gone"],
)
def test_the_file_of_heads_touched(attacker, folder, act, says):
    with kept(folder / "chain-heads.log") as path:
        act(path)
        assert says in "".join(heads.verify_heads(attacker.session))
    assert heads.verify_heads(attacker.session) == []


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (
            "DELETE FROM chain_head WHERE number = (SELECT max(number) FROM chain_head)",
            "在库中没有登记",
        ),
        ("DELETE FROM chain_head", "在库中没有登记"),
        ("UPDATE chain_head SET voucher_hash = 'swapped' WHERE number = 2", "第 2 号缺失或被改动"),
        ("UPDATE chain_head SET lanes = '[]' WHERE number = 2", "第 2 号缺失或被改动"),
    ],
)
def test_the_heads_in_the_database_touched(attacker, statement, says):
    attacker.run(statement)
    assert says in "".join(heads.verify_heads(attacker.session))


# --------------------------------------------------------------------------------------------------------------- files
def test_bytes_of_an_attachment(attacker, folder):
    found = attacker.session.scalars(select(Attachment).order_by(Attachment.id)).first()
    path = file_store.path_of(attacker.session, found.stored_path)
    with kept(path):
        path.write_bytes(path.read_bytes() + b" ")
        assert verify.verify_files(attacker.session) == [
            f"附件“{found.original_name}”的文件内容已被改动"
        ]
        path.unlink()
        assert verify.verify_files(attacker.session) == [f"附件“{found.original_name}”的文件不存在"]
    assert verify.verify_files(attacker.session) == []


def printed_document(attacker):
    return attacker.session.scalars(
        select(IssuedDocument).where(IssuedDocument.pdf_sha256.is_not(None))
    ).first()


def test_bytes_of_a_document(attacker, folder, demo):
    found = printed_document(attacker)
    path, url = folder / found.pdf_path, f"/issued_document/{found.id}/pdf"
    boss = demo.client_of("admin")
    assert boss.get(url).status_code == 200
    with kept(path):
        path.write_bytes(path.read_bytes() + b"%swapped")
        assert verify.verify_files(attacker.session) == [f"文书“{found.number}”的 PDF 文件已被改动"]
        answer = boss.get(url)
        assert (answer.status_code, "与打印时不符" in answer.get_data(as_text=True)) == (409, True)


def test_words_of_a_document(attacker, folder):
    """Nobody asks for a page meanwhile: it may note when its reader was seen, and then SQLite lets no reader write."""
    assert folder.exists()
    found = printed_document(attacker)
    assert verify.verify_files(attacker.session) == []
    attacker.run("UPDATE issued_document SET body = '<p>改过</p>' WHERE id = :id", id=found.id)
    attacker.session.expire_all()
    assert verify.verify_files(attacker.session) == [
        f"文书“{found.number}”的内容与出具时的校验码不符"
    ]


# --------------------------------------------------------------------------------------------------------------- whole
def test_untouched_everything_is_well_in_a_whole_run(demo, folder):
    with demo.session() as session:
        session.info.update(places(demo))
        assert [result.problem for result in verify.run(session) if result.problem] == []
    assert len(RECORDS) + len(RIGHTS) + len(TRAIL) + len(LEDGER) > 57


def test_a_trigger_that_is_not_ours_is_named(attacker):
    """It could write whatever it likes with each row that the product saves."""
    if attacker.is_sqlite:
        attacker.connection.execute(
            text(
                "CREATE TRIGGER evil AFTER INSERT ON receipt BEGIN UPDATE receipt SET payer = 'x'; END"
            )
        )
    else:
        attacker.connection.execute(
            text(
                "CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS "
                "$body$ BEGIN RETURN NULL; END $body$"
            )
        )
        attacker.connection.execute(
            text("CREATE TRIGGER evil AFTER INSERT ON receipt FOR EACH ROW EXECUTE FUNCTION evil()")
        )
    assert wrong_guards(attacker.connection) == ["数据库中有不属于本系统的触发器 evil"]
