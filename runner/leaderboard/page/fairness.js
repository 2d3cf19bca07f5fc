// How evenly models serve languages: the gap between high and low resource, the spread, and the worst language.

import { clear, el, name, svg } from "./dom.js";
import { whenThere } from "./languages.js";
import { shortName } from "./modelwords.js";
import { counted, fixed, interval, signed } from "./numbers.js";

/** @typedef {any} Context see main.js */
/** @typedef {any} Measured see fairness.py */

/** @typedef {{sort: string, down: boolean, all: boolean, open: number}} Shape what a reader chose; open: a model, or -1 */

const FIRST = 30;
const WIDTH = 220;
const HEIGHT = 18;
const HIGH = [4, 5];
const LOW = [0, 1, 2];

/**
 * Draw the view.
 * @param {Context} ctx
 * @param {HTMLElement} root empty
 */
export function draw(ctx, root) {
  whenThere(ctx, root, "fairness", (measured) => show(ctx, root, measured));
}

/**
 * @param {Context} ctx
 * @param {HTMLElement} root
 * @param {Measured} measured
 */
function show(ctx, root, measured) {
  /** @type {Shape} */
  const shape = { sort: "rank", down: false, all: Boolean(ctx.printed), open: -1 };
  const at = new Map(measured.models.map((/** @type {number} */ model, /** @type {number} */ place) => [model, place]));
  /** @type {number[]} */
  const rows = ctx.shown.filter((/** @type {number} */ model) => at.has(model)).map((/** @type {number} */ model) => at.get(model));
  if (!rows.length) {
    root.append(el("p", { class: "empty" }, measured.models.length
      ? "None of the models that are shown has several languages of the same tasks."
      : "No two languages of this benchmark have three tasks in common, so that nothing can be said of how evenly models serve them."));
    return;
  }
  const box = el("div", { class: "fairness-box", tabindex: 0, role: "region", "aria-label": "Fairness over languages" });
  const redraw = () => {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.key : undefined;
    clear(box).append(table(ctx, measured, rows, shape, redraw));
    if (focused) /** @type {HTMLElement | null} */ (box.querySelector(`[data-key="${focused}"]`))?.focus();
  };
  redraw();
  root.append(el("section", { class: "fairness" }, caption(measured, rows), filterNote(ctx), box, notes(measured)));
}

/**
 * What can be said of all rows together.
 * @param {Measured} measured
 * @param {number[]} rows
 */
function caption(measured, rows) {
  const sure = rows.map((at) => measured.gap[at]).filter((gap) => gap && gap[1] !== null);
  const above = sure.filter(([, low]) => low > 0).length;
  const below = sure.filter(([, , high]) => high < 0).length;
  const rest = sure.length - above - below;
  if (!rows.some((at) => measured.gap[at])) return el("p", { class: "fairness-caption" }, "No languages of high and of low resource share tasks here: there is no gap to measure.");
  if (!sure.length) return el("p", { class: "fairness-caption" }, "No model has six languages of high and six of low resource: gaps have no interval here.");
  return el("p", { class: "fairness-caption" }, el("b", {}, `${above} of ${counted(sure.length, "model")}`),
    " serve languages of high resource better than those of low resource, on the same tasks",
    below ? `; ${below} the other way round` : "", rest ? `; of ${rest} it cannot be told` : "", ".");
}

/** @param {Context} ctx */
function filterNote({ state }) {
  const on = [state.type, state.task, state.lang, state.domain, state.modality, state.drop ?? [], state.exclude].some((list) => list.length);
  return on ? el("p", { class: "fairness-notes problem" }, "These figures are of all tasks and languages of the benchmark, whatever is filtered.") : null;
}

/** @param {Measured} measured */
function notes({ source }) {
  return el("div", { class: "fairness-notes" },
    el("p", {}, "Languages are compared on the same tasks alone: score = task + language + what is left, fitted by least squares for each model over the languages of at least three tasks that others share. A language’s effect is its distance, in points, from the mean over the model’s languages. Models with other languages or tasks have other figures: compare those with as many of both."),
    el("p", {}, "Gap: mean effect of high less that of low resource, Welch’s interval over languages. Spread: standard deviation of effects over languages, the interval leaves out one language at a time (jackknife of the logarithm); what few tasks add by chance is in it. Worst: the least effect, with an interval of the fit that is widened for the choice among all languages (Bonferroni). All at 95 %; under six languages, on either side of a gap, no interval."),
    el("p", {}, "High resource: classes 4 and 5 of ", el("a", { href: source.url, rel: "noreferrer noopener" }, source.name),
      "; low: 0 to 2. Class 3, and languages whose class is not known, are on neither side."));
}

/**
 * @param {Context} ctx
 * @param {Measured} measured
 * @param {number[]} rows
 * @param {Shape} shape
 * @param {() => void} redraw
 */
function table(ctx, measured, rows, shape, redraw) {
  const sorted = ordered(measured, rows, shape);
  const kept = shape.all ? sorted : sorted.slice(0, FIRST);
  const head = (/** @type {string} */ key, /** @type {string} */ words, /** @type {string} */ kind = "") =>
    el("th", { scope: "col", class: kind, "aria-sort": shape.sort !== key ? null : shape.down ? "descending" : "ascending" },
      el("button", { type: "button", "data-key": key, on: { click: () => {
        shape.down = shape.sort === key && !shape.down;
        shape.sort = key;
        redraw();
      } } }, words));
  const gaps = rows.some((at) => measured.gap[at]);
  const reach = axis(measured, rows);
  const more = sorted.length - kept.length;
  return el("div", {},
    el("table", { class: "fairness-table" },
      el("caption", { class: "unseen" }, "Models: gap between languages of high and low resource, spread over languages, and the worst language"),
      el("thead", {}, el("tr", {}, head("rank", "Model"),
        gaps ? [head("gap", "Gap, high less low resource", "number"), el("th", { scope: "col", class: "fairness-picture" }, el("span", { class: "unseen" }, "Gap, drawn"), ruler(reach))] : null,
        head("spread", "Spread", "number"), head("worst", "Worst language"), head("languages", "Languages", "number"))),
      el("tbody", {}, kept.flatMap((at) => row(ctx, measured, at, shape, gaps ? reach : null, redraw)))),
    more > 0 ? el("button", { type: "button", class: "pill fairness-more", on: { click: () => {
      shape.all = true;
      redraw();
    } } }, counted(more, "more model")) : null);
}

/**
 * @param {Measured} measured
 * @param {number[]} rows
 * @param {Shape} shape
 */
function ordered(measured, rows, { sort, down }) {
  if (sort === "rank") return down ? [...rows].reverse() : rows;
  const value = (/** @type {number} */ at) => {
    if (sort === "gap") return measured.gap[at] ? measured.gap[at][0] : null;
    if (sort === "spread") return measured.spread[at][0];
    return sort === "worst" ? -measured.worst[at][1] : -measured.languages[at];
  };
  return [...rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === y) return 0;
    return x === null ? 1 : y === null ? -1 : down ? y - x : x - y;
  });
}

/**
 * @param {Context} ctx
 * @param {Measured} measured
 * @param {number} at
 * @param {Shape} shape
 * @param {[number, number] | null} reach null where no model has a gap
 * @param {() => void} redraw
 */
function row(ctx, measured, at, shape, reach, redraw) {
  const { board, base } = ctx;
  const model = measured.models[at];
  const label = board.models.label[model];
  const open = shape.open === at;
  const gap = measured.gap[at];
  const [language, worst, worstLow, worstHigh] = measured.worst[at];
  const opener = el("button", { type: "button", class: "plain fairness-open", "data-key": `m${at}`, "aria-expanded": String(open), "aria-label": `languages of ${label}`,
    on: { click: () => {
      shape.open = open ? -1 : at;
      redraw();
    } } }, open ? "−" : "+");
  const line = el("tr", {},
    el("th", { scope: "row" }, opener, el("a", { href: `${base}m.html#${board.models.slug[model]}`, title: label }, name(shortName(label)))),
    reach ? [el("td", { class: "number" }, gap ? [el("b", {}, signed(gap[0] / 100, 1)), between(gap[1], gap[2])] : el("span", { class: "muted" }, "of one side alone")),
      el("td", { class: "fairness-picture" }, gap ? whisker(gap, reach) : null)] : null,
    el("td", { class: "number" }, fixed(measured.spread[at][0] / 100, 1), between(measured.spread[at][1], measured.spread[at][2])),
    el("td", {}, `${measured.names[language]} `, el("b", {}, signed(worst / 100, 1)), between(worstLow, worstHigh)),
    el("td", { class: "number" }, el("span", { class: measured.languages[at] < Math.max(...measured.languages) ? "muted" : null },
      `${measured.languages[at]} on ${counted(measured.tasks[at], "task")}`)));
  return open ? [line, el("tr", { class: "fairness-detail" }, el("td", { colspan: reach ? 6 : 4 }, detail(measured, at)))] : [line];
}

/**
 * @param {number | null} low
 * @param {number | null} high
 */
function between(low, high) {
  return el("span", { class: "fairness-interval" }, low === null || high === null ? " too few" : ` ${interval(low / 100, high / 100, 1)}`);
}

/**
 * From where to where gaps are drawn: all of them, with their intervals, and 0.
 * @param {Measured} measured
 * @param {number[]} rows
 * @returns {[number, number]}
 */
function axis(measured, rows) {
  let [least, most] = [0, 1];
  for (const at of rows) {
    for (const value of (measured.gap[at] ?? []).slice(0, 3)) {
      if (value === null) continue;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  return [least, most];
}

/**
 * @param {number} value
 * @param {[number, number]} reach
 */
function x(value, [least, most]) {
  return Math.round((8 + ((value - least) / (most - least || 1)) * (WIDTH - 16)) * 10) / 10;
}

/** @param {[number, number]} reach */
function ruler(reach) {
  return svg("svg", { width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    svg("text", { x: x(0, reach), y: 13, "text-anchor": "middle" }, "0"),
    svg("text", { x: WIDTH - 2, y: 13, "text-anchor": "end" }, fixed(reach[1] / 100, 0)));
}

/**
 * A gap: filled where its interval leaves out 0, hollow where not.
 * @param {(number | null)[]} gap
 * @param {[number, number]} reach
 */
function whisker(gap, reach) {
  const [value, low, high] = /** @type {[number, number | null, number | null]} */ (/** @type {unknown} */ (gap));
  const sure = low !== null && high !== null && (low > 0 || high < 0);
  const middle = HEIGHT / 2;
  return svg("svg", { width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    svg("path", { class: "fairness-zero", d: `M${x(0, reach)} 0V${HEIGHT}` }),
    low === null || high === null ? null : svg("path", { class: "fairness-whisker", d: `M${x(low, reach)} ${middle}H${x(high, reach)}` }),
    svg("circle", { class: sure ? "fairness-dot" : "fairness-dot fairness-hollow", cx: x(value, reach), cy: middle, r: 3.5 }));
}

/**
 * All languages of a model, from the worst to the best.
 * @param {Measured} measured
 * @param {number} at
 */
function detail(measured, at) {
  const effects = measured.effects[at];
  const places = effects.map((/** @type {number | null} */ _, /** @type {number} */ one) => one)
    .filter((/** @type {number} */ one) => effects[one] !== null)
    .sort((/** @type {number} */ a, /** @type {number} */ b) => effects[a] - effects[b]);
  const item = (/** @type {number} */ one) => {
    const side = HIGH.includes(measured.class[one]) ? "high" : LOW.includes(measured.class[one]) ? "low" : "";
    return el("li", { class: side ? `fairness-${side}` : null }, el("span", {}, measured.names[one], side ? el("span", { class: "unseen" }, ` (${side} resource)`) : null),
      el("span", { class: "number" }, signed(effects[one] / 100, 1)));
  };
  return el("div", {},
    el("p", { class: "fairness-key" }, el("span", { class: "fairness-high" }, "high resource"), " ", el("span", { class: "fairness-low" }, "low resource"), " · points above or below the mean over its languages"),
    el("ol", { class: "fairness-languages" }, places.map(item)));
}
