"""预警规则: built-in ones with their thresholds, own ones with their condition and whom it would concern today."""

from models.after.warning import WarningRule
from models.base.entity import Entity, entity_of
from reports.base.scope import scoped
from views.kit import forms
from views.kit.cells import record_url
from views.kit.entity_view import EntityView
from views.kit.interface import Titles
from views.kit.pages import Cell, Column, Row, Section
from workflows.after import own_warning
from workflows.base.context import Ctx

SHOWN = 20
COUNTED = 1000
_OWN = ("about", "condition")


class WarningRuleView(EntityView):
    """Screens of WarningRule."""

    model = WarningRule

    def form_names(self, record: Entity | None, ctx: Ctx) -> list[str]:
        """What its kind of rule goes by."""
        is_own = not isinstance(record, WarningRule) or record.is_own
        return [
            name
            for name in forms.form_columns(self.model)
            if (name != "days" if is_own else name not in _OWN)
        ]

    def extra_sections(self, record: Entity, ctx: Ctx) -> list[Section]:
        """Of an own rule what it holds for today, before anything is raised."""
        assert isinstance(record, WarningRule)
        own = [_today(record, ctx)] if record.is_own and not record.problem else []
        return [*own, *super().extra_sections(record, ctx)]


def _today(rule: WarningRule, ctx: Ctx) -> Section:
    """The records that the rule holds for today, as far as the reader may see them."""
    assert rule.about is not None
    model = entity_of(rule.about)
    section = Section("today", "今天符合", empty="今天没有符合条件的记录")
    section.columns = [Column("record", model.spec.label)]
    query = own_warning.holding(ctx, rule)
    if query is None or not ctx.actor.may("list", rule.about):
        section.empty = (
            "条件已失效，请修改" if query is None else f"您没有查看{model.spec.label}的权限"
        )
        return section
    keys = list(ctx.session.scalars(scoped(query, model, ctx.actor).limit(COUNTED)))
    titles = Titles(ctx.session)
    titles.load(rule.about, keys[:SHOWN])
    section.count = len(keys)
    section.note = f"只列前 {SHOWN} 条" if len(keys) > SHOWN else ""
    section.rows = [
        Row(
            str(key),
            record_url(rule.about, key),
            (Cell(titles.text(rule.about, key), "link"),),
        )
        for key in keys[:SHOWN]
    ]
    return section
