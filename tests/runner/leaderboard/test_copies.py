"""What is copied out of a page, parsed again: no name becomes markup, a formula, a new cell or another key."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from board_of_names import KNOWN, board_of, names
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from page_in_node import in_page, needs_node
from pydantic import ValidationError

from embedmark.runner.common.text import visible
from embedmark.runner.config.schema import BenchmarkConfig
from embedmark.runner.config.yaml_files import mapping_in

pytestmark = needs_node

SCRIPT = """
import { initial } from "./address.js";
import { bibtex, csv, latex, markdown, yaml } from "./copy.js";
import { shownModels, zeroShot } from "./rows.js";
import { standing } from "./standing.js";
const found = given.map(({ board, state: patch, address, files }) => {
  const state = { ...initial(), ...patch };
  const made = standing(board, state, files);
  const zero = zeroShot(board, state, made);
  const ctx = { board, state, standing: made, zero, shown: shownModels(board, state, made, zero), address, files };
  const forms = Object.entries({ csv, latex, markdown, bibtex, yaml }).map(([name, make]) => [name, make(ctx)]);
  const { rank, low, high, mean, tasks } = made;
  const plain = { rank: [...rank], low: [...low], high: [...high], mean: [...mean], tasks };
  return { ...Object.fromEntries(forms), shown: ctx.shown, ...plain };
});
"""
ADDRESS = "https://example.org/board/b/board.html#?type=STS&cols=mean"
EVERYTHING = ["mean", "meanType", "types", "tasks", "zero", "size", "active", "dim", "tokens", "licence", "open",
              "released", "languages", "price", "speed", "energy"]  # fmt: skip


class Copied(NamedTuple):
    """A board, and what the page makes of it."""

    board: Mapping[str, Any]
    made: Mapping[str, Any]

    @property
    def models(self) -> list[str]:
        """The names of models in the order that they are shown."""
        return [self.board["models"]["name"][model] for model in self.made["shown"]]


def copies(boards: Sequence[Mapping[str, Any]], state: Mapping[str, Any] | None = None, **more: Any) -> list[Copied]:
    asked = [{"board": board, "state": state or {}, "address": ADDRESS, "files": {}, **more} for board in boards]
    with tempfile.TemporaryDirectory() as folder:
        made = in_page(Path(folder), SCRIPT, asked)
    return [Copied(board, one) for board, one in zip(boards, made, strict=True)]


@pytest.fixture(scope="module")
def known() -> list[Copied]:
    turns = [KNOWN[at:] + KNOWN[:at] for at in range(0, len(KNOWN), 9)]
    return copies([board_of(turn, seed) for seed, turn in enumerate(turns)], {"cols": EVERYTHING})


def boards_of(drawn: Sequence[Sequence[str]]) -> list[Copied]:
    return copies([board_of(list_, seed) for seed, list_ in enumerate(drawn)], {"cols": EVERYTHING, "view": "tasks"})


many_boards = st.lists(st.lists(names, min_size=24, max_size=40, unique=True), min_size=8, max_size=12)


def one_line(text: str) -> str:
    """A text as it stands in one line of a table."""
    return visible(re.sub(r"[ \t]*[\n\r]+[ \t]*|\t", " ", text)).strip()


# -- CSV ---------------------------------------------------------------------------------------------------------------


def rows_of(copied: Copied) -> list[list[str]]:
    text = copied.made["csv"]
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def check_csv(copied: Copied) -> None:
    heads, *rows = rows_of(copied)
    assert {len(row) for row in rows} == {len(heads)}
    found = [row[heads.index("model")] for row in rows]
    for name, cell in zip(copied.models, found, strict=True):
        clean = visible(name)
        assert cell == (f"'{clean}" if clean.startswith(("=", "+", "-", "@", "\t", "\n")) else clean)
    for row in rows:
        for cell in row:
            assert not cell.startswith(("=", "+", "@", "\t", "\r", "\n"))
            assert not cell.startswith("-") or float(cell) < 0


def test_csv_has_every_name_whole_and_no_formula(known: list[Copied]) -> None:
    for copied in known:
        check_csv(copied)


def test_csv_has_the_places_intervals_and_means_that_are_shown(known: list[Copied]) -> None:
    for copied in known:
        heads, *rows = rows_of(copied)
        for model, row in zip(copied.made["shown"], rows, strict=True):
            told = dict(zip(heads, row, strict=True))
            for key, field in (("rank", "rank"), ("low", "rank_low"), ("high", "rank_high")):
                assert told[field] == str(copied.made[key][model] or "")
            mean = copied.made["mean"][model]
            assert (
                told["mean_task"] == ""
                if mean is None
                else float(told["mean_task"]) == pytest.approx(mean / 1e4, abs=1e-4)
            )
            assert told["newest_record"] == "2026-11-20"
            assert told["address"] == ADDRESS


def test_csv_says_what_speed_and_energy_are_counted_in_and_what_is_estimated() -> None:
    board = board_of([f"org/{number}" for number in range(20)])
    nothing = [None] * (len(board["models"]["name"]) - 2)
    board["models"] |= {"speed": [120.0, None, *nothing], "energy": [2.0, 3.0, *nothing], "estimated": [1] + [0] * 9}
    (copied,) = copies([board], {"cols": ["speed", "energy"]})
    heads, *rows = rows_of(copied)
    kinds = ["speed_texts_per_second", "energy_wh_per_thousand_texts", "energy_is_estimated"]
    told = {name: [row[heads.index(kind)] for kind in kinds] for name, row in zip(copied.models, rows, strict=True)}
    assert [told[f"org/{number}"] for number in (0, 2, 4)] == [["120", "2", "yes"], ["", "3", "no"], ["", "", ""]]
    assert "≈ 2" in copied.made["markdown"]


# -- LaTeX -------------------------------------------------------------------------------------------------------------

_COMMANDS = {
    r"\textbackslash{}": "\\", r"\textbraceleft{}": "{", r"\textbraceright{}": "}", r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^", r"\textless{}": "<", r"\textgreater{}": ">", r"\textbar{}": "|", r"\char34{}": '"',
    r"\textasciigrave{}": "`", "{[}": "[", "{*}": "*", "-{}": "-", "--{}": "–", "--": "–", "$-$": "−", r"\,": "\u2009",
    "~": "\u00a0", **{f"\\{sign}": sign for sign in "&%$#_"},
}  # fmt: skip
_COMMAND = re.compile("|".join(map(re.escape, sorted(_COMMANDS, key=len, reverse=True))))


def from_latex(text: str) -> str:
    """What LaTeX prints of a text without commands of its own."""
    rest = _COMMAND.sub("", text)
    assert not set(rest) & set("\\{}&%$#_~^"), text
    return _COMMAND.sub(lambda match: _COMMANDS[match[0]], text)


def thin(text: str) -> str:
    """LaTeX has one narrow space."""
    return text.replace("\u202f", "\u2009")


def cells_of(line: str) -> list[str]:
    assert line.endswith(r" \\")
    return re.split(r"(?<!\\)&", line.removesuffix(r" \\"))


def check_latex(copied: Copied) -> None:
    text = copied.made["latex"]
    from_, needs, begin, caption, tabular, *rest = text.split("\n")
    assert from_ == f"% {ADDRESS}"
    assert needs.startswith("% ")
    assert begin == r"\begin{table}"
    told = re.fullmatch(r"\\caption\{(.*)\}", caption)
    assert told is not None
    assert "newest record 2026-11-20" in from_latex(told[1])
    columns = re.fullmatch(r"\\begin\{tabular\}\{([lr]+)\}", tabular)
    assert columns is not None
    *table, end, url, end_table, empty = rest
    assert (end, url, end_table, empty) == (
        r"\end{tabular}",
        rf"\par{{\footnotesize\url{{{ADDRESS}}}}}",
        r"\end{table}",
        "",
    )
    rules = [line for line in table if line in {r"\toprule", r"\midrule", r"\bottomrule"}]
    assert rules == [r"\toprule", *[r"\midrule"] * (len(rules) - 2), r"\bottomrule"]
    heads, *rows = [[from_latex(cell).strip() for cell in cells_of(line)] for line in table if line not in rules]
    assert {len(row) for row in (heads, *rows)} == {len(columns[1])}
    found = [row[heads.index("Model")] for row in rows]
    assert found == [thin(one_line(name)) for name in copied.models]
    assert not any(line.startswith(("[", "*")) for line in table)  # which belong to the \\ before


def test_latex_prints_every_name_in_a_cell(known: list[Copied]) -> None:
    for copied in known:
        check_latex(copied)


# -- Markdown ----------------------------------------------------------------------------------------------------------


def inline(tokens: Sequence[Any]) -> Iterator[Any]:
    return (token for token in tokens if token.type == "inline")


def check_markdown(copied: Copied) -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(copied.made["markdown"])
    kinds = [token.type for token in tokens]
    assert kinds[0] == "table_open"
    assert kinds.count("table_open") == 1
    after = kinds[kinds.index("table_close") + 1 :]
    assert after == ["paragraph_open", "inline", "paragraph_close"]
    *cells, note = inline(tokens)
    for cell in cells:
        assert {child.type for child in cell.children} <= {"text", "text_special"}
    texts = ["".join(child.content for child in cell.children) for cell in cells]
    width = kinds.count("th_open")
    rows = [texts[at : at + width] for at in range(0, len(texts), width)]
    found = [row[rows[0].index("Model")] for row in rows[1:]]
    assert [name.strip() for name in found] == [one_line(name) for name in copied.models]
    assert {child.type for child in note.children} <= {"text", "text_special", "link_open", "link_close"}
    links = [child.attrs["href"] for child in note.children if child.type == "link_open"]
    assert links == [ADDRESS]


def test_markdown_shows_every_name_in_a_cell_and_no_markup(known: list[Copied]) -> None:
    for copied in known:
        check_markdown(copied)


# -- BibTeX ------------------------------------------------------------------------------------------------------------


def entries_of(text: str) -> dict[str, dict[str, str]]:
    """Read BibTeX as BibTeX does: by braces, which it counts however they are written."""
    found: dict[str, dict[str, str]] = {}
    at = 0
    while (start := re.compile(r"\s*@misc\{([a-z0-9-]+),\n").match(text, at)) is not None:
        fields: dict[str, str] = {}
        at = start.end()
        while (field := re.compile(r"  ([a-z]+) = \{").match(text, at)) is not None:
            at, open_ = field.end(), 1
            begin = at
            while open_:
                open_ += {"{": 1, "}": -1}.get(text[at], 0)
                at += 1
            fields[field[1]] = text[begin : at - 1]
            assert text[at : at + 2] == ",\n"
            at += 2
        assert text[at : at + 2] == "}\n"
        at += 2
        assert start[1] not in found
        found[start[1]] = fields
    assert not text[at:].strip(), text[at:]
    return found


def check_bibtex(copied: Copied) -> None:
    found = entries_of(copied.made["bibtex"])
    models = copied.board["models"]
    titles = [from_latex(entry["title"][1:-1]) for entry in found.values()]
    assert titles[1] == thin(visible(one_space(f"Benchmark {copied.board['name']}")))
    shown = [model for model in copied.made["shown"] if models["reference"][model]]
    assert titles[2:] == [thin(visible(one_space(f"Model {models['label'][model]}"))) for model in shown]
    assert found["board-board"]["howpublished"] == rf"\url{{{ADDRESS}}}"
    assert found["benchmark-board"]["howpublished"] == r"\url{https://example.org/a_b%20c#d}"
    for entry in found.values():
        assert re.fullmatch(r"\\url\{[\x21-\x7e]*\}", entry.get("howpublished", r"\url{}"))


def one_space(text: str) -> str:
    return re.sub(r"[ \t]*[\n\r]+[ \t]*|\t", " ", text)


def test_bibtex_cites_what_is_shown(known: list[Copied]) -> None:
    for copied in known:
        check_bibtex(copied)


# -- YAML --------------------------------------------------------------------------------------------------------------


def check_yaml(copied: Copied) -> None:
    said = mapping_in(copied.made["yaml"], "part.yaml")
    tasks = copied.board["tasks"]
    expected = [
        {"name": name}
        | ({"subsets": only} if only is not None else {})
        | ({"splits": splits} if splits is not None else {})
        for task in copied.made["tasks"]
        for name, only, splits in [(tasks["name"][task], tasks["only"][task], tasks["splits"][task])]
    ]
    assert [{"name": task} if isinstance(task, str) else task for task in said["tasks"]] == expected
    assert said["name"] == copied.board["name"]
    try:
        BenchmarkConfig.model_validate({"name": "x", "tasks": [{"name": name} for name in tasks["name"]]})
    except ValidationError:
        return  # names that no task can have
    assert [task.name for task in BenchmarkConfig.model_validate(said).tasks] == [one["name"] for one in expected]


def test_yaml_says_every_name_to_the_letter(known: list[Copied]) -> None:
    for copied in known:
        check_yaml(copied)


def test_a_benchmark_file_is_read_by_the_runner() -> None:
    copied = copies([board_of([*map("Task {}".format, range(30)), "no", "null", "1e3", "a: b", "C#"])])
    check_yaml(copied[0])
    BenchmarkConfig.model_validate(mapping_in(copied[0].made["yaml"], "part.yaml"))


# -- all ---------------------------------------------------------------------------------------------------------------


@settings(
    max_examples=8, deadline=None, phases=(Phase.explicit, Phase.generate)
)  # to make less of boards takes minutes
@given(many_boards)
def test_whatever_names_are_every_form_is_read_back(drawn: list[list[str]]) -> None:
    for copied in boards_of(drawn):
        for check in (check_csv, check_latex, check_markdown, check_bibtex, check_yaml):
            check(copied)
