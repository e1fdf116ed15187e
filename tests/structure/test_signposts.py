"""A sentence that sends somebody to a screen names one that is there, and names it in quotes."""

import ast
import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import views.screens  # noqa: F401 - every button puts itself into the table
import workflows.registry  # noqa: F401 - every workflow registers its verbs
from app.menu import NAMES, PAGES
from models.base.entity import entities
from models.base.kinds import MenuGroup, Module
from models.guarantee.project import Stage
from reports.base.report import REPORTS
from tests.structure.each import each
from views.kit.buttons import REGISTRY
from workflows.base.transition import VERBS

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "models" / "seeds"
QUOTED = re.compile(
    r"(?:在|到|至|使用|打开|通过|办理|做)(?:系统|项目的|回)?((?:“[^“”{}]+”[、的和]?)+)"
)
NAME = re.compile(r"“([^”]+)”")
# Where a sentence sends people without quotes; what is no screen is named below.
PLACE = re.compile(r"(?:请|可|须|应)先?(?:在|到|从)([一-鿿]{2,10}?)(?:中|里|页面|页(?!签))")
DEED = re.compile(r"(?:请|须|应)先?(?:办理|做)([一-鿿]{2,})")
NO_SCREENS = {
    "列表",
    "文件",
    "客户资料",
    "列表或记录",
    "表头上方",
    "较早的备份",
    "备注",
}
# Words of links and fields that sentences name beside the screens.
IN_PAGES = {"查看全部", "修改密码", "我的下载", "列", "视图操作"}


def _texts_of(tree: ast.AST) -> Iterator[str]:
    """The literal texts of a file; what is filled in stands as {}."""
    inside: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= set(node.values)
            yield "".join(
                part.value if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inside:
            yield node.value


def _sentences() -> Iterator[tuple[str, str]]:
    for room in ("app", "models", "reports", "views", "workflows"):
        for path in sorted((ROOT / room).rglob("*")):
            where = path.relative_to(ROOT).as_posix()
            if where.startswith(("app/demo/", "models/migrations/")) or "samples" in where:
                continue
            if path.suffix == ".py":
                yield from (
                    (where, text) for text in _texts_of(ast.parse(path.read_text(encoding="utf-8")))
                )
            elif path.suffix in (".html", ".csv", ".js") and "vendor" not in where:
                yield where, path.read_text(encoding="utf-8")


@cache
def sentences() -> list[tuple[str, str]]:
    """(file, text) of every text that somebody may read."""
    return list(_sentences())


def _known() -> set[str]:
    """What stands on the menu, over a screen, on a button or a field of the parameters."""
    with (SEEDS / "parameter.csv").open(encoding="utf-8", newline="") as file:
        found = {row["label"] for row in csv.DictReader(file)}
    found |= {model.spec.label for model in entities() if model.spec.kind.has_screen}
    found |= (
        {page.label for page in PAGES}
        | {report.label for report in REPORTS.values()}
        | {group.label for group in MenuGroup}
        | set(NAMES.values())
    )
    found |= {kind.label for kind in (*Module, *Stage)}
    return (
        found
        | {verb.label for verb in VERBS.values()}
        | {button.label for button in REGISTRY.values()}
        | IN_PAGES
    )


KNOWN = _known()


def named_in(text: str) -> set[str]:
    """The names in quotes that a text sends people to."""
    return {name for match in QUOTED.finditer(text) for name in NAME.findall(match.group(1))}


def named() -> list[tuple[str, str]]:
    """(file, screen) wherever somebody is sent to one."""
    return sorted({(where, name) for where, text in sentences() for name in named_in(text)})


@each("where, name", named)
def test_who_is_sent_to_a_screen_finds_it(where, name):
    assert name in KNOWN, "no menu entry, screen, button, stage or parameter is called so"


def test_who_is_sent_to_a_screen_reads_its_name_in_quotes():
    bare = {(where, place) for where, text in sentences() for place in PLACE.findall(text)}
    assert {(where, place) for where, place in bare if place not in NO_SCREENS} == set()


def test_what_is_to_be_done_first_can_be_done():
    asked = {(where, deed) for where, text in sentences() for deed in DEED.findall(text)}
    assert {(where, deed) for where, deed in asked if not deed.startswith(tuple(KNOWN))} == set()


def test_enough_is_read():
    """The patterns find the sentences they are for."""
    expected = {
        "复核管理",
        "系统参数",
        "文书模板",
        "审批岗位",
        "操作员",
        "部门",
        "期初余额",
        "断号整理",
    }
    assert expected <= {name for _, name in named()}
    assert named_in("请在“审批岗位”“操作员”中补充") == {"审批岗位", "操作员"}
    assert PLACE.findall("请在参数设置中补充") == ["参数设置"]
