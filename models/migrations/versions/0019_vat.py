"""VAT by due date and exempt fees: what stands on a fee, the account 待转销项税额, and its lines in 记账规则

Rules that there are already get the new lines, whoever wrote them: a fee whose VAT falls due later would not balance
without. Fees that are booked already have all their VAT in 销项税额 and nothing that waits.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

from models.base import columns

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

NAME, OWN_CODE = "待转销项税额", "2221.09"
META = sa.MetaData()


def _stamps() -> tuple[sa.Column, ...]:
    return sa.Column("version", sa.Integer()), sa.Column("extra", sa.JSON())


ACCOUNT = sa.Table(
    "account", META, sa.Column("id", sa.Integer(), primary_key=True), sa.Column("code", sa.String()),
    sa.Column("name", sa.String()), sa.Column("full_name", sa.String()), sa.Column("parent_id", sa.Integer()),
    sa.Column("category", sa.String()), sa.Column("direction", sa.String()), sa.Column("level", sa.Integer()),
    *(sa.Column(name, sa.Boolean()) for name in (
        "is_leaf", "needs_customer", "needs_project", "needs_bank", "needs_department", "is_cash_bank", "is_active"
    )),
    sa.Column("asset_ratio_pct", columns.Scaled(18, 2)), *_stamps(),
)  # fmt: skip
RULE = sa.Table(
    "posting_rule", META, sa.Column("id", sa.Integer(), primary_key=True), sa.Column("event_code", sa.String()),
    sa.Column("label", sa.String()), sa.Column("word_id", sa.Integer()), sa.Column("memo", sa.String()),
    sa.Column("effective_on", sa.Date()), sa.Column("is_active", sa.Boolean()), *_stamps(),
)  # fmt: skip
LINE = sa.Table(
    "posting_rule_line", META, sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("posting_rule_id", sa.Integer()), sa.Column("line_no", sa.Integer()), sa.Column("side", sa.String()),
    sa.Column("account_id", sa.Integer()), sa.Column("amount_key", sa.String()),
    *(sa.Column(name, sa.Boolean()) for name in (
        "is_red", "with_customer", "with_project", "with_bank", "with_department"
    )),
    *_stamps(),
)  # fmt: skip


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("fee") as batch:
        batch.add_column(sa.Column("vat_filing", sa.String(length=100), nullable=True))
        batch.add_column(sa.Column("vat_exemption", sa.String(length=200), nullable=True))
        batch.add_column(sa.Column("vat_pending_amount", columns.Money(), nullable=False, server_default="0"))
    with op.batch_alter_table("fee_due") as batch:
        batch.add_column(sa.Column("invoiced_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("invoice_number", sa.String(length=40), nullable=True))
    _extend_rules(op.get_bind())


def _extend_rules(connection: sa.Connection) -> None:
    """Give every rule that books VAT the line of what is not due yet, and make the rule that moves it."""
    taxes = connection.execute(sa.select(LINE).where(LINE.c.amount_key == "tax").order_by(LINE.c.id)).all()
    parent = connection.execute(sa.select(ACCOUNT).where(ACCOUNT.c.code == "2221")).first()
    if not taxes or parent is None:
        return  # base data has not been loaded yet and will bring them
    pending = _account(connection, parent)
    for tax in taxes:
        last = sa.select(sa.func.max(LINE.c.line_no)).where(LINE.c.posting_rule_id == tax.posting_rule_id)
        number = connection.execute(last).scalar_one() + 1
        _line(connection, tax, tax.posting_rule_id, number, tax.side, pending, "tax_pending", is_red=tax.is_red)
    first = taxes[0]
    word = connection.execute(sa.select(RULE.c.word_id).where(RULE.c.id == first.posting_rule_id)).scalar_one()
    effective = sa.select(sa.func.min(RULE.c.effective_on))
    rule = connection.execute(
        RULE.insert().values(
            event_code="vat.due", label="转出待转销项税额", word_id=word, memo="转出{客户}{项目}到期费用的销项税额",
            effective_on=connection.execute(effective).scalar_one(), is_active=True, version=1, extra={},
        )
    ).inserted_primary_key  # fmt: skip
    assert rule is not None
    _line(connection, first, rule[0], 1, "DEBIT", pending, "amount")
    _line(connection, first, rule[0], 2, "CREDIT", first.account_id, "amount")


def _account(connection: sa.Connection, parent: sa.Row) -> int:
    """The account of this name below 应交税费, made where there is none, under a code that is free."""
    below = connection.execute(sa.select(ACCOUNT).where(ACCOUNT.c.parent_id == parent.id)).all()
    if found := [row.id for row in below if row.name == NAME and row.is_leaf]:
        return int(found[0])
    taken = set(connection.execute(sa.select(ACCOUNT.c.code)).scalars())
    codes = [OWN_CODE, *(f"2221.{number:02}" for number in range(10, 100))]
    made = connection.execute(
        ACCOUNT.insert().values(
            code=next(code for code in codes if code not in taken), name=NAME, parent_id=parent.id,
            full_name=f"{parent.full_name} / {NAME}", category=parent.category, direction="CREDIT", level=2,
            is_leaf=True, needs_customer=False, needs_project=False, needs_bank=False, needs_department=False,
            is_cash_bank=False, is_active=True, asset_ratio_pct=100, version=1, extra={},
        )
    ).inserted_primary_key  # fmt: skip
    assert made is not None
    return int(made[0])


def _line(  # noqa: PLR0913 - the facts of a line
    connection: sa.Connection, like: sa.Row, rule_id: int, number: int, side: str, account_id: int, key: str,
    *, is_red: bool = False,
) -> None:  # fmt: skip
    connection.execute(
        LINE.insert().values(
            posting_rule_id=rule_id, line_no=number, side=side, account_id=account_id, amount_key=key, is_red=is_red,
            with_customer=like.with_customer, with_project=like.with_project, with_bank=like.with_bank,
            with_department=like.with_department, version=1, extra={},
        )
    )  # fmt: skip


def downgrade() -> None:
    """Undo; the account stays, it may have been used."""
    connection = op.get_bind()
    moving = sa.select(RULE.c.id).where(RULE.c.event_code == "vat.due")
    connection.execute(LINE.delete().where(LINE.c.posting_rule_id.in_(moving)))
    connection.execute(RULE.delete().where(RULE.c.event_code == "vat.due"))
    connection.execute(LINE.delete().where(LINE.c.amount_key == "tax_pending"))
    with op.batch_alter_table("fee_due") as batch:
        batch.drop_column("invoice_number")
        batch.drop_column("invoiced_on")
    with op.batch_alter_table("fee") as batch:
        batch.drop_column("vat_pending_amount")
        batch.drop_column("vat_exemption")
        batch.drop_column("vat_filing")
