"""Workbooks as other people's programs write them."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import openpyxl

Row = Sequence[Any]


def book(*rows: Row, sheets: Iterable[tuple[str | None, Iterable[Row]]] = ()) -> bytes:
    """The bytes of a workbook with these rows, and with further sheets: (name, rows)."""
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(list(row))
    for name, more in sheets:
        sheet = made.create_sheet(name)
        for row in more:
            sheet.append(list(row))
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()
