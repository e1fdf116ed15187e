"""年初余额 and 本年累计 of an opening in the middle of a year: the columns, and what each account did before.

The two belong together: 年初余额 and what moved since must lead to the balance that is loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from models.base.money import format_money
from models.ledger.account import ZERO
from workflows.base.sheets import Field

YEAR_FIELDS: Final = (
    Field("year_side", ("年初余额方向", "年初方向")),
    Field("year_amount", ("年初余额", "年初金额", "年初余额金额", "年初余额余额", "年初数")),
    Field(
        "year_debit",
        (
            "年初余额借方",
            "年初借方余额",
            "年初借方",
            "借方年初余额",
            "年初余额借方金额",
            "年初余额借",
            "年初借方金额",
        ),
        "年初借方",
    ),
    Field(
        "year_credit",
        (
            "年初余额贷方",
            "年初贷方余额",
            "年初贷方",
            "贷方年初余额",
            "年初余额贷方金额",
            "年初余额贷",
            "年初贷方金额",
        ),
        "年初贷方",
    ),
    Field(
        "moved_debit",
        (
            "本年累计借方",
            "本年累计发生额借方",
            "本年累计借方发生额",
            "本年累计借方金额",
            "本年累计借",
            "本年借方累计",
            "借方本年累计",
            "累计发生额借方",
            "累计借方",
            "累计借方发生额",
            "借方累计",
        ),
        "本年累计借方",
    ),
    Field(
        "moved_credit",
        (
            "本年累计贷方",
            "本年累计发生额贷方",
            "本年累计贷方发生额",
            "本年累计贷方金额",
            "本年累计贷",
            "本年贷方累计",
            "贷方本年累计",
            "累计发生额贷方",
            "累计贷方",
            "累计贷方发生额",
            "贷方累计",
        ),
        "本年累计贷方",
    ),
)
ASKED: Final = (
    "期初在年中，文件没有“年初余额”和“本年累计”列："
    "本年已提准备金和已实现收入按推算，报表年初数和本年累计不含期初前"
)


@dataclass(frozen=True)
class YearFigures:
    """What the old books did on an account this year: its balance at the start (debit positive), and both sides."""

    start: Decimal
    debit: Decimal
    credit: Decimal

    def __add__(self, other: "YearFigures") -> "YearFigures":
        """Two accounts that are loaded to one."""
        return YearFigures(
            self.start + other.start, self.debit + other.debit, self.credit + other.credit
        )


def year_of(
    columns: set[str], amount: Decimal, read: Callable[[str, str], Decimal], side: str
) -> YearFigures | None:
    """The year of one row whose balance is `amount` (debit positive); None where the file does not say.

    `read` gives a money cell by its key and name, `side` is 借 or 贷 as the row has it. Raises ValueError where
    年初余额 and 本年累计 do not lead to the balance.
    """
    has_moved = {"moved_debit", "moved_credit"} <= columns
    stated: Decimal | None = None
    if {"year_debit", "year_credit"} <= columns:
        stated = read("year_debit", "年初借方") - read("year_credit", "年初贷方")
    elif "year_amount" in columns:
        stated = read("year_amount", "年初余额") * (-1 if side.startswith("贷") else 1)
        # One column 方向 is that of the balance; an account that changed sides since says so by its figures.
        if has_moved and "year_side" not in columns and stated != _start(amount, read) == -stated:
            stated = -stated
    if not has_moved:
        return (
            None
            if stated is None
            else YearFigures(stated, max(amount - stated, ZERO), max(stated - amount, ZERO))
        )
    start = _start(amount, read)
    if stated is not None and stated != start:
        raise ValueError(
            f"年初余额 {format_money(stated)} 加本年累计应为 {format_money(stated + amount - start)}，"
            f"与余额 {format_money(amount)} 不符（借方为正）"
        )
    return YearFigures(
        start, read("moved_debit", "本年累计借方"), read("moved_credit", "本年累计贷方")
    )


def _start(amount: Decimal, read: Callable[[str, str], Decimal]) -> Decimal:
    return amount - read("moved_debit", "本年累计借方") + read("moved_credit", "本年累计贷方")
