"""Every business event from its label to the cash-flow statement: label, one first rule, lines that add up, cash.

What an event brings is stated beside its paper (`entered`) or in models/ledger/event.py and the seed files; a new one
is held by this file without being named in it.
"""

import csv
from collections import Counter
from pathlib import Path

import pytest

import models.registry  # noqa: F401 - papers make their events known
from models.ledger.event import EVENTS, debit, entered
from models.ledger.voucher import CashFlow
from workflows.base.seeds import stated_rows

SEEDS = Path(__file__).resolve().parents[2] / "models/seeds"


def filed(name, table):
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file), *stated_rows().get(table, ())]


ACCOUNTS = {row["code"]: row for row in filed("accounts", "account")}
WORDS = {row["code"] for row in filed("voucher_words", "voucher_word")}


def rules(code):
    return [row for row in filed("posting_rules", "posting_rule") if row["event_code"] == code]


def lines(code):
    rows = filed("posting_rule_lines", "posting_rule_line")
    return [row for row in rows if row["posting_rule_id"] == f"{code}|2000-01-01"]


def is_cash(line):
    return ACCOUNTS[line["account_id"]]["is_cash_bank"] == "true"


def test_there_is_no_rule_of_an_event_that_nobody_knows():
    known = Counter(row["event_code"] for row in filed("posting_rules", "posting_rule"))
    assert known == Counter(EVENTS.keys()), "one first rule each, and of nothing else"


@pytest.mark.parametrize("code", EVENTS)
def test_an_event_is_labelled_and_has_a_rule_that_takes_its_amounts(code):
    kind, (rule,) = EVENTS[code], rules(code)
    assert kind.label
    assert rule["label"], "accountants look for it by this"
    assert rule["word_id"] in WORDS
    assert set(kind.total) <= kind.amounts.keys()
    taken = {line["amount_key"] for line in lines(code)}
    assert taken <= kind.amounts.keys()
    assert kind.amounts.keys() - taken <= set(kind.total), "an amount that no line takes is lost"


@pytest.mark.parametrize("code", EVENTS)
def test_its_lines_stand_on_both_sides_of_accounts_that_take_them(code):
    found = lines(code)
    assert {line["side"] for line in found} == {"DEBIT", "CREDIT"}
    if len(EVENTS[code].amounts) == 1:
        assert [line["side"] for line in found].count("DEBIT") * 2 == len(found), "out of balance"
    for line in found:
        account = ACCOUNTS[line["account_id"]]
        assert account["is_leaf"] == "true", line
        for name in ("customer", "project", "bank", "department"):
            assert account[f"needs_{name}"] == "false" or line.get(f"with_{name}") == "true", line


@pytest.mark.parametrize("code", EVENTS)
def test_its_cash_finds_its_row_of_the_cash_flow_statement(code):
    found = lines(code)
    for line in found:
        assert bool(line["cash_flow"]) == is_cash(line), line
        assert not line["cash_flow"] or line["cash_flow"] in CashFlow.__members__
    moves_cash = any(is_cash(line) for line in found)
    assert (rules(code)[0]["word_id"] in ("receipt", "payment")) == moves_cash


def test_an_event_is_stated_once_and_its_amounts_are_called_as_elsewhere():
    with pytest.raises(ValueError, match="stated twice"):
        entered("fee.waived", "减免", word="transfer", memo="减免")
    with pytest.raises(ValueError, match="the amount gross is called 含税金额 elsewhere"):
        entered("x.y", "试", debit("1122"), word="transfer", memo="试", amounts={"gross": "毛额"})
    assert "x.y" not in EVENTS
