"""最高额合同 in the demonstration: one agreed with a customer, a project of it under way put under it (4.4c)."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from app.demo.stage import Stage
from app.demo.story import login_of
from models.approval.approval import ApprovalInstance, ApprovalTask, TaskState
from models.customer.customer import Customer
from models.guarantee.maximum import MaximumContract, MaximumKind
from models.guarantee.project import Project, ProjectState
from models.guarantee.project import Stage as Place
from workflows.approval import approval
from workflows.base import records
from workflows.guarantee import maximums

EARLY = (Place.EVALUATE, Place.INTENT, Place.REVIEW, Place.RISK)


def play(stage: Stage) -> None:
    """The manager of the first project on its way agrees 20 million for two years and puts the project under it."""
    query = (
        select(Project)
        .join(Customer, Customer.id == Project.customer_id)
        .where(
            Project.state == ProjectState.RUNNING,
            Project.stage.in_(EARLY),
            Project.manager_id == Customer.manager_id,  # who may agree with the customer
        )
    )
    project = stage.session.scalars(query.order_by(Project.id).limit(1)).first()
    if project is None or project.manager_id is None:
        return
    ctx = stage.ctx(login_of(stage, project.manager_id))
    made = records.create(
        ctx,
        MaximumContract,
        {
            "kind": MaximumKind.ENTRUSTMENT,
            "customer_id": project.customer_id,
            "limit_amount": Decimal(20_000_000),
            "signed_on": stage.today,
            "starts_on": stage.today,
            "ends_on": stage.today + timedelta(days=730),
            "terms": "单笔担保金额不超过 1,000 万元。",
        },
    )
    maximums.submit(ctx, made)
    _approve(stage, made)
    maximums.put_under(ctx, project, made.id)


def _approve(stage: Stage, made: MaximumContract) -> None:
    pending = (
        select(ApprovalTask)
        .join(ApprovalInstance, ApprovalInstance.id == ApprovalTask.instance_id)
        .where(
            ApprovalInstance.table_name == MaximumContract.__tablename__,
            ApprovalInstance.record_id == made.id,
            ApprovalTask.state == TaskState.PENDING,
        )
    )
    while (task := stage.session.scalars(pending.order_by(ApprovalTask.id)).first()) is not None:
        ctx = stage.ctx(login_of(stage, task.assignee_id))
        approval.decide(ctx, task, approval.Decision.APPROVE, "同意，按制度办理。")
