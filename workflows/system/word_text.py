"""A Word file as the text of a template (X11): checked as every upload, converted, sanitised; pictures stay behind."""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from models.base.errors import BusinessError
from reports.base.documents import sanitise
from reports.base.documents_offer import Group
from reports.base.documents_template import MAX_TEMPLATE_CHARS
from workflows.base import attachments
from workflows.base.context import Ctx
from workflows.base.workbook_guard import BROKEN_ARCHIVE

_XML_MAX: Final = 20 * 1024 * 1024
_BROKEN: Final = "文件已损坏，请在 Word 中打开后另存为 .docx 再上传"
_CENTER, _RIGHT, _HEAD = "letter-center", "letter-right", "letter-head"
# The title of a letter is its h1; Word's first heading is the title of a chapter.
_STYLES: Final = f"""
p[style-name='{_HEAD}'] => h1:fresh
p[style-name='{_CENTER}'] => p.center:fresh
p[style-name='{_RIGHT}'] => p.right:fresh
p[style-name='Title'] => h1:fresh
p[style-name='heading 1'] => h2:fresh
p[style-name='Heading 1'] => h2:fresh
p[style-name='heading 2'] => h3:fresh
p[style-name='Heading 2'] => h3:fresh
p[style-name='heading 3'] => h4:fresh
p[style-name='Heading 3'] => h4:fresh
u => u
"""
_MARK = re.compile(r"【([^【】<>]{1,40})】")


@dataclass(frozen=True)
class Taken:
    """The text of a Word file, and what its writer should know of the way it took."""

    html: str
    notes: Sequence[str]


def take(ctx: Ctx, filename: str, data: bytes, offers: Sequence[Group]) -> Taken:
    """Turn a .docx into a template's text; 【名称】 of a placeholder becomes the placeholder.

    Raises BusinessError at `file` for what is no sound Word file.
    """
    name = attachments.clean_name(filename)
    if not name.lower().endswith(".docx"):
        raise BusinessError("请上传 .docx 文件；旧的 .doc 请在 Word 中另存为 .docx", field="file")
    attachments.check_file(name, data, max_bytes=attachments.max_bytes(ctx))
    _require_plain(data)
    html, pictures = _converted(data)
    html, known, unknown = _filled(sanitise(html), offers)
    if len(html) > MAX_TEMPLATE_CHARS:
        raise BusinessError(f"文档过大，最多 {MAX_TEMPLATE_CHARS // 10_000} 万字", field="file")
    if not re.sub(r"<[^>]*>", "", html).strip():
        raise BusinessError("文档中没有文字，请检查是否选错了文件", field="file")
    notes = []
    if known:
        notes.append(f"{known} 处【名称】已换成占位符")
    if unknown:
        notes.append(f"没有认出：{'、'.join(f'【{one}】' for one in unknown[:10])}，请从右侧选择")
    if pictures:
        notes.append(f"{pictures} 张图片没有导入，文书中不能放图片")
    return Taken(html, notes)


def _require_plain(data: bytes) -> None:
    """Refuse documents that would unfold in the reader's memory."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [
            info for info in archive.infolist() if info.filename.lower().endswith((".xml", ".rels"))
        ]
        if sum(info.file_size for info in parts) > _XML_MAX:
            raise BusinessError("文档内容过大，请拆分后再上传", field="file")
        if any(b"<!DOCTYPE" in archive.read(info) for info in parts):  # Word writes none
            raise BusinessError(_BROKEN, field="file")


def _converted(data: bytes) -> tuple[str, int]:
    import mammoth  # noqa: PLC0415 - loaded when first used

    pictures: list[int] = []

    def left_out(_: Any) -> dict[str, str]:
        pictures.append(1)
        return {"src": ""}

    try:
        found = mammoth.convert_to_html(
            io.BytesIO(data),
            style_map=_STYLES,
            convert_image=mammoth.images.img_element(left_out),
            transform_document=_aligned,
        )
    except (*BROKEN_ARCHIVE, KeyError, AttributeError, RecursionError) as error:
        raise BusinessError(_BROKEN, field="file") from error
    except Exception as error:
        if type(error).__name__ == "ExpatError":
            raise BusinessError(_BROKEN, field="file") from error
        raise
    return re.sub(r"(</(?:p|h\d|table|ul|ol|tr)>)", r"\1\n", found.value), len(pictures)


def _aligned(document: Any) -> Any:
    """The document with what Word aligns as styles of ours; a centred line at the head is the title."""
    import mammoth  # noqa: PLC0415 - loaded when first used

    seen: list[int] = []

    def styled(paragraph: Any) -> Any:
        is_empty = not any(True for _ in mammoth.transforms.get_descendants(paragraph))
        is_first = not seen and not is_empty
        if is_first:
            seen.append(1)
        if paragraph.style_name and paragraph.style_name.lower().startswith(("heading", "title")):
            return paragraph
        if paragraph.alignment == "center":
            name = _HEAD if is_first else _CENTER
            return paragraph.copy(style_name=name, style_id=name)
        if paragraph.alignment in ("right", "end"):
            return paragraph.copy(style_name=_RIGHT, style_id=_RIGHT)
        return paragraph

    return mammoth.transforms.paragraph(styled)(document)


def _filled(html: str, offers: Sequence[Group]) -> tuple[str, int, list[str]]:
    """The text with 【名称】 replaced where one placeholder alone is called so; how many were, and which were not."""
    known: dict[str, set[str]] = {}
    for group in offers:
        for item in () if group.each else group.items:
            for name in (item.label, f"{group.label}·{item.label}", f"{group.label}{item.label}"):
                known.setdefault(name, set()).add(item.text)
    count, unknown = 0, list[str]()

    def put(found: re.Match[str]) -> str:
        nonlocal count
        texts = known.get(found[1].strip(), set())
        if len(texts) == 1:
            count += 1
            return next(iter(texts))
        unknown.append(found[1])
        return found[0]

    return _MARK.sub(put, html), count, list(dict.fromkeys(unknown))
