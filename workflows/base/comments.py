"""Remarks on a record: whoever may work on it may add one; nobody changes or takes back what was said."""

from models.base.entity import Entity
from models.base.errors import BusinessError
from models.base.text import visible
from models.system.records import Comment
from workflows.base.context import Ctx
from workflows.base.papers import require_writer
from workflows.base.transition import verbs

TEXT_MAX = 2000

verbs("comment", {"add": "发表备注"})


def add(ctx: Ctx, record: Entity, text: str) -> Comment:
    """Leave a remark. Raises NotAllowed, NotFound, BusinessError for nothing or too much."""
    ctx.require("add", "comment", "发表备注")
    require_writer(ctx, record)
    text = visible(text).strip()
    if not text:
        raise BusinessError("请填写备注内容", field="text")
    if len(text) > TEXT_MAX:
        raise BusinessError(f"备注最多 {TEXT_MAX} 个字，现有 {len(text)} 个", field="text")
    made = Comment(owner_table=record.__tablename__, owner_id=record.id, text=text)
    ctx.session.add(made)
    ctx.session.flush()
    return made
