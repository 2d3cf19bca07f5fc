"""A page of the leaderboard in a real browser, opened from a disk without a network; what it complains of is kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, CDPSession, ConsoleMessage, Dialog, Page, Request

PHONE, DESK, WALL = (400, 800), (1280, 800), (2560, 1300)
"""Sizes in pixels at which pages are looked at."""

LOCAL = ("file:", "data:", "blob:", "about:")
_REDRAWN = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"

Theme = Literal["light", "dark"]


@dataclass
class Opened:
    """A tab, and what went wrong in it: errors of scripts and of the console (those of its policy too), requests.

    Args:
        page: The tab, for whatever is not wrapped here.
    """

    page: Page
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("dialog", self._asked_the_reader)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", self._asked)
        self.page.on("requestfailed", lambda request: self.faults.append(f"not loaded: {request.url}"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")

    def _asked_the_reader(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(LOCAL):
            self.faults.append(f"asked the network: {request.url}")

    def go(self, path: Path, state: str = "", *, scripts: bool = True) -> Page:
        """Open a file of the site, and wait until it says that it is drawn.

        Args:
            path: The file.
            state: What its address has after the `#`.
            scripts: Whether scripts run; without them nothing says so.
        """
        self.page.goto("about:blank")  # or a new hash alone would load nothing
        self.page.goto(path.as_uri() + (f"#{state}" if state else ""))
        if scripts:
            self.ready()
        return self.page

    def state(self, state: str) -> Page:
        """Change what the address has after the `#`, as a link does, and wait until the page follows."""
        self.page.evaluate("(state) => { location.hash = state; }", state)
        self.settle()
        return self.page

    def ready(self) -> None:
        """Wait until the page says that it is drawn."""
        self.page.wait_for_selector("html[data-ready]", state="attached")

    def settle(self) -> None:
        """Wait until what was asked of the page is drawn."""
        for _ in range(2):
            self.page.evaluate(_REDRAWN)
        self.ready()

    def size(self, size: tuple[int, int]) -> None:
        """Make the window as wide and as high as this, in pixels."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.settle()

    def theme(self, theme: Theme) -> None:
        """Have the system ask for light or dark pages."""
        self.page.emulate_media(color_scheme=theme)
        self.settle()

    def picture(self, name: str) -> None:
        """Keep what is seen as a picture in the folder that EMBEDMARK_PICTURES names, if it names one."""
        if folder := os.environ.get("EMBEDMARK_PICTURES"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}.png")

    def widest(self) -> int:
        """Pixels from the left to where the page ends: more than the window has where it scrolls sideways."""
        return int(self.page.evaluate("() => document.documentElement.scrollWidth"))


def violations(page: Page, rules: Sequence[str] | None = None) -> list[str]:
    """Ask axe what makes a page hard to use; its context must have `bypass_csp`, or the policy refuses axe.

    Args:
        page: The page.
        rules: Ask for these alone.

    Returns:
        A line of each violation: its rule, and the nodes.
    """
    options = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    found = Axe().run(page, options={**options, "resultTypes": ["violations"]})
    return [
        f"{one['id']}: {one['help']}: "
        + "; ".join(f"{node['target']} {node['html'][:120]}" for node in one["nodes"][:4])
        for one in found.response["violations"]
    ]


@dataclass(frozen=True)
class Cost:
    """What it took to open a page.

    Args:
        cpu: Milliseconds of the processor that the tasks of its main thread had.
        paint: Milliseconds until something of it was to be seen.
        ready: Milliseconds until it said that it was drawn.
    """

    cpu: float
    paint: float
    ready: float


def cost(context: BrowserContext, url: str, *, times: int = 9, scripts: bool = True) -> Cost:
    """Open a page again and again, each time in a new tab. Gives the medians."""
    costs = [_cost(context, url, scripts) for _ in range(times)]
    return Cost(*(median(getattr(one, name) for one in costs) for name in ("cpu", "paint", "ready")))


def _cost(context: BrowserContext, url: str, scripts: bool) -> Cost:
    page = context.new_page()
    try:
        session = context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(url, wait_until="commit")
        page.wait_for_selector("html[data-ready]" if scripts else "body", state="attached")
        ready = float(page.evaluate("() => performance.now()"))
        cpu = 1000 * metrics(session)["TaskDuration"]
        paint = page.evaluate(_FIRST_PAINT)
        return Cost(cpu, float(paint), ready)
    finally:
        page.close()


_FIRST_PAINT = """() => new Promise((done) => {
  const look = () => {
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    if (paint) done(paint.startTime); else requestAnimationFrame(look);
  };
  look();
})"""


def metrics(session: CDPSession) -> dict[str, float]:
    """Read the counters of a page's renderer: seconds of the processor, where `Performance` was enabled so."""
    found: list[dict[str, Any]] = session.send("Performance.getMetrics")["metrics"]
    return {one["name"]: one["value"] for one in found}
