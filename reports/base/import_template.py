"""The workbook that people fill in to bring rows in: heads, choices, an example, and what each column is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

_ROWS: Final = 2_000  # rows that offer their choices
CHOICES: Final = "可选值"
_WIDTH_MAX: Final = 40
EXPLAINED: Final = "填写说明"


@dataclass(frozen=True)
class TemplateColumn:
    """A column of the workbook; `choices` are offered by its cells, `is_listed` puts it on the sheet to fill in."""

    label: str
    unit: str
    is_required: bool
    explanation: str
    example: str
    choices: tuple[str, ...] = ()
    is_listed: bool = True

    @property
    def heading(self) -> str:
        """As it stands on the sheet: the mark and the unit are no part of the name."""
        text = self.label
        if self.unit:
            text += f"（{self.unit}）"
        if self.is_required:
            text += "*"
        return text


def write_template(title: str, columns: Sequence[TemplateColumn], target: BinaryIO) -> None:
    """Write the workbook to an open binary file."""
    import xlsxwriter

    book = xlsxwriter.Workbook(
        target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    looks = {
        True: book.add_format({"bold": True, "bg_color": "#FDE9D9", "bottom": 1}),
        False: book.add_format({"bold": True, "bg_color": "#EEF2F6", "bottom": 1}),
    }
    grey = book.add_format({"font_color": "#808080", "italic": True, "num_format": "@"})
    text = book.add_format({"num_format": "@"})
    sheet, explained = book.add_worksheet(title[:31]), book.add_worksheet(EXPLAINED)
    choices = book.add_worksheet(CHOICES)
    choices.hide()
    listed = [column for column in columns if column.is_listed]
    for at, column in enumerate(listed):
        sheet.write_string(0, at, column.heading, looks[column.is_required])
        width = sum(2 if ord(char) > 0x2E7F else 1 for char in column.heading)
        sheet.set_column(at, at, min(max(12, width + 4), _WIDTH_MAX), text)
        sheet.write_string(1, at, column.example, grey)
        _offer(sheet, choices, at, column)
    sheet.freeze_panes(1, 0)
    _explain(explained, columns, looks)
    book.close()


def _offer(sheet: Any, choices: Any, at: int, column: TemplateColumn) -> None:
    """Let the cells of a column be picked from its choices, which stand on a sheet of their own."""
    for row, choice in enumerate(column.choices):
        choices.write_string(row, at, choice)
    if column.choices:
        from xlsxwriter.utility import xl_range_abs

        where = xl_range_abs(0, at, len(column.choices) - 1, at)
        rule = {
            "validate": "list",
            "source": f"={CHOICES}!{where}",
            "error_type": "warning",
            "error_title": column.label[:30],
            "error_message": "不在可选的内容中；导入时可以对应到已有的选项。",
        }
        sheet.data_validation(1, at, _ROWS, at, rule)


def _explain(sheet: Any, columns: Sequence[TemplateColumn], looks: dict[bool, Any]) -> None:
    for at, (head, width) in enumerate((("列", 26), ("必填", 8), ("怎样填写", 80), ("示例", 24))):
        sheet.set_column(at, at, width)
        sheet.write_string(0, at, head, looks[False])
    for row, column in enumerate(columns, 1):
        told = (
            column.label,
            {True: "必填"}.get(column.is_required, ""),
            column.explanation,
            column.example,
        )
        for at, words in enumerate(told):
            sheet.write_string(row, at, words)
    notes = (
        "第一行是列名，不要修改；带 * 的列新增时必填。第二行是示例，导入时自动忽略。",
        "列的次序不限，用不到的列可以删去；金额列的列名中可以注明单位，如“注册资本（万元）”。",
        "已登记的记录按编号、证件号码等识别；更新时空白的单元格不改动原来的内容。",
        "不在第一张表上的列（如子表的列）需要时自行添加，列名与本页相同。",
    )
    for number, note in enumerate(notes, len(columns) + 2):
        sheet.write_string(number, 0, note)
