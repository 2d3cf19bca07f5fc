"""The pages: each stands with its first rows before any script has run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from embedmark.runner.leaderboard.bench import Bench
from embedmark.runner.leaderboard.explained import explained
from embedmark.runner.leaderboard.places import Slugs
from embedmark.runner.leaderboard.static_rows import StaticTable, static_table, visible_name
from embedmark.runner.ranking.sentence import facts_of, sentence

VIEWS = (
    ("table", "Table"), ("size", "Size"), ("time", "Time"), ("zero", "Zero-shot"), ("types", "Types"),
    ("tasks", "Tasks"),
    ("languages", "Languages"), ("fairness", "Fairness"), ("compare", "Compare"), ("about", "About"),
)  # fmt: skip

OF_ONE = frozenset({"languages", "fairness"})
"""Views that are made of files of one benchmark."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'none'; worker-src blob:; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types embedmark"
)
"""What a page may load: files that lie beside it, and nothing else."""


class Pages:
    """Fill in the templates."""

    def __init__(self, places: Slugs) -> None:
        self._places = places
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._templates.filters["name"] = visible_name
        self._templates.globals["policy"] = Markup(POLICY)
        self._templates.globals["explained"] = explained()

    def bench(self, made: Bench, data: Mapping[str, Any], base: str, among: Sequence[tuple[str, str]] = ()) -> bytes:
        """Write the page of a benchmark.

        Args:
            made: The benchmark.
            data: As data_files.py lays it out.
            base: From the page to the root of the site.
            among: Names and places of benchmarks where one's own models stand among published ones.
        """
        table: StaticTable = static_table(data)
        return self.page(
            "b.html.j2",
            base=base,
            page="main",
            title=made.config.name,
            data=data,
            views=VIEWS,
            among=among,
            table=table,
            sentence=sentence(facts_of(made.board, made.zero_shot[: len(made.matrix.models)])),
        )

    def custom(self) -> bytes:
        """Write the page that puts tasks of any benchmark together; what depends on one benchmark it has not."""
        views = [(view, label) for view, label in VIEWS if view not in OF_ONE]
        return self.page(
            "custom.html.j2", base="", page="custom", title="Your own benchmark", views=views, app="custom.js"
        )

    def page(self, template: str, **values: Any) -> bytes:
        """Fill in any template."""
        return self._templates.get_template(template).render(**values).encode("utf-8")
