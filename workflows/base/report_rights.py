"""Rights that reports bring along: one whose permission is no table's has a right of its own, named like itself."""

import reports.registry  # noqa: F401 - every report registers itself
from reports.base.report import REPORTS
from workflows.base.transition import verbs

for _report in REPORTS.values():
    if _report.has_own_right:
        _verb, _table = _report.permission
        verbs(_table, {_verb: f"查看{_report.label}"}, is_work=False, roles=_report.given_to)
