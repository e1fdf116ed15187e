"""批量业务 in the demonstration: one list of a bank that was accepted, with its sample, and one drawn up (4.9)."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import select
from stdnum.cn import uscc

from app.demo.sharing import ADMIN, CODE
from app.demo.stage import Stage
from app.demo.story import book_events, login_of
from models.approval.approval import ApprovalInstance, ApprovalTask, TaskState
from models.guarantee.bank import PartnerBank
from models.guarantee.bank_batch import BankBatch, BatchLoan
from models.guarantee.product import Product
from models.guarantee.project import Project
from models.guarantee.scheme import SchemeState, SharingScheme
from workflows.approval import approval
from workflows.base import records
from workflows.guarantee import bank_batch

PRODUCT: Final = "XWKB"
MANAGER, ASSISTANT = "zhoumin", "sunhao"
# name, amount, months
LOANS: Final = (
    ("江州晨光包装有限公司", 800000, 12),
    ("江州禾丰食品有限公司", 500000, 12),
    ("江州东湖五金有限公司", 350000, 6),
    ("江州启航科技有限公司", 1200000, 12),
    ("江州云溪纺织有限公司", 600000, 9),
    ("江州立新模具有限公司", 450000, 12),
)
WAITING: Final = (("江州宏图印务有限公司", 300000, 12), ("江州盛源建材有限公司", 700000, 12))


def play(stage: Stage) -> None:
    """The administrator opens a product to lists; a manager brings two in, of which the first is accepted."""
    product = stage.session.scalars(select(Product).where(Product.code == PRODUCT)).one()
    records.update(stage.ctx(ADMIN), product, {"is_bulk": True}, product.version)
    accepted = _list(stage, product, LOANS, 1)
    bank_batch.submit(stage.ctx(MANAGER), accepted)
    _decide(stage, accepted)
    mine = select(Project).join(BatchLoan, BatchLoan.project_id == Project.id)
    projects = stage.session.scalars(mine.where(BatchLoan.batch_id == accepted.id)).all()
    for project in projects:
        book_events(stage, project)
    _list(stage, product, WAITING, 101)


def _list(
    stage: Stage, product: Product, loans: tuple[tuple[str, int, int], ...], first: int
) -> BankBatch:
    scheme = select(SharingScheme).where(
        SharingScheme.code == CODE, SharingScheme.state == SchemeState.ACTIVE
    )
    bank = stage.session.scalars(select(PartnerBank).order_by(PartnerBank.id)).first()
    assert bank is not None, "the company has banks"
    values = {
        "scheme_id": stage.session.scalars(scheme).one().id,
        "bank_id": bank.id,
        "product_id": product.id,
        "assistant_id": stage.actor(ASSISTANT).employee_id,
        "fee_rate_pct": Decimal(1),
        "vat_filing": "MS-2026-XWKB",
        "note": "小微快保批量清单",
    }
    made = records.create(stage.ctx(MANAGER), BankBatch, values)
    for number, (name, amount, months) in enumerate(loans, first):
        drawn_on = stage.today - timedelta(days=3)
        code = f"91320105MA1PL{number:04d}"
        row = {
            "batch_id": made.id,
            "customer_name": name,
            "uscc": code + uscc.calc_check_digit(code),
            "bank_note_no": f"PLJJ{number:06d}",
            "amount": amount,
            "rate_annual_pct": Decimal("4.2"),
            "drawn_on": drawn_on,
            "due_on": drawn_on + timedelta(days=30 * months),
            "small_kind": "SMALL",
        }
        records.create(stage.ctx(MANAGER), BatchLoan, row)
    return made


def _decide(stage: Stage, made: BankBatch) -> None:
    """Whoever is asked agrees in turn."""
    query = (
        select(ApprovalTask)
        .join(ApprovalInstance, ApprovalInstance.id == ApprovalTask.instance_id)
        .where(
            ApprovalInstance.table_name == "bank_batch",
            ApprovalInstance.record_id == made.id,
            ApprovalTask.state == TaskState.PENDING,
        )
    )
    while (task := stage.session.scalars(query.order_by(ApprovalTask.id)).first()) is not None:
        ctx = stage.ctx(login_of(stage, task.assignee_id))
        approval.decide(ctx, task, approval.Decision.APPROVE, "清单经形式审查，同意整批承保。")
