"""Base data that a part of the product brings itself: rows of other tables, stated beside the class that needs them.

The same rows could stand in models/seeds/<table>.csv; here a new paper has its number and its approval in one file.
"""

from typing import NamedTuple

MANAGER = "MANAGER"


class SeedRow(NamedTuple):
    """A row of `table` in the words of a seed file: references by natural key, empty where the default holds."""

    table: str
    values: dict[str, str]


class Numbering(NamedTuple):
    """A number rule (10.2); its pattern is such as ZC{yyyy}-{no:04d}, counted anew each YEAR, each MONTH or NEVER."""

    code: str
    label: str
    pattern: str
    reset: str = "YEAR"

    @property
    def row(self) -> SeedRow:
        """The rule as base data."""
        return SeedRow("number_rule", self._asdict())


def numbered(code: str, label: str, pattern: str, *, reset: str = "YEAR") -> tuple[SeedRow, ...]:
    """The rule of a paper, whose workflow draws the number."""
    return (Numbering(code, label, pattern, reset).row,)


def dictionary(code: str, label: str, **items: str) -> tuple[SeedRow, ...]:
    """A dictionary (10.1) with its entries by code, in their order."""
    kind = SeedRow("dictionary_type", {"code": code, "label": label})
    entries = (
        {"dictionary_type_id": code, "code": key, "label": words, "rank": str(10 * number)}
        for number, (key, words) in enumerate(items.items(), 1)
    )
    return (kind, *(SeedRow("dictionary_item", values) for values in entries))


def decided(
    code: str, label: str, *nodes: tuple[str, str], remark: str = "", sort_no: int = 100
) -> tuple[SeedRow, ...]:
    """A business type of the approval engine with its first flow (A1, A2).

    `nodes` are (name, position code), in their order; the position `MANAGER` is the head of the applicant's department.
    """
    kind = {"code": code, "label": label, "sort_no": str(sort_no), "remark": remark}
    flow = {
        "code": code,
        "version_no": "1",
        "name": f"{label}审批流程",
        "business_type_id": code,
        "state": "PUBLISHED",
        "published_on": "2024-01-01",
    }
    found = [
        SeedRow("approval_type", kind),
        SeedRow("approval_flow", flow),
    ]
    for number, (name, position) in enumerate(nodes, 1):
        who = (
            {"chooser": MANAGER}
            if position == MANAGER
            else {"chooser": "POSITION", "position_id": position}
        )
        node = {"flow_id": f"{code}|1", "seq": str(10 * number), "name": name, "mode": "ANY"}
        found.append(SeedRow("approval_node", {**node, **who, "hours_limit": "48"}))
    return tuple(found)
