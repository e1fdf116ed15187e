"""文书模板 before it is saved: its text with a real project's data, personal data masked as on screens (X11, X9)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select

from models.base.masks import mask
from models.guarantee.project import Project
from models.guarantee.signing import Contract
from models.system.records import DocumentTemplate, IssuedDocument, PaperSize
from reports.base.documents import DOCUMENT_KINDS, letter_pdf, long_pdf, render_letter
from reports.base.documents_words import SECTIONS
from reports.base.scope import scoped
from reports.figures.custom_print import printed
from workflows.base import plain_papers, records
from workflows.base.context import Ctx
from workflows.base.documents import PAPERS
from workflows.guarantee import contract_data, letters
from workflows.system import templates

MARK: Final = "预览"
_OWN: Final = ("company", "doc", "custom")
_FIGURE = re.compile(r"-?\d+\.\d+|\d{4}-\d\d-\d\d.*")
_LONG_NUMBER = re.compile(r"\d{7,}[\dXx]?")


@dataclass(frozen=True)
class Preview:
    """A template's text as it would read, and which sections of it are examples, as the project has none yet."""

    body: str
    examples: list[str] = field(default_factory=list)


def preview(ctx: Ctx, template: DocumentTemplate, body: str, project_id: object = None) -> Preview:
    """What a text would say; of a project that the actor may read with its data, else with examples.

    Raises DocumentError in words for a text that does not render, NotFound for a project out of scope.
    """
    templates.require_renders(ctx, template.kind_code, body)
    data = templates.sample_of(ctx, template.kind_code) or {}
    title = {**data.get("doc", {}), "title": template.label, "date": ctx.today}
    data["doc"] = title
    real: dict[str, Any] = {}
    if project_id:
        real = _of_project(ctx, template.kind_code, project_id, data)
    examples = [
        SECTIONS.get(key, key)
        for key in data
        if project_id and key not in real and key not in _OWN and f"{key}." in body
    ]
    return Preview(render_letter(body, {**data, **real}), examples)


def preview_pdf(
    ctx: Ctx, template: DocumentTemplate, body: str, project_id: object = None
) -> bytes:
    """The same as PDF on the paper of the template, marked as no document."""
    found = preview(ctx, template, body, project_id)
    kind, title = DOCUMENT_KINDS.get(template.kind_code), f"{template.label}（{MARK}）"
    if template.paper is PaperSize.A4 or (kind is not None and kind.long):
        return long_pdf(found.body, title=title, mark=MARK)
    size, orientation = next(paper for paper, name in PAPERS.items() if name is template.paper)
    return letter_pdf(
        f'<p class="center small">（{MARK}）</p>{found.body}',
        title=title,
        number="",
        page_size="A5" if size == "A5" else "A4",
        orientation="landscape" if orientation == "landscape" else "portrait",
    )


def _of_project(
    ctx: Ctx, code: str, project_id: object, sample: Mapping[str, Any]
) -> dict[str, Any]:
    """What the project really says, masked: its own facts, and of its last paper of the kind what only that says."""
    ctx.require("show", "project", "查看担保项目")
    project = records.find(ctx, Project, project_id)
    contract = _contract(ctx, code, project)
    live = letters.data_for(ctx, project)
    if contract is not None:
        live = contract_data.for_contract(ctx, contract)
        live, _ = contract_data.with_blanks(contract, live)
    elif "account" in sample:
        live["account"] = contract_data.account(ctx.session, project.customer)
    custom = printed(ctx.session, (project, project.customer))
    found = {**_of_paper(ctx, code, project), **plain_papers.masked(live)}
    found = {key: value for key, value in found.items() if key in sample}
    return {
        **{key: _whole(value, sample[key]) for key, value in found.items()},
        "custom": {**sample.get("custom", {}), **custom},
    }


def _contract(ctx: Ctx, code: str, project: Project) -> Contract | None:
    kinds = [kind for kind, name in contract_data.TEMPLATES.items() if name == code]
    if not kinds or not ctx.actor.may("show", "contract"):
        return None
    query = select(Contract).where(Contract.project_id == project.id, Contract.kind == kinds[0])
    return ctx.session.scalars(
        scoped(query, Contract, ctx.actor).order_by(Contract.id.desc()).limit(1)
    ).one_or_none()


def _of_paper(ctx: Ctx, code: str, project: Project) -> dict[str, Any]:
    """The data of the last paper of the kind; what was frozen no longer knows what is personal: long numbers go."""
    if not ctx.actor.may("show", "issued_document"):
        return {}
    query = select(IssuedDocument).where(
        IssuedDocument.project_id == project.id, IssuedDocument.template_code == code
    )
    query = scoped(query, IssuedDocument, ctx.actor).order_by(IssuedDocument.id.desc())
    paper = ctx.session.scalars(query.limit(1)).one_or_none()
    if paper is None:
        return {}
    return {key: _veiled(value) for key, value in paper.data.items() if key not in _OWN}


def _veiled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _veiled(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_veiled(part) for part in value]
    if isinstance(value, str) and not _FIGURE.fullmatch(value):
        return _LONG_NUMBER.sub(lambda found: mask(found[0], "account"), value)
    return value


def _whole(value: Any, sample: Any) -> Any:
    """A section with all that its kind names: what the project does not say stays empty."""
    if isinstance(value, Mapping) and isinstance(sample, Mapping):
        empty: dict[str, Any] = {
            key: [] if isinstance(one, list) else None for key, one in sample.items()
        }
        return {**empty, **value}
    return value
