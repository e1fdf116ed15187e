"""The button that puts a paper up for approval, for every kind of paper; what is more than that stands elsewhere."""

from typing import Any

import workflows.registry  # noqa: F401 - every workflow states its paper
from models.base.entity import parts_of
from models.guarantee.project import Project
from views.guarantee.appraisal import to_project
from views.kit.buttons import REGISTRY, Button, register
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
