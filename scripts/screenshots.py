"""Picture the main screens of a fresh demo installation, on a desk and on a phone: `make screenshots`.

SCREENSHOT_DIR names the directory (default: screenshots); SCREENSHOT_DATA a demo installation to picture in place of
a fresh one. Two of the pictures are the README's and go to docs/images. Ends with status 1 when a screen does not
answer, or the demo has nothing to show on it.
"""

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from app.demo_accounts import DEMO_PASSWORD

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
START_SECONDS = 300  # the first start also loads the demo data
SIZES = {"desk": ViewportSize(width=1366, height=768), "phone": ViewportSize(width=390, height=844)}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGS = [
    "--lang=zh-CN",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The newest project at a stage, and the sign-in name of who handles it.
AT_STAGE = (
    "SELECT p.id, o.username FROM project p JOIN operator o ON o.employee_id = p.manager_id "
    "WHERE p.stage = '{}' AND p.state IN ('DRAFT', 'RUNNING', 'IN_FORCE') ORDER BY p.id DESC"
)


@dataclass(frozen=True)
class Shot:
    """One screen as one person sees it; `{id}` of the path is what the query finds in the demo's database.

    An empty `who` is whom the query names after the id; NOBODY has not signed in.
    """

    name: str
    path: str
    who: str = "zhoumin"
    query: str = ""
    readme: str = ""
    fill_badly: bool = False
    is_dark: bool = False


NOBODY = "-"
SHOTS = (
    Shot("login", "/login/", NOBODY),
    Shot("home-manager", "/"),
    Shot("home-dark", "/", "heping", is_dark=True),
    Shot("home-risk", "/", "heping"),
    Shot("home-accountant", "/", "wujie"),
    Shot("home-president", "/", "hejianguo"),
    Shot("project-list", "/project/list/", "heping", readme="list"),
    Shot("project-add", "/project/add"),
    *(
        Shot(
            f"project-{stage.lower()}",
            f"/project/show/{{id}}{tab}",
            "",
            AT_STAGE.format(stage),
            readme,
        )
        for stage, tab, readme in (
            ("APPLY", "", ""),
            ("EVALUATE", "", ""),
            ("RISK", "", ""),
            ("RESOLVE", "", ""),
            ("CONTRACT", "", ""),
            ("NOTICE", "?tab=counter_guarantee", "project"),
            ("IN_FORCE", "?tab=drawdown", ""),
        )
    ),
    Shot("project-dark", "/project/show/{id}", "", AT_STAGE.format("IN_FORCE"), is_dark=True),
    Shot(
        "drawdown",
        "/drawdown/show/{id}?tab=repayment_plan",
        "heping",
        "SELECT max(id) FROM drawdown WHERE state = 'ACTIVE'",
    ),
    Shot(
        "repayment-plan",
        "/repayment_plan/show/{id}?tab=instalment",
        "heping",
        "SELECT max(p.id) FROM repayment_plan p JOIN drawdown d ON d.id = p.drawdown_id WHERE d.state = 'ACTIVE'",
    ),
    Shot("release", "/release/show/{id}", "heping", "SELECT max(id) FROM release"),
    Shot("warning-list", "/risk_warning/list/", "zhenglan"),
    Shot(
        "warning",
        "/risk_warning/show/{id}",
        "zhenglan",
        "SELECT max(id) FROM risk_warning WHERE state = 'PENDING'",
    ),
    Shot("search", "/search?q=科技", "heping"),
    Shot("notifications", "/approvals/"),
    Shot("customer-list", "/customer/list/"),
    Shot("customer-add", "/corporate_customer/add"),
    Shot("customer-errors", "/corporate_customer/add", fill_badly=True),
    Shot(
        "customer",
        "/corporate_customer/show/{id}",
        "heping",
        "SELECT min(id) FROM corporate_customer",
    ),
    Shot("approvals", "/approvals/", "heping"),
    Shot(
        "approval",
        "/approvals/{id}",
        "heping",
        "SELECT min(t.id) FROM approval_task t JOIN employee e ON e.id = t.assignee_id "
        "WHERE t.state = 'PENDING' AND e.name = '何平'",
    ),
    Shot("review", "/review/", "wujie"),
    Shot(
        "event",
        "/business_event/show/{id}",
        "wujie",
        "SELECT min(id) FROM business_event WHERE state = 'PENDING'",
    ),
    Shot("voucher-list", "/voucher/list/", "wujie"),
    Shot("voucher", "/voucher/show/{id}", "shihui", "SELECT max(id) FROM voucher"),
    Shot("voucher-add", "/voucher/add", "wujie"),
    Shot("trial-balance", "/report/trial-balance", "tangxia"),
    Shot("detail-ledger", "/report/detail-ledger", "tangxia"),
    Shot("balance-sheet", "/report/balance-sheet", "tangxia"),
    Shot("income-statement", "/report/income-statement", "tangxia"),
    Shot("month-end", "/closing/", "tangxia"),
    Shot("opening", "/opening/", "tangxia"),
    Shot("exposure", "/report/exposure", "heping"),
    Shot("in-force-by-bank", "/report/in-force-by-bank", "heping"),
    Shot("drawn-by-month", "/report/drawn-by-month?compare=PREVIOUS", "heping"),
    Shot("my-reports", "/reports/", "tangxia"),
    Shot("meeting", "/review_meeting/show/{id}", "yangfan", "SELECT max(id) FROM review_meeting"),
    Shot("day-end", "/day-end/", "admin"),
    Shot("roles", "/roles/", "security"),
    Shot("role", "/roles/{id}", "security", "SELECT id FROM ab_role WHERE name = '客户经理'"),
    Shot("operators", "/operator/list/", "security"),
    Shot("parameters", "/parameter/list/", "admin"),
    Shot("audit", "/audit_log/list/", "auditor"),
)


@contextlib.contextmanager
def _product() -> Iterator[tuple[str, Path]]:
    """Run the product on its own data and yield its address and its database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        data_dir = Path(directory) / "data"
        if ready := os.environ.get("SCREENSHOT_DATA"):
            shutil.copytree(ready, data_dir)
        env = {
            **os.environ,
            "PORT": str(port),
            "DATA_DIR": str(data_dir),
            "DEMO": "1",
            "APP_ENV": "development",
        }
        env.pop("DATABASE_URL", None)
        process = subprocess.Popen([sys.executable, "run.py"], cwd=ROOT, env=env)
        try:
            _wait_for(f"http://127.0.0.1:{port}/login/", process)
            yield f"http://127.0.0.1:{port}", data_dir / "guarantee.db"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
            return
        time.sleep(0.2)
    sys.exit("系统没有在规定时间内启动，未能截图。")


def _addresses(database: Path, shots: list[Shot]) -> dict[str, tuple[str, str]]:
    """The path of every shot that the demo has something for, and who looks."""
    found = {}
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for shot in shots:
            row: tuple[Any, ...] | None = (
                connection.execute(shot.query).fetchone() if shot.query else ("",)
            )
            if row is not None and row[0] is not None:
                found[shot.name] = shot.path.format(id=row[0]), shot.who or row[1]
    return found


def _signed_in(browser: Browser, address: str, who: str, size: ViewportSize) -> Page:
    page = browser.new_context(viewport=size, locale="zh-CN", device_scale_factor=1).new_page()
    if who == NOBODY:
        return page
    page.goto(f"{address}/login/")
    page.fill("input[name=username]", who)
    page.fill("input[name=password]", DEMO_PASSWORD)
    page.click("main [type=submit], form [type=submit]")
    page.wait_for_load_state("load")
    if "/login" in page.url:
        sys.exit(f"演示账号 {who} 登录失败，未能截图。")
    return page


def _picture(page: Page, shot: Shot, target: Path, size: str) -> None:
    if shot.is_dark:
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
    if shot.fill_badly:
        page.fill("#name", "东方建材有限公司")
        page.fill("#uscc", "913201001347598200")
        page.click("[data-save]")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=target / f"{shot.name}-{size}.png")
    page.screenshot(path=target / f"{shot.name}-{size}-full.png", full_page=True)
    if shot.readme and size == "desk":
        page.screenshot(path=IMAGES / f"{shot.readme}.png")


def _all_pictures(
    browser: Browser, address: str, database: Path, target: Path, shots: list[Shot]
) -> list[str]:
    """Picture the shots at both sizes; the problems met on the way."""
    paths = _addresses(database, shots)
    problems = [
        f"{shot.name}：演示数据中没有可截图的记录" for shot in shots if shot.name not in paths
    ]
    for size, viewport in SIZES.items():
        pages: dict[str, Page] = {}
        for shot in shots:
            if shot.name not in paths:
                continue
            path, who = paths[shot.name]
            if who not in pages:
                pages[who] = _signed_in(browser, address, who, viewport)
            answer = pages[who].goto(address + path)
            if answer is None or not answer.ok:
                problems.append(
                    f"{shot.name}：{who} 打开 {path} 时服务器返回 {answer and answer.status}"
                )
            _picture(pages[who], shot, target, size)
    return problems


def main() -> None:
    """Write the pictures of all screens at both sizes; name screens to picture only those."""
    wanted = set(sys.argv[1:])
    if unknown := wanted - {shot.name for shot in SHOTS}:
        sys.exit("没有这些截图：" + "、".join(sorted(unknown)))
    shots = [shot for shot in SHOTS if not wanted or shot.name in wanted]
    target = Path(os.environ.get("SCREENSHOT_DIR") or ROOT / "screenshots")
    target.mkdir(parents=True, exist_ok=True)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with _product() as (address, database), sync_playwright() as playwright:
        found = (
            next(filter(None, map(shutil.which, BROWSERS)), None)
            or playwright.chromium.executable_path
        )
        if not Path(found).exists():
            sys.exit("没有找到 chromium，未能截图。")
        env = {**os.environ, "LANGUAGE": "zh_CN", "LANG": "zh_CN.UTF-8"}
        browser = playwright.chromium.launch(executable_path=found, args=ARGS, env=env)
        problems = _all_pictures(browser, address, database, target, shots)
        browser.close()
    sys.stdout.write(f"截图已保存到 {target}\n")
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
