"""What may hang on any record: attachments, comments, and the documents issued from it."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Scope, Spec
from models.base.kinds import Kind, Module, SpecKind

if TYPE_CHECKING:
    from models.guarantee.product import Product


class PaperSize(Kind):
    """Paper that a document is printed on."""

    A4 = "A4 纵向"
    A4_LANDSCAPE = "A4 横向"
    A5 = "A5 横向"


_OWNERS = Scope(hangs_on=("owner_table", "owner_id"))


class Attachment(Entity):
    """One checked file that belongs to a record; readable by whoever may read that record."""

    spec = Spec(
        "附件",
        Module.SYSTEM,
        SpecKind.INTERNAL,
        title="original_name",
        in_menu=False,
        scope=_OWNERS,
    )
    __table_args__ = (
        Index("ix_attachment_owner", "owner_table", "owner_id"),
        CheckConstraint("size_bytes >= 0", name="ck_attachment_size_bytes"),
    )

    owner_table: Mapped[str] = c.text("所属对象", 64, required=True)
    owner_id: Mapped[int | None] = c.whole("所属记录", help="新记录保存前为空")
    category: Mapped[str | None] = c.dictionary("要件类别", "document_category")
    original_name: Mapped[str] = c.text("文件名", 255, required=True)
    sha256: Mapped[str] = c.text("摘要", 64, required=True, index=True)
    detected_type: Mapped[str] = c.text("文件类型", 100, required=True)
    size_bytes: Mapped[int] = c.whole("大小", unit="字节", required=True)
    stored_path: Mapped[str] = c.hidden(c.text("存放位置", 255, required=True))
    uploaded_by_id: Mapped[int | None] = c.reference("上传人", "employee", use_alter=True)
    uploaded_at: Mapped[datetime] = c.moment("上传时间", required=True)
    note: Mapped[str | None] = c.text("说明", 200)


class Comment(Entity):
    """A remark that a reader has left on a record."""

    spec = Spec(
        "备注留言", Module.SYSTEM, SpecKind.INTERNAL, title="text", in_menu=False, scope=_OWNERS
    )
    __table_args__ = (Index("ix_comment_owner", "owner_table", "owner_id"),)

    owner_table: Mapped[str] = c.text("所属对象", 64, required=True)
    owner_id: Mapped[int] = c.whole("所属记录", required=True)
    text: Mapped[str] = c.long_text("内容", required=True)


class DocumentTemplate(Entity):
    """A letter, contract, notice or voucher that an administrator edits in the browser (X11)."""

    spec = Spec(
        "文书模板",
        Module.GUARANTEE_SETUP,
        title="label",
        listed=("label", "product", "paper", "version_no", "is_active", "updated_at", "code"),
        searched=("code", "label"),
        filtered=("is_active", "product_id"),
        order="code",
        key=("code",),
        rank=60,
        config=Config(),
    )
    __table_args__ = (
        UniqueConstraint("code", name="uq_document_template_code"),
        UniqueConstraint("general_id", "product_id", name="uq_document_template_product"),
        CheckConstraint(
            "(general_id is null) = (product_id is null)", name="ck_document_template_product"
        ),
        CheckConstraint("version_no >= 1", name="ck_document_template_version_no"),
    )

    code: Mapped[str] = c.text("模板编码", 40, required=True, check="code")
    label: Mapped[str] = c.text("模板名称", 60, required=True)
    general_id: Mapped[int | None] = c.reference(
        "代替的通用模板",
        "document_template",
        group="按产品另立",
        help="某一产品的文书与通用的不同时填写；停用后仍用通用模板",
        ondelete="NO ACTION",
    )
    general: Mapped["DocumentTemplate | None"] = c.related(
        general_id, remote_side="DocumentTemplate.id"
    )
    product_id: Mapped[int | None] = c.reference(
        "适用产品", "product", group="按产品另立", ondelete="NO ACTION", part=c.Part(60)
    )
    product: Mapped["Product | None"] = c.related(product_id)
    paper: Mapped[PaperSize] = c.enum("纸张", PaperSize, required=True, default=PaperSize.A4)
    body: Mapped[str] = c.long_text(
        "正文", required=True, help="HTML；可用 {{ 变量 }}，变量清单见预览页"
    )
    version_no: Mapped[int] = c.computed(c.whole("模板版本", minimum=1, required=True, default=1))
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)
    note: Mapped[str | None] = c.text("备注", 200)

    @property
    def kind_code(self) -> str:
        """The code of the document that it is the text of: its own, or that of the template that it stands for."""
        return self.code if self.general is None else self.general.code


class IssuedDocument(Entity):
    """A document as issued: data and template are frozen, so it prints the same for ever and can be verified."""

    spec = Spec(
        "已出具文书",
        Module.QUERY,
        SpecKind.LOG,
        title="number",
        listed=("number", "title", "project_id", "issued_by", "issued_at"),
        searched=("number", "title"),
        filtered=("template_code", "project_id", "issued_at"),
        order="-issued_at",
        scope=_OWNERS,
        rank=90,
    )
    __table_args__ = (
        UniqueConstraint("number", name="uq_issued_document_number"),
        Index("ix_issued_document_owner", "owner_table", "owner_id"),
    )

    number: Mapped[str] = c.text("文书编号", 40, required=True)
    title: Mapped[str] = c.text("标题", 200, required=True)
    template_code: Mapped[str] = c.text("模板编码", 40, required=True, index=True)
    template_version: Mapped[int] = c.whole("模板版本", required=True, minimum=1)
    paper: Mapped[PaperSize] = c.enum("纸张", PaperSize, required=True, default=PaperSize.A4)
    owner_table: Mapped[str] = c.hidden(c.text("所属对象", 64, required=True))
    owner_id: Mapped[int] = c.hidden(c.whole("所属记录", required=True))
    project_id: Mapped[int | None] = c.reference("担保项目", "project")
    # Tables whose masked columns (X9) the text prints in full, with commas; empty where it prints none.
    masked_of: Mapped[str | None] = c.hidden(c.text("所含个人信息", 200))
    data: Mapped[dict[str, Any]] = c.hidden(c.json("数据", required=True))
    body: Mapped[str] = c.hidden(c.long_text("正文", required=True))
    sha256: Mapped[str] = c.text("校验码", 64, required=True, index=True)
    pdf_path: Mapped[str] = c.hidden(c.text("文件位置", 255, required=True))
    pdf_sha256: Mapped[str | None] = c.hidden(c.text("PDF 摘要", 64))
    issued_by_id: Mapped[int | None] = c.reference("出具人", "employee", use_alter=True)
    issued_at: Mapped[datetime] = c.moment("出具时间", required=True, index=True)
