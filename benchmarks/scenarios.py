"""The pages that are measured, the same on every system, what each must show, and the goals they are held to."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SYSTEMS: Final = {"ours": "本系统", "fab": "FAB 5.3.0 默认", "django": "Django 5.2 admin"}
ROWS_PER_PAGE: Final = 25
CUSTOMER_WORD: Final = "宏远"
PROJECT_WORD: Final = "春耕"
MANY: Final = 10_000  # where counting of our lists ends

FAB_RATIO_MIN: Final = 20.0
DJANGO_RATIO_MAX: Final = 1.2
PAGE_KIB_MAX: Final = 100.0


@dataclass(frozen=True)
class Scenario:
    """One page: its path by system, and the texts that its answer must hold (one of each tuple)."""

    label: str
    paths: dict[str, str]
    expected: list[tuple[str, ...]]
    goals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Goal:
    """A limit: what it reads of (scenario, system -> figure) and whether it holds."""

    label: str
    holds: Callable[[float], bool]


GOALS: Final = {
    "fab": Goal(f"比 FAB 默认快 {FAB_RATIO_MIN:g} 倍以上", lambda ratio: ratio >= FAB_RATIO_MIN),
    "django": Goal(
        f"不超过 Django admin 的 {DJANGO_RATIO_MAX:g} 倍", lambda ratio: ratio <= DJANGO_RATIO_MAX
    ),
    "size": Goal(f"页面不超过 {PAGE_KIB_MAX:g} KiB", lambda kib: kib <= PAGE_KIB_MAX),
}


def scenarios(database: Path) -> list[Scenario]:
    """All pages, with what the rows themselves say they must show."""
    with closing(sqlite3.connect(database)) as connection:
        return [*_lists(connection), *_searches(connection), *_forms()]


def _one(connection: sqlite3.Connection, query: str, *values: str) -> str:
    return str(connection.execute(query, values).fetchone()[0])


def _count(number: str) -> tuple[str, ...]:
    """A total as the three systems print it; ours ends at 10,000 and counts the rest where it is asked to."""
    return number, f"{int(number):,}", *(["10,000+"] if int(number) > MANY else [])


def _lists(connection: sqlite3.Connection) -> list[Scenario]:
    total = int(_one(connection, "SELECT count(*) FROM project"))
    last = -(-total // ROWS_PER_PAGE)
    newest = _one(connection, "SELECT number FROM project ORDER BY id DESC LIMIT 1")
    oldest = _one(connection, "SELECT number FROM project ORDER BY id LIMIT 1")
    customer = _one(connection, "SELECT number FROM customer ORDER BY id DESC LIMIT 1")
    everything = _count(str(total))
    return [
        Scenario(
            f"项目列表 第 1 页（{ROWS_PER_PAGE} 行）",
            {
                "ours": f"/project/list/?size={ROWS_PER_PAGE}",
                "fab": "/projectmodelview/list/",
                "django": "/short/bench/project/",
            },
            [(newest,), everything],
            ("fab", "django", "size"),
        ),
        Scenario(
            "项目列表 第 1 页（100 行）",
            {
                "ours": "/project/list/?size=100",
                "fab": "/projectmodelview/list/?psize_ProjectModelView=100",
                "django": "/admin/bench/project/",
            },
            [(newest,), everything],
            ("django",),
        ),
        Scenario(
            f"项目列表 最后一页（{ROWS_PER_PAGE} 行）",
            {
                "ours": f"/project/list/?size={ROWS_PER_PAGE}&page={last}",
                "fab": f"/projectmodelview/list/?page_ProjectModelView={last - 1}",
                "django": f"/short/bench/project/?p={last}",
            },
            [(oldest,), everything],
            ("fab", "size"),
        ),
        Scenario(
            f"对公客户列表 第 1 页（{ROWS_PER_PAGE} 行）",
            {
                "ours": f"/corporate_customer/list/?size={ROWS_PER_PAGE}",
                "fab": "/corporatecustomermodelview/list/",
                "django": "/short/bench/corporatecustomer/",
            },
            [(customer,), everything],
            ("django", "size"),
        ),
    ]


def _searches(connection: sqlite3.Connection) -> list[Scenario]:
    customer = "FROM customer WHERE name LIKE ?"
    project = "FROM project WHERE purpose_note LIKE ?"
    names, notes = f"%{CUSTOMER_WORD}%", f"%{PROJECT_WORD}%"
    asked = ((customer, names), (project, notes))
    found = {key: _one(connection, f"SELECT count(*) {key}", word) for key, word in asked}
    first = {
        key: _one(connection, f"SELECT number {key} ORDER BY id DESC LIMIT 1", word)
        for key, word in asked
    }
    return [
        Scenario(
            f"对公客户 包含“{CUSTOMER_WORD}”（{int(found[customer]):,} 条）",
            {
                "ours": f"/corporate_customer/list/?size={ROWS_PER_PAGE}&q={CUSTOMER_WORD}",
                "fab": f"/corporatecustomermodelview/list/?_flt_2_name={CUSTOMER_WORD}",
                "django": f"/short/bench/corporatecustomer/?q={CUSTOMER_WORD}",
            },
            [(first[customer],), _count(found[customer])],
            ("django", "size"),
        ),
        Scenario(
            f"项目 包含“{PROJECT_WORD}”（{int(found[project]):,} 条）",
            {
                "ours": f"/project/list/?size={ROWS_PER_PAGE}&q={PROJECT_WORD}",
                "fab": f"/projectmodelview/list/?_flt_2_purpose_note={PROJECT_WORD}",
                "django": f"/short/bench/project/?q={PROJECT_WORD}",
            },
            [(first[project],), _count(found[project])],
            ("fab", "django", "size"),
        ),
    ]


def _forms() -> list[Scenario]:
    return [
        Scenario(
            "新增项目表单",
            {
                "ours": "/project/add",
                "fab": "/projectmodelview/add",
                "django": "/short/bench/project/add/",
            },
            [('name="purpose_note"',), ('name="customer_id"', 'name="customer"')],
            ("fab", "size"),
        ),
        Scenario(
            "新增对公客户表单",
            {
                "ours": "/corporate_customer/add",
                "fab": "/corporatecustomermodelview/add",
                "django": "/short/bench/corporatecustomer/add/",
            },
            [('name="uscc"',)],
            ("size",),
        ),
    ]
