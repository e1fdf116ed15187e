"""Drafts of forms (X19): what somebody has typed and not saved yet."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Module, SpecKind

PLACE_MAX = 500


class FormDraft(Entity):
    """What its author has typed into one form and not saved, by the address of the form; nobody else reads it.

    `fields` are the pairs of name and text in the order of the form, as the browser would have sent them.
    """

    spec = Spec(
        "表单草稿",
        Module.WORKBENCH,
        SpecKind.INTERNAL,
        title="title",
        in_menu=False,
        scope=Scope(owner="employee_id"),
    )
    __table_args__ = (UniqueConstraint("employee_id", "place", name="uq_form_draft_employee_id"),)

    employee_id: Mapped[int] = c.reference("填写人", "employee", required=True, ondelete="CASCADE")
    place: Mapped[str] = c.text("页面地址", PLACE_MAX, required=True)
    title: Mapped[str] = c.text("表单", 200, required=True)
    fields: Mapped[list[list[str]]] = c.json("已填内容", default=list, required=True)
    at: Mapped[datetime] = c.moment("保存时间", required=True, index=True)
