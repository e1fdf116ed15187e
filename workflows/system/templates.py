"""文书模板: a template that is saved renders, and each change of its text is a version of its own."""

from sqlalchemy.orm.attributes import get_history

from models.base.errors import FieldErrors
from models.system.records import DocumentTemplate
from reports.base.documents_samples import SAMPLE_DATA
from reports.base.documents_template import DocumentError, check_letter, render_letter
from reports.figures.custom_print import samples
from workflows.base import records
from workflows.base.context import Ctx


@records.rule(DocumentTemplate)
def check_template(ctx: Ctx, template: DocumentTemplate, is_new: bool) -> None:
    """Render once with the sample data of its kind, so that nobody meets a broken text when he issues a paper."""
    if not is_new and not get_history(template, "body").has_changes():
        return
    try:
        if template.code in SAMPLE_DATA:
            data = {**SAMPLE_DATA[template.code], "custom": samples(ctx.session)}
            render_letter(template.body, data)
        else:
            check_letter(template.body)
    except DocumentError as error:
        raise FieldErrors({"body": [error.message]}) from None
    if not is_new:
        template.version_no += 1
