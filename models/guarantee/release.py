"""解保: the end of a guarantee, when the loan is repaid or the bank lets the company go (6.4)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import News, Scope, Spec
from models.base.kinds import Kind, Module, SpecKind
from models.base.paper import PaperState, SentBack
from models.base.rows import MANAGER, decided, numbered
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Stage
from models.system.records import IssuedDocument


class ReleaseBasis(Kind):
    """Why the company is no longer liable."""

    REPAID = "借款本息已结清"
    BANK_LETTER = "银行出具解除担保函"


class Release(SentBack, ProjectPaper):
    """The release of a project's guarantee: approved, then deposit back, then the notice."""

    spec = Spec(
        "解保",
        Module.AFTER,
        SpecKind.DOCUMENT,
        title="number",
        rank=40,
        listed=(
            "number",
            "project",
            "basis",
            "released_amount",
            "deposit_amount",
            "is_deposit_returned",
            "released_on",
            "state",
        ),
        searched=("number", "letter_no"),
        filtered=("project_id", "basis", "released_on", "state"),
        sums=("released_amount", "deposit_amount"),
        scope=Scope(through="project"),
        on_sheet=("note",),
        state="state",
        drafts=(PaperState.DRAFT,),
        seeds=(
            *numbered("release", "解保通知编号", "JB{yyyy}-{no:04d}"),
            *decided(
                "release",
                "解保",
                ("部门经理审核", MANAGER),
                ("保后管理审批", "after"),
                remark="担保责任解除的审批",
                sort_no=120,
            ),
        ),
        news=News(
            25, made=("申请解保，", "{basis}"), moved=(("released_on", None, "办结解保 {title}"),)
        ),
    )
    __table_args__ = (
        CheckConstraint("deposit_amount >= 0 and released_amount >= 0", name="ck_release_amounts"),
        CheckConstraint(
            "released_on is null or state = 'APPROVED'", name="ck_release_done_after_approval"
        ),
    )
    number_label = "解保编号"
    again = "return_deposit"
    part = c.Part(130, since=Stage.IN_FORCE)
    basis: Mapped[ReleaseBasis] = c.enum(
        "解保依据", ReleaseBasis, required=True, default=ReleaseBasis.REPAID, index=True
    )
    letter_no: Mapped[str | None] = c.text(
        "银行函号", 60, help="依据为银行函件时填写，并上传函件扫描件"
    )
    letter_on: Mapped[date | None] = c.day("银行函日期")
    note: Mapped[str | None] = c.long_text("说明")
    released_amount: Mapped[Decimal] = c.computed(
        c.money(
            "解除担保金额",
            required=True,
            default=Decimal(0),
            help="批准时尚在保的余额，已结清的为 0",
        )
    )
    deposit_amount: Mapped[Decimal] = c.computed(
        c.money("应退保证金", required=True, default=Decimal(0))
    )
    is_deposit_returned: Mapped[bool] = c.computed(c.flag("保证金已退"))
    approved_on: Mapped[date | None] = c.computed(c.day("批准日期"))
    released_on: Mapped[date | None] = c.computed(c.day("解保日期", index=True))
    document_id: Mapped[int | None] = c.computed(c.reference("解保通知", "issued_document"))
    document: Mapped[IssuedDocument | None] = c.related(document_id)
