"""Files that hang on records: checked by content, stored once by digest, opened by whoever may read the record.

The original name lives in the table alone; the path comes from the digest, never from the name.
"""

import hashlib
import io
import os
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import olefile
import puremagic
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalTask
from models.base.entity import Entity, entity_of
from models.base.errors import BusinessError, Conflict, NotAllowed, NotFound
from models.system.records import Attachment
from reports.figures import dictionaries, parameters
from workflows.base import audit, file_store
from workflows.base.context import Ctx
from workflows.base.papers import require_reader, require_writer
from workflows.base.records import check_version, require_draft
from workflows.base.transition import verbs
from workflows.base.workbook_guard import BROKEN_ARCHIVE, has_macro_sheets

# Extension -> the type that is served. No archives, no programs, nothing that a browser would run.
ALLOWED: Final[dict[str, str]] = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xls": "application/vnd.ms-excel",
    ".txt": "text/plain",
}
_MAIN_PART: Final = {".docx": "word/document.xml", ".xlsx": "xl/workbook.xml"}
_NAME_MAX: Final = 255
_ENTRIES_MAX: Final = 2000
_UNPACKED_MAX: Final = 200 * 1024 * 1024
_RATIO_MAX: Final = 200
_SMALL: Final = 1024 * 1024  # an archive this small may compress as well as it likes
_BOMB: Final = "文件解压后过大，疑似压缩炸弹，已拒绝上传"
_BROKEN: Final = "文件已损坏，请重新保存后再上传"
_TYPES: Final = "[content_types].xml"
# In the name or the type of a part of an office file that runs something: VBA, macro sheets of Excel 4, controls.
_RUNS: Final = ("vbaproject", "macroenabled", "macrosheet", "activex")
_MACROS: Final = "文件含有宏或控件，请去除后再上传"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

_FILE: Final = (
    "category",
    "original_name",
    "sha256",
    "detected_type",
    "size_bytes",
    "stored_path",
)

verbs("attachment", {"add": "上传附件", "show": "查看附件", "delete": "删除他人附件"})


def store(
    ctx: Ctx,
    record: Entity,
    *,
    filename: str,
    data: bytes,
    category: str | None = None,
    note: str | None = None,
) -> Attachment:
    """Check a file and hang it on a record that the actor may add to; the same file on the same record is kept once.

    What hangs there unclassified is classed as asked. Raises NotAllowed, NotFound, or BusinessError saying what is
    wrong with the file.
    """
    ctx.require("add", "attachment", "上传附件")
    require_writer(ctx, record)
    name = clean_name(filename)
    _require_category(ctx, category)
    extension = check_file(name, data, max_bytes=max_bytes(ctx))
    digest = hashlib.sha256(data).hexdigest()
    if (present := _same(ctx.session, record, digest, category)) is not None:
        if category != present.category and category is not None:
            _class_as(ctx, record, present, category)
        return present
    return hang(
        ctx, record, name=name, data=data, extension=extension, category=category, note=note
    )


def hang(
    ctx: Ctx,
    record: Entity,
    *,
    name: str,
    data: bytes,
    extension: str,
    category: str | None = None,
    note: str | None = None,
) -> Attachment:
    """Keep a file that was checked on a record; the caller has seen that the actor may."""
    digest = hashlib.sha256(data).hexdigest()
    made = Attachment(
        owner_table=record.__tablename__,
        owner_id=record.id,
        category=category,
        original_name=name,
        sha256=digest,
        detected_type=ALLOWED[extension],
        size_bytes=len(data),
        stored_path=file_store.keep(ctx.session, digest, data),
        uploaded_by_id=ctx.actor.employee_id,
        uploaded_at=ctx.now,
        note=note,
    )
    ctx.session.add(made)
    ctx.session.flush()
    audit.log(ctx, record, "ATTACH", note=f"上传附件：{name}")
    return made


def refer(ctx: Ctx, source: Entity, target: Entity, note: str) -> int:
    """Name the classed files of a record that the actor may read on another one too; the files are kept once. How many.

    Raises NotAllowed, NotFound.
    """
    require_reader(ctx, source)
    require_writer(ctx, target)
    named = [one for one in attachments_of(ctx.session, source) if one.category is not None]
    for one in named:
        facts = {name: getattr(one, name) for name in _FILE}
        made = Attachment(
            owner_table=target.__tablename__,
            owner_id=target.id,
            uploaded_by_id=ctx.actor.employee_id,
            uploaded_at=ctx.now,
            note=note[:200],
            **facts,
        )
        ctx.session.add(made)
    ctx.session.flush()
    return len(named)


def open_attachment(ctx: Ctx, attachment_id: int) -> tuple[Attachment, Path]:
    """The file for who may read the record it hangs on. Raises NotFound otherwise, and where the file is gone."""
    found = ctx.session.get(Attachment, attachment_id)
    if found is None:
        raise NotFound
    ctx.require("show", "attachment", "查看附件")
    _owner(ctx, found)
    path = file_store.path_of(ctx.session, found.stored_path)
    if not path.is_file():
        raise NotFound(f"附件“{found.original_name}”的文件已不在存储中，请联系系统管理员从备份恢复")
    return found, path


def classify(
    ctx: Ctx, attachment: Attachment, category: str | None, version: int | None = None
) -> None:
    """Say what a file is, or that it is nothing the product asks for; by whom and as long as it could be removed.

    What is not classified yet may be at any time by who uploaded it, as another file could be added.
    """
    owner = _owner(ctx, attachment)
    if version is not None:
        check_version(ctx, attachment, version)
    _require_own(ctx, owner, attachment, "改类", is_first=attachment.category is None)
    _require_category(ctx, category)
    if category != attachment.category:
        others = [
            one for one in _twins(ctx.session, owner, attachment.sha256) if one is not attachment
        ]
        if any(one.category == category for one in others):
            raise BusinessError("同一文件已在这个类别下，请删除多余的一份", field="category")
        _class_as(ctx, owner, attachment, category)


def may_remove(ctx: Ctx, owner: Entity, attachment: Attachment) -> bool:
    """Whether the actor may take this file off a record that they may read."""
    return _is_own(ctx, owner, attachment, "删除")


def may_classify(ctx: Ctx, owner: Entity, attachment: Attachment) -> bool:
    """Whether the actor may say what this file is."""
    return _is_own(ctx, owner, attachment, "改类", is_first=attachment.category is None)


def _is_own(
    ctx: Ctx, owner: Entity, attachment: Attachment, verb: str, *, is_first: bool = False
) -> bool:
    try:
        _require_own(ctx, owner, attachment, verb, is_first=is_first)
    except BusinessError:
        return False
    return True


def _require_own(
    ctx: Ctx, owner: Entity, attachment: Attachment, verb: str, *, is_first: bool = False
) -> None:
    require_writer(ctx, owner)
    signed = select(ApprovalTask.id).where(ApprovalTask.signature_id == attachment.id)
    if ctx.session.scalar(signed.limit(1)) is not None:
        raise Conflict(f"手写签名是审批决定的一部分，不能{verb}")
    if ctx.actor.may("delete", "attachment"):
        return
    if attachment.uploaded_by_id != ctx.actor.employee_id:
        raise NotAllowed(f"只能{verb}自己上传的附件")
    if not is_first:
        require_draft(owner, f"{verb}附件")


def _require_category(ctx: Ctx, category: str | None) -> None:
    if category is not None and category not in dict(
        dictionaries.items(ctx.session, "document_category")
    ):
        raise BusinessError("没有这个要件类别，请从列表中选择", field="category")


def _class_as(ctx: Ctx, owner: Entity, attachment: Attachment, category: str | None) -> None:
    known = dictionaries.labels(ctx.session, "document_category")
    old, new = (known.get(code or "", code or "不分类") for code in (attachment.category, category))
    attachment.category = category
    ctx.session.flush()
    audit.log(ctx, owner, "RECLASS", note=f"附件改类：{attachment.original_name}，{old} → {new}")


def remove(ctx: Ctx, attachment: Attachment, version: int | None = None) -> None:
    """Take an attachment off its record: who uploaded it while the record is a draft, or who may delete attachments.

    The stored file goes with the last record that names it.
    """
    owner = _owner(ctx, attachment)
    if version is not None:
        check_version(ctx, attachment, version)
    _require_own(ctx, owner, attachment, "删除")
    audit.log(ctx, owner, "DETACH", note=f"删除附件：{attachment.original_name}")
    file_store.let_go(ctx, [attachment])
    ctx.session.flush()


def attachments_of(session: Session, record: Entity) -> list[Attachment]:
    """Attachments of a record the caller may read, oldest first."""
    query = select(Attachment).where(
        Attachment.owner_table == record.__tablename__, Attachment.owner_id == record.id
    )
    return list(session.scalars(query.order_by(Attachment.id)))


def damaged(session: Session) -> Iterator[str]:
    """What `flask verify` says of files that are missing or no longer what was uploaded."""
    query = select(Attachment.sha256, Attachment.stored_path, Attachment.original_name).order_by(
        Attachment.id
    )
    with session.execute(query, execution_options={"yield_per": 500}) as rows:
        for digest, stored_path, name in rows:
            found = file_store.digest_of(file_store.path_of(session, stored_path))
            if found is None:
                yield f"附件“{name}”的文件不存在"
            elif found != digest:
                yield f"附件“{name}”的文件内容已被改动"


def clean_name(filename: str) -> str:
    """The name as people gave it, Chinese and rare characters included, without folders and control characters."""
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", filename))[-1]
    name = "".join(
        sign
        for sign in name
        if unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    )
    name = name.strip().strip(".").strip()
    if not name:
        raise BusinessError("文件名为空，请重新选择文件", field="file")
    stem, dot, extension = name.rpartition(".")
    if len(name) > _NAME_MAX and dot:
        return stem[: _NAME_MAX - len(extension) - 1] + dot + extension[:10]
    return name[:_NAME_MAX]


def check_file(name: str, data: bytes, *, max_bytes: int) -> str:
    """The extension of a file whose size and content are in order; BusinessError says what is not."""
    extension = os.path.splitext(name)[1].lower()  # noqa: PTH122 - a name from outside is no path
    if extension not in ALLOWED:
        kinds = "、".join(kind.lstrip(".") for kind in ALLOWED)
        raise BusinessError(
            f"不支持“{extension or '无扩展名'}”文件，可以上传：{kinds}", field="file"
        )
    if not data:
        raise BusinessError(f"文件“{name}”是空的（0 字节），请检查后重新上传", field="file")
    if len(data) > max_bytes:
        size = f"{len(data) / 1048576:.1f}"
        raise BusinessError(
            f"文件“{name}”为 {size} MB，超过上限 {max_bytes // 1048576} MB", field="file"
        )
    if extension in _MAIN_PART:
        _check_office(data, extension)
    elif not _agrees(data, extension):
        raise BusinessError(
            f"文件“{name}”的内容与扩展名“{extension}”不符，已拒绝上传", field="file"
        )
    return extension


def _agrees(data: bytes, extension: str) -> bool:
    if extension == ".txt":
        return _is_text(data)
    if extension == ".xls":
        return _is_old_workbook(data)
    try:
        kinds = {match.extension for match in puremagic.magic_string(data)}
    except puremagic.PureError:
        return False
    return extension in kinds


def _is_text(data: bytes) -> bool:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return _CONTROL.search(data.decode(encoding)) is None
        except UnicodeDecodeError:
            continue
    return False


def _is_old_workbook(data: bytes) -> bool:
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            name = next((name for name in ("Workbook", "Book") if ole.exists(name)), None)
            has_code = any("_VBA_PROJECT" in part for path in ole.listdir() for part in path)
            has_sheets = name is not None and has_macro_sheets(ole.openstream(name).read())
    except (OSError, ValueError, IndexError):
        return False
    if has_code or has_sheets:
        raise BusinessError(_MACROS, field="file")
    return name is not None


def _check_office(data: bytes, extension: str) -> None:
    """Count what an office file really unpacks to, and see that it is what its name says, without macros."""
    try:
        names, types = _unpacked(data)
    except BROKEN_ARCHIVE as error:
        raise BusinessError(_BROKEN, field="file") from error
    if _MAIN_PART[extension] not in names:
        raise BusinessError(f"文件内容与扩展名“{extension}”不符，已拒绝上传", field="file")
    # A part is what its type says, whatever it is called.
    if any(word in said for said in (*names, *types) for word in _RUNS):
        raise BusinessError(_MACROS, field="file")


def _unpacked(data: bytes) -> tuple[set[str], set[str]]:
    """The names of the parts, and the types that the file declares for them, in small letters."""
    names: set[str] = set()
    declared = b""
    left = min(_UNPACKED_MAX, max(_SMALL, _RATIO_MAX * len(data)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        if len(infos) > _ENTRIES_MAX:
            raise BusinessError(_BOMB, field="file")
        for info in infos:
            with archive.open(info) as stream:
                # What the header claims counts for nothing: count what comes out.
                while block := stream.read(1 << 16):
                    left -= len(block)
                    if left < 0:
                        raise BusinessError(_BOMB, field="file")
                    if info.filename.lower() == _TYPES:
                        declared += block
            names.add(info.filename.replace("\\", "/").lower())
    return names, _types(declared)


def _types(declared: bytes) -> set[str]:
    """What [Content_Types].xml says of the parts; empty where it is none."""
    try:  # an entity bomb needs more than what was counted above, and the parser has a limit of its own
        found = ET.fromstring(declared)  # noqa: S314
    except ET.ParseError:
        return set()
    return {each.get("ContentType", "").lower() for each in found}


def max_bytes(ctx: Ctx) -> int:
    """The largest file that is taken."""
    return int(parameters.number(ctx.session, "attachment.max_mb", ctx.today) * 1024 * 1024)


def _same(session: Session, record: Entity, digest: str, category: str | None) -> Attachment | None:
    """What the same bytes are on this record already: under the category, or where one of them has none."""
    found = _twins(session, record, digest)
    if category is None:
        return found[0] if found else None
    return next(
        (one for wanted in (category, None) for one in found if one.category == wanted), None
    )


def _twins(session: Session, record: Entity, digest: str) -> list[Attachment]:
    query = select(Attachment).where(
        Attachment.owner_table == record.__tablename__,
        Attachment.owner_id == record.id,
        Attachment.sha256 == digest,
    )
    return list(session.scalars(query.order_by(Attachment.id)))


def _owner(ctx: Ctx, attachment: Attachment) -> Entity:
    """The record an attachment hangs on, if the actor may read it; else NotFound."""
    if attachment.owner_id is None:
        raise NotFound
    owner = ctx.session.get(entity_of(attachment.owner_table), attachment.owner_id)
    require_reader(ctx, owner)
    assert owner is not None  # or NotFound was raised
    return owner
