"""A run's figures as a table for the terminal and for docs/benchmarks.md, with the goals beside them."""

import os
import platform
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from benchmarks.runner import Result
from benchmarks.scenarios import GOALS, PAGE_KIB_MAX, SYSTEMS

Row = Sequence[str]

INTRODUCTION: Final = """\
# 性能对比

本页由 `make bench` 写成于 {today}：
{cores} 核，Python {python}，{rows:,} 个客户、{rows:,} 个项目，每页测 {rounds} 次取中位数。

三个系统各占一个进程，读同一个 SQLite 文件中同样的行，由同一个客户端真实登录后逐页轮流访问，每轮调换次序；
每次都核对页面上确有应有的那一行和总条数（本系统超过一万条时写“10,000+”，准确条数另问）。

- **本系统**：完整应用，列表、搜索和表单均由实体生成。
- **FAB 默认**：同样的表，每表一个 `ModelView`，按官方教程的写法；表单与搜索为默认设置（全部列，关联字段为下拉框）。
- **Django admin**：同样的表，按官方教程写 `list_display` 和 `search_fields`，其余为默认设置（默认每页 100 行）。
"""

LEDGER_HEAD: Final = (
    "做法",
    "每张凭证（中位数）",
    "每秒张数",
    "与 SQL 之比",
    "最初 100 张 → 最后 100 张",
)
LEDGER: Final = """\
同样的三行分录凭证（带客户和项目辅助核算），制单、审核、记账各为一个事务，逐张办理，时间为处理器时间。
“直接写 SQL”只写凭证、分录、余额、编号和校验链，不做任何校验，不写操作日志和搜索索引；
两边的结果逐行、逐个校验码核对一致。"""

BOOKS: Final = "## 大规模账务"
BOOKS_HEAD: Final = ("办理", "本系统", "直接写 SQL", "与 SQL 之比")
BOOKS_TEXT: Final = """\
本节由 `python -m benchmarks --books` 写成于 {today}：{cores} 核，Python {python}，
演示数据 {projects:,} 个项目、{vouchers:,} 张凭证、{entries:,} 条分录，
装入方式与 `flask --app run demo --size large` 相同。

两边各用同一数据库的一份副本，结果逐行核对到分。时间为处理器时间，每项办理一次（科目余额表为第二次）。
“直接写 SQL”含结账前的检查、准备金计算与结转，不写操作日志和搜索索引，不出报表；预警与到期处理没有对照。"""

FULL_SIZE: Final = {
    "sqlite": "## 大规模下的页面：SQLite",
    "postgresql": "## 大规模下的页面：PostgreSQL",
}
FULL_SIZE_HEAD: Final = (
    "页面",
    "本系统",
    "直接写 SQL",
    "与 SQL 之比",
    "小规模时",
    "与小规模之比",
    "结果",
)
FULL_SIZE_TEXT: Final = """\
每格为处理器时间，本进程与数据库后台进程合计。工作台为页面与其各张卡片（逐一请求）之和；
“直接写 SQL”问同样的数字与同样的前几行，不做登录、权限、页面。
目标：不超过直接写 SQL 的 5 倍，且不超过本页在小规模演示数据上的 3 倍。"""
PROOFS: Final = {"sqlite": "## 核对：SQLite", "postgresql": "## 核对：PostgreSQL"}
PROOFS_HEAD: Final = ("做法", "行数", "历时", "处理器时间", "与一遍原生查询之比", "内存峰值")
PROOFS_TEXT: Final = """\
本节由 `python -m benchmarks.proofs` 写成于 {today}：{cores} 核，Python {python}，大规模演示数据。

“一遍原生查询”把核对涉及的每张表从头读到尾，不比对、不计算；两边各在自己的进程里，先后进行，时间为本进程的处理器时间；
`verify` 的行数按各项核对相加，一行可算多次。机器与别的程序共用，历时只供参考。
目标：`verify` 的内存不超过 300 MiB。{result}"""
STORM: Final = "## 登录风暴"
STORM_HEAD: Final = ("一次保存（REST 修改部门）", "中位数", "95 分位", "最长")
STORM_TEXT: Final = """\
本节由 `python -m benchmarks --storm` 写成于 {today}：{cores} 核，Python {python}，SQLite，
`run.py` 一个进程，客户端在同一台机器上。

48 次正确、200 次错误的登录从同一个地址同时到来（错误的一半用这 48 人的登录名，一半用没有的登录名），
另一人照常每 50 毫秒保存一次。正确的 {right} 次成功，{right_failed} 次失败；错误的 {wrong_refused} 次被拒绝。
{seconds:.1f} 秒后全部答复，其间保存 {saves:,} 次。每次登录都核对一次哈希（scrypt），排队的人等的是它。"""


@dataclass(frozen=True)
class Verdict:
    """One goal on one page."""

    page: str
    goal: str
    figure: str
    holds: bool


def ratio(result: Result, page: str, of: str, to: str) -> float:
    """Processor time of one system by that of another; the clock is shown, but neighbours on the machine move it."""
    return result.figures[page, of].cpu_ms / result.figures[page, to].cpu_ms


def verdicts(result: Result) -> list[Verdict]:
    """Every goal on every page that it is set for."""
    found = []
    for page in result.pages:
        figures = {
            "fab": ratio(result, page.label, "fab", "ours"),
            "django": ratio(result, page.label, "ours", "django"),
            "size": result.figures[page.label, "ours"].kib,
        }
        for name in page.goals:
            unit = " KiB" if name == "size" else " 倍"
            text = (
                f"{figures[name]:.1f}{unit}" if name != "django" else f"{figures[name]:.2f}{unit}"
            )
            found.append(
                Verdict(page.label, GOALS[name].label, text, GOALS[name].holds(figures[name]))
            )
    return found


def times(result: Result) -> tuple[Row, list[Row]]:
    """Head and rows: per page and system the medians, the size and the number of statements; then the ratios."""
    head = ("页面", *(f"{label}" for label in SYSTEMS.values()), "FAB ÷ 本系统", "本系统 ÷ Django")
    rows = []
    for page in result.pages:
        cells = []
        for name in SYSTEMS:
            f = result.figures[page.label, name]
            cells.append(f"{f.cpu_ms:,.1f} / {f.wall_ms:,.1f} ms")
        rows.append(
            (
                page.label,
                *cells,
                f"{ratio(result, page.label, 'fab', 'ours'):,.1f}",
                f"{ratio(result, page.label, 'ours', 'django'):,.2f}",
            )
        )
    return head, rows


def sizes(result: Result) -> tuple[Row, list[Row]]:
    """Head and rows: size of the page and number of SQL statements."""
    head = ("页面", *(f"{label}" for label in SYSTEMS.values()))
    rows = []
    for page in result.pages:
        found = [result.figures[page.label, name] for name in SYSTEMS]
        rows.append((page.label, *(f"{f.kib:,.1f} KiB / {f.statements} 条" for f in found)))
    return head, rows


def goals(result: Result) -> tuple[Row, list[Row]]:
    """Head and rows of the goals."""
    rows = [(v.page, v.goal, v.figure, "达到" if v.holds else "未达到") for v in verdicts(result)]
    return ("页面", "目标", "实测", "结果"), rows


def plain(head: Row, rows: Sequence[Row]) -> Iterator[str]:
    """A table for the terminal; Chinese characters take two columns."""
    table = [head, *rows]
    widths = [max(_width(row[i]) for row in table) for i in range(len(head))]
    for number, row in enumerate(table):
        yield "  ".join(
            text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=True)
        ).rstrip()
        if number == 0:
            yield "  ".join("-" * width for width in widths)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def markdown(head: Row, rows: Sequence[Row]) -> Iterator[str]:
    """The same table for a document."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def document(result: Result, rows: int, ledger: Sequence[Row], today: date) -> str:
    """docs/benchmarks.md."""
    peaks = "，".join(f"{SYSTEMS[name]} {mib:,.0f} MiB" for name, mib in result.peak_mib.items())
    introduction = INTRODUCTION.format(
        today=today.isoformat(),
        cores=os.cpu_count(),
        python=platform.python_version(),
        rows=rows,
        rounds=result.rounds,
    )
    parts = [
        introduction,
        "## 时间",
        "",
        "每格为“处理器时间 / 墙钟时间”的中位数。比值按处理器时间计算，因为同一台机器上的其他程序会拉长墙钟时间。",
        "",
        *markdown(*times(result)),
        "",
        "## 页面大小与查询次数",
        "",
        *markdown(*sizes(result)),
        "",
        f"进程内存峰值：{peaks}。",
        "",
        "## 目标",
        "",
        *markdown(*goals(result)),
        "",
        f"页面大小的目标为每页 {PAGE_KIB_MAX:g} KiB 以内（未压缩）。",
        "",
    ]
    if ledger:
        parts += ["## 凭证", "", LEDGER, "", *markdown(LEDGER_HEAD, ledger), ""]
    return "\n".join(parts)


def books(found: dict[str, Any], today: date) -> str:
    """The section about the books of the large demo."""
    projects, vouchers, entries = found["counts"]
    text = BOOKS_TEXT.format(
        today=today.isoformat(),
        cores=os.cpu_count(),
        python=platform.python_version(),
        projects=projects,
        vouchers=vouchers,
        entries=entries,
    )
    parts = [BOOKS, "", text, "", *markdown(BOOKS_HEAD, found["books"]), ""]
    if found["ledger"]:
        words = f"在这份数据上逐张办理 {found['vouchers']:,} 张凭证，做法同上一节："
        parts += [words, "", *markdown(LEDGER_HEAD, found["ledger"]), ""]
    return "\n".join(parts)


def storm(found: dict[str, Any], today: date) -> str:
    """The section about the sign-in storm."""
    text = STORM_TEXT.format(
        today=today.isoformat(),
        cores=os.cpu_count(),
        python=platform.python_version(),
        **found["storm"],
    )
    rows = [
        (label, *(f"{found[key][name]:,.1f} ms" for name in ("p50", "p95", "max")))
        for key, label in (("quiet", "平静时"), ("storm", "登录风暴中"), ("after", "风暴过后"))
    ]
    return "\n".join([STORM, "", text, "", *markdown(STORM_HEAD, rows), ""])


def proofs(dialect: str, rows: Sequence[Row], today: date, *, is_met: bool) -> str:
    """`verify` beside one raw pass, as a section of the document."""
    text = PROOFS_TEXT.format(
        today=today.isoformat(),
        cores=os.cpu_count(),
        python=platform.python_version(),
        result="达到。" if is_met else "未达到。",
    )
    return "\n".join([PROOFS[dialect], "", text, "", *markdown(PROOFS_HEAD, rows), ""])


def with_section(document: str, section: str) -> str:
    """A document with the section of this heading replaced, or added at its end."""
    heading = section.partition("\n")[0]
    before, _, rest = document.partition(heading)
    after = "".join(rest.partition("\n## ")[1:]).lstrip("\n")
    return "\n\n".join(part.strip() for part in (before, section, after) if part.strip()) + "\n"


def sections_of(document: str) -> list[str]:
    """The sections of a document that runs of their own have written."""
    found = []
    for heading in (BOOKS, STORM, *FULL_SIZE.values(), *PROOFS.values()):
        rest = document.partition(heading)[2]
        found += [heading + rest.partition("\n## ")[0]] if rest else []
    return found
