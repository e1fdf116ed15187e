"""The life of each verb on one page: `python -m scripts.features` writes docs/features, a page per table.

A page is made of what the code declares - steps, permissions, built-in roles, buttons, events, approvals - and of where
the functions and tests stand that name them; nothing on it is written by hand.
"""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import views.screens  # noqa: F401 - every button puts itself into the table
import workflows.registry  # noqa: F401 - every workflow registers its verbs
from app.roles import ROLES, all_permissions, permissions_of
from models.base.entity import entities, entity_of
from views.kit.buttons import REGISTRY
from workflows.base.transition import STEPS, VERBS, Step, Verb
from workflows.guarantee.paper import PAPERS, Paper

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = ROOT / "docs" / "features"
HEAD: Final = "由 `make features` 从代码生成，请勿手改。"


@cache
def _trees(room: str) -> dict[str, ast.Module]:
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / room).rglob("*.py"))
    }


@cache
def _tables() -> dict[str, dict[str, str]]:
    """File -> name of a transition table in it -> its table: `STEPS = steps(Step("release", ...))`."""
    found: dict[str, dict[str, str]] = {}
    for file, tree in _trees("workflows").items():
        for node in tree.body:
            if isinstance(node, ast.Assign) and (table := _table_of(node.value)):
                found.setdefault(file, {}).update(
                    {
                        name.id: table
                        for target in node.targets
                        for name in ast.walk(target)
                        if isinstance(name, ast.Name)
                    }
                )
    return found


def _table_of(value: ast.expr) -> str:
    """The table that a call of `steps` or `verbs` registers for, or a paper's own."""
    for node in ast.walk(value):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Step", "verbs"}:
            first = node.args[0]
            return first.value if isinstance(first, ast.Constant) else ""
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Paper":
            return _paper_table(node.args[0])
    return ""


def _paper_table(node: ast.expr) -> str:
    """The table of a paper by the name of its class."""
    name = getattr(node, "id", "")
    return next((table for table, paper in PAPERS.items() if paper.model.__name__ == name), "")


@cache
def _functions() -> dict[tuple[str, str], list[str]]:
    """(table, verb) -> functions that take it, as `file: name`."""
    found: dict[tuple[str, str], list[str]] = {}
    for file, tree in _trees("workflows").items():
        names = _tables().get(file, {})
        for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
            for table, verb in _taken(function, names):
                place = f"`{file}`: {function.name}"
                if place not in (places := found.setdefault((table, verb), [])):
                    places.append(place)
    return found


def _taken(function: ast.FunctionDef, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.value, (ast.Name, ast.Attribute))
        ):
            name = getattr(node.value, "id", "") or getattr(node.value, "attr", "")
            if name in names:
                yield names[name], str(node.slice.value)


@cache
def _tests() -> dict[str, tuple[set[str], set[str]]]:
    """Test file -> modules that it imports, names that it calls."""
    return {
        file: (
            set(_imported(tree)),
            {_name(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)},
        )
        for file, tree in _trees("tests").items()
    }


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{one.name}" for one in node.names)


def _name(node: ast.expr) -> str:
    return getattr(node, "id", getattr(node, "attr", ""))


def _tested(place: str) -> Iterator[str]:
    """Test files that import the module of a place and call its function."""
    file, _, name = place.partition(": ")
    module = file.strip("`").removesuffix(".py").replace("/", ".")
    for test, (imported, called) in _tests().items():
        if module in imported and name.rpartition(".")[2] in called:
            yield test


@cache
def _holders() -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    known = all_permissions()
    for role in ROLES:
        for pair in permissions_of(role, known):
            found.setdefault(pair, []).append(role.name)
    return found


def _code(verb: Verb) -> list[str]:
    """The functions behind the buttons of a verb, and those that name it in its transition table."""
    pressed = [_place(one.act) for one in REGISTRY.values() if one.permission == verb.permission]
    named = _functions().get((verb.table, verb.verb), [])
    return list(dict.fromkeys([*(place for place in pressed if place), *named]))


def _place(function: Callable[..., object]) -> str:
    module, name = function.__module__.replace(".", "/"), function.__qualname__
    return "" if "<" in name else f"`{module}.py`: {name}"


def _hooks(paper: Paper[Any]) -> Iterator[str]:
    """What a workflow hung on its paper."""
    for what, hooks in paper.hooks.items():
        yield f"- {what}：{'；'.join(_place(hook) for hook in hooks)}"


def _way(verb: Verb) -> str:
    if not isinstance(verb, Step):
        return "不改状态"
    ends = "、".join(one.label for one in verb.targets)
    return f"{'、'.join(one.label for one in verb.sources)} → {ends}"


def _buttons(verb: Verb) -> str:
    found = (
        f"{button.label}（{entity_of(button.on).spec.label}页 `/do/{button.on}/…/{button.name}`）"
        for button in REGISTRY.values()
        if button.permission == verb.permission
    )
    return "、".join(found)


def _verb_lines(verb: Verb) -> Iterator[str]:
    yield f"## {verb.label} `{verb.table}.{verb.verb}`"
    yield ""
    yield f"- 状态：{_way(verb)}"
    if isinstance(verb, Step) and verb.follows:
        yield "- 由别的动作带出，没有自己的权限和按钮"
    else:
        yield f"- 内置角色：{'、'.join(_holders().get(verb.permission, [])) or '无'}"
        yield f"- 按钮：{_buttons(verb) or '无（专用页面或单据自己的界面）'}"
    if functions := _code(verb):
        yield f"- 代码：{'；'.join(functions)}"
    tests = sorted({file for place in functions for file in _tested(place)})
    if tests:
        yield f"- 测试：{'、'.join(f'`{file}`' for file in tests[:8])}"
    yield ""


def page(table: str) -> str:
    """The page of a table."""
    model = entity_of(table)
    module = model.__module__.replace(".", "/")
    lines = [
        f"# {model.spec.label} `{table}`",
        "",
        HEAD,
        "",
        f"- 表：`{module}.py` {model.__name__}",
    ]
    if paper := PAPERS.get(table):
        types = paper.approval_type
        codes = (types,) if isinstance(types, str) else types.values()
        lines.append("- 审批类型：" + "、".join(f"`{code}`" for code in codes))
        lines += [f"- 记账事件：{'、'.join(f'`{code}`' for code in paper.events)}"] * bool(
            paper.events
        )
        lines += _hooks(paper)
    lines.append("")
    of_table = {
        verb.verb: verb for verb in (*STEPS.values(), *VERBS.values()) if verb.table == table
    }
    for verb in of_table.values():
        lines += _verb_lines(verb)
    return "\n".join(lines).rstrip() + "\n"


def pages() -> dict[str, str]:
    """File name -> text of each page, and of the list of all."""
    # Operators and roles are the framework's tables: their verbs stand on pages of their own.
    known = {str(model.__tablename__) for model in entities()}
    tables = sorted(known & {verb.table for verb in (*STEPS.values(), *VERBS.values())})
    found = {f"{table}.md": page(table) for table in tables}
    lines = (f"- [{entity_of(table).spec.label}]({table}.md)" for table in tables)
    return {"README.md": "\n".join(["# 动作一览", "", HEAD, "", *lines, ""]), **found}


def main() -> None:
    """Write the pages, and take away those of tables that have no verb any more."""
    PAGES.mkdir(exist_ok=True)
    found = pages()
    for path in PAGES.glob("*.md"):
        if path.name not in found:
            path.unlink()
    for name, text in found.items():
        (PAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
