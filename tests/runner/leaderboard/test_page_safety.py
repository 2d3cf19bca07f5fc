"""Nothing in the page's sources makes markup or code of a string: names of models and tasks come from strangers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from embedmark.runner.leaderboard.join import PAGE, SHARED

TEMPLATES = PAGE.with_name("templates")
OF_SCRIPTS = re.compile(
    r"innerHTML|outerHTML|insertAdjacent|document\s*\.\s*write|createContextualFragment|DOMParser|setHTML"
    r"|\beval\s*\(|new\s+Function|cssText|setAttribute\(\s*[\"'](?:style|on)|\bstyle\s*:\s*[\"'`]|javascript:"
)
"""Ways from a string to markup or code; and attributes of style, which the page's policy refuses."""

OF_TEMPLATES = re.compile(
    r"\sstyle\s*=|<style|\son\w+\s*=|javascript:|\|\s*safe\b|autoescape\s+false|<script(?![^>]*\ssrc=)|http-equiv=.refresh",
    re.IGNORECASE,
)


def refused(pattern: re.Pattern[str], path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [f"{path.name}:{n}: {line.strip()}" for n, line in enumerate(lines, 1) if pattern.search(line)]


def test_scripts_make_neither_markup_nor_code_of_strings() -> None:
    scripts = [*PAGE.glob("*.js"), *SHARED]
    assert len(scripts) > 1
    assert [line for path in scripts for line in refused(OF_SCRIPTS, path)] == []


def test_templates_have_no_inline_script_or_style_and_escape_everything() -> None:
    assert [line for path in TEMPLATES.rglob("*.j2") for line in refused(OF_TEMPLATES, path)] == []


@pytest.mark.parametrize(
    "line",
    [
        "node.innerHTML = name;",
        "node.insertAdjacentHTML('x', y)",
        "document.write(x)",
        "eval (text)",
        "new Function('a')",
        "node.setAttribute('style', 'color: red')",
        'node.setAttribute("onclick", code)',
        "el('p', {style: `color: ${colour}`})",
    ],
)
def test_what_is_refused_in_scripts(line: str, tmp_path: Path) -> None:
    (tmp_path / "page.js").write_text(f"// fine\nnode.style.setProperty('--at', x); evaluate(1)\n{line}\n")
    assert refused(OF_SCRIPTS, tmp_path / "page.js") == [f"page.js:3: {line}"]


@pytest.mark.parametrize(
    "line",
    [
        '<p style="color: red">',
        "<style>",
        '<a onclick="x()">',
        "{{ name | safe }}",
        "{% autoescape false %}",
        "<script>start()</script>",
        '<a href="javascript:x">',
    ],
)
def test_what_is_refused_in_templates(line: str, tmp_path: Path) -> None:
    (tmp_path / "page.j2").write_text(f'<script src="app.js"></script> {{{{ name }}}}\n{line}\n')
    assert refused(OF_TEMPLATES, tmp_path / "page.j2") == [f"page.j2:2: {line}"]
