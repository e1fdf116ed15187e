"""Buttons of every kind of paper: its submission, and on the project's page whatever its papers wait for next."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Integer, Select, String, cast, literal, select, union_all

import workflows.registry  # noqa: F401 - every workflow states its paper
from models.base.entity import entity_of, parts_of
from models.base.paper import PaperState, SentBack
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Project
from views.guarantee.appraisal import to_project
from views.kit import buttons
from views.kit.buttons import REGISTRY, Button, register
from views.kit.pages import Action
from workflows.base.context import Ctx
from workflows.guarantee.paper import PAPERS, Paper


def submission(paper: Paper[Any]) -> Button:
    """Offered on a draft, with what stands in the way; then back to the project, where papers of its kind stand."""
    return Button(
        paper.steps["submit"],
        paper.submit,
        why_not=paper.why_not,
        style="primary",
        rank=1,
        after=to_project(paper.table if paper.table in parts_of(Project) else ""),
    )


for _table, _paper in PAPERS.items():
    if (_table, "submit") not in REGISTRY:
        register(submission(_paper))


MOST = 6  # papers of one project that can wait for somebody at once; the tabs show all


def next_on_papers(ctx: Ctx, project: Project) -> list[Action]:
    """The next step of papers that belong to no stage (`Booked`, `SentBack`), as their own pages offer it.

    One question finds those that are drafts or approved and not in the books yet; only primary buttons count.
    """
    kinds = [
        model
        for table, one in parts_of(Project).items()
        if issubclass(model := one.model, SentBack)
        and issubclass(model, ProjectPaper)
        and ctx.actor.may("show", table)
    ]
    if not kinds:
        return []
    waiting = union_all(*(_waiting(model, project) for model in kinds)).limit(MOST)
    found = []
    for table, key in ctx.session.execute(waiting):
        paper = ctx.session.get_one(entity_of(table), key)
        found += [
            replace(action, label=f"{action.label} {paper}", style="plain")
            for action in buttons.actions(ctx, paper)
            if action.style == "primary"
        ]
    return found


def _waiting(model: Any, project: Project) -> Select[*tuple[Any, ...]]:
    is_open = model.state == PaperState.DRAFT
    if hasattr(model, "is_booked"):
        is_open |= (model.state == PaperState.APPROVED) & ~model.is_booked
    else:
        is_open |= (model.state == PaperState.APPROVED) & model.returned_reason.is_not(None)
    return select(
        cast(literal(str(model.__tablename__)), String).label("kind"),
        cast(model.id, Integer).label("key"),
    ).where(model.project_id == project.id, is_open)
