"""Files and remarks go with the record they hang on; a stored file goes with the last record that names it."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.customer.customer import CorporateCustomer
from models.customer.partner import JointGroup, JointGroupMember
from models.system.records import Attachment, Comment
from models.system.setup import AuditLog
from tests.workflows.customer_world import COMPANY
from tests.workflows.office import EVERYTHING, NOW, audited
from workflows.base import attachments, comments, file_store, records

TEXT = "协议".encode()


@pytest.fixture
def ctx(session, office, tmp_path):
    session.info["data_dir"] = str(tmp_path)
    return office.ctx(audited(session), permissions=EVERYTHING | {("can_delete", "attachment")})


@pytest.fixture
def group(ctx):
    return make_group(ctx, "LB01")


def make_group(ctx, code):
    return records.create(
        ctx, JointGroup, {"code": code, "name": f"联保体 {code}", "credit_line": "8000000"}
    )


def upload(ctx, record, name="协议.txt", data=TEXT):
    return attachments.store(ctx, record, filename=name, data=data)


def commit(ctx):
    """As the edge does."""
    ctx.session.commit()
    waiting, ctx.after_commit = ctx.after_commit, []
    for act in waiting:
        act()


def files(ctx):
    return [path for path in Path(ctx.session.info["data_dir"]).rglob("*") if path.is_file()]


def test_files_and_remarks_go_with_the_record_and_its_parts(ctx, group):
    customer = records.create(ctx, CorporateCustomer, COMPANY)
    member = records.create(
        ctx, JointGroupMember, {"joint_group_id": group.id, "customer_id": customer.id}
    )
    other = make_group(ctx, "LB02")
    for record, name in ((group, "协议.txt"), (member, "承诺.txt"), (other, "留下.txt")):
        upload(ctx, record, name, name.encode())
        comments.add(ctx, record, f"关于{name}")
    ctx.session.commit()
    assert len(files(ctx)) == 3
    records.delete(ctx, group, group.version)
    assert len(files(ctx)) == 3, "until the commit stands nothing is lost"
    commit(ctx)
    assert [a.original_name for a in ctx.session.scalars(select(Attachment))] == ["留下.txt"]
    assert [c.text for c in ctx.session.scalars(select(Comment))] == ["关于留下.txt"]
    assert [path.read_text() for path in files(ctx)] == ["留下.txt"]
    notes = ctx.session.scalars(
        select(AuditLog.note).where(AuditLog.action == "DETACH").order_by(AuditLog.id)
    ).all()
    assert notes == [
        "随记录删除备注 1 条、附件 1 个：承诺.txt",
        "随记录删除备注 1 条、附件 1 个：协议.txt",
    ]


def test_a_record_with_remarks_alone_takes_them_along(ctx, group):
    comments.add(ctx, group, "不要了")
    records.delete(ctx, group, group.version)
    assert ctx.session.scalars(select(Comment)).all() == []
    assert ctx.after_commit == []
    assert ctx.session.scalars(select(AuditLog.note).where(AuditLog.action == "DETACH")).all() == [
        "随记录删除备注 1 条、附件 0 个"
    ]


def test_a_file_that_another_record_names_stays(ctx, group):
    other = make_group(ctx, "LB02")
    upload(ctx, group)
    kept = upload(ctx, other, "同一份.txt")
    records.delete(ctx, group, group.version)
    commit(ctx)
    assert len(files(ctx)) == 1
    attachments.remove(ctx, kept)
    commit(ctx)
    assert files(ctx) == []


def test_what_was_rolled_back_loses_nothing(ctx, group):
    upload(ctx, group)
    ctx.session.commit()
    records.delete(ctx, group, group.version)
    ctx.session.rollback()
    assert attachments.attachments_of(ctx.session, group) != []
    assert len(files(ctx)) == 1


def test_a_store_that_refuses_keeps_the_file_and_the_commit(ctx, group, monkeypatch):
    upload(ctx, group)
    records.delete(ctx, group, group.version)

    def busy(*_args, **_facts):
        raise PermissionError("busy")

    monkeypatch.setattr(Path, "unlink", busy)
    commit(ctx)
    assert len(files(ctx)) == 1
    assert ctx.session.scalars(select(Attachment)).all() == []


def test_who_uploads_the_same_content_meanwhile_keeps_it(engine, tmp_path):
    """The clearing waits for an upload that has begun, and then finds its row."""
    with Session(engine) as uploading, Session(engine) as clearing:
        for session in (uploading, clearing):
            session.info["data_dir"] = str(tmp_path)
        stored = file_store.keep(uploading, "ab" * 32, TEXT)
        uploading.add(
            Attachment(
                owner_table="joint_group",
                owner_id=1,
                original_name="a.txt",
                sha256="ab" * 32,
                size_bytes=1,
                detected_type="text/plain",
                stored_path=stored,
                uploaded_at=NOW,
            )
        )
        uploading.flush()
        thread = threading.Thread(target=file_store._drop, args=(clearing, {"ab" * 32: stored}))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "it waits"
        uploading.commit()
        thread.join(30)
    assert (tmp_path / "attachments" / stored).read_bytes() == TEXT
