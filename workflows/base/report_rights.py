"""Rights that reports bring along: one whose permission is no table's has a right of its own, named like itself."""

import reports.registry  # noqa: F401 - every report registers itself
from reports.base.report import REPORTS, Report
from workflows.base.transition import VERBS, verbs


def give(known: Report) -> None:
    """Register the right; a report that is opened from another one may share that one's.

    Raises ValueError where two reports of one right would give it to different roles.
    """
    verb, table = known.permission
    there = VERBS.get((table, verb))
    if there is None:
        verbs(table, {verb: f"查看{known.label}"}, is_work=False, roles=known.given_to)
    elif there.roles != known.given_to:
        raise ValueError(f"report {known.code}: {verb} {table} is given to {there.roles} already")


# Those of the menu first: the right is called after them.
for _report in sorted(REPORTS.values(), key=lambda report: not report.in_menu):
    if _report.has_own_right:
        give(_report)
