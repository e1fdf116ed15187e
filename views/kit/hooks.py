"""What a hand-written view may change about the generated screens; every hook has a plain answer here."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias

from models.base.entity import Entity, PartOf
from views.kit import buttons, forms, grids, lists, parts
from views.kit.interface import shape
from views.kit.pages import Action, FormPage, ListPage, RecordPage, Section
from workflows.base import records
from workflows.base.context import Ctx

Builder: TypeAlias = Callable[[Entity, Ctx], Section | None]
# Attachments, comments and the like append themselves here and show on every record page.
SECTIONS: list[Builder] = []
# What a paper says, word by word: on its own page, and on the page of its approval.
TEXTS: list[Builder] = []


def texts(record: Entity, ctx: Ctx) -> list[Section]:
    """The text of a paper that has one."""
    return [section for build in TEXTS if (section := build(record, ctx)) is not None]


def papers(record: Entity, ctx: Ctx) -> list[Action]:
    """A button for each issued document that the record names: its PDF, without the detour over the document's page."""
    if not ctx.actor.may("show", "issued_document"):
        return []
    return [
        Action(f"打开{facts.label}", f"/issued_document/{key}/pdf", icon="print")
        for facts in shape(type(record)).fields.values()
        if facts.target == "issued_document" and (key := facts.get(record))
    ]


class EntityHooks:
    """The hooks of EntityView; reading and writing go on as generated unless one of them says otherwise."""

    model: ClassVar[type[Entity]]
    # loader options of what the record page shows of its references
    read_with: ClassVar[tuple[Any, ...]] = ()

    def proposed(self, ctx: Ctx, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """What follows from references chosen in a new form, for fields that nobody has filled in."""
        return {}

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """Workflow buttons of the record page; the first with style primary is the reader's next step."""
        return [
            *parts.asked_papers(ctx, record),
            *buttons.actions(ctx, record),
            *papers(record, ctx),
        ]

    def extra_sections(self, record: Entity, ctx: Ctx) -> list[Section]:
        """Tabs beside the generated ones."""
        return texts(record, ctx) + [
            section for build in SECTIONS if (section := build(record, ctx)) is not None
        ]

    def default_tab(self, record: Entity) -> str:
        """The tab with which the record opens."""
        return parts.opens_with(record)

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """Cards at the side of the record page."""
        return []

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """Last word on the record page (stage line, notice, head facts)."""
        return page

    def enrich_list(self, page: ListPage, asked: lists.ListQuery) -> ListPage:
        """Last word on the list (tabs, bulk actions, note)."""
        return page

    def enrich_form(self, page: FormPage, record: Entity | None, ctx: Ctx) -> FormPage:
        """Last word on the form."""
        return page

    def narrow_list(self, asked: lists.ListQuery) -> None:
        """Add fixed conditions to `asked.fixed`, e.g. those of a saved view."""

    def form_names(self, record: Entity | None, ctx: Ctx) -> list[str]:
        """Columns that the form offers."""
        return forms.form_columns(self.model)

    def gridded(self, record: Entity | None, ctx: Ctx) -> dict[str, PartOf]:
        """Child rows that the form of a record, or of a new one, fills in with it."""
        return grids.offered(ctx, self.model)

    def defaults(self, ctx: Ctx) -> dict[str, Any]:
        """Values that an add form begins with."""
        return {}

    def save(
        self, ctx: Ctx, record: Entity | None, values: Mapping[str, Any], version: int | None
    ) -> Entity:
        """What a form calls; a document with a verb of its own overrides this."""
        if record is None:
            return records.create(ctx, self.model, values)
        return records.update(ctx, record, values, version)

    def remove(self, ctx: Ctx, record: Entity, version: int | None) -> None:
        """What the delete button calls."""
        records.delete(ctx, record, version)

    def after_save_url(self, record: Entity, ctx: Ctx) -> str:
        """Where a saved form leads: to the record, or for a child row to its owner."""
        owner = shape(self.model).owner
        if owner is None:
            return f"/{shape(self.model).table}/show/{record.id}"
        key = shape(self.model).key(owner[0])
        return f"/{owner[1].__tablename__}/show/{getattr(record, str(key))}?tab={shape(self.model).table}#tabs"
