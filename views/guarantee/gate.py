"""Conditions, gate, limits and running approval, worked out once per request however many places show them."""

from flask import g

from models.approval.approval import ApprovalInstance
from models.base.entity import Entity
from models.guarantee.project import Project
from reports.figures import admission, approvals, gate
from reports.figures.admission import Answer
from workflows.base.context import Ctx
from workflows.guarantee import application


def standing_of(ctx: Ctx, project: Project) -> gate.Standing:
    """The resolution in force and the limits; verbs always ask the database themselves."""
    known: dict[int, gate.Standing] = g.setdefault("standings", {})
    if project.id not in known:
        known[project.id] = gate.standing(ctx.session, project, ctx.today)
    return known[project.id]


def answers_of(ctx: Ctx, project: Project) -> list[Answer]:
    """What each admission rule of the product comes to today."""
    known: dict[int, list[Answer]] = g.setdefault("admissions", {})
    if project.id not in known:
        known[project.id] = admission.answers(ctx.session, project, ctx.today)
    return known[project.id]


def gate_of(ctx: Ctx, project: Project) -> list[gate.GateCheck]:
    """Every item of the gate before 放款通知."""
    known: dict[int, list[gate.GateCheck]] = g.setdefault("gates", {})
    if project.id not in known:
        standing, answered = standing_of(ctx, project), answers_of(ctx, project)
        known[project.id] = gate.gate(ctx.session, project, ctx.today, standing, answered)
    return known[project.id]


def conditions_of(ctx: Ctx, project: Project) -> list[application.Condition]:
    """What must hold before the application is submitted."""
    known: dict[int, list[application.Condition]] = g.setdefault("conditions", {})
    if project.id not in known:
        known[project.id] = application.conditions(ctx, project, answers_of(ctx, project))
    return known[project.id]


def running_of(ctx: Ctx, record: Entity) -> ApprovalInstance | None:
    """The approval that a record is in now, if any."""
    known: dict[tuple[str, int], ApprovalInstance | None] = g.setdefault("running", {})
    key = (str(record.__tablename__), record.id)
    if key not in known:
        known[key] = approvals.running(ctx.session, record)
    return known[key]
