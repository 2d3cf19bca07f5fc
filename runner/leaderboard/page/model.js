// The page of a model: its places, every score with its record, and what is known of it.

import { put } from "./data.js";
import { clear, el, name } from "./dom.js";
import { visible } from "./escapes.js";
import { heat } from "./heat.js";
import { typeWords } from "./modelwords.js";
import { counted, score, share, size, whole } from "./numbers.js";
import { pop } from "./pop.js";
import { command, ofJobs, short } from "./provenance.js";
import { card, copyButton } from "./record.js";
import { facts, follow, head, link, section, table } from "./sheets.js";
import { strip } from "./strip.js";
import { themeButton } from "./theme.js";

/** @typedef {any} Page as model_pages.py lays it out */

/** Begin. */
export function start() {
  /** @type {any} */ (globalThis).EM.put = put;
  document.addEventListener("DOMContentLoaded", () => {
    themeButton();
    follow("m", "models", draw);
  });
}

/**
 * @param {Page} page
 * @param {HTMLElement} root
 */
export function draw(page, root) {
  head(page.name, sentence(page));
  root.append(el(
    "div", { class: "sheet" },
    known(page), places(page), standsOut(page), scores(page), findings(page), training(page), family(page), again(page),
    el("p", { class: "muted" }, "The same for machines: ", el("a", { href: `m/${page.slug}.json` }, `${page.slug}.json`)),
  ));
}

/**
 * @param {Page} page
 * @returns {Node[]}
 */
function sentence({ places: of, scores: all, lists, parts }) {
  const n = of.board?.length ?? 0;
  if (!n) return [el("b", {}, "On no benchmark of this build."), el("span", {}, ` It has scores of ${counted(parts.length, "task")}.`)];
  const first = of.group.filter((/** @type {number | null} */ group) => group === 0).length;
  const tasks = new Set(all.task).size;
  return [
    el("b", {}, first ? `Not told apart from the first on ${first} of ${counted(n, "benchmark")}.` : of.group.some((/** @type {number | null} */ group) => group !== null) ? `Told apart from the first on each of ${counted(n, "benchmark")} that put it into a group.` : `On ${counted(n, "benchmark")}; none of them puts it into a group.`),
    el("span", {}, ` ${counted(tasks, "task")}${lists.variant.length > 1 ? `, ${counted(lists.variant.length, "variant")}` : ""}.`),
  ];
}

/** @param {Page} page */
function known({ facts: told, file }) {
  const { reference } = told;
  const there = (/** @type {any} */ value) => value !== null && value !== undefined;
  /** @type {[string, any][]} */
  const all = [
    ["Parameters", there(told.size) ? `${size(told.size)}${there(told.active) ? `, ${size(told.active)} active` : ""}` : null],
    ["Dimension", there(told.dim) ? whole(told.dim) : null],
    ["Longest input", there(told.tokens) ? `${whole(told.tokens)} tokens` : null],
    ["Licence", told.licence ? [visible(told.licence), told.terms ? [": ", el("a", { href: told.terms, rel: "noreferrer noopener" }, visible(told.terms))] : null] : null],
    ["Weights", there(told.open) ? (told.open ? "open" : told.service ? "closed: a service" : "closed") : null],
    ["Released", told.released ?? null],
    ["Kind", told.type ? visible(told.type) : null],
    ["Languages", told.languages ? whole(told.languages) : null],
    ["Price", there(told.price) ? `${told.price} US dollars for a million tokens` : null],
    ["Reference", reference ? el("a", { href: reference, rel: "noreferrer noopener" }, visible(reference)) : null],
  ];
  const stated = all.filter(([term, value]) => value !== null || term === "Licence" || term === "Parameters");
  const silent = all.filter((one) => !stated.includes(one) && one[0] !== "Price").map(([term]) => term.toLowerCase());
  return section(
    "What is known", facts([...stated, ["In the catalogue", file ? `yes: ${visible(file)}` : "no: no file of this build says how to run it"]]),
    silent.length ? el("p", { class: "muted" }, `Not stated: ${silent.join(", ")}.`) : null,
  );
}

/** @param {Page} page */
function places({ places: of, benchmarks, lists }) {
  const n = of.board?.length ?? 0;
  if (!n) return null;
  const worth = (/** @type {number} */ at) => (of.rank[at] === null ? 2 : (of.rank[at] - 1) / Math.max(1, of.ranked[at] - 1));
  const order = Array.from({ length: n }, (_, at) => at).sort((a, b) => worth(a) - worth(b) || a - b);
  const several = lists.variant.length > 1;
  const heads = [{ head: "Benchmark" }, { head: "Rank", kind: "number" }, { head: "Between" }, { head: "Group" }, { head: "Tasks", kind: "number" }, { head: "Mean", kind: "number" }, { head: "Zero-shot", kind: "number" }];
  return section("Its places", table("places on benchmarks", several ? [{ head: "Variant" }, ...heads] : heads, n, (row) => {
    const at = order[row];
    const [board, slug] = benchmarks[of.board[at]];
    return el(
      "tr", {},
      several ? el("td", {}, name(lists.variant[of.variant[at]])) : null,
      el("th", { scope: "row" }, el("a", { href: `b/${slug}.html` }, name(board))),
      el("td", { class: "number" }, of.rank[at] === null ? "–" : el("b", {}, String(of.rank[at])), el("span", { class: "muted" }, ` of ${of.ranked[at]}`)),
      el("td", {}, between(of, at)),
      el("td", { class: "whole" }, groupWords(of, at)),
      el("td", { class: of.has[at] < of.of[at] ? "number lacks" : "number" }, `${of.has[at]}/${of.of[at]}`),
      el("td", { class: "number" }, of.mean[at] === null ? "–" : `${of.has[at] < of.of[at] ? "~" : ""}${score(of.mean[at] * 1e6, 2)}`),
      el("td", { class: "number" }, of.zero[at] === null ? el("span", { class: "unknown" }, "unknown") : share(of.zero[at])),
    );
  }));
}

/**
 * Between which places it may stand, in words and as a line.
 * @param {any} of
 * @param {number} at
 */
function between(of, at) {
  const [low, high] = of.low[at] !== null ? [of.low[at], of.high[at]] : of.completed[at] ? of.completed[at].slice(1) : [null, null];
  if (low === null) return el("span", { class: "muted" }, "no interval");
  const words = of.low[at] !== null ? `${low}–${high}` : `${low}–${high} if it had all tasks`;
  return [strip(of.rank[at] ?? of.completed[at]?.[0] ?? 0, low, high, of.ranked[at], of.low[at] !== null), el("span", { class: "muted" }, ` ${words}`)];
}

/**
 * @param {any} of
 * @param {number} at
 */
function groupWords(of, at) {
  if (of.group[at] === null) return el("span", { class: "muted" }, of.has[at] < of.of[at] ? "none: tasks are missing" : "none");
  const others = of.size[at] - 1;
  return [`${of.group[at] + 1}`, el("span", { class: "muted" }, others ? ` with ${counted(others, "other")}` : " alone")];
}

/** @param {Page} page */
function standsOut({ strengths, benchmarks, lists }) {
  if (!strengths.length) return null;
  const several = lists.variant.length > 1;
  const item = (/** @type {any} */ one) => {
    const [board, slug] = benchmarks[one.board];
    return el(
      "li", {}, several ? [name(lists.variant[one.variant]), ": "] : null,
      el("a", { href: `b/${slug}.html` }, name(board)), `, ${typeWords(one.type)}: `,
      el("b", {}, one.ahead ? "better" : "worse"), ` than ${one.n} of the ${counted(one.of, "other")} of its group`,
    );
  };
  return section(
    "Where it stands out",
    el("p", { class: "muted" }, "Types of task on which the paired test tells it apart from more than half of the models of its own group."),
    el("ul", {}, strengths.map(item)),
  );
}

/** @param {Page} page */
function scores(page) {
  const { scores: all, lists, parts } = page;
  const n = all.task.length;
  const rows = Array.from({ length: n }, (_, at) => at);
  const holder = el("div", {});
  const find = /** @type {HTMLInputElement} */ (el("input", { type: "search", placeholder: "Find a task", "aria-label": "find a task" }));
  const kinds = /** @type {HTMLSelectElement} */ (el("select", { class: "pill", "aria-label": "type" }, el("option", { value: "" }, "All types"), lists.type.map((/** @type {string} */ type) => el("option", { value: type }, typeWords(type)))));
  const boards = /** @type {HTMLSelectElement} */ (el("select", { class: "pill", "aria-label": "benchmark" }, el("option", { value: "" }, "All benchmarks"), boardsOf(page).map(({ number, name: label }) => el("option", { value: number }, label))));
  const order = /** @type {HTMLSelectElement} */ (el("select", { class: "pill", "aria-label": "order" }, [["task", "By task"], ["place", "Best places first"], ["worst", "Worst places first"]].map(([value, label]) => el("option", { value }, label))));
  const worth = (/** @type {number} */ at) => (all.place[at] - 1) / Math.max(1, all.n[at] - 1);
  const refill = () => {
    const wanted = find.value.trim().toLowerCase();
    const kept = rows.filter((at) =>
      taskOf(page, at).name.toLowerCase().includes(wanted) && (!kinds.value || lists.type[all.type[at]] === kinds.value) &&
      (!boards.value || lists.boards[all.boards[at]].includes(Number(boards.value))));
    if (order.value === "place") kept.sort((a, b) => worth(a) - worth(b) || a - b);
    if (order.value === "worst") kept.sort((a, b) => worth(b) - worth(a) || a - b);
    clear(holder).append(kept.length ? scoreTable(page, kept) : el("p", { class: "empty" }, "No task passes: choose others above."));
  };
  for (const field of [find, kinds, boards, order]) field.addEventListener("input", refill);
  refill();
  const rest = parts.length ? el("p", { class: "muted" }, `Also scores of ${counted(parts.length, "task")} that no benchmark counts: `, parts.map((/** @type {any} */ [task, slug], /** @type {number} */ at) => [at ? ", " : "", link("t", task, slug)]), ".") : null;
  if (!n) return section("Scores", rest ?? el("p", { class: "muted" }, "None."));
  return section("Scores", el("p", { class: "sheet-bar" }, find, kinds, boards, order), holder, rest);
}

/**
 * The benchmarks that any of its scores counts for.
 * @param {Page} page
 * @returns {{number: number, name: string}[]}
 */
function boardsOf({ benchmarks, lists }) {
  const there = new Set(lists.boards.flat());
  return benchmarks.map((/** @type {[string, string]} */ [of], /** @type {number} */ number) => ({ number, name: of })).filter((/** @type {{number: number}} */ { number }) => there.has(number));
}

/**
 * @param {Page} page
 * @param {number[]} rows
 */
function scoreTable(page, rows) {
  const { scores: all, lists } = page;
  const several = lists.variant.length > 1;
  const heads = [{ head: "Task" }, { head: "Type" }, { head: "Score", kind: "number" }, { head: "Place", kind: "number" }, { head: "Trained on it" }, { head: "Dataset" }, { head: "Record" }];
  return table("scores", several ? [{ head: "Variant" }, ...heads] : heads, rows.length, (row) => {
    const at = rows[row];
    const found = recordOf(page, at);
    const task = taskOf(page, at);
    const open = () => pop(button, `record of ${page.name} on ${task.name}`, recordCard(page, at));
    const button = el("button", { type: "button", class: "plain", on: { click: open } }, found.jobs.length ? "measured here" : originWord(found.origins));
    const cell = el("td", { class: `number heat-${heat(all.place[at], all.n[at])}`, on: { click: open } }, found.jobs.length ? el("span", { class: "square", role: "img", "aria-label": "measured here" }) : null, score(all.score[at], 2));
    return el(
      "tr", {},
      several ? el("td", {}, name(lists.variant[all.variant[at]])) : null,
      el("th", { scope: "row" }, link("t", task.name, task.slug), lists.what[all.what[at]] ? el("span", { class: "muted" }, ` ${visible(lists.what[all.what[at]])}`) : null),
      el("td", {}, typeWords(lists.type[all.type[at]])),
      cell,
      el("td", { class: "number" }, `${all.place[at]}`, el("span", { class: "muted" }, ` of ${all.n[at]}`)),
      el("td", {}, all.trained[at] === 1 ? el("span", { class: "lacks" }, "yes") : all.trained[at] === 0 ? "no" : el("span", { class: "unknown" }, "unknown")),
      el("td", { class: "code" }, found.data.map((/** @type {string | null} */ one) => short(one, found.data.length).text).join(", ")),
      el("td", {}, button),
    );
  });
}

/** @param {(string | null)[]} origins */
function originWord(origins) {
  return origins.some((origin) => origin !== "snapshot") ? "imported" : "published";
}

/**
 * @param {Page} page
 * @param {number} at
 * @returns {import("./provenance.js").Provenance}
 */
function recordOf({ scores: all, lists, jobs }, at) {
  if (all.jobs[at]) return ofJobs(all.jobs[at].map((/** @type {number} */ number) => jobs[number]));
  const [data, versions, origins, files] = lists.source[all.source[at]];
  const revision = lists.revision[all.revision[at]];
  return { revision, data, versions, origins, files: files.filter((/** @type {any} */ file) => file !== null), jobs: [] };
}

/**
 * @param {Page} page
 * @param {number} at
 * @returns {{name: string, slug: string, file: string | null}}
 */
function taskOf({ scores: all, lists }, at) {
  const [of, slug, file] = lists.task[all.task[at]];
  return { name: of, slug, file };
}

/**
 * @param {Page} page
 * @param {number} at
 */
function recordCard(page, at) {
  const { scores: all, lists, file } = page;
  const record = recordOf(page, at);
  const task = taskOf(page, at);
  const what = lists.what[all.what[at]];
  return card({
    model: lists.variant[all.variant[at]], task: task.name, of: `${typeWords(lists.type[all.type[at]])}${what ? `, ${what}` : ""}`,
    score: all.score[at], place: all.place[at], n: all.n[at], trained: all.trained[at],
    findings: page.findings.filter((/** @type {any} */ [task]) => task === all.task[at]).map((/** @type {any} */ [, text]) => text),
    record, command: command(record, file, task.file), links: [{ text: "All of this task", href: `t.html#${task.slug}` }],
  });
}

/** @param {Page} page */
function findings({ findings: found }) {
  if (!found.length) return null;
  return section("What lint found", el("ul", { class: "sheet-findings" }, found.map((/** @type {any} */ [task, text]) => el("li", {}, el("b", {}, task ? name(task) : "All its scores"), ` ${visible(text)}`))));
}

/** @param {Page} page */
function training({ training: told }) {
  const base = told.base ? el("p", {}, "Adapted from ", name(told.base), ": what that was trained on counts as well, where it is known.") : null;
  if (told.told === null) return section("Training data", el("p", {}, el("span", { class: "unknown" }, "unknown"), " Its publisher does not state it."), base);
  const text = told.told.length ? el("p", {}, told.told.map((/** @type {string} */ task, /** @type {number} */ at) => [at ? ", " : "", name(task)])) : el("p", {}, "Its publisher states that it was trained on none of the field's tasks.");
  return section("Training data", text, base);
}

/** @param {Page} page */
function family({ family: of, lists }) {
  const variants = lists.variant.length > 1 ? el("p", {}, "Measured here in several variants: ", lists.variant.map((/** @type {string} */ label, /** @type {number} */ at) => [at ? ", " : "", name(label)]), ".") : null;
  if (!of.length && !variants) return null;
  const items = el("ul", {}, of.map((/** @type {any} */ one) => el("li", {}, link("m", one.name, one.slug), el("span", { class: "muted" }, ` ${visible(one.how)}${one.slug ? "" : "; it has no score here"}`))));
  return section("Its family", variants, of.length > 12 ? el("details", {}, el("summary", {}, counted(of.length, "model")), items) : items);
}

/** @param {Page} page */
function again({ yaml, command: line }) {
  if (!yaml) return section("Run it", el("p", { class: "muted" }, "It is not in the catalogue of this build: no file says how to run it."));
  return section(
    "Run it",
    el("pre", { tabindex: 0, "aria-label": "command" }, line), el("p", { class: "actions" }, copyButton("Copy command", line), copyButton("Copy YAML", yaml)),
    el("details", {}, el("summary", {}, "Its file"), el("pre", { tabindex: 0, "aria-label": "YAML" }, yaml)),
  );
}
