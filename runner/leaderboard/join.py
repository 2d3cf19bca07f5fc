"""The page's modules joined into one classic script: from file:// a browser runs no module.

Modules keep to a part of the language, so that joining them is simple: `import {a, b as c} from "./other.js";` and
`export` before a function, a class or a constant. Each becomes a function that is called once, after those it imports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedmark.runner.common.errors import UserError

PAGE = Path(__file__).parent / "page"
SHARED = (Path(__file__).parents[1] / "stats" / "ranks.js",)
"""Modules of other rooms, which those of the page import as if they lay beside them."""

START = "start"
"""What the module of a page exports: called at the end of the script where the document is that page."""

_NAME = re.compile(r"[a-z][a-z0-9_]*\.js")
_OPEN, _CLOSE = "([{", ")]}"
_AFTER_VALUE = re.compile(r"[\w$)\]}\"'`]")
_BEFORE_VALUE = {
    *("await", "case", "delete", "do", "else", "in", "instanceof", "new", "of", "return", "throw", "typeof", "void"),
    "yield",
}
"""Words after which a slash begins a regular expression, and divides nothing."""

_PARTS = r"""
  (?P<comment> //[^\n]* | /\*.*?\*/ )
| (?P<string> "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
| (?P<space> \s+ )
| (?P<word> [\w$]+ )
| (?P<template> ` )
"""
_REGEX = r"| (?P<regex> / (?: \\. | \[(?:\\.|[^\]\\\n])*\] | [^/\\\[\n] )+ / [a-z]* )"
_MARK = r"| (?P<mark> . )"
_DIVIDES = re.compile(_PARTS + _MARK, re.VERBOSE | re.DOTALL)
_MATCHES = re.compile(_PARTS + _REGEX + _MARK, re.VERBOSE | re.DOTALL)
_IMPORT = re.compile(r"""import\s*\{([^{}]*)\}\s*from\s*["']\./([^"']+)["']""")
_IMPORTED = re.compile(r"([\w$]+)(?:\s+as\s+([\w$]+))?")
_DECLARED = re.compile(r"(?:(?:async )?function ?\*? ?|class |const )([\w$]+)")
_TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*(`|\$\{)", re.DOTALL)


def page_modules() -> dict[str, str]:
    """Read the modules of the page: the text of each by its file's name."""
    paths = [*PAGE.glob("*.js"), *SHARED]
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(paths, key=lambda path: path.name)}


def join(modules: Mapping[str, str], entries: Sequence[str]) -> str:
    """Join modules into one classic script that ends with a call of the page's entry.

    The entry is the one whose module is called as the document's `<html data-page="...">` says: `main` for `main.js`.
    Modules that no entry needs are left out.

    Args:
        modules: The text of each module, by its file's name.
        entries: Names of the modules, each with an exported `start`, of which a page may call one.

    Returns:
        The script; the same modules give the same text.

    Raises:
        UserError: A module has what cannot be joined (a default export, a namespace import, a cycle, ...), or imports
            what there is not; file and line are named.
    """
    read = {name: _read(name, text) for name, text in modules.items()}
    order = _in_order(read, entries)
    for entry in entries:
        if START not in read[entry].exports:
            raise UserError(
                f"{entry}: exports no `{START}`, which pages call. Add `export function {START}() {{...}}`."
            )
    parts = [_wrapped(read[name]) for name in order]
    starts = ", ".join(f"{Path(entry).stem}: {_variable(entry)}.{START}" for entry in entries)
    return "".join(['(() => {\n"use strict";\n', *parts, _ENDING.replace("STARTS", f"{{ {starts} }}"), "})();\n"])


_ENDING = """\
const EM = (globalThis.EM ??= {});
EM.start = () => {
const starts = STARTS;
const page = document.documentElement.dataset.page ?? "";
if (!Object.hasOwn(starts, page)) throw new Error(`<html data-page="${page}">: no page is called so`);
return starts[page]();
};
EM.start();
"""


@dataclass
class _Token:
    kind: str
    text: str
    line: int


@dataclass
class _Import:
    source: str
    names: list[tuple[str, str]]  # exported as, called here
    line: int


@dataclass
class _Module:
    name: str
    code: str
    imports: list[_Import]
    exports: list[str]


def _wrapped(module: _Module) -> str:
    taken = "".join(
        f"const {{ {', '.join(name if name == here else f'{name}: {here}' for name, here in one.names)} }}"
        f" = {_variable(one.source)};\n"
        for one in module.imports
    )
    given = f"return {{ {', '.join(module.exports)} }};\n" if module.exports else ""
    return f"const {_variable(module.name)} = (() => {{\n{taken}{module.code.strip()}\n{given}}})();\n"


def _variable(name: str) -> str:
    return f"M_{Path(name).stem}"


def _in_order(modules: Mapping[str, _Module], entries: Sequence[str]) -> list[str]:
    """Order modules so that each comes after those it imports. Raises UserError for a cycle and for unknown names."""
    order: list[str] = []
    open_: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        open_.append(name)
        for one in modules[name].imports:
            where = f"{name}:{one.line}"
            if one.source not in modules:
                raise UserError(f"{where}: there is no module './{one.source}'. Known: {', '.join(sorted(modules))}.")
            if one.source in open_:
                cycle = " -> ".join([*open_[open_.index(one.source) :], one.source])
                raise UserError(
                    f"{where}: modules import one another in a circle ({cycle}). "
                    "Move what both need into a third module."
                )
            exports = modules[one.source].exports
            for exported, _ in one.names:
                if exported not in exports:
                    found = ", ".join(sorted(exports)) or "nothing"
                    raise UserError(f"{where}: './{one.source}' exports no '{exported}'. It exports: {found}.")
            visit(one.source)
        open_.pop()
        order.append(name)

    for entry in entries:
        if entry not in modules:
            raise UserError(f"{entry}: there is no such module. Known: {', '.join(sorted(modules))}.")
        visit(entry)
    return order


def _read(name: str, text: str) -> _Module:
    """Take a module's imports and exports out of its text, and its comments and indentation."""
    if not _NAME.fullmatch(name):
        raise UserError(f"{name}: a module's name has small letters, digits and _ alone, and ends with '.js'.")
    tokens = list(_tokens(name, text))
    module = _Module(name, "", [], [])
    kept: list[str] = []
    depth = at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token.kind == "space":
            space = "\n" if "\n" in token.text else " "
            if kept and kept[-1] in ("\n", " "):
                space = max(space, kept.pop(), key="\n".count)
            kept.append(space)
        elif token.kind == "word" and token.text == "import" and _is_import(tokens, at - 1, depth):
            at = _take_import(module, tokens, at - 1)
        elif token.kind == "word" and token.text == "export" and depth == 0:
            at = _take_export(module, tokens, at - 1)
        else:
            kept.append(token.text)
        if token.kind == "mark":
            depth += (token.text in _OPEN) - (token.text in _CLOSE)
    module.code = "".join(kept)
    return module


def _take_import(module: _Module, tokens: Sequence[_Token], at: int) -> int:
    """Note what an import statement takes. Gives the index of the token after it."""
    line = tokens[at].line
    end = next(
        (n for n in range(at, len(tokens)) if tokens[n].kind == "string" or tokens[n].text in "(.;"), len(tokens)
    )
    text = "".join(token.text for token in tokens[at : end + 1])
    found = _IMPORT.fullmatch(text)
    names = [_IMPORTED.fullmatch(part.strip()) for part in found[1].split(",") if part.strip()] if found else []
    if found is None or not names or None in names:
        first = " ".join(text.split())
        raise UserError(
            f"{module.name}:{line}: `{first}` cannot be joined. "
            'Write `import {name, other as called} from "./module.js";` at the head of the module.'
        )
    module.imports.append(_Import(found[2], [(name[1], name[2] or name[1]) for name in names if name], line))
    end += 1
    return end + 1 if end < len(tokens) and tokens[end].text == ";" else end


def _take_export(module: _Module, tokens: Sequence[_Token], at: int) -> int:
    """Note the name of what is exported. Gives the index of the declaration, which stays."""
    start = at + 2  # behind the space
    text = " ".join("".join(token.text for token in tokens[start : start + 12]).split())
    found = _DECLARED.match(text)
    if found is None:
        raise UserError(
            f"{module.name}:{tokens[at].line}: `export {text.split(';')[0]}` cannot be joined. "
            "Write `export` before `function name`, `class Name` or `const name = ...`."
        )
    module.exports.append(found[1])
    return start


def _is_import(tokens: Sequence[_Token], at: int, depth: int) -> bool:
    """Whether this is no property's name: a statement, or one of the calls that may stand anywhere."""
    following = next((token.text for token in tokens[at + 1 :] if token.kind != "space"), "")
    return (depth == 0 or following in ("(", ".")) and not (at > 0 and tokens[at - 1].text == ".")


def _tokens(name: str, text: str) -> Iterator[_Token]:
    """Cut a module into its tokens; a comment is given as space, a template as its strings and what is between them."""
    at, line = 0, 1
    last = ""  # but for space
    braces: list[int] = []  # open ones within each `${` that is open

    def template() -> _Token:
        found = _TEMPLATE.match(text, at + 1)
        if found is None:
            raise UserError(f"{name}:{line}: a template (`...`) that does not end.")
        if found[1] == "${":
            braces.append(0)
        return _Token("template", text[at : found.end()], line)

    while at < len(text):
        divides = _AFTER_VALUE.fullmatch(last[-1:]) and last not in _BEFORE_VALUE
        found = (_DIVIDES if divides else _MATCHES).match(text, at)
        assert found is not None  # `.` matches whatever there is
        token = _Token(found.lastgroup or "", found[0], line)
        if token.text == "}" and braces and braces[-1] == 0:
            braces.pop()
            token = template()
        elif token.kind == "template":
            token = template()
        elif braces and token.text in "{}":
            braces[-1] += 1 if token.text == "{" else -1
        at += len(token.text)
        line += token.text.count("\n")
        if token.kind == "comment":
            token = _Token("space", "\n" if "\n" in token.text else " ", token.line)
        elif token.kind != "space":
            last = token.text
        yield token
