"""The product, running by itself on its own data, and the people at their browsers."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.person import Cast

ROOT = Path(__file__).parents[2]
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 60


@pytest.fixture(scope="module")
def address(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[str]:
    """Where the product serves a company: without customers, or as the module's COMPANY says."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data_dir = tmp_path_factory.mktemp("data")
    env = {
        **os.environ,
        "PORT": str(port),
        "DATA_DIR": str(data_dir),
        "DEMO": "1",
        "APP_ENV": "development",
    }
    env.pop("DATABASE_URL", None)
    company = [
        sys.executable,
        "-m",
        "tests.browser.company",
        *getattr(request.module, "COMPANY", ()),
    ]
    subprocess.run(company, cwd=ROOT, env=env, check=True)
    with (data_dir / "server.txt").open("w") as log:
        command = [sys.executable, "-m", "tests.browser.serve"]
        server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}/login/", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)
    said = (data_dir / "server.txt").read_text()
    assert "Traceback" not in said, said


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    pytest.fail("the product did not start")


@pytest.fixture
def cast(address: str, chromium_path: str) -> Iterator[Cast]:
    """Sign people in by name; on a failure their screens are kept in test-results/."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGS)
        found = Cast(browser, address)
        yield found
        keep = ROOT / "test-results"
        keep.mkdir(exist_ok=True)
        for name, person in found.people.items():
            with contextlib.suppress(Exception):
                person.page.screenshot(path=keep / f"{name}.png", full_page=True)
        browser.close()
