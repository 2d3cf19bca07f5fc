// The view of facts: what a benchmark is made of, which of its tasks say the same, and what its ranking rests on.

import { clear, el, name } from "./dom.js";
import { typeWords } from "./modelwords.js";
import { counted, whole } from "./numbers.js";
import { ALIKE, FEWEST_MODELS, redundancy } from "./redundancy.js";
import { isWhole } from "./rows.js";
import { DRAWS, FEWEST_FAMILIES, FEWEST_TASKS, LEVEL } from "./standing.js";

/**
 * What the view takes of the context.
 * @typedef {object} Context
 * @property {any} board see data_files.py
 * @property {import("./standing.js").Standing} standing
 * @property {string} base
 * @property {import("./address.js").State} state
 *
 * @typedef {import("./redundancy.js").Redundancy} Redundancy
 *
 * @typedef {object} Row a task
 * @property {number} task
 * @property {number} at its place among the kept ones
 * @property {number} models how many have it
 * @property {number[]} family the places of all tasks of its family
 *
 * @typedef {object} Column of the table of tasks
 * @property {string} head
 * @property {string} title
 * @property {boolean} number whether it is aligned as numbers are
 * @property {boolean} down whether a first click sorts the largest first
 * @property {(row: Row) => string | number} key what it is sorted by
 * @property {(row: Row) => (Node | string)} cell
 */

const SHOWN_PAIRS = 20;
const SHOWN_COUNTS = 40;
const SHOWN_LANGUAGES = 3;

/**
 * Draw the facts.
 * @param {Context} ctx
 * @param {HTMLElement} root an empty element
 * @returns {void}
 */
export function draw(ctx, root) {
  const { standing, board } = ctx;
  const found = redundancy(standing.scores);
  const families = familiesOf(standing);
  clear(root).append(
    el(
      "div",
      { class: "about" },
      section("What it is", facts(ctx, families)),
      section("What the ranking rests on", rule(ctx, families)),
      section(`${counted(standing.tasks.length, "task")}`, tasksTable(ctx, families, found), "about-wide"),
      el(
        "div",
        { class: "about-beside" },
        section("Families of tasks", familyList(ctx, families)),
        counts("Languages", board.tasks.languages, standing.tasks, (code) => languageName(board, code)),
        counts("Domains", board.tasks.domains, standing.tasks, (domain) => domain),
        counts("Modalities", board.tasks.modalities, standing.tasks, (modality) => modality),
        board.unscored.length > 0 ? section("Tasks that nobody has", unscored(ctx)) : null,
        Object.keys(board.awaits ?? {}).length > 0 ? section("Tasks that are not here", outside(ctx)) : null,
      ),
      section("Tasks that say the same", alike(ctx, found)),
    ),
  );
}

/**
 * @param {string} title
 * @param {(Node | string)[]} content
 * @param {string} [look]
 */
function section(title, content, look = "") {
  return el("section", { class: look || null }, el("h2", {}, title), ...content);
}

/**
 * @param {import("./standing.js").Standing} standing
 * @returns {number[][]} of each family its tasks, by place among the kept ones
 */
function familiesOf({ family }) {
  /** @type {number[][]} */
  const found = [];
  family.forEach((number, at) => (found[number] ??= []).push(at));
  return found;
}

/**
 * @param {Context} ctx
 * @param {number[][]} families
 */
function facts({ board, standing }, families) {
  const { tasks } = standing;
  const of = (/** @type {string[][]} */ lists) => new Set(tasks.flatMap((task) => lists[task])).size;
  const subsets = tasks.reduce((sum, task) => sum + board.tasks.subsets[task], 0);
  const kept = tasks.length < board.tasks.name.length ? ` of ${board.tasks.name.length}, as filtered above` : "";
  /** @type {[string, (Node | string)[]][]} */
  const rows = [
    ["Tasks", [`${tasks.length}${kept}, from ${counted(families.length, "family", "families")} of data`]],
    ["Subsets", [whole(subsets)]],
    ["Languages", [whole(of(board.tasks.languages))]],
    ["Domains", [whole(of(board.tasks.domains))]],
    ["Models", [`${whole(standing.models)} with a score, ${whole(standing.complete.reduce((sum, one) => sum + one, 0))} with all tasks`]],
  ];
  if (board.newest) rows.push(["Newest record", [board.newest]]);
  if (board.reference) {
    rows.push(["Reference", [el("a", { href: board.reference, rel: "noreferrer noopener" }, name(board.reference))]]);
  }
  const list = el("dl", { class: "about-facts" }, rows.flatMap(([term, words]) => [el("dt", {}, term), el("dd", {}, ...words)]));
  if (!board.config) return [list, el("p", {}, "To run it: Copy gives its YAML, which is a benchmark's file.")];
  const command = `python -m runner model=NAME benchmark=${board.config}`;
  const how = el("p", {}, "To run it with a model of the catalogue, or of a file of your own:");
  return [list, how, el("pre", { class: "about-command", tabindex: 0 }, el("code", {}, command))];
}

/**
 * @param {Context} ctx
 * @param {number[][]} families
 */
function rule({ standing, state, board }, families) {
  const percent = Math.round(100 * LEVEL);
  const borda = (board.by ?? "borda") === "borda";
  const lacking = standing.models - standing.complete.reduce((sum, one) => sum + one, 0);
  const enough = standing.enough
    ? `These ${standing.tasks.length} tasks come from ${families.length} families: enough to say something.`
    : `Here they are ${families.length}: too few, so that nothing is said.`;
  return [
    el(
      "ul",
      {},
      el("li", {}, el("b", {}, "Rank."), ` ${RULES[board.by ?? "borda"]} Filters of models move no rank. ` +
        `Fewer than ${FEWEST_TASKS} tasks, or all where there are fewer, give none.`),
      el("li", {}, el("b", {}, "Interval."), ` Where a model would stand on other tasks like these: families of tasks are drawn anew ${whole(DRAWS)} times, ` +
        `and the interval holds ${percent} % of the places.`),
      el("li", {}, el("b", {}, "Told apart."), ` Two models are, where a paired t test of their ${borda ? "points" : "scores"} over families says so at 5 %. ` +
        `A group is the models that cannot be told from its first. Intervals that overlap are no test. Views of means, and Compare, test scores in the same way${borda ? "; points count how many models are beaten, and not by how much, so the two can differ" : ""}.`),
      el("li", {}, el("b", {}, "Families."), ` Tasks that share data count as one source. With fewer than ${FEWEST_FAMILIES} sources there is no interval, no group and no verdict. ${enough}`),
      el("li", {}, el("b", {}, "Missing tasks."), lacking === 0
        ? " Every model has all tasks."
        : ` ${counted(lacking, "model lacks", "models lack")} a task or more: they are in no group, and ${isWhole(state) ? "their interval is that of the place they would have with all tasks" : "have no interval here"}.`),
    ),
  ];
}

/**
 * @param {Context} ctx
 * @param {number[][]} families
 * @param {Redundancy | null} found
 */
function tasksTable(ctx, families, found) {
  const { standing, board } = ctx;
  /** @type {Row[]} */
  const rows = standing.tasks.map((task, at) => {
    const models = standing.scores[at].reduce((/** @type {number} */ sum, score) => sum + (score === null ? 0 : 1), 0);
    return { task, at, models, family: families[standing.family[at]] };
  });
  const columns = columnsOf(ctx, found);
  const body = el("tbody", {});
  const fill = () => clear(body).append(...rows.map((row) => taskRow(row, columns)));
  const heads = columns.map((column) => {
    const button = el("button", { type: "button", title: column.title }, column.head);
    const head = el("th", { scope: "col", class: column.number ? "about-number" : null }, button);
    button.addEventListener("click", () => {
      const again = head.getAttribute("aria-sort") === (column.down ? "descending" : "ascending");
      const down = again ? !column.down : column.down;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(rows, column.key, down);
      fill();
    });
    return head;
  });
  fill();
  const table = el("table", { class: "about-table" }, el("caption", { class: "unseen" }, `Tasks of ${board.name}`), el("thead", {}, el("tr", {}, heads)), body);
  return [el("div", { class: "about-scroll", role: "region", tabindex: 0, "aria-label": "Table of tasks" }, table)];
}

/**
 * @param {Row[]} rows
 * @param {Column["key"]} key
 * @param {boolean} down
 */
function sort(rows, key, down) {
  rows.sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    const order = a < b ? -1 : a > b ? 1 : 0;
    return (down ? -order : order) || one.at - other.at;
  });
}

/**
 * @param {Row} row
 * @param {Column[]} columns
 */
function taskRow(row, columns) {
  const [first, ...others] = columns;
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, first.cell(row)),
    others.map((column) => el("td", { class: column.number ? "about-number" : null }, column.cell(row))),
  );
}

/** @type {(head: string, title: string, key: Column["key"], cell: Column["cell"]) => Column} */
function words(head, title, key, cell) {
  return { head, title, key, cell, number: false, down: false };
}

/** @type {(head: string, title: string, key: Column["key"], cell: Column["cell"]) => Column} */
function numbers(head, title, key, cell) {
  return { head, title, key, cell, number: true, down: true };
}

/**
 * @param {Context} ctx
 * @param {Redundancy | null} found
 * @returns {Column[]}
 */
function columnsOf(ctx, found) {
  const { board, standing } = ctx;
  const { tasks } = board;
  const listed = (/** @type {string[][]} */ lists) => (/** @type {Row} */ { task }) => [...new Set(lists[task])].join(", ");
  const columns = [
    words("Task", "By name", ({ task }) => tasks.name[task].toLowerCase(), ({ task }) => taskCell(ctx, task)),
    words("Type", "By type", ({ task }) => tasks.type[task], ({ task }) => typeWords(tasks.type[task])),
    { ...words("Languages", "Most first", ({ task }) => tasks.languages[task].length, ({ task }) => languagesCell(board, task)), down: true },
    words("Domains", "By domain", listed(tasks.domains), listed(tasks.domains)),
  ];
  if (standing.tasks.some((task) => tasks.modalities[task].join() !== "text")) {
    columns.push(words("Modalities", "By modality", listed(tasks.modalities), listed(tasks.modalities)));
  }
  columns.push(
    numbers("Subsets", "Most first", ({ task }) => tasks.subsets[task], ({ task }) => whole(tasks.subsets[task])),
    words("Metric", "By metric", ({ task }) => tasks.metric[task], ({ task }) => el("code", {}, tasks.metric[task])),
    numbers("Models", "How many models have it, most first", ({ models }) => models, ({ models }) => whole(models)),
    words("Dataset revision", "By revision", ({ task }) => tasks.revision[task] ?? "", ({ task }) => revisionCell(tasks.revision[task])),
  );
  if (found) {
    const title = "The task that orders models most like it, by Spearman's correlation; most alike first";
    columns.push(numbers("Most like", title, ({ at }) => found.nearest.get(at)?.correlation ?? -2, ({ at }) => nearestCell(ctx, found, at)));
  }
  return columns;
}

/**
 * @param {Context} ctx
 * @param {number} task
 */
function taskCell({ board, base }, task) {
  const { tasks } = board;
  const narrowed = [
    tasks.only[task] ? `subsets ${tasks.only[task].join(", ")}` : "",
    tasks.splits[task] ? `splits ${tasks.splits[task].join(", ")}` : "",
  ].filter((words) => words);
  const link = el("a", { href: `${base}t.html#${tasks.slug[task]}` }, name(tasks.name[task]));
  if (narrowed.length === 0) return link;
  const words = narrowed.join("; ");
  return el("span", {}, link, el("span", { class: "about-note", title: words }, name(words)));
}

/**
 * @param {any} board
 * @param {number} task
 */
function languagesCell(board, task) {
  const names = board.tasks.languages[task].map((/** @type {string} */ code) => languageName(board, code));
  if (names.length <= SHOWN_LANGUAGES) return names.join(", ");
  return el("span", { title: names.join(", ") }, `${names.length} languages`);
}

/** @param {string | null} revision */
function revisionCell(revision) {
  return revision === null ? el("span", { class: "about-note" }, "of its members, or none") : el("code", { title: revision }, revision.slice(0, 8));
}

/**
 * @param {Context} ctx
 * @param {Redundancy} found
 * @param {number} at
 */
function nearestCell({ board, standing }, found, at) {
  const nearest = found.nearest.get(at);
  if (!nearest) return "";
  const other = name(board.tasks.name[standing.tasks[nearest.column]]);
  return el("span", {}, el("span", { class: "about-note about-inline" }, other), ` ${shown(nearest.correlation)}`);
}

/** @param {number} correlation */
function shown(correlation) {
  return correlation.toFixed(2).replace("-", "\u2212");
}

/**
 * @param {Context} ctx
 * @param {number[][]} families
 */
function familyList(ctx, families) {
  const several = families.filter((members) => members.length > 1).sort((a, b) => b.length - a.length || a[0] - b[0]);
  const alone = families.length - several.length;
  if (several.length === 0) return [el("p", {}, "Each task is a family of its own: none shares data with another.")];
  const items = several.map((members) => el("li", {}, el("b", {}, String(members.length)), " ", commas(members.map((at) => taskName(ctx, at)))));
  return [
    el("p", {}, "These share data or come from one source, and count as one where it is asked what would happen on other tasks:"),
    el("ul", { class: "about-families" }, items),
    el("p", {}, `${counted(alone, "other task is", "other tasks are")} ${alone === 1 ? "a family" : "families"} of ${alone === 1 ? "its" : "their"} own.`),
  ];
}

/**
 * @param {Context} ctx
 * @param {number} at place among the kept tasks
 */
function taskName({ board, standing, base }, at) {
  const task = standing.tasks[at];
  return el("a", { href: `${base}t.html#${board.tasks.slug[task]}` }, name(board.tasks.name[task]));
}

/**
 * @param {Node[]} nodes
 * @returns {(Node | string)[]}
 */
function commas(nodes) {
  return nodes.flatMap((node, at) => (at > 0 ? [", ", node] : [node]));
}

/**
 * @param {Context} ctx
 * @param {Redundancy | null} found
 */
function alike(ctx, found) {
  if (!found) {
    return [el("p", {}, `Fewer than ${FEWEST_MODELS} models have nearly all of these tasks, or there is a single task: nothing to compare.`)];
  }
  const all = (found.tasks.length * (found.tasks.length - 1)) / 2;
  const over = `Spearman's correlation of the places of the ${whole(found.models)} models that have ${found.left.length > 0 ? `these ${found.tasks.length}` : "all"} tasks`;
  const intro = found.pairs.length === 0
    ? `None of ${whole(all)} pairs of tasks is above ${ALIKE}: ${over}.`
    : `${counted(found.pairs.length, "pair")} of ${whole(all)} ${found.pairs.length === 1 ? "is" : "are"} above ${ALIKE}: ${over}. One of such a pair hardly changes the order that the other gives.`;
  const nodes = [el("p", {}, intro)];
  const line = (/** @type {Redundancy["pairs"][number]} */ pair) =>
    el("tr", {}, el("td", { class: "about-number" }, pair.correlation.toFixed(3)), el("td", {}, taskName(ctx, pair.a)), el("td", {}, taskName(ctx, pair.b)));
  if (found.pairs.length > 0) {
    const body = el("tbody", {}, found.pairs.slice(0, SHOWN_PAIRS).map(line));
    const heads = ["Correlation", "Task", "Task"].map((head, at) => el("th", { scope: "col", class: at === 0 ? "about-number" : null }, head));
    nodes.push(el("table", { class: "about-table about-pairs" }, el("thead", {}, el("tr", {}, heads)), body));
    if (found.pairs.length > SHOWN_PAIRS) {
      nodes.push(restButton(found.pairs.length, () => body.append(...found.pairs.slice(SHOWN_PAIRS).map(line))));
    }
  }
  if (found.left.length > 0) {
    nodes.push(el("p", { class: "about-note" }, "Not compared, since more than a tenth of these models lack it: ", commas(found.left.map((at) => taskName(ctx, at))), "."));
  }
  return nodes;
}

/**
 * How many tasks there are of each language, domain or modality.
 * @param {string} title
 * @param {string[][]} lists of each task
 * @param {number[]} tasks
 * @param {(value: string) => string} words
 */
function counts(title, lists, tasks, words) {
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const task of tasks) for (const value of new Set(lists[task])) found.set(value, (found.get(value) ?? 0) + 1);
  if (found.size < 2) return null;
  const sorted = [...found].map(([value, n]) => ({ text: words(value), n })).sort((a, b) => b.n - a.n || (a.text < b.text ? -1 : 1));
  const item = (/** @type {{text: string, n: number}} */ { text, n }) => el("li", {}, el("b", {}, String(n)), " ", name(text));
  const none = tasks.filter((task) => lists[task].length === 0).length;
  const rest = none > 0 ? [el("p", { class: "about-note" }, `${counted(none, "task says", "tasks say")} nothing of it.`)] : [];
  return section(`${title}, by the number of tasks`, [...longList("about-counts", sorted, item, SHOWN_COUNTS), ...rest]);
}

/**
 * A list of which the first items are shown, and a button for the others.
 * @template T
 * @param {string} look
 * @param {T[]} values
 * @param {(value: T) => HTMLElement} item
 * @param {number} n how many are shown at first
 */
function longList(look, values, item, n) {
  const list = el("ul", { class: look }, values.slice(0, n).map(item));
  return values.length > n ? [list, restButton(values.length, () => list.append(...values.slice(n).map(item)))] : [list];
}

/**
 * @param {number} n how many there are
 * @param {() => void} show what is not shown yet
 */
function restButton(n, show) {
  const button = el("button", { type: "button", class: "pill" }, `Show all ${whole(n)}`);
  button.addEventListener("click", () => {
    show();
    button.remove();
  });
  return button;
}

/** @type {{[by: string]: string}} */
const RULES = {
  borda: "On each task a model gets points for each model that it beats; a task that it lacks gives none. The sums are ranked (Borda).",
  mean: "Models that have all tasks stand by their mean over tasks, as the field ranks this benchmark.",
  type: "Models that have all tasks stand by the mean over types of their means over the tasks of a type, as the field ranks this benchmark.",
};

/** @param {Context} ctx */
function outside({ board }) {
  const rows = Object.entries(board.awaits).flatMap(([task, reason]) => [el("dt", {}, name(task)), el("dd", {}, String(reason))]);
  return [el("p", {}, "They belong to the benchmark, and no score or mean here has them."), el("dl", { class: "about-facts" }, rows)];
}

/** @param {Context} ctx */
function unscored({ board }) {
  const names = board.unscored.map((/** @type {string} */ task) => name(task));
  return [el("p", {}, `No model has a score on ${counted(names.length, "task")} of the benchmark, which ranks therefore leave out: `, commas(names), ".")];
}

/** @type {Map<string, string>} */
const languageNames = new Map();

/**
 * @param {any} board
 * @param {string} code of ISO 639-3
 * @returns {string} its English name, or the code where nobody here knows it
 */
function languageName(board, code) {
  if (languageNames.size === 0) for (const one of board.languageFiles) languageNames.set(one.code, one.name);
  let found = languageNames.get(code);
  if (found === undefined) {
    displayNames ??= new Intl.DisplayNames(["en"], { type: "language" });
    // Codes such as those of programming languages are none of the standard's.
    found = /^[a-z]{2,3}$/.test(code) ? (displayNames.of(code) ?? code) : code;
    languageNames.set(code, found);
  }
  return found;
}

/** @type {Intl.DisplayNames | null} */
let displayNames = null;
