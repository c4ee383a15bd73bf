"""The site in a real browser: grid, graph and regressions load, and show the series."""

from __future__ import annotations

import functools
import http.server
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytest.importorskip("asv")
sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium")
SUITE = Path(__file__).resolve().parent.parent / "asv_benchmarks"
SITE = SUITE / ".asv" / "html"
#: One that is wide open to no network but this machine's.
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SERIES = "relu.OverMemcpy.track_ratio"

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="the site's scripts come by npm"),
]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address():
    """Publish the committed results and serve them."""
    subprocess.run([sys.executable, SUITE / "suite.py", "publish"], check=True)
    handler = functools.partial(_Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page(address):
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("requestfailed", lambda request: errors.append(request.url))
        page.on(
            "response",
            lambda response: errors.append(response.url) if response.status >= 400 else None,
        )
        yield page
        page.wait_for_load_state("networkidle")  # what closing cuts off would be an error
        found = list(errors)
        browser.close()
    assert not found


def test_the_grid_shows_every_benchmark(page, address):
    page.goto(address)
    page.wait_for_selector("text=OverMemcpy.track_ratio")
    for name in ("OverExponential", "OverMaximum", "Forward", "MaxUlp"):
        assert page.locator(f"text={name}").count(), name


def test_a_graph_shows_the_series(page, address):
    page.goto(f"{address}#{SERIES}?p-verb='forward'&p-backend='cython'&p-size='L2'")
    page.wait_for_selector("#main-graph canvas")
    lengths = page.evaluate("$('#main-graph').data('plot').getData().map(line => line.data.length)")
    assert max(lengths) >= 5
    page.screenshot(path=str(SITE / "graph.png"))


def test_the_regressions_load(page, address):
    page.goto(f"{address}#/regressions")
    page.wait_for_selector("#regressions-body *", state="attached")
    assert "error" not in page.locator("#regressions-body").inner_text().lower()
