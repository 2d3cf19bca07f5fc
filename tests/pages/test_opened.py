"""What the other tests of pages rest on: a page that misbehaves is noticed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from opened import Opened, cost, violations
from playwright.sync_api import BrowserContext

MakeContext = Callable[..., BrowserContext]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; require-trusted-types-for 'script';"
    " trusted-types embedmark"
)
READY = "document.documentElement.dataset.ready = '';"


def page(folder: Path, body: str = "", script: str = READY) -> Path:
    folder = folder / "a b#c%20ü"
    folder.mkdir()
    (folder / "page.js").write_text(script, encoding="utf-8")
    path = folder / "page.html"
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>Page</title>'
    path.write_text(
        f'<!doctype html><html lang="en">{head}<main><h1>Page</h1>{body}</main><script src="page.js"></script></html>',
        encoding="utf-8",
    )
    return path


@pytest.fixture
def tab(make_context: MakeContext) -> Opened:
    """A tab whose faults are looked at here."""
    return Opened(make_context().new_page())


def test_a_quiet_page_has_no_faults(opened: Opened, tmp_path: Path) -> None:
    opened.go(page(tmp_path, script="onhashchange = () => { document.title = location.hash; };" + READY), "one")
    opened.state("two")
    assert opened.page.title() == "#two"


@pytest.mark.parametrize(
    ("body", "script", "fault"),
    [
        ('<p style="color: red">', READY, "violates the following Content Security Policy"),
        ("<script>1</script>", READY, "violates the following Content Security Policy"),
        ("", READY + "document.body.innerHTML = 'x';", "requires 'TrustedHTML' assignment"),
        ("", READY + "throw new Error('broken');", "error: broken"),
        ("", READY + "console.error('said');", "console: said"),
        ("", READY + "alert('seen');", "dialog: seen"),
        ('<script src="absent.js"></script>', READY, "not loaded: file:///"),
        ("", READY + "fetch('https://example.org/').catch(() => 0)", "violates the following Content Security Policy"),
    ],
)
def test_what_a_page_does_wrong_is_noticed(tab: Opened, tmp_path: Path, body: str, script: str, fault: str) -> None:
    tab.go(page(tmp_path, body, script))
    tab.page.wait_for_timeout(100)
    assert any(fault in one for one in tab.faults), tab.faults


def test_a_request_is_noticed_where_no_policy_stops_it(tab: Opened, tmp_path: Path) -> None:
    path = page(tmp_path, '<img alt="" src="https://example.org/dot.png">')
    path.write_text(path.read_text(encoding="utf-8").replace("Content-Security-Policy", "x"), encoding="utf-8")
    tab.go(path)
    assert "asked the network: https://example.org/dot.png" in tab.faults


def test_axe_runs_and_finds(make_context: MakeContext, tmp_path: Path) -> None:
    context = make_context(bypass_csp=True)
    tab = Opened(context.new_page())
    found = violations(tab.go(page(tmp_path, '<input><p id="pale">pale</p>', READY)))
    assert [one.split(":")[0] for one in found] == ["label"]
    assert violations(tab.page, ["color-contrast"]) == []
    tab.page.evaluate("() => { document.getElementById('pale').style.color = '#ddd'; }")
    assert [one.split(":")[0] for one in violations(tab.page, ["color-contrast"])] == ["color-contrast"]


def test_the_processor_time_of_a_page_is_counted(make_context: MakeContext, tmp_path: Path) -> None:
    busy = "const end = performance.now() + 150; while (performance.now() < end);" + READY
    (tmp_path / "busy").mkdir()
    context = make_context()
    blank = cost(context, page(tmp_path).as_uri(), times=1)
    found = cost(context, page(tmp_path / "busy", script=busy).as_uri(), times=1)
    assert found.cpu > blank.cpu + 30, "of 150 ms, on a machine that others use too"
    assert found.ready > 150
    assert blank.paint > 0
