"""A custom field beside a built-in column at full size, and many rules beside the SQL that a person would write.

`python -m benchmarks.custom_fields [ROWS] [URL]` fills the guarantee companies of a database of its own (or of the
given, empty one) and prints milliseconds of processor time. Both fields hold the same amounts and are indexed.
"""

import csv
import io
import os
import sys
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Engine, Select, create_engine, func, insert, select, text
from sqlalchemy.orm import Session, load_only

from benchmarks.full_size import Clock
from models.base.custom import CustomFacts
from models.base.entity import fields_of
from models.base.fields import FieldFacts
from models.customer.partner import GuaranteeCompany, PartnerRole
from models.registry import metadata
from models.system.custom_field import CustomField, CustomKind
from reports.rules import sql
from reports.rules.check import understand
from reports.rules.names import Vocabulary
from views.kit.cells import format_value
from workflows.system import field_indexes

ROWS: Final = 1_000_000
RULE_ROWS: Final = 100_000
RULES: Final = 40
MOST_OF_BUILT_IN, MOST_OF_SQL = 1.2, 3.0
TODAY: Final = date(2026, 11, 28)
_CHUNK: Final = 10_000
_PAGE: Final = 20
_SHOWN: Final = ("name", "uscc", "role", "share_pct", "fee_share_pct", "agreement_to", "status")
Work = Callable[[], Any]


def fill(engine: Engine, rows: int) -> None:
    """Companies with an amount in a column and the same under a code in `extra`; the indexes of both."""
    metadata.create_all(engine)
    with Session(engine) as session:
        session.add(
            CustomField(
                table_name="guarantee_company",
                code="own_limit",
                label="自设额度",
                kind=CustomKind.MONEY,
            )
        )
        for start in range(0, rows, _CHUNK):
            made = [_company(number) for number in range(start, min(start + _CHUNK, rows))]
            session.execute(insert(GuaranteeCompany), made)
        session.commit()
        due = field_indexes.due(session)
    with engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in (
            "CREATE INDEX bench_credit_line ON guarantee_company (credit_line)",
            *due,
            "ANALYZE",
        ):
            alone.exec_driver_sql(statement)


def _company(number: int) -> dict[str, Any]:
    amount = Decimal(number * 7919 % 1_000_000_007).scaleb(-2) * 10
    return {
        "name": f"担保公司{number}",
        "uscc": f"U{number:017}",
        "role": list(PartnerRole)[number % len(PartnerRole)],
        "share_pct": Decimal(number % 101),
        "credit_line": amount,
        "agreement_to": TODAY + timedelta(days=number % 700 - 350),
        "extra": {"own_limit": f"{amount:.2f}"},
    }


def measure(engine: Engine) -> dict[str, tuple[float, float]]:
    """Milliseconds of a custom field and of a built-in column, by what was done."""
    facts = fields_of(GuaranteeCompany)["credit_line"]
    own = CustomFacts("own_limit", kind="money", is_filtered=True)
    clock = Clock(engine)
    with Session(engine) as session:
        made = {name: (work(session, own), work(session, facts)) for name, work in WORKS.items()}
        return {
            name: (clock.ms(custom, 3), clock.ms(plain, 3))
            for name, (custom, plain) in made.items()
        }


def _page(session: Session, query: Select[Any], facts: FieldFacts) -> Any:
    """As a list reads it: the ids, then the shown columns of the rows of the page, and how they look."""
    ids = session.scalars(query.limit(_PAGE)).all()
    shown = [fields_of(GuaranteeCompany)[name] for name in _SHOWN] + [facts]
    names = {one.kept_in for one in shown}
    wanted = select(GuaranteeCompany).where(GuaranteeCompany.id.in_(ids))
    options = load_only(*(getattr(GuaranteeCompany, name) for name in sorted(names)))
    rows = session.scalars(wanted.options(options)).all()
    found = [[format_value(one.get(row), one.kind) for one in shown] for row in rows]
    session.expunge_all()
    return found


def listed(session: Session, facts: FieldFacts) -> Work:
    """Pages of the list with the field among the columns."""
    query = select(GuaranteeCompany.id).order_by(GuaranteeCompany.id.desc())
    return lambda: [_page(session, query.offset(page * _PAGE), facts) for page in range(50)]


def filtered(session: Session, facts: FieldFacts) -> Work:
    """Rows within a range, counted and the first page of them."""
    field = facts.sql(GuaranteeCompany)
    query = select(GuaranteeCompany.id).where(field >= Decimal(100_000), field <= Decimal(900_000))
    return lambda: (
        session.scalar(select(func.count()).select_from(query.subquery())),
        _page(session, query, facts),
    )


def ordered(session: Session, facts: FieldFacts) -> Work:
    """The first pages by the field, the largest first."""
    order = facts.sql(GuaranteeCompany).desc().nulls_last()
    query = select(GuaranteeCompany.id).order_by(order, GuaranteeCompany.id.desc())
    return lambda: [_page(session, query.offset(page * _PAGE), facts) for page in range(5)]


def exported(session: Session, facts: FieldFacts) -> Work:
    """All rows as a file: the columns of the list and the field."""
    shown = [*(fields_of(GuaranteeCompany)[name] for name in _SHOWN), facts]
    query = select(*(one.read(GuaranteeCompany) for one in shown))

    def write() -> None:
        writer = csv.writer(io.StringIO())
        rows = session.execute(query.execution_options(yield_per=1000))
        for part in rows.partitions(1000):
            writer.writerows(
                [format_value(value, one.kind) for value, one in zip(row, shown, strict=True)]
                for row in part
            )

    return write


WORKS: Final = {"列表 50 页": listed, "筛选": filtered, "排序 5 页": ordered, "导出": exported}


def rules(engine: Engine) -> list[tuple[str, str]]:
    """Rules, each with the condition that a person would write for this database."""
    is_lite = engine.dialect.name == "sqlite"
    fen, places, find = (100, 10_000, "instr") if is_lite else (1, 1, "strpos")
    found = []
    for number in range(RULES):
        amount, share, day = number * 250_000, number * 2, TODAY - timedelta(days=number)
        rule = (
            f"合作额度 > {amount}元 且 (分担比例 ≤ {share}% 或 协议到期日 < 今天 - {number}天)"
            f" 且 公司名称 包含 “{number}”"
        )
        words = (
            f"credit_line > {amount * fen} AND (share_pct <= {share * places}"
            f" OR agreement_to < '{day}') AND {find}(name, '{number}') > 0"
        )
        found.append((rule, f"SELECT id FROM guarantee_company WHERE {words}"))
    return found


def measure_rules(engine: Engine) -> tuple[float, float]:
    """Milliseconds of all the rules over the rows, and of the conditions written by hand."""
    known, model, clock = Vocabulary(lambda code: ()), GuaranteeCompany, Clock(engine)
    subject, both = known.subject("guarantee_company"), rules(engine)
    with Session(engine) as session:

        def by_rules() -> list[int]:
            conditions = (
                sql.where(understand(rule, subject, known), model, TODAY) for rule, _ in both
            )
            return [len(session.scalars(select(model.id).where(one)).all()) for one in conditions]

        def by_hand() -> list[int]:
            return [len(session.scalars(text(words)).all()) for _, words in both]

        if by_rules() != by_hand():
            raise SystemExit("rules and SQL find different rows")
        return clock.ms(by_rules, 3), clock.ms(by_hand, 3)


def main() -> int:
    """Measure and print; 1 where a goal is missed."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    is_missed = False
    with tempfile.TemporaryDirectory() as folder:
        engines = [create_engine(f"sqlite:///{folder}/{name}.db") for name in ("fields", "rules")]
        if len(sys.argv) > 2:
            engines[0] = create_engine(sys.argv[2])
        fill(engines[0], rows)
        for name, (custom, plain) in measure(engines[0]).items():
            is_missed |= _told(name, custom, plain, MOST_OF_BUILT_IN)
        fill(engines[1], min(rows, RULE_ROWS))
        is_missed |= _told(f"规则 {RULES} 条", *measure_rules(engines[1]), MOST_OF_SQL)
    print(f"load {os.getloadavg()[0]:.1f}")
    return int(is_missed)


def _told(name: str, ours: float, other: float, most: float) -> bool:
    print(f"{name}\t{ours:,.1f} ms\t{other:,.1f} ms\t{ours / other:.2f}（≤ {most}）", flush=True)
    return ours > other * most


if __name__ == "__main__":
    sys.exit(main())
