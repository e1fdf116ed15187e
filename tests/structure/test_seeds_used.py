"""A parameter that nothing reads is a promise nobody keeps: what is seeded is read, and what is read is seeded."""

import ast
import csv
import re
from functools import cache
from pathlib import Path

import pytest

from models.base.entity import columns_of, entities
from models.base.fields import facts_of
from reports.base.documents import template_source
from reports.base.documents_samples import SAMPLE_DATA
from reports.base.documents_template import render_letter
from tests.structure.each import each
from workflows.base.seeds import stated_rows

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "models" / "seeds"


def _sources():
    for room in ("app", "views", "workflows", "reports", "models"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.read_text(encoding="utf-8")


@cache
def _words() -> tuple[set[str], list[re.Pattern[str]]]:
    """Texts that the code holds, and patterns of those it puts together: f"collateral.rate.{kind}"."""
    texts, patterns = set(), []
    for source in _sources():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else None for p in node.values]
                if re.match(r"[a-z_]{4,}\.", parts[0] or "") or re.fullmatch(
                    r"\.[a-z_]{4,}", parts[-1] or ""
                ):
                    patterns.append(
                        re.compile(
                            "".join("[A-Za-z_]+" if p is None else re.escape(p) for p in parts)
                        )
                    )
    return texts, patterns


@cache
def code() -> str:
    """The whole product as one text."""
    return "\n".join(_sources())


def _seeded(part, column="code"):
    found = []
    for path in sorted(SEEDS.glob(f"{part}.csv")) + sorted(SEEDS.glob(f"{part}.*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found += [row[column] for row in csv.DictReader(file)]
    found += [row[column] for row in stated_rows().get(part, ())]
    return sorted(set(found))


def _is_named(code):
    texts, patterns = _words()
    return code in texts or any(pattern.fullmatch(code) for pattern in patterns)


@each("code", _seeded("parameter"))
def test_every_parameter_is_read(code):
    assert _is_named(code), "set by administrators, without effect"


@each("code", _seeded("number_rule"))
def test_every_number_rule_is_used(code):
    assert _is_named(code)


@each("code", _seeded("dictionary_type"))
def test_every_dictionary_is_used(code):
    named = {facts_of(c).dictionary for model in entities() for c in columns_of(model).values()}
    assert code in named or _is_named(code)


def test_every_template_has_a_sample():
    assert {path.stem for path in (SEEDS / "templates").glob("*.html")} == set(SAMPLE_DATA)


@pytest.mark.parametrize("kind", sorted(SAMPLE_DATA))
def test_every_template_renders_with_its_sample(kind):
    letter = render_letter(template_source(kind), SAMPLE_DATA[kind])
    assert "{{" not in letter
    assert "None" not in letter


def test_every_parameter_that_is_read_is_seeded():
    call = (
        r"""\b(?:number|value|whole|ratio|flag)\(\s*[\w.]*session,\s*["']([a-z_]+\.[a-z_]+)["']"""
    )
    read = set(re.findall(call, code()))
    assert read
    assert read - set(_seeded("parameter")) == set()


def test_every_number_that_is_drawn_has_a_rule():
    read = set(re.findall(r"""next_number\(\s*\w+,\s*["']([a-z_]+)["']""", code()))
    assert read
    assert read - set(_seeded("number_rule")) == set()
