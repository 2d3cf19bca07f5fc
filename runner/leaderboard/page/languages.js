// Languages as rows: which model is best in each, how sure that is, and how the first models stand in all of them.

import { got } from "./data.js";
import { clear, el, name } from "./dom.js";
import { columnPlaces, heat } from "./heat.js";
import { shortName } from "./modelwords.js";
import { counted, fixed } from "./numbers.js";

/** @typedef {any} Context see main.js */
/** @typedef {any} Overview see languages.py */

/** @typedef {{sort: string, down: boolean, find: string, all: boolean}} Shape what a reader chose of the table */

const FIRST = 40;
const MODEL_WIDTH = 46;
const TABLE_WIDTH = 760;
const MOST_MODELS = 24;

/**
 * Draw the view.
 * @param {Context} ctx
 * @param {HTMLElement} root empty
 */
export function draw(ctx, root) {
  whenThere(ctx, root, "languages", (overview) => show(ctx, root, overview));
}

/**
 * Load what a view of languages is drawn from, and draw it where the view is still there.
 * @param {Context} ctx
 * @param {HTMLElement} root empty
 * @param {string} what the last part of the file's name
 * @param {(data: any) => void} then
 */
export function whenThere(ctx, root, what, then) {
  const { board, base } = ctx;
  if (!board.languageFiles.length) {
    root.append(el("p", { class: "empty" }, "Every task of this benchmark is in the same languages: there is nothing to compare by language."));
    return;
  }
  const key = `d/${board.slug}.${what}`;
  const there = got(key);
  if (there) return void then(there);
  const section = el("section", { class: what });
  root.append(section);
  const late = setTimeout(() => section.append(el("p", { class: "empty" }, `loading ${key}.js`)), 150);
  ctx.need(key, `${base}${key}.js`).then(
    (/** @type {any} */ data) => {
      clearTimeout(late);
      if (section.parentNode !== root) return;
      section.remove();
      then(data);
    },
    (/** @type {Error} */ error) => {
      clearTimeout(late);
      clear(section).append(el("p", { class: "empty problem" }, error.message));
    },
  );
}

/**
 * @param {Context} ctx
 * @param {HTMLElement} root
 * @param {Overview} overview
 */
function show(ctx, root, overview) {
  /** @type {Shape} */
  const shape = { sort: "tasks", down: true, find: "", all: Boolean(ctx.printed) };
  const models = ctx.printed ? [] : heatModels(ctx, overview, root.clientWidth);
  const heats = overview.mean.map((/** @type {(number | null)[]} */ means, /** @type {number} */ at) =>
    columnPlaces(means.map((mean, model) => (overview.n[at][model] === overview.tasks[at] ? mean : null))));
  const box = el("div", { class: "languages-box", tabindex: 0, role: "region", "aria-label": "Languages" });
  const field = el("input", {
    type: "search", "aria-label": "Find a language", placeholder: "Find a language",
    on: { input: (/** @type {Event} */ event) => {
      shape.find = /** @type {HTMLInputElement} */ (event.target).value.trim().toLowerCase();
      redraw();
    } },
  });
  const redraw = () => {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.sort : undefined;
    clear(box).append(table(ctx, overview, shape, models, heats, redraw));
    if (focused) /** @type {HTMLElement | null} */ (box.querySelector(`[data-sort="${focused}"]`))?.focus();
  };
  redraw();
  root.append(el("section", { class: "languages" }, caption(ctx, overview), el("div", { class: "languages-find" }, field), box, notes(overview, models.length)));
}

/**
 * The first of the shown models that have a whole language, as many as there is room for.
 * @param {Context} ctx
 * @param {Overview} overview
 * @param {number} width
 * @returns {number[]}
 */
function heatModels({ shown }, overview, width) {
  const most = Math.min(MOST_MODELS, Math.floor((width - TABLE_WIDTH) / MODEL_WIDTH));
  if (most < 3) return [];
  const has = (/** @type {number} */ model) => overview.tasks.some((/** @type {number} */ n, /** @type {number} */ at) => overview.n[at][model] === n);
  return shown.filter(has).slice(0, most);
}

/**
 * @param {Context} ctx
 * @param {Overview} overview
 */
function caption({ board }, overview) {
  const firsts = new Map();
  for (const best of overview.best) for (const model of best) firsts.set(model, (firsts.get(model) ?? 0) + 1);
  const most = [...firsts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0];
  const decided = overview.group.filter((/** @type {number | null} */ size) => size === 1).length;
  const enough = overview.group.filter((/** @type {number | null} */ size) => size !== null).length;
  const of = counted(overview.codes.length, "language");
  return el("p", { class: "languages-caption" },
    most ? [el("b", {}, name(board.models.label[most[0]])), ` is first in ${most[1]} of ${of}. `] : null,
    enough === 0
      ? "No language has six unlike tasks, so that in none can the first be told from those after it."
      : `In ${enough} of ${of} there are tasks enough to tell models apart; the first stands alone in ${decided || "none"} of these.`);
}

/**
 * @param {Overview} overview
 * @param {number} models that are drawn
 */
function notes({ source }, models) {
  return el("div", { class: "languages-notes" },
    el("p", {}, "A language’s tasks are cut to its subsets: those in it alone, and its translations from and to English. First is who has most points on these by the rule of the table. Not told apart is how many models the first group has: its leader, and those that the test cannot tell from it. Fewer than six unlike tasks decide nothing."),
    el("p", {}, "Resources: how much data there was for the language’s technology in 2020, from 0, least, to 5, most; classes of ",
      el("a", { href: source.url, rel: "noreferrer noopener" }, source.name), "."),
    models ? el("p", {}, "Colours: the mean’s place among models that have all of a language’s tasks, the darkest is the best; hatched: some are missing.") : null);
}

/**
 * @param {Context} ctx
 * @param {Overview} overview
 * @param {Shape} shape
 * @param {number[]} models
 * @param {{place: Int32Array, n: number}[]} heats
 * @param {() => void} redraw
 */
function table(ctx, overview, shape, models, heats, redraw) {
  const { board, base } = ctx;
  const rows = ordered(overview, shape);
  const kept = shape.all || shape.find ? rows : rows.slice(0, FIRST);
  const head = (/** @type {string} */ key, /** @type {string} */ words, /** @type {string} */ kind = "") =>
    el("th", { scope: "col", class: kind, "aria-sort": shape.sort !== key ? null : shape.down ? "descending" : "ascending" },
      el("button", { type: "button", "data-sort": key, on: { click: () => {
        shape.down = shape.sort === key ? !shape.down : key !== "name";
        shape.sort = key;
        redraw();
      } } }, words));
  const columns = models.map((model) => el("th", { scope: "col", class: "languages-model" },
    el("a", { href: `${base}m.html#${board.models.slug[model]}`, title: board.models.label[model] }, el("span", {}, name(shortName(board.models.label[model]))))));
  const more = rows.length - kept.length;
  return el("div", {},
    el("table", { class: "languages-table" },
      el("caption", { class: "unseen" }, "Languages: tasks, models, the best model and how many cannot be told from it"),
      el("thead", {}, el("tr", {}, head("name", "Language"), head("tasks", "Tasks", "number"), head("models", "Models", "number languages-models"),
        el("th", { scope: "col" }, "First"), head("group", "Not told apart", "number"), head("class", "Resources", "number"), columns)),
      el("tbody", {}, kept.map((at) => row(ctx, overview, at, models, heats[at])))),
    rows.length ? null : el("p", { class: "empty" }, "No language is called so."),
    more > 0 ? el("button", { type: "button", class: "pill languages-more", on: { click: () => {
      shape.all = true;
      redraw();
    } } }, `${counted(more, "more language")}`) : null);
}

/**
 * @param {Overview} overview
 * @param {Shape} shape
 * @returns {number[]} the languages that are looked for, in order
 */
function ordered(overview, { sort, down, find }) {
  const places = overview.codes.map((/** @type {string} */ _, /** @type {number} */ at) => at);
  const found = places.filter((/** @type {number} */ at) =>
    overview.names[at].toLowerCase().includes(find) || overview.codes[at].toLowerCase() === find);
  const byName = (/** @type {number} */ a, /** @type {number} */ b) => (overview.names[a] < overview.names[b] ? -1 : 1);
  const value = (/** @type {number} */ at) =>
    sort === "models" ? modelsOf(overview, at) : sort === "group" ? overview.group[at] : sort === "class" ? overview.class[at] : overview.tasks[at];
  const sign = down ? -1 : 1;
  return found.sort((/** @type {number} */ a, /** @type {number} */ b) => {
    if (sort === "name") return -sign * byName(b, a);
    const [x, y] = [value(a), value(b)];
    if (x === y) return byName(a, b);
    return x === null ? 1 : y === null ? -1 : sign * (x - y);
  });
}

/**
 * @param {Overview} overview
 * @param {number} at
 */
function modelsOf(overview, at) {
  return overview.n[at].filter((/** @type {number} */ n) => n > 0).length;
}

/**
 * @param {Context} ctx
 * @param {Overview} overview
 * @param {number} at
 * @param {number[]} models
 * @param {{place: Int32Array, n: number}} places
 */
function row(ctx, overview, at, models, places) {
  const { board, base, state } = ctx;
  const code = overview.codes[at];
  const size = overview.group[at];
  const best = overview.best[at];
  const link = (/** @type {number} */ model) => el("a", { href: `${base}m.html#${board.models.slug[model]}` }, name(shortName(board.models.label[model])));
  const shownBest = best.length === 0 ? el("span", { class: "muted" }, "nobody has enough of its tasks")
    : [link(best[0]), best.length > 1 ? el("span", { class: "muted" }, ` and ${best.length - 1} more`) : null];
  return el("tr", { class: state.lang.includes(code) ? "languages-chosen" : null },
    el("th", { scope: "row" },
      el("button", { type: "button", class: "plain", title: `Rank models in ${overview.names[at]}`, on: { click: () => ctx.set({ view: "table", lang: [code] }) } }, overview.names[at]),
      overview.names[at].includes(`(${code})`) ? null : el("span", { class: "languages-code" }, code)),
    el("td", { class: "number" }, overview.tasks[at]),
    el("td", { class: "number languages-models" }, modelsOf(overview, at)),
    el("td", { class: "languages-best" }, shownBest),
    el("td", { class: "number" }, size === null ? el("span", { class: "muted" }, "too few tasks") : size === 1 ? "it alone" : size),
    el("td", { class: "number" }, overview.class[at] === null ? el("span", { class: "muted" }, "not known") : overview.class[at]),
    models.map((model) => cell(overview, at, model, places)));
}

/**
 * @param {Overview} overview
 * @param {number} at
 * @param {number} model
 * @param {{place: Int32Array, n: number}} places
 */
function cell(overview, at, model, { place, n }) {
  const mean = overview.mean[at][model];
  if (!place[model]) {
    const words = mean === null ? "not run" : `${overview.n[at][model]} of ${overview.tasks[at]} tasks`;
    return el("td", { class: "languages-none", title: words, "aria-label": words });
  }
  return el("td", { class: `languages-heat heat-${heat(place[model], n)}`, title: `place ${place[model]} of ${n}` }, fixed(mean / 100, 1));
}
