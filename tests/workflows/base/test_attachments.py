"""Attachments: what may be uploaded, where it is kept, who may open it."""

import hashlib
import io
import os
import struct
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from models.approval.approval import FlowState
from models.base.actor import Actor, ScopeLevel
from models.base.errors import BusinessError, Conflict, NotAllowed, NotFound, StaleRecord
from models.base.kinds import Module
from models.system.records import Attachment
from models.system.setup import AuditLog, DictionaryItem, DictionaryType, Parameter, ValueKind
from tests.workflows.approval_world import World
from workflows.base import attachments, file_store
from workflows.base.workbook_guard import has_macro_sheets

BEGINS_WITH = "tables"

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(40)
JPG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(40)
OWNERS = ("department", "corporate_customer", "approval_flow")
READER = frozenset({("can_show", name) for name in ("attachment", *OWNERS)})
RIGHTS = READER | {("can_add", "attachment"), *(("can_edit", name) for name in OWNERS)}
MB = 1024 * 1024


VBA, EXCEL4, CONTROL = (
    "application/vnd.ms-office.vbaProject",
    "application/vnd.ms-excel.intlmacrosheet+xml",
    "application/vnd.ms-office.activeX+xml",
)


def office(part="word/document.xml", content=b"<w/>", types="<Types/>", **more):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr(part, content)
        for name, data in more.items():
            archive.writestr(name.replace("__", "/") + ".bin", data)
    return made.getvalue()


def declares(content_type, encoding="utf-8"):
    """The types of a file with a part of this type under a name of no meaning."""
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    part = f'<Override PartName="/a" ContentType="{content_type}"/>'
    return f"{head}<Types>{part}</Types>".encode(encoding)


def old_workbook(stream=b"Workbook"):
    """The smallest compound file with one named stream."""
    name = stream.decode().encode("utf-16-le")

    def entry(label, kind, child, start, size):
        head = (
            label
            + bytes(64 - len(label))
            + struct.pack("<HBB", len(label) + 2 if label else 0, kind, 1)
        )
        tail = (
            struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child)
            + bytes(36)
            + struct.pack("<IQ", start, size)
        )
        return head + tail

    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(6)
    )
    header += struct.pack(
        "<IIIIIIIII", 0, 1, 1, 0, 0x1000, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0
    ) + struct.pack("<I", 0)
    header += b"\xff" * (512 - len(header))
    fat = struct.pack("<III", 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFE) + b"\xff" * 500
    root = entry("Root Entry".encode("utf-16-le"), 5, 1, 0xFFFFFFFE, 0)
    file = entry(name, 2, 0xFFFFFFFF, 0xFFFFFFFE, 0)
    return header + fat + root + file + bytes(256)


@pytest.fixture
def world(session, tmp_path):
    session.info["data_dir"] = str(tmp_path)
    session.add(
        Parameter(
            code="attachment.max_mb",
            label="上限",
            value="1",
            value_kind=ValueKind.NUMBER,
            effective_on=date(2000, 1, 1),
            module=Module.SYSTEM,
        )
    )
    kinds = DictionaryType(code="document_category", label="要件类别")
    session.add(kinds)
    session.flush()
    for code, label in (("LICENCE", "营业执照"), ("REPORT", "财务报表")):
        session.add(DictionaryItem(dictionary_type_id=kinds.id, code=code, label=label))
    return World(session)


def upload(world, name="营业执照.pdf", data=PDF, *, record=None, who="申请人", **facts):
    ctx = world.ctx(who, permissions=RIGHTS, scope=ScopeLevel.ALL)
    return attachments.store(ctx, record or world.branch, filename=name, data=data, **facts)


def test_a_file_is_kept_under_its_digest_whatever_its_name(world, tmp_path):
    made = upload(world, "..\\..\\/etc/𠮷野家 营业执照(2026).PDF", category="LICENCE", note="正本")
    digest = hashlib.sha256(PDF).hexdigest()
    assert (made.original_name, made.sha256, made.size_bytes) == (
        "𠮷野家 营业执照(2026).PDF",
        digest,
        len(PDF),
    )
    assert made.detected_type == "application/pdf"
    path = tmp_path / "attachments" / digest[:2] / digest[2:4] / digest
    assert path.read_bytes() == PDF
    assert [p.name for p in path.parent.iterdir()] == [digest]
    found, opened = attachments.open_attachment(
        world.ctx(permissions=RIGHTS, scope=ScopeLevel.ALL), made.id
    )
    assert (found, opened) == (made, path)
    note = world.session.scalars(select(AuditLog.note).where(AuditLog.action == "ATTACH")).one()
    assert note == "上传附件：𠮷野家 营业执照(2026).PDF"


def test_the_same_file_is_stored_once(world, tmp_path):
    first = upload(world)
    assert upload(world, "另一个名字.pdf") is first
    assert (upload(world, "执照.pdf", category="LICENCE"), first.category) == (first, "LICENCE"), (
        "classed as asked"
    )
    assert upload(world) is first
    assert upload(world, category="REPORT") is not first
    second = upload(world, record=world.head)
    assert (second.id != first.id, second.stored_path) == (True, first.stored_path)
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 1
    assert attachments.attachments_of(world.session, world.head) == [second]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pdf", PDF),
        ("a.PNG", PNG),
        ("a.jpg", JPG),
        ("a.jpeg", JPG),
        ("a.docx", office()),
        ("a.xlsx", office("xl/workbook.xml")),
        ("a.xls", old_workbook()),
        ("a.txt", "第一行\r\n第二行".encode()),
        ("a.txt", "第一行".encode("gb18030")),
    ],
)
def test_what_may_be_uploaded(name, data):
    assert attachments.check_file(name, data, max_bytes=MB) == Path(name).suffix.lower()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.pdf", b"", "是空的"),
        ("a.pdf", PDF + bytes(MB), "超过上限 1 MB"),
        ("a.exe", b"MZ", "不支持“.exe”文件"),
        ("a.zip", office(), "不支持“.zip”文件"),
        ("a.html", b"<script>", "不支持“.html”文件"),
        ("readme", b"x", "不支持“无扩展名”文件"),
        ("a.pdf", b"<html><script>alert(1)</script>", "内容与扩展名“.pdf”不符"),
        ("a.pdf", PNG, "内容与扩展名“.pdf”不符"),
        ("a.png", JPG, "内容与扩展名“.png”不符"),
        ("a.jpg", b"\x01\x02\x03", "内容与扩展名“.jpg”不符"),
        ("a.xls", PDF, "内容与扩展名“.xls”不符"),
        ("a.xls", old_workbook(b"WordDocument"), "内容与扩展名“.xls”不符"),
        ("a.xls", old_workbook()[:600], "内容与扩展名“.xls”不符"),
        ("a.txt", b"MZ\x00\x01", "内容与扩展名“.txt”不符"),
        ("a.txt", b"\xff\xff\xff", "内容与扩展名“.txt”不符"),
        ("a.docx", office("xl/workbook.xml"), "内容与扩展名“.docx”不符"),
        ("a.xlsx", PDF, "文件已损坏"),
        ("a.docx", office()[:60], "文件已损坏"),
        ("a.docx", office(word__vbaProject=b"x"), "含有宏"),
        *(("a.docx", office(types=declares(kind)), "含有宏") for kind in (VBA, EXCEL4, CONTROL)),
        ("a.docx", office(types=declares(VBA, "utf-16")), "含有宏"),
        ("a.xlsx", office("xl/workbook.xml", xl__macrosheets__sheet1=b"x"), "含有宏"),
        ("a.xls", old_workbook(b"_VBA_PROJECT_CUR"), "含有宏"),
        ("a.docx", office(content=bytes(400 * MB // 8)), "压缩炸弹"),
    ],
)
def test_what_may_not(name, data, message):
    with pytest.raises(BusinessError, match=message) as refused:
        attachments.check_file(name, data, max_bytes=MB)
    assert list(refused.value.field_errors) == ["file"]


@pytest.mark.parametrize(("kind", "runs"), [(0, False), (1, True), (2, False), (6, True)])
def test_an_old_workbook_with_macro_sheets_is_known(kind, runs):
    """Worksheet, Excel 4 macros, chart, Visual Basic module."""
    begin = struct.pack("<HHHH", 0x0809, 4, 0x0600, 0x0005)
    sheet = struct.pack("<HHIBB", 0x0085, 8, 0, 0, kind) + b"\x00\x00"
    assert has_macro_sheets(begin + sheet) is runs


def test_an_archive_of_countless_parts_is_refused():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(2001):
            archive.writestr(f"p{number}", b"")
    with pytest.raises(BusinessError, match="压缩炸弹"):
        attachments.check_file("a.docx", made.getvalue(), max_bytes=MB)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/etc/passwd/../营业执照.pdf", "营业执照.pdf"),
        ("C:\\用户\\𠮷.pdf", "𠮷.pdf"),
        ("a\x00b\u202e\n.pdf", "ab.pdf"),
        ("  空格 名 .pdf", "空格 名 .pdf"),
        ("长" * 300 + ".pdf", "长" * 251 + ".pdf"),
        ("x" * 300, "x" * 255),
    ],
)
def test_names_are_kept_without_folders_and_control_characters(given, kept):
    assert attachments.clean_name(given) == kept


@pytest.mark.parametrize("given", ["", "..", "a/", "\x00"])
def test_a_name_of_nothing_is_refused(given):
    with pytest.raises(BusinessError, match="文件名为空"):
        attachments.clean_name(given)


def test_an_unknown_category_is_refused(world):
    with pytest.raises(BusinessError, match="没有这个要件类别"):
        upload(world, category="NONE")


def test_uploading_needs_permission_and_sight_of_the_record(world):
    customer = world.customer("丁")
    own = Actor(world.id("甲"), "甲", scope=ScopeLevel.SELF, permissions=RIGHTS)
    ctx = world.ctx()
    with pytest.raises(NotAllowed, match="上传附件"):
        attachments.store(ctx, customer, filename="a.pdf", data=PDF)
    ctx.actor = own
    with pytest.raises(NotFound):
        attachments.store(ctx, customer, filename="a.pdf", data=PDF)


def test_only_who_may_read_the_record_opens_its_files(world, tmp_path):
    made = upload(world, record=world.customer("丁"))
    stranger = world.ctx("甲", permissions=RIGHTS)
    with pytest.raises(NotFound):
        attachments.open_attachment(stranger, made.id)
    with pytest.raises(NotFound):
        attachments.open_attachment(world.system(), 999999)
    with pytest.raises(NotAllowed):
        attachments.open_attachment(world.ctx(scope=ScopeLevel.ALL), made.id)
    assert attachments.open_attachment(world.system(), made.id)[0] is made
    (tmp_path / "attachments" / made.stored_path).unlink()
    with pytest.raises(NotFound, match="已不在存储中"):
        attachments.open_attachment(world.system(), made.id)


def test_files_of_records_that_are_gone_stay_closed(world):
    made = upload(world)
    made.owner_id = 999999
    with pytest.raises(NotFound):
        attachments.open_attachment(world.system(), made.id)
    made.owner_id = None
    with pytest.raises(NotFound):
        attachments.open_attachment(world.system(), made.id)


def test_own_uploads_are_removed_from_drafts_alone(world, tmp_path):
    flow = world.flow(state=FlowState.DRAFT)
    made = upload(world, record=flow)
    with pytest.raises(NotAllowed, match="只能删除自己上传的附件"):
        attachments.remove(world.ctx("甲", permissions=RIGHTS), made)
    flow.state, flow.published_on = FlowState.PUBLISHED, date(2026, 1, 1)
    with pytest.raises(Conflict, match="不能删除附件"):
        attachments.remove(world.ctx(permissions=RIGHTS), made)
    flow.state, flow.published_on = FlowState.DRAFT, None
    attachments.remove(world.ctx(permissions=RIGHTS), made)
    assert attachments.attachments_of(world.session, flow) == []
    assert (tmp_path / "attachments" / made.stored_path).is_file()


def test_what_a_file_is_may_be_said_anew_by_who_uploaded_it_while_the_record_is_a_draft(world):
    flow = world.flow(state=FlowState.PUBLISHED)
    made = upload(world, record=flow)
    mine = world.ctx(permissions=RIGHTS)
    attachments.classify(mine, made, "LICENCE", made.version)  # it was nothing yet
    with pytest.raises(Conflict, match="不能改类附件"):
        attachments.classify(mine, made, "REPORT")
    flow.state, flow.published_on = FlowState.DRAFT, None
    with pytest.raises(NotAllowed, match="只能改类自己上传的附件"):
        attachments.classify(world.ctx("甲", permissions=RIGHTS), made, "REPORT")
    with pytest.raises(BusinessError, match="没有这个要件类别"):
        attachments.classify(mine, made, "NONE")
    with pytest.raises(StaleRecord):
        attachments.classify(mine, made, "REPORT", made.version - 1)
    other = upload(world, record=flow, category="REPORT")
    with pytest.raises(BusinessError, match="已在这个类别下"):
        attachments.classify(mine, made, "REPORT")
    attachments.remove(mine, other, other.version)
    attachments.classify(mine, made, "REPORT")
    assert made.category == "REPORT"
    notes = world.session.scalars(
        select(AuditLog.note).where(AuditLog.action == "RECLASS").order_by(AuditLog.id)
    )
    assert list(notes) == [
        "附件改类：营业执照.pdf，不分类 → 营业执照",
        "附件改类：营业执照.pdf，营业执照 → 财务报表",
    ]
    with pytest.raises(StaleRecord):
        attachments.remove(mine, made, made.version - 1)


def test_who_may_delete_attachments_removes_any(world):
    made = upload(world)
    attachments.remove(world.ctx("甲", permissions=RIGHTS | {("can_delete", "attachment")}), made)
    assert world.session.scalars(select(Attachment)).all() == []


def test_missing_and_altered_files_are_found(world, tmp_path):
    upload(world, "好.pdf")
    gone, altered = upload(world, "缺.png", PNG), upload(world, "改.jpg", JPG)
    (tmp_path / "attachments" / gone.stored_path).unlink()
    (tmp_path / "attachments" / altered.stored_path).write_bytes(b"x")
    assert list(attachments.damaged(world.session)) == [
        "附件“缺.png”的文件不存在",
        "附件“改.jpg”的文件内容已被改动",
    ]


def test_half_a_file_is_never_left_behind(world, tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        upload(world)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_torn_file_is_written_again(tmp_path):
    path = tmp_path / "a" / "b"
    file_store.write_whole(path, b"whole")
    path.write_bytes(b"wh")
    file_store.write_whole(path, b"whole")
    assert path.read_bytes() == b"whole"


def test_the_limit_is_a_parameter(world):
    big = PDF + os.urandom(MB)
    with pytest.raises(BusinessError, match="超过上限"):
        upload(world, data=big)
    most = select(Parameter).where(Parameter.code == "attachment.max_mb")
    world.session.scalars(most).one().value = str(Decimal("1.5"))
    world.session.flush()
    assert upload(world, data=big).size_bytes == len(big)
