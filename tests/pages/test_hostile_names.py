"""Names that a stranger chose are texts in every view: they make no element, run nothing, and turn nothing around."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from opened import Opened
from playwright.sync_api import Page
from small_outputs import HOSTILE
from test_views import NAMES

UNSEEN = r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
"""Controls, and characters that turn the order of others or take no room."""

_ELEMENTS = """() => [...document.querySelectorAll("script, img, iframe, object, embed, style, base, meta, link")]
  .filter((node) => !["META", "LINK"].includes(node.tagName) || !document.head.contains(node))
  .filter((node) => node.tagName !== "SCRIPT" || !node.getAttribute("src"))
  .map((node) => node.outerHTML)"""
_HANDLERS = """() => [...document.querySelectorAll("*")].flatMap((node) => [...node.attributes]
  .filter((one) => /^on/i.test(one.name) || /^\\s*javascript:/i.test(one.value))
  .map((one) => one.name + "=" + one.value))"""
_TEXTS = """() => {
  const found = [document.title, document.body.innerText];
  for (const node of document.querySelectorAll("*")) {
    for (const { name, value } of node.attributes) {
      if (["aria-label", "title", "alt", "placeholder"].includes(name)) found.push(value);
    }
  }
  return found;
}"""


def unharmed(page: Page) -> None:
    """Look for what a name could have made of itself."""
    assert page.evaluate(_ELEMENTS) == []
    assert page.evaluate(_HANDLERS) == []
    found = page.evaluate(
        f"(texts) => texts.flatMap((text) => text.match(/.{{0,20}}{UNSEEN}.{{0,20}}/gu) ?? [])", page.evaluate(_TEXTS)
    )
    assert found == []


def listed(names: tuple[str, ...]) -> str:
    return ",".join(quote(name, safe="/") for name in names)


@pytest.mark.parametrize("view", NAMES)
def test_in_every_view(opened: Opened, site: Path, view: str) -> None:
    state = f"{view}?all=1&m={listed(HOSTILE[:4])}&pin={listed(HOSTILE[4:])}"
    unharmed(opened.go(site / "b" / "mteb-eng-v2.html", state))


def test_in_the_rows_that_need_no_scripts(site: Path) -> None:
    for path in (site / "b").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not [name for name in HOSTILE[:5] if name in text]
        assert "<img" not in text
        assert text.count("<script") == text.count("<script src=")


def test_names_are_read_as_they_are(opened: Opened, site: Path) -> None:
    page = opened.go(site / "b" / "mteb-eng-v2.html", "?all=1")
    shown = page.locator("th.name").all_inner_texts()
    for text in (
        "<img src=x onerror=alert(1)>",
        "script>alert(2)</script>",
        "{{ 7*7 }}",
        "\\u202egnp.exe\\u202c-\\u200bzero\\u200d",
    ):
        assert any(text in one for one in shown), text
    turned = page.locator("bdi", has_text="דגם")
    assert turned.count() >= 1


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(4)>", "\u202e</title><script>alert(5)</script>", "%00%ff%"])
def test_in_the_address(opened: Opened, site: Path, text: str) -> None:
    page = opened.go(site / "b" / "mteb-eng-v2.html")
    for key in ("find", "type", "lang", "sort", "pin", "m", "cols", "nonsense", "constructor", "__proto__", "toString"):
        opened.state(f"table?{key}={quote(text, safe='%')}")
        unharmed(page)
