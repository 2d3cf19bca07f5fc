// The page of a task: how its scores are spread, the best models, its card, and the revisions of its data.

import { roundValues, scale } from "./axes.js";
import { need, put } from "./data.js";
import { clear, el, name, plain, svg } from "./dom.js";
import { visible } from "./escapes.js";
import { heat } from "./heat.js";
import { counted, score, whole } from "./numbers.js";
import { short } from "./provenance.js";
import { facts, follow, head, link, section, table } from "./sheets.js";
import { themeButton } from "./theme.js";

/** @typedef {any} Page as task_pages.py lays it out */

/**
 * Scores of one of the ways to look at a task.
 * @typedef {object} Column
 * @property {string} label
 * @property {{model: number, revision: string | null | undefined, score: number}[]} rows the best first
 */

const WIDTH = 960;
const HEIGHT = 132;
const EDGE = 16;
const DOT = 3;
const LANES = 12;

/** Begin. */
export function start() {
  /** @type {any} */ (globalThis).EM.put = put;
  document.addEventListener("DOMContentLoaded", () => {
    themeButton();
    follow("t", "tasks", draw);
  });
}

/**
 * @param {Page} page
 * @param {HTMLElement} root
 */
export function draw(page, root) {
  head(page.name, sentence(page));
  const ways = waysOf(page);
  const holder = el("div", {});
  const select = /** @type {HTMLSelectElement} */ (el("select", { class: "pill", "aria-label": "which scores" }, ways.map(({ label }, at) => el("option", { value: at }, plain(label)))));
  let turn = 0;
  const refill = async () => {
    const mine = ++turn;
    const way = ways[Number(select.value)];
    try {
      const rows = await way.rows();
      if (mine === turn) clear(holder).append(...ofColumn(page, { label: way.label, rows }));
    } catch (error) {
      clear(holder).append(el("p", { class: "problem" }, /** @type {Error} */ (error).message));
    }
  };
  select.addEventListener("input", refill);
  root.append(el(
    "div", { class: "sheet" },
    ways.length ? el("p", { class: "sheet-bar" }, el("label", {}, "Scores of ", select)) : null, holder,
    card(page), history(page), benchmarks(page), findings(page),
  ));
  if (ways.length) refill();
}

/**
 * @param {Page} page
 * @returns {Node[]}
 */
function sentence({ type, models, asked, rows }) {
  const n = models.label.length;
  const boards = new Set(asked.flatMap((/** @type {any} */ one) => one.boards.map((/** @type {any} */ [, slug]) => slug))).size;
  return [
    el("span", {}, `${type ? visible(type) : "A type that no file of this build names"}. ${counted(n, "model")} at ${counted(rows.model.length, "revision")}, on ${counted(boards, "benchmark")}. `),
    el("b", {}, "One task cannot tell models apart: its scores have places, and no intervals."),
  ];
}

/**
 * The scores that benchmarks count, then those of each subset.
 * @param {Page} page
 * @returns {{label: string, rows: () => Promise<Column["rows"]>}[]}
 */
function waysOf(page) {
  const { asked, slots, listed, files, slug } = page;
  const found = asked.map((/** @type {any} */ one) => ({
    label: `${one.words || "all that counts"} (${one.boards.map((/** @type {any} */ [board]) => board).slice(0, 3).join(", ")}${one.boards.length > 3 ? ` and ${one.boards.length - 3} more` : ""})`,
    rows: async () => sorted(one.models.map((/** @type {number} */ model, /** @type {number} */ at) => ({ model, revision: undefined, score: one.scores[at] }))),
  }));
  const ofSlot = (/** @type {any} */ part, /** @type {any[]} */ slot) =>
    sorted(slot[3].map((/** @type {number} */ value, /** @type {number} */ at) => {
      const row = part.sets[slot[2]][at];
      return { model: page.rows.model[row], revision: page.rows.revision[row], score: value };
    }));
  for (const slot of slots) found.push({ label: `subset ${slot[1]}, split ${slot[0]}`, rows: async () => ofSlot(page, slot) });
  for (const [split, subset, file] of listed ?? []) {
    const key = `t/${slug}.${files[file]}`;
    const rows = async () => {
      const part = await need(key, `${key}.js`);
      return ofSlot(part, part.slots.find((/** @type {any[]} */ slot) => slot[0] === split && slot[1] === subset));
    };
    found.push({ label: `subset ${subset}, split ${split}`, rows });
  }
  return found;
}

/** @param {Column["rows"]} rows */
function sorted(rows) {
  return rows.sort((a, b) => b.score - a.score || a.model - b.model);
}

/**
 * The distribution, statistics and the best models.
 * @param {Page} page
 * @param {Column} column
 * @returns {Node[]}
 */
function ofColumn(page, { label, rows }) {
  if (!rows.length) return [el("p", { class: "empty" }, "Nobody has a score of this.")];
  const values = rows.map((row) => row.score);
  const of = (/** @type {number} */ share) => values[Math.min(values.length - 1, Math.floor((1 - share) * values.length))];
  const several = rows.some((row) => row.revision !== undefined);
  const heads = [{ head: "Place", kind: "number" }, { head: "Model" }, { head: "Score", kind: "number" }];
  const place = placesOf(values);
  return [
    section("How its scores are spread", strip(page, rows), el(
      "p", { class: "muted" },
      `${whole(values.length)} scores: best ${score(values[0], 2)}, three quarters below ${score(of(0.75), 2)}, half below ${score(of(0.5), 2)}, one quarter below ${score(of(0.25), 2)}, last ${score(values[values.length - 1], 2)}.`,
    )),
    section("Best models", table(`models by their score of ${label}`, several ? [...heads, { head: "Revision of the model" }] : heads, rows.length, (at) => {
      const { model, revision, score: value } = rows[at];
      return el(
        "tr", { class: page.models.own[model] ? "own" : null },
        el("td", { class: "number" }, String(place[at])),
        el("th", { scope: "row" }, link("m", page.models.label[model], page.models.slug[model]), page.models.own[model] ? el("span", { class: "mark mine" }, "measured here") : null),
        el("td", { class: `number heat-${heat(place[at], rows.length)}` }, score(value, 2)),
        several ? el("td", { class: "code" }, revision ? short(revision).text : el("span", { class: "unknown" }, "not stated")) : null,
      );
    })),
  ];
}

/**
 * Places of sorted scores; equal ones share the better.
 * @param {number[]} values
 * @returns {number[]}
 */
function placesOf(values) {
  /** @type {number[]} */
  const found = [];
  values.forEach((value, at) => found.push(at && values[at - 1] === value ? found[at - 1] : at + 1));
  return found;
}

/**
 * A dot a score, stacked where they are close.
 * @param {Page} page
 * @param {Column["rows"]} rows
 * @returns {Node}
 */
function strip(page, rows) {
  const low = rows[rows.length - 1].score;
  const high = rows[0].score;
  const x = scale([low, high === low ? low + 1 : high], [EDGE, WIDTH - EDGE]);
  const floor = HEIGHT - 28;
  const stacked = new Map();
  const dots = rows.map(({ model, score: value }) => {
    const lane = Math.round(x(value) / (2 * DOT));
    const height = stacked.get(lane) ?? 0;
    stacked.set(lane, height + 1);
    const own = page.models.own[model];
    const y = floor - 6 - Math.min(height, LANES) * 2 * DOT;
    return svg("circle", { class: own ? "dot own" : "dot", cx: x(value).toFixed(1), cy: y, r: own ? DOT + 1 : DOT }, svg("title", {}, `${plain(page.models.label[model])} ${score(value, 2)}`));
  });
  const marks = roundValues(low / 10000, high / 10000, 8).map((value) => [
    svg("path", { class: "tick", d: `M${x(value * 10000).toFixed(1)} ${floor}V${floor + 5}` }),
    svg("text", { x: x(value * 10000).toFixed(1), y: HEIGHT - 8, "text-anchor": "middle" }, String(value)),
  ]);
  return el("div", { class: "task-strip", role: "region", tabindex: 0, "aria-label": "distribution of scores" }, svg(
    "svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img", "aria-label": `a dot for each of ${rows.length} scores, from ${score(low, 1)} to ${score(high, 1)}` },
    svg("path", { class: "axis", d: `M${EDGE} ${floor}H${WIDTH - EDGE}` }), marks, dots,
  ));
}

/** @param {Page} page */
function card({ card: told, file }) {
  if (!told) return section("Card", el("p", { class: "muted" }, "No file of this build describes this task."));
  const listed = (/** @type {string[]} */ values) => (values.length ? visible(values.join(", ")) : null);
  const linked = (/** @type {[string, string | null][]} */ tasks) => tasks.map(([of, slug], at) => [at ? ", " : "", link("t", of, slug)]);
  const many = told.languages.length > 12;
  const languages = many ? el("details", {}, el("summary", {}, counted(told.languages.length, "language")), told.languages.join(", ")) : listed(told.languages);
  return section("Card", facts([
    ["Main metric", visible(told.metric)],
    ["Splits", listed(told.splits)],
    ["Subsets", told.subsets ? whole(told.subsets) : null],
    ["Data", told.dataset ? visible(told.dataset) : told.members.length ? ["the mean of ", linked(told.members)] : null],
    ["Revision", told.revision ? el("span", { title: short(told.revision).whole ?? null }, short(told.revision).text) : null],
    ["Languages", languages],
    ["Domains", listed(told.domains)],
    ["Subtypes", listed(told.subtypes)],
    ["Modalities", listed(told.modalities)],
    ["Category", told.category ? visible(told.category) : null],
    ["Texts of", told.date ? told.date.join(" to ") : null],
    ["Annotated by", told.annotations ? visible(told.annotations) : null],
    ["Samples", told.creation ? visible(told.creation) : null],
    ["Public", told.public ? "yes" : "no"],
    ["Licence", told.license ? visible(told.license) : null],
    ["Reference", told.reference ? el("a", { href: told.reference, rel: "noreferrer noopener" }, visible(told.reference)) : null],
    ["Made from", told.adapted.length ? linked(told.adapted) : "no other task"],
    ["Replaced by", told.successor ? link("t", told.successor[0], told.successor[1]) : "no other task"],
    ["Its file", visible(file)],
  ]));
}

/** @param {Page} page */
function history({ history: found, card: told }) {
  if (!found.length) return null;
  const heads = [{ head: "Revision of the data" }, { head: "Models", kind: "number" }, { head: "Scores", kind: "number" }, { head: "Measured with" }];
  return section(
    "Revisions of its data",
    el("p", { class: found.filter((/** @type {any} */ one) => one.data !== null).length > 1 ? "record-finding" : "muted" }, found.length > 1 ? "Published scores are of several revisions: they may not be of the same rows." : "All published scores state the same."),
    table("revisions of the data", heads, found.length, (at) => {
      const one = found[at];
      const named = short(one.data);
      return el(
        "tr", {},
        el("th", { scope: "row", class: "code", title: named.whole ?? null }, one.data === null ? el("span", { class: "unknown" }, "not stated") : visible(named.text), told && one.data !== null && one.data === told.revision ? el("span", { class: "mark" }, "that of its file") : null),
        el("td", { class: "number" }, whole(one.models)), el("td", { class: "number" }, whole(one.scores)),
        el("td", {}, one.from === null ? el("span", { class: "unknown" }, "not stated") : one.from === one.to ? `mteb ${visible(one.from)}` : `mteb ${visible(one.from)} to ${visible(one.to)}`),
      );
    }),
  );
}

/** @param {Page} page */
function benchmarks({ asked }) {
  if (!asked.length) return section("Benchmarks", el("p", { class: "muted" }, "No benchmark of this build asks for it."));
  return section("Benchmarks", el("ul", {}, asked.map((/** @type {any} */ one) => el(
    "li", {}, one.words ? `${visible(one.words)}: ` : "all that counts: ",
    one.boards.map((/** @type {[string, string]} */ [board, slug], /** @type {number} */ at) => [at ? ", " : "", el("a", { href: `b/${slug}.html` }, name(board))]),
  ))));
}

/** @param {Page} page */
function findings({ findings: found }) {
  if (!found.length) return null;
  return section("What lint found", el("ul", { class: "sheet-findings" }, found.map((/** @type {any} */ [model, text]) => el("li", {}, el("b", {}, model ? name(model) : "The whole column"), ` ${visible(text)}`))));
}
