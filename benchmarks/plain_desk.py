"""What the desk and lists of parts show, asked in plain SQL: the same figures and first rows, written by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection, text

OWNERS: Final = ("manager_id", "assistant_id", "risk_officer_id", "legal_officer_id")
# Where the parts of a project stand: table -> (joins up to `project p`, summed columns, order).
PARTS: Final = {
    "instalment": (
        (
            "JOIN repayment_plan r ON r.id = x.repayment_plan_id JOIN drawdown d ON d.id = r.drawdown_id "
            "JOIN project p ON p.id = d.project_id"
        ),
        "principal interest principal_paid interest_paid",
        "x.seq, x.id",
    ),
    "fee_due": (
        "JOIN fee f ON f.id = x.fee_id JOIN project p ON p.id = f.project_id",
        "amount settled_amount",
        "x.seq, x.id",
    ),
    "fee": (
        "JOIN project p ON p.id = x.project_id",
        "amount collected_amount waived_amount",
        "x.id DESC",
    ),
    "receipt": ("JOIN project p ON p.id = x.project_id", "amount", "x.id DESC"),
    "repayment": (
        "JOIN project p ON p.id = x.project_id",
        "principal interest extra_interest",
        "x.id DESC",
    ),
}


@dataclass(frozen=True)
class Reader:
    """Who asks: the whole company, or one employee's own projects."""

    employee_id: int
    today: date
    sees_all: bool

    @property
    def own(self) -> str:
        """The projects that the reader sees, as a condition on `project`."""
        if self.sees_all:
            return "1 = 1"
        mine = " OR ".join(f"{name} = {self.employee_id}" for name in OWNERS)
        asked = (
            "SELECT i.{} FROM approval_instance i JOIN approval_task t ON t.instance_id = i.id "
            f"WHERE t.assignee_id = {self.employee_id}"
        )
        by_record = asked.format("record_id") + " AND i.table_name = 'project'"
        return f"({mine} OR project.id IN ({by_record}) OR project.id IN ({asked.format('project_id')}))"


def reader(connection: Connection, username: str) -> Reader:
    """The person of a sign-in name; whoever manages no project reads the whole company."""
    find = text("SELECT employee_id FROM operator WHERE username = :name")
    key = connection.scalar(find, {"name": username})
    today = connection.scalar(text("SELECT business_date FROM system_state"))
    count = connection.scalar(
        text("SELECT count(*) FROM project WHERE manager_id = :key"), {"key": key}
    )
    on = today if isinstance(today, date) else date.fromisoformat(str(today))
    return Reader(int(key or 0), on, not count)


def ask(connection: Connection, queries: list[str]) -> None:
    """Send them and read the answers."""
    for query in queries:
        connection.exec_driver_sql(query).all()
    connection.rollback()


def desk(me: Reader) -> list[str]:
    """Stages, what is in force in all and by product, warnings, what falls due or is to be collected, the trend."""
    mine = f"p.id IN (SELECT id FROM project WHERE {me.own})"
    force = f"FROM project WHERE state = 'IN_FORCE' AND {me.own}"
    warning = f"FROM risk_warning w JOIN project p ON p.id = w.project_id WHERE w.state <> 'LIFTED' AND {mine}"
    gravity = "CASE w.level WHEN 'SERIOUS' THEN 0 WHEN 'ATTENTION' THEN 1 ELSE 2 END"
    found = [
        f"SELECT stage, count(*), sum(amount) FROM project WHERE state IN ('DRAFT', 'RUNNING') AND {me.own} GROUP BY 1",
        f"SELECT count(*), sum(balance) {force}",
        f"SELECT product_id, count(*), sum(balance) {force} GROUP BY 1",
        f"SELECT count(*) {warning}",
        f"SELECT w.number, w.message {warning} ORDER BY {gravity}, w.deadline, w.id LIMIT 6",
        *_dues(me, mine),
    ]
    if me.sees_all:
        return [*found, "SELECT taken_on, in_force_balance FROM company_snapshot ORDER BY taken_on"]
    return [*found, *_trend(me, mine)]


def _dues(me: Reader, mine: str) -> Iterator[str]:
    until, before = me.today + timedelta(days=30), me.today - timedelta(days=1)
    owed = "x.principal - x.principal_paid + x.interest - x.interest_paid"
    loans = (
        f"FROM instalment x {PARTS['instalment'][0]} JOIN customer c ON c.id = p.customer_id WHERE "
        "(x.principal_paid < x.principal OR x.interest_paid < x.interest) AND r.is_current "
        f"AND d.state IN ('ACTIVE', 'OVERDUE') AND {mine}"
    )
    fees = (
        f"FROM fee_due x {PARTS['fee_due'][0]} JOIN customer c ON c.id = p.customer_id "
        f"WHERE f.state = 'BOOKED' AND x.settled_amount < x.amount AND x.due_on <= '{until}' AND {mine}"
    )
    for amount, source in (
        (owed, f"{loans} AND x.due_on BETWEEN '{me.today}' AND '{until}'"),
        (owed, f"{loans} AND x.due_on <= '{before}'"),
        ("x.amount - x.settled_amount", fees),
    ):
        yield f"SELECT count(*), sum({amount}) {source}"
        yield f"SELECT x.due_on, c.name, p.number, {amount} {source} ORDER BY x.due_on, x.id LIMIT 6"


def _trend(me: Reader, mine: str) -> Iterator[str]:
    end = me.today
    for _ in range(11):
        end = end.replace(day=1) - timedelta(days=1)
        newest = "SELECT max(taken_on) FROM project_snapshot y WHERE y.project_id = x.project_id"
        yield (
            f"SELECT sum(x.balance) FROM project_snapshot x JOIN project p ON p.id = x.project_id "
            f"WHERE x.taken_on = ({newest} AND y.taken_on <= '{end}') AND {mine}"
        )


def part(table: str, me: Reader) -> list[str]:
    """The first twenty rows of a list of parts, their number and sums."""
    joins, names, order = PARTS[table]
    source = f"FROM {table} x {joins} WHERE p.id IN (SELECT id FROM project WHERE {me.own})"
    sums = ", ".join(f"sum(x.{name})" for name in names.split())
    return [
        f"SELECT x.* {source} ORDER BY {order} LIMIT 20",
        f"SELECT count(*) {source}",
        f"SELECT {sums} {source}",
    ]
