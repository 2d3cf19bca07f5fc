"""Modules joined into one script: it does what they do, and what cannot be joined is refused by file and line."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from embedmark.runner.common.errors import UserError
from embedmark.runner.leaderboard.join import SHARED, join, page_modules
from embedmark.runner.leaderboard.site import SHEETS

NODE = shutil.which("node")

MODULES = {
    "main.js": """\
// import {nothing} from "./comment.js";
import { double, LIMIT as most } from "./numbers.js";
import {
  shout, // said loudly
} from "./text.js";

/** @param {import("./numbers.js").Row} row */
export function start(row) {
  globalThis.found = [double(21), most, shout(`a ${ {b: `inner ${double(1)}`}.b } "import x from './y.js'"`)];
}
""",
    "text.js": r"""
import {double} from "./numbers.js"
const quote = /["'`/]/g; // "
export const shout = (text) => {
  const half = text.length / 2 / double(0.5), import_ = {import: 1, export: 2}
  return [text.toUpperCase().replace(quote, "\""), half, import_.import + import_.export, 'it\'s // no comment',
    /[/]\//.test("//"), `
  as it is
`];
};
""",
    "numbers.js": """\
export const LIMIT = 7
/* a comment
   of two lines */ export async function later() { return 1 }
export function* counting() { yield 1; }
export class Box { static #hidden = 1; }
export function double(x) { return 2 * x; }
""",
    "lonely.js": "export const unused = 1;\n",
}


def in_node(script: Path, *arguments: str) -> object:
    assert NODE is not None
    done = subprocess.run([NODE, script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(NODE is None, reason="no node")
def test_joined_and_apart_give_the_same(tmp_path: Path) -> None:
    for name, text in MODULES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    show = "console.log(JSON.stringify(globalThis.found));\n"
    (tmp_path / "apart.js").write_text(f'import {{start}} from "./main.js";\nstart();\n{show}')
    page = 'globalThis.document = { documentElement: { dataset: { page: "main" } } };\n'
    (tmp_path / "joined.cjs").write_text(page + join(MODULES, ["main.js"]) + show, encoding="utf-8")
    found = in_node(tmp_path / "apart.js")
    assert found == in_node(tmp_path / "joined.cjs")
    assert found == [
        42,
        7,
        ["A INNER 2 \"IMPORT X FROM \".\"Y.JS\"\"", 17, 3, "it's // no comment", True, "\n  as it is\n"],
    ]  # fmt: skip


@pytest.mark.skipif(NODE is None, reason="no node")
def test_the_page_called_is_the_one_that_starts(tmp_path: Path) -> None:
    modules = {
        f"{name}.js": f"export function start() {{ globalThis.found = '{name}'; }}" for name in ("model", "task")
    }
    script = tmp_path / "joined.cjs"
    for page in ("model", "task"):
        document = f'globalThis.document = {{ documentElement: {{ dataset: {{ page: "{page}" }} }} }};\n'
        show = "console.log(JSON.stringify([found, typeof EM.start]));\n"
        script.write_text(document + join(modules, ["model.js", "task.js"]) + show)
        assert in_node(script) == [page, "function"]
    assert NODE is not None
    script.write_text(document.replace("task", "constructor") + join(modules, ["model.js", "task.js"]))
    done = subprocess.run([NODE, script], capture_output=True, text=True, check=False)
    assert 'data-page="constructor">: no page is called so' in done.stderr


def test_what_no_entry_needs_is_left_out_and_the_order_of_files_does_not_matter() -> None:
    joined = join(MODULES, ["main.js"])
    assert "unused" not in joined
    assert "comment" not in joined.replace("no comment", "")
    names = list(MODULES)
    random.Random(0).shuffle(names)
    assert join({name: MODULES[name] for name in names}, ["main.js"]) == joined
    places = [joined.index(f"const M_{name} =") for name in ("numbers", "text", "main")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nexport default 1;", "main.js:2: `export default 1` cannot be joined"),
        ("export * from './text.js';", "main.js:1: `export * from './text.js'` cannot be joined"),
        ("const a = 1;\nexport { a };", "main.js:2: `export { a }` cannot be joined"),
        ("export {a} from './text.js';", "main.js:1: `export {a} from './text.js'` cannot be joined"),
        ("export let a = 1;", "main.js:1: `export let a = 1` cannot be joined"),
        ("export const {a} = b;", "main.js:1: `export const {a} = b` cannot be joined"),
        ("// one\n/* two\n*/\nimport * as T from './text.js';", "main.js:4: `import * as T from './text.js'` cannot"),
        ("import T from './text.js';", "main.js:1: `import T from './text.js'` cannot be joined"),
        ("import T, {shout} from './text.js';", "main.js:1: `import T, {shout} from './text.js'` cannot be joined"),
        ("import './text.js';", "main.js:1: `import './text.js'` cannot be joined"),
        ("import {} from './text.js';", "main.js:1: `import {} from './text.js'` cannot be joined"),
        ("import {shout} from 'text';", "main.js:1: `import {shout} from 'text'` cannot be joined"),
        ("function f() {\n  return import('./text.js');\n}", "main.js:2: `import(` cannot be joined"),
        ("const a = import.meta.url;", "main.js:1: `import.` cannot be joined"),
        ("import {shout} from './none.js';", "main.js:1: there is no module './none.js'. Known: lonely.js, main.js"),
        ("\n\nimport {whisper} from './text.js';", "main.js:3: './text.js' exports no 'whisper'. It exports: shout."),
        ("export function go() {}", "main.js: exports no `start`"),
        ("const a = `never", "main.js:1: a template (`...`) that does not end"),
    ],
)
def test_what_cannot_be_joined_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError) as refused:
        join({**MODULES, "main.js": text}, ["main.js"])
    assert str(refused.value).startswith(message)


def test_circles_unknown_entries_and_odd_names_are_refused() -> None:
    circle = {
        "a.js": 'import {b} from "./b.js"; export function start() {}',
        "b.js": '\nimport {c} from "./c.js"; export const b = 1;',
        "c.js": '\n\nimport {b} from "./b.js"; export const c = 1;',
    }
    with pytest.raises(
        UserError, match=r"^c\.js:3: modules import one another in a circle \(b\.js -> c\.js -> b\.js\)"
    ):
        join(circle, ["a.js"])
    with pytest.raises(UserError, match=r"^z\.js: there is no such module"):
        join(circle, ["z.js"])
    with pytest.raises(UserError, match=r"^a-b\.js: a module's name has small letters"):
        join({"a-b.js": "export function start() {}"}, ["a-b.js"])


def test_ranks_is_a_module_of_the_page() -> None:
    modules = page_modules()
    assert modules["ranks.js"] == SHARED[0].read_text(encoding="utf-8")
    modules["probe.js"] = 'import { groups } from "./ranks.js"; export function start() { groups([], () => true); }'
    assert "const { groups } = M_ranks;" in join(modules, ["probe.js"])


def test_pages_of_models_and_tasks_do_not_carry_the_board() -> None:
    script = join(page_modules(), SHEETS)
    assert "const M_model = " in script
    assert "const M_main = " not in script
    assert "const M_table = " not in script
