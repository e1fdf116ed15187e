"""准入 (4.7): each rule of a project's product, answered with the values that it has now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.paper import PaperState
from models.guarantee.admission import AdmissionException, AdmissionRule, Failing, Outcome
from models.guarantee.project import Project
from reports.figures.vocabulary import vocabulary
from reports.rules.check import understand
from reports.rules.explain import Explainer, Reason
from reports.rules.tree import RuleError

# By rule, its condition and the values in words, as they were approved.
Excused = dict[tuple[int, str, str], AdmissionException]


@dataclass(frozen=True)
class Answer:
    """What a rule came to, with the values in words, and the exception that excuses it."""

    rule: AdmissionRule
    outcome: Outcome
    reason: str
    exception: AdmissionException | None = None

    @property
    def is_met(self) -> bool:
        """Whether the project may go on as far as this rule says."""
        return self.outcome is not Outcome.UNMET

    @property
    def told(self) -> str:
        """The values, and where the project does not meet the rule what follows."""
        if self.exception is not None:
            return f"{self.reason}，例外 {self.exception.number} 已批准"
        return self.reason if self.is_met else f"{self.reason}，{self.rule.failing.label}"


def answers(session: Session, project: Project, on: date) -> list[Answer]:
    """Every rule in use of the project's product on a day; what cannot be known is not met.

    An approved exception excuses from a rule as long as its condition and the values are what was approved.
    """
    query = select(AdmissionRule).where(
        AdmissionRule.product_id == project.product_id, AdmissionRule.is_active
    )
    rules = session.scalars(query.order_by(AdmissionRule.id)).all()
    if not rules:
        return []
    excused: Excused | None = None if project.id else {}
    found = []
    weighed = weigh(session, project, on, [rule.condition for rule in rules])
    for rule, (held, told) in zip(rules, weighed, strict=True):
        exception = None
        if not held and rule.failing is Failing.EXCEPTION:
            excused = _excused(session, project) if excused is None else excused
            exception = excused.get((rule.id, rule.condition, told))
        missed = Outcome.UNMET if exception is None else Outcome.EXCEPTION
        found.append(Answer(rule, Outcome.MET if held else missed, told, exception))
    return found


def weigh(
    session: Session, project: Project, on: date, conditions: Sequence[str]
) -> list[tuple[bool | None, str]]:
    """Whether each condition holds of a project on a day, None where that cannot be known, with the values in words."""
    words = vocabulary(session)
    subject, explainer = words.subject("project"), Explainer(project, on, words)
    found: list[tuple[bool | None, str]] = []
    for condition in conditions:
        try:
            reason = explainer.reason(understand(condition, subject, words))
            found.append((reason.held, _values(reason)))
        except RuleError as problem:
            found.append((None, f"规则已失效（{problem}），请联系系统管理员修改"))
    return found


def _values(reason: Reason) -> str:
    """Each part with its values; what joins the parts says nothing more."""
    lines = reason.lines()[1:] if reason.parts else reason.lines()
    return "；".join(line.strip() for line in lines)


def _excused(session: Session, project: Project) -> Excused:
    query = select(AdmissionException).where(
        AdmissionException.project_id == project.id,
        AdmissionException.state == PaperState.APPROVED,
    )
    return {
        (int(rule), condition, values): paper
        for paper in session.scalars(query.order_by(AdmissionException.id))
        for rule, (condition, values) in paper.covers.items()
    }
