// The page of a benchmark: what its address says is what is shown.

import { initial, parse, VIEWS, write } from "./address.js";
import { draw as drawAbout } from "./about.js";
import { button as boardsButton, list as boardsList } from "./boards.js";
import { toClipboard } from "./clipboard.js";
import { draw as drawCompare } from "./compare.js";
import { got, lacks, need, put } from "./data.js";
import { clear, el } from "./dom.js";
import { visible } from "./escapes.js";
import { draw as drawFairness } from "./fairness.js";
import { bar } from "./filters.js";
import { listen } from "./keys.js";
import { draw as drawLanguages } from "./languages.js";
import { sheet } from "./modelsheet.js";
import { size } from "./numbers.js";
import { openRecord } from "./pop.js";
import { isWhole, shownModels, zeroShot } from "./rows.js";
import { draw as drawSize } from "./size.js";
import { standing } from "./standing.js";
import { filesOf } from "./subsets.js";
import { draw as drawTable } from "./table.js";
import { draw as drawTasks } from "./tasks.js";
import { themeButton } from "./theme.js";
import { draw as drawTime } from "./time.js";
import { draw as drawTypes } from "./types.js";
import { sentence } from "./words.js";
import { draw as drawZero } from "./zero.js";

/** @typedef {import("./address.js").State} State */
/** @typedef {any} Context what views are given: see `contextOf` */

/** @type {{[view: string]: (ctx: Context, root: HTMLElement) => void}} */
const DRAW = {
  table: drawTable, size: drawSize, time: drawTime, zero: drawZero, types: drawTypes, tasks: drawTasks, languages: drawLanguages,
  fairness: drawFairness, compare: drawCompare, about: drawAbout,
};
const MOST_COMPARED = 5;

/** Begin: called when the script is there, before the data. */
export function start() {
  /** @type {any} */ (globalThis).EM.put = put;
  document.addEventListener("DOMContentLoaded", () => {
    const { board, base } = document.documentElement.dataset;
    const made = got(`d/${board}`);
    if (made) show(made, base ?? "");
    else unable(`${base ?? ""}d/${board}.js`);
  });
}

/**
 * Say that a file is missing without which this page does nothing but what its markup has.
 * @param {string} path
 */
export function unable(path) {
  themeButton();
  document.getElementById("view")?.prepend(el("p", { class: "empty problem" }, lacks(path)));
  document.documentElement.dataset.ready = "1";
}

/**
 * Show a benchmark in this page, by its address.
 * @param {any} board as data_files.py lays it out
 * @param {string} base from this page to the root of the site
 * @param {((state: State, root: HTMLElement) => Promise<{board: any, files: any} | null>) | null} [compose] makes the board
 *   that a state asks for, where it is not always the same
 */
export function show(board, base, compose = null) {
  /** @type {State} */
  let state = initial();
  /** @type {Context} */
  let ctx = null;
  let turn = 0;
  const current = () => ctx;
  const root = /** @type {HTMLElement} */ (document.getElementById("view"));
  const filters = document.getElementById("filters");
  /** @type {{update: () => void} | null} */
  let row = null;

  const redraw = async () => {
    const mine = ++turn;
    delete document.documentElement.dataset.ready;
    const given = await (compose ? compose(state, root) : withFiles(board, base, state, root));
    if (mine !== turn || given === null) return;
    ctx = contextOf(given.board, base, state, given.files, set);
    if (!row && filters) row = bar(filters, current);
    row?.update();
    if (filters) filters.hidden = false;
    sayIt(ctx);
    tabs(state);
    document.documentElement.dataset.view = state.view;
    const focused = focusedModel(root);
    const [left, top] = scrolled(root);
    drawView(ctx, root);
    root.querySelector(".box")?.scrollTo({ left, top: focused === null ? 0 : top });
    if (focused !== null) focusModel(root, focused);
    document.documentElement.dataset.ready = "1";
  };

  /** @param {Partial<State>} patch */
  const set = (patch) => {
    const before = state.view;
    state = { ...state, ...patch };
    const hash = write(state);
    const address = `${location.pathname}${location.search}${hash ? `#${hash}` : ""}`;
    if (state.view !== before) history.pushState(null, "", `#${hash}`);
    else history.replaceState(null, "", hash ? `#${hash}` : location.protocol === "file:" ? "#" : address);
    redraw();
  };

  const read = () => {
    state = parse(location.hash);
    redraw();
  };
  window.addEventListener("hashchange", read);
  for (const query of ["(min-width: 1700px)", "(max-width: 600px)"]) {
    window.matchMedia(query).addEventListener("change", () => ctx?.printed || redraw());
  }
  window.addEventListener("beforeprint", () => ctx && paper(ctx, root, true));
  window.addEventListener("afterprint", () => ctx && paper(ctx, root, false));
  themeButton();
  benchmarks(board, base);
  listen(current);
  read();
}

/**
 * @param {Context} ctx
 * @param {HTMLElement} root
 */
function drawView(ctx, root) {
  clear(root);
  (DRAW[ctx.state.view] ?? drawTable)(ctx, root);
}

/**
 * Draw the view as it is printed, with all its rows, and below it where it stands; or as it was on the screen.
 * @param {Context} ctx
 * @param {HTMLElement} root
 * @param {boolean} printed
 */
function paper(ctx, root, printed) {
  ctx.printed = printed;
  drawView(ctx, root);
  // The table has it at the foot of each sheet.
  if (printed && !root.querySelector(".printed-foot")) root.append(el("p", { class: "printed-foot" }, footOf(ctx.board)));
}

/**
 * @param {HTMLElement} root
 * @returns {string | null} the model whose row has the focus
 */
function focusedModel(root) {
  const row = root.contains(document.activeElement) ? document.activeElement?.closest("tr[data-model]") : null;
  return row instanceof HTMLElement ? (row.dataset.model ?? null) : null;
}

/**
 * @param {HTMLElement} root
 * @param {string} model
 */
function focusModel(root, model) {
  const row = root.querySelector(`tr[data-model="${model}"]`);
  if (row instanceof HTMLElement) row.focus({ preventScroll: true });
}

/** @param {HTMLElement} root */
function scrolled(root) {
  const box = root.querySelector(".box");
  return box ? [box.scrollLeft, box.scrollTop] : [0, 0];
}

/**
 * @param {any} board
 * @param {string} base
 * @param {State} state
 * @param {HTMLElement} root
 */
async function withFiles(board, base, state, root) {
  const files = await languageFiles(board, base, state, root);
  return files === null ? null : { board, files };
}

/**
 * Load the files of the languages that are chosen.
 * @param {any} board
 * @param {string} base
 * @param {State} state
 * @param {HTMLElement} root
 * @returns {Promise<{[code: string]: any} | null>} null where one cannot be read, which is said
 */
async function languageFiles(board, base, state, root) {
  const known = new Set((board.languageFiles ?? []).map((/** @type {any} */ one) => one.code));
  for (const code of state.lang.filter((one) => !known.has(one))) state.unknown = [...state.unknown, ["lang", code]];
  state.lang = state.lang.filter((code) => known.has(code));
  const wanted = state.lang.length ? filesOf(board, state.lang) : [];
  const late = window.setTimeout(() => {
    const words = wanted.filter(({ key }) => !got(key)).map(({ name, bytes }) => `${name} (${Math.ceil(bytes / 1000)} kB)`);
    if (words.length) clear(root).append(el("p", { class: "empty" }, `loading ${words.join(", ")}`));
  }, 150);
  try {
    const found = await Promise.all(wanted.map(async ({ key }) => [key, await need(key, `${base}${key}.js`)]));
    return Object.fromEntries(found);
  } catch (error) {
    clear(root).append(el("p", { class: "empty problem" }, /** @type {Error} */ (error).message));
    document.documentElement.dataset.ready = "1";
    return null;
  } finally {
    window.clearTimeout(late);
  }
}

/**
 * @param {any} board
 * @param {string} base
 * @param {State} state
 * @param {{[code: string]: any}} files
 * @param {(patch: Partial<State>) => void} set
 * @returns {Context}
 */
function contextOf(board, base, state, files, set) {
  const made = standing(board, state, files);
  const zero = zeroShot(board, state, made);
  const shown = shownModels(board, state, made, zero);
  const toggled = (/** @type {string[]} */ list, /** @type {string} */ value) =>
    list.includes(value) ? list.filter((one) => one !== value) : [...list, value];
  const ctx = {
    board, base, state, files, standing: made, zero, shown, set, need,
    completed: (/** @type {number} */ model) => (isWhole(state) ? board.build.completed[model] : null),
    sheet: (/** @type {number} */ model, /** @type {Element} */ anchor) => sheet(ctx, model, anchor),
    record: (/** @type {number} */ model, /** @type {number} */ task, /** @type {Element} */ anchor) => {
      const from = board.origin?.(model, task) ?? { board, files, standing: made, model, task };
      return openRecord({ ...ctx, board: from.board, files: from.files, standing: from.standing }, from.model, from.task, anchor);
    },
    pin: (/** @type {string} */ label) => set({ pin: toggled(state.pin, label) }),
    choose: (/** @type {string} */ label) => set({ m: toggled(state.m, label).slice(-MOST_COMPARED) }),
    copyAddress, empty: () => nobody(ctx), printed: false, foot: () => footOf(board),
  };
  return ctx;
}

/**
 * Why nothing is shown, and the way out.
 * @param {Context} ctx
 */
function nobody(ctx) {
  const { standing: made, state, set } = ctx;
  const way = (/** @type {string} */ words, /** @type {Partial<State>} */ patch) =>
    el("button", { type: "button", class: "plain", on: { click: () => set(patch) } }, words);
  const start = initial();
  /** @type {[string, (keyof State)[]][]} */
  const groups = [
    ["Find", ["find"]], ["Size", ["max", "min"]], ["Open weights", ["open"]], ["Zero-shot", ["zs"]], ["Licences", ["licence"]],
    ["Model families", ["family"]], ["Kinds", ["kind"]], ["My models", ["own"]], ["Types", ["type"]], ["Tasks", ["task", "drop"]],
    ["Benchmarks", ["bench"]], ["Languages", ["lang"]], ["Domains", ["domain"]], ["Modalities", ["modality"]], ["Exclusions", ["exclude"]],
  ];
  const on = groups.filter(([, keys]) => keys.some((key) => JSON.stringify(state[key]) !== JSON.stringify(start[key])));
  const drops = on.map(([words, keys]) => way(words, Object.fromEntries(keys.map((key) => [key, start[key]]))));
  const text = ctx.board.says ?? (made.models ? `No model passes: 0 of ${made.models} are shown.` : "No model has a score on these tasks.");
  return el("div", {}, el("p", {}, text), drops.length ? el("p", {}, "Drop ", drops.flatMap((one, at) => (at ? [" or ", one] : [one])), ".") : null);
}

/**
 * Say what can and cannot be decided.
 * @param {Context} ctx
 */
function sayIt(ctx) {
  const node = document.getElementById("sentence");
  if (!node) return;
  const { says } = ctx.board;
  const parts = says ? [{ text: says, bold: false, leaves: null }] : sentence(factsOf(ctx));
  const text = parts.map((part) => part.text).join("");
  if (node.textContent === text && !parts.some((part) => part.leaves !== null)) return;
  clear(node).append(...parts.map((part) => {
    const { leaves } = part;
    if (leaves !== null) {
      return el("button", { type: "button", class: "plain", on: { click: () => ctx.set({ drop: [...ctx.state.drop, leaves] }) } }, part.text);
    }
    return el(part.bold ? "b" : "span", {}, visible(part.text));
  }));
}

/**
 * What the sentence is made of: as `facts_of` in ranking/sentence.py.
 * @param {Context} ctx
 */
function factsOf({ board, state, standing: made, zero, shown }) {
  const there = indices(made.there);
  const first = there.filter((model) => made.group[model] === 0);
  const hides = shown.length < made.models;
  return {
    models: made.models, tasks: made.tasks.length, of: board.tasks.name.length, families: made.families,
    complete: there.filter((model) => made.complete[model]).length, first: first.length,
    alike: first.every((a, at) => first.slice(at + 1).every((b) => !made.separated(a, b))),
    unranked: there.filter((model) => !made.rank[model]).length, unknown: there.filter((model) => zero[model] === null).length,
    absent: Math.max(0, board.ranked - made.models), missed: mostMissed(board, made, there),
    kept: keptWords(board, state), excluded: state.exclude, shown: hides ? shown.length : null,
    filters: hides ? filterWords(state) : [], by: board.by ?? "borda",
  };
}

/** @param {Uint8Array} flags */
function indices(flags) {
  /** @type {number[]} */
  const found = [];
  flags.forEach((flag, at) => flag && found.push(at));
  return found;
}

/**
 * The task that most models lack alone; of several the first.
 * @param {any} board
 * @param {any} made
 * @param {number[]} there
 */
function mostMissed(board, made, there) {
  const lack = new Int32Array(made.tasks.length);
  for (const model of there) {
    if (made.n[model] !== made.tasks.length - 1) continue;
    lack[made.scores.findIndex((/** @type {(number | null)[]} */ column) => column[model] === null)]++;
  }
  let most = 0;
  for (let at = 1; at < lack.length; at++) if (lack[at] > lack[most]) most = at;
  if (!lack[most]) return null;
  const have = there.filter((model) => made.scores[most][model] !== null).length;
  return { task: board.tasks.name[made.tasks[most]], lack: lack[most], have };
}

/**
 * @param {any} board
 * @param {State} state
 */
function keptWords(board, state) {
  const names = new Map((board.languageFiles ?? []).map((/** @type {any} */ one) => [one.code, one.name]));
  const words = [...state.type, ...state.lang.map((code) => names.get(code) ?? code), ...state.domain, ...state.modality];
  if (state.task.length) words.push(state.task.length < 4 ? state.task.join(", ") : `${state.task.length} chosen tasks`);
  if (state.drop.length) words.push(`without ${state.drop.length < 4 ? state.drop.join(", ") : `${state.drop.length} tasks`}`);
  return words;
}

/** @param {State} state */
function filterWords(state) {
  const words = [];
  if (state.find) words.push(`“${visible(state.find)}”`);
  if (state.max !== null) words.push(`at most ${size(state.max * 1e6)}`);
  if (state.min !== null) words.push(`at least ${size(state.min * 1e6)}`);
  if (state.open) words.push("open weights");
  if (state.zs === "only") words.push("zero-shot only");
  if (state.zs === "unknown") words.push("zero-shot or unknown");
  if (state.own) words.push("my models");
  words.push(...state.licence, ...state.family, ...state.kind);
  return words.map(visible);
}

/**
 * What stands below what is printed: of what, from when, where.
 * @param {any} board
 * @returns {string}
 */
function footOf(board) {
  const made = board.newest ? `newest record of ${board.newest}` : `printed on ${new Date().toISOString().slice(0, 10)}`;
  return [board.name, made, location.href].map(visible).join(" · ");
}

/** @param {State} state */
function tabs(state) {
  for (const tab of document.querySelectorAll("nav.views a")) {
    const here = tab instanceof HTMLElement && tab.dataset.view === state.view;
    if (here) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
    const kept = write({ ...state, view: tab instanceof HTMLElement ? (tab.dataset.view ?? VIEWS[0]) : VIEWS[0] });
    tab.setAttribute("href", `#${kept}`);
  }
}

/**
 * The list of benchmarks, in the head and, on the front page, below the table: that one may wait.
 * @param {any} board
 * @param {string} base
 */
function benchmarks(board, base) {
  const head = document.getElementById("boards");
  if (head) boardsButton(board, base, head);
  const all = document.getElementById("all-boards");
  if (all) window.setTimeout(() => boardsList(board, base, all), 500);
}

function copyAddress() {
  toClipboard(location.href);
}
