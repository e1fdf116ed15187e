"""Handwritten signatures (A11): a small picture, checked and drawn anew, kept with the approval it decides."""

import io
from typing import Final

from PIL import Image, UnidentifiedImageError

from models.approval.approval import ApprovalInstance, ApprovalTask
from models.base.errors import BusinessError, NotFound
from models.system.records import Attachment
from reports.base.scope import is_visible
from workflows.base import attachments, file_store
from workflows.base.context import Ctx

BYTES_MAX: Final = 200 * 1024
WIDTH_MAX: Final = 1600
HEIGHT_MAX: Final = 800
_WIDE, _HIGH = 600, 240  # as it is kept: clear on paper, a few thousand bytes
_INK_LEAST: Final = 60  # fewer dark points are a touch, not a name
_DARK: Final = 160
_END: Final = b"IEND\xaeB\x60\x82"
_NAME: Final = "手写签名.png"
# a few bytes may claim a picture that fills the memory: the library refuses it by an error of its own
_BROKEN: Final = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    SyntaxError,
    ValueError,
)


def keep(ctx: Ctx, instance: ApprovalInstance, picture: bytes) -> Attachment:
    """Keep the picture of a signature on the approval. Raises BusinessError for what is no signature."""
    data = drawn_anew(picture)
    return attachments.hang(
        ctx, instance, name=_NAME, data=data, extension=".png", note="审批手写签名"
    )


def drawn_anew(picture: bytes) -> bytes:
    """The same lines as a small black-and-white PNG: nothing that was packed into the file goes along.

    Raises BusinessError for another kind of file, one that is too large, and an empty sheet.
    """
    if len(picture) > BYTES_MAX:
        raise BusinessError(f"签名图片超过 {BYTES_MAX // 1024} KB，请重新签名", field="signature")
    if not picture.endswith(_END):  # the PDF engine lets the library read torn files
        raise BusinessError("签名不是有效的图片，请重新签名", field="signature")
    try:
        with Image.open(io.BytesIO(picture), formats=("PNG",)) as found:
            if not (0 < found.width <= WIDTH_MAX and 0 < found.height <= HEIGHT_MAX):
                raise BusinessError("签名图片的尺寸不对，请重新签名", field="signature")
            sheet = Image.new("RGBA", found.size, "white")
            sheet.alpha_composite(found.convert("RGBA"))
    except _BROKEN as error:
        raise BusinessError("签名不是有效的图片，请重新签名", field="signature") from error
    grey = sheet.convert("L")
    grey.thumbnail((_WIDE, _HIGH))
    if sum(grey.histogram()[:_DARK]) < _INK_LEAST:
        raise BusinessError("签名是空白的，请重新签名", field="signature")
    target = io.BytesIO()
    grey.quantize(16).save(target, "PNG", optimize=True)
    return target.getvalue()


def picture_of(ctx: Ctx, task: ApprovalTask) -> bytes:
    """The signature of a decision, for who may see the approval. Raises NotFound."""
    if task.signature is None or not is_visible(ctx.session, ctx.actor, task.instance):
        raise NotFound
    path = file_store.path_of(ctx.session, task.signature.stored_path)
    if not path.is_file():
        raise NotFound("签名的文件已不在存储中，请联系系统管理员从备份恢复")
    return path.read_bytes()
