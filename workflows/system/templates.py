"""文书模板: a template that is saved renders, and each change of its text is a version of its own."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm.attributes import get_history

from models.base.errors import FieldErrors
from models.system.records import DocumentTemplate
from reports.base.documents_offer import Group, names, offered, require_sound
from reports.base.documents_samples import SAMPLE_DATA
from reports.base.documents_template import DocumentError, check_letter, render_letter
from reports.figures.custom_print import labels, samples
from workflows.base import records
from workflows.base.context import Ctx


@records.rule(DocumentTemplate)
def check_template(ctx: Ctx, template: DocumentTemplate, is_new: bool) -> None:
    """Look it through and render it once with sample data, so that nobody issues a broken paper."""
    _check_place(ctx, template, is_new)
    if not is_new and not get_history(template, "body").has_changes():
        return
    try:
        require_renders(ctx, template.kind_code, template.body)
    except DocumentError as error:
        raise FieldErrors({"body": [error.message]}) from None
    if not is_new:
        template.version_no += 1


def _check_place(ctx: Ctx, template: DocumentTemplate, is_new: bool) -> None:
    """One for a product stands in the place of a general one that the product issues; what is general stays so."""
    key = template.general_id
    with ctx.session.no_autoflush:
        general = template.general = None if key is None else ctx.session.get(DocumentTemplate, key)
        found: dict[str, list[str]] = {}
        if general is None and template.product_id is not None:
            found["general_id"] = ["请选择代替哪一份通用模板"]
        elif general is not None and template.product_id is None:
            found["product_id"] = ["请选择适用的产品"]
        elif general is not None and (general.general_id is not None or general is template):
            found["general_id"] = ["只能代替通用模板"]
        elif general is not None and SAMPLE_DATA.get(general.code) is None:
            found["general_id"] = [f"“{general.label}”不由业务功能出具，不能按产品另立"]
        elif general is not None and not is_new and _is_replaced(ctx, template):
            found["general_id"] = ["已有产品另立的模板代替它，它应是通用模板"]
        elif general is not None and (other := _other(ctx, template)):
            found["product_id"] = [f"这个产品已有模板“{other}”代替“{general.label}”"]
    if found:
        raise FieldErrors(found)


def _is_replaced(ctx: Ctx, template: DocumentTemplate) -> bool:
    query = select(DocumentTemplate.id).where(DocumentTemplate.general_id == template.id)
    return ctx.session.scalar(query.limit(1)) is not None


def _other(ctx: Ctx, template: DocumentTemplate) -> str | None:
    query = select(DocumentTemplate.label).where(
        DocumentTemplate.general_id == template.general_id,
        DocumentTemplate.product_id == template.product_id,
    )
    if template.id is not None:
        query = query.where(DocumentTemplate.id != template.id)
    return ctx.session.scalar(query.limit(1))


def require_renders(ctx: Ctx, code: str, body: str) -> None:
    """Raise DocumentError in words for a text that does not render, or that says what its kind does not have."""
    data = sample_of(ctx, code)
    require_sound(body, data)
    if data is None:
        check_letter(body)
    else:
        render_letter(body, data)


def sample_of(ctx: Ctx, code: str) -> dict[str, Any] | None:
    """The sample data of a kind with the custom fields of today; None for a kind that the product does not issue."""
    found = SAMPLE_DATA.get(code)
    return None if found is None else {**found, "custom": samples(ctx.session)}


def palette(ctx: Ctx, code: str) -> tuple[list[Group], dict[str, str]]:
    """What the template of a kind may print, by section with an example of each, and what each path is called."""
    data, known = sample_of(ctx, code) or {"custom": samples(ctx.session)}, labels(ctx.session)
    return offered(data, known), names(data, known)
