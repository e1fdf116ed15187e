"""Take the README's screenshots from a fresh demo installation: `make screenshots`.

SCREENSHOT_USER and SCREENSHOT_PASSWORD name the account; the pictures go to docs/screenshots.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "screenshots"
START_SECONDS = 300  # the first start also loads the demo data
VIEWPORT = ViewportSize(width=1440, height=900)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# file name -> path of the page, in the order of the README
PAGES = {
    "home": "/",
}


@contextlib.contextmanager
def _product() -> Iterator[str]:
    """Run the product on its own data and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as data_dir:
        env = {**os.environ, "PORT": str(port), "DATA_DIR": data_dir, "DEMO": "1", "APP_ENV": "development"}
        env.pop("DATABASE_URL", None)
        process = subprocess.Popen([sys.executable, "run.py"], cwd=ROOT, env=env)
        try:
            _wait_for(f"http://127.0.0.1:{port}/login/", process)
            yield f"http://127.0.0.1:{port}"
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


def _log_in(page: Page, address: str) -> None:
    page.goto(f"{address}/login/")
    page.screenshot(path=TARGET / "login.png")
    page.fill("input[name=username]", os.environ.get("SCREENSHOT_USER", "admin"))
    page.fill("input[name=password]", os.environ.get("SCREENSHOT_PASSWORD", "admin"))
    page.click("[type=submit]")
    page.wait_for_load_state("networkidle")
    if "/login" in page.url:
        sys.exit("登录失败：请用 SCREENSHOT_USER 与 SCREENSHOT_PASSWORD 指定演示账号。")


def main() -> None:
    """Write one picture per page."""
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser_path:
        sys.exit("没有找到 chromium，未能截图。")
    TARGET.mkdir(parents=True, exist_ok=True)
    with _product() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport=VIEWPORT, locale="zh-CN")
        _log_in(page, address)
        for name, path in PAGES.items():
            page.goto(address + path, wait_until="networkidle")
            page.screenshot(path=TARGET / f"{name}.png")
            print(f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
