"""文书模板: a template that is saved renders, and each change of its text is a version of its own."""

from typing import Any

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
    if not is_new and not get_history(template, "body").has_changes():
        return
    try:
        require_renders(ctx, template.code, template.body)
    except DocumentError as error:
        raise FieldErrors({"body": [error.message]}) from None
    if not is_new:
        template.version_no += 1


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
