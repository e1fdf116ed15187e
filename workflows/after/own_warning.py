"""自拟预警规则 (6.6, X13): what users have written in the rule language, asked of the whole table in the day-end."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, select

from models.after.warning import RiskWarning, WarningRule, WarningState
from models.base.entity import Entity, entity_of
from models.base.errors import FieldErrors
from models.guarantee.project import GOING_ON, Project
from reports.figures.vocabulary import vocabulary
from reports.rules import sql
from reports.rules.check import understand
from reports.rules.explain import Explainer
from reports.rules.names import Vocabulary
from reports.rules.tree import RuleError
from reports.rules.typed import Truth
from workflows.base.context import Ctx

_PROBLEM_MAX = 200


def require_sound(ctx: Ctx, rule: WarningRule) -> None:
    """An own rule says what it is about and when, in words that can be understood. Raises FieldErrors."""
    errors: dict[str, list[str]] = {}
    if rule.days:
        errors["days"] = ["自拟规则按条件预警，不填阈值"]
    if not rule.about:
        errors["about"] = ["请选择预警对象"]
    if not rule.condition:
        errors["condition"] = ["请填写预警条件"]
    if rule.about and rule.condition:
        words = vocabulary(ctx.session)
        try:
            understand(rule.condition, words.subject(rule.about), words)
        except RuleError as problem:
            errors["condition"] = [str(problem)]
    if errors:
        raise FieldErrors(errors)
    rule.problem = None


def _understood(ctx: Ctx, rule: WarningRule) -> tuple[Truth, Vocabulary]:
    words = vocabulary(ctx.session)
    try:
        return understand(str(rule.condition), words.subject(str(rule.about)), words), words
    except KeyError:
        raise RuleError("预警对象已不存在") from None


def _held(model: Any, held: Truth, ctx: Ctx, *columns: Any) -> Select[Any]:
    """Of the rows that a rule holds for, of projects that go on."""
    query = select(*columns).where(sql.where(held, model, ctx.today), Project.state.in_(GOING_ON))
    if model is not Project:
        query = query.join(Project, Project.id == model.project_id)
    return query.order_by(model.id)


def holding(ctx: Ctx, rule: WarningRule) -> Select[tuple[int]] | None:
    """The numbers of the records that a rule holds for today; None where it can no longer be understood."""
    try:
        held, _ = _understood(ctx, rule)
    except RuleError:
        return None
    model = entity_of(str(rule.about))
    return _held(model, held, ctx, model.id)


def found(ctx: Ctx, rule: WarningRule) -> Iterator[tuple[Project, Entity, str, str]]:
    """Project, record, trigger and words of each record that the rule holds for, of projects that go on.

    A record is warned about anew once the rule has been seen not to hold for it. Of a rule that can no longer be
    understood nothing is found, and the rule says why.
    """
    try:
        held, words = _understood(ctx, rule)
    except RuleError as problem:
        rule.problem = str(problem)[:_PROBLEM_MAX]
        return
    rule.problem = None
    known, model = _known(ctx, rule), entity_of(str(rule.about))
    for row in ctx.session.execute(_held(model, held, ctx, model, Project)):
        record, project = row[0], row[-1]
        if record.id in known:
            yield project, record, *known[record.id]
            continue
        lines = Explainer(record, ctx.today, words).reason(held).lines()
        told = "；".join(line.strip("　").removesuffix("：是") for line in lines)
        yield project, record, ctx.today.isoformat(), f"{rule.label}：{told}"


def _known(ctx: Ctx, rule: WarningRule) -> dict[int, tuple[str, str]]:
    """Trigger and words by record of what was raised and has not passed since."""
    query = select(RiskWarning.record_id, RiskWarning.trigger, RiskWarning.message).where(
        RiskWarning.rule_id == rule.id,
        RiskWarning.record_table == rule.about,
        RiskWarning.passed_on.is_(None),
    )
    return {key: (trigger, message) for key, trigger, message in ctx.session.execute(query)}


def note_passed(ctx: Ctx, rule: WarningRule, holding: Sequence[int]) -> None:
    """What somebody has lifted, and holds no longer, may be warned about again."""
    still = set(holding)
    query = select(RiskWarning).where(
        RiskWarning.rule_id == rule.id,
        RiskWarning.state == WarningState.LIFTED,
        RiskWarning.passed_on.is_(None),
    )
    for warning in ctx.session.scalars(query.order_by(RiskWarning.id)):
        if warning.record_id not in still or warning.record_table != rule.about:
            warning.passed_on = ctx.today
