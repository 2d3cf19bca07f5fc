// Two to five models against one another: what can be told, on all tasks and by type, and what cannot.

import { el, name, svg } from "./dom.js";
import { visible } from "./escapes.js";
import { facts, shortName, typeWords } from "./modelwords.js";
import { counted, interval, signed } from "./numbers.js";
import { pairsOf } from "./pairs.js";
import { quoted } from "./provenance.js";
import { isWhole } from "./rows.js";

const MOST = 5;
const ROW = 22;
const NARROW = 600;

/** Whether the field has the focus again when the view is drawn anew: a model was just added or taken out. */
let returns = false;

/** @typedef {import("./modelwords.js").Context} Context */
/** @typedef {import("./pairs.js").Pair} Pair */
/** @typedef {import("./pairs.js").Row} Row */

/**
 * Draw the view.
 * @param {Context} ctx
 * @param {HTMLElement} root empty
 */
export function draw(ctx, root) {
  const { board, state, standing } = ctx;
  const wanted = state.m.map((label) => board.models.label.indexOf(label));
  const chosen = [...new Set(wanted)].filter((model) => model >= 0);
  const models = chosen.filter((model) => standing.there[model]).slice(0, MOST);
  const section = el("section", { class: "compare" }, chooser(ctx, chosen), ...left(ctx, chosen));
  root.append(section);
  if (returns) /** @type {HTMLElement | null} */ (section.querySelector("#compare-add") ?? section.querySelector("button"))?.focus();
  returns = false;
  if (models.length < 2) return void section.append(empty(ctx, models));
  const pairs = pairsOf(standing, models);
  const reach = furthest(pairs);
  const width = plotWidth(root.clientWidth);
  section.append(
    el("div", { class: "compare-pairs" }, ...pairs.filter(({ all }) => all.test.n > 0).map((pair) => table(ctx, pair, reach, width))),
    ...apart(ctx, pairs), foot(ctx, pairs, models));
}

/**
 * The chosen models, each with a way to take it out, and a field to add others.
 * @param {Context} ctx
 * @param {number[]} chosen
 */
function chooser(ctx, chosen) {
  const { label } = ctx.board.models;
  const labels = chosen.map((model) => label[model]);
  /** @param {string[]} m */
  const set = (m) => {
    returns = true;
    ctx.set({ m });
  };
  const chips = chosen.map((model) => el("li", { class: "compare-chip" },
    el("span", {}, name(shortName(label[model])), el("span", { class: "compare-facts" }, facts(ctx, model).join(" · "))),
    el("button", { type: "button", "aria-label": `leave out ${visible(label[model])}`,
      on: { click: () => set(labels.filter((one) => one !== label[model])) } }, "×")));
  const list = chosen.length === 0 ? null : el("ul", { class: "compare-chosen", "aria-label": "Models compared" }, chips);
  return el("div", { class: "compare-chooser" }, list, chosen.length < MOST ? adder(ctx, labels, set) : null);
}

/**
 * @param {Context} ctx
 * @param {string[]} labels of the models that are chosen
 * @param {(m: string[]) => void} set
 */
function adder({ board, standing }, labels, set) {
  const options = board.models.label.filter((/** @type {string} */ label, /** @type {number} */ model) => standing.there[model] && !labels.includes(label));
  const field = /** @type {HTMLInputElement} */ (el("input",
    { type: "text", id: "compare-add", list: "compare-models", autocomplete: "off", spellcheck: "false", placeholder: "Add a model" }));
  const said = el("p", { class: "compare-said", role: "status" });
  const add = () => {
    const found = meant(field.value, options);
    if (found.length === 1) set([...labels, found[0]]);
    else if (field.value.trim()) said.append(unclear(found.length, visible(field.value.trim())));
  };
  const form = el("form", { class: "compare-adder", on: {
    submit: (/** @type {Event} */ event) => {
      event.preventDefault();
      said.textContent = "";
      add();
    } } },
    el("label", { class: "unseen", for: "compare-add" }, "Add a model"), field,
    el("datalist", { id: "compare-models" }, options.map((/** @type {string} */ label) => el("option", { value: label }))),
    el("button", { type: "submit", class: "pill" }, "Add"), said);
  field.addEventListener("input", (event) => {
    const isPicked = !(event instanceof InputEvent) || event.inputType === "insertReplacementText";
    if (isPicked && options.includes(field.value)) set([...labels, field.value]);
  });
  return form;
}

/**
 * @param {number} n models that a text may mean
 * @param {string} text
 */
function unclear(n, text) {
  return n === 0 ? `No model here is called “${text}”` : `${n} models are called like “${text}”: write more of the name, or take one from the list`;
}

/**
 * The models that a typed text means: the one of that name, else those whose name ends so, else those that hold it.
 * @param {string} typed
 * @param {string[]} labels
 * @returns {string[]}
 */
export function meant(typed, labels) {
  const text = typed.trim().toLowerCase();
  if (!text) return [];
  const tests = [
    (/** @type {string} */ label) => label === text,
    (/** @type {string} */ label) => label.endsWith(`/${text}`),
    (/** @type {string} */ label) => label.includes(text),
  ];
  for (const test of tests) {
    const found = labels.filter((label) => test(label.toLowerCase()));
    if (found.length > 0) return found;
  }
  return [];
}

/**
 * What of the address cannot be compared, in words.
 * @param {Context} ctx
 * @param {number[]} chosen
 */
function left({ board, state, standing }, chosen) {
  const { label } = board.models;
  const unknown = state.m.filter((one) => !label.includes(one));
  const lines = unknown.map((one) => el("p", { class: "compare-left" }, "Not in this benchmark: ", name(one)));
  for (const model of chosen) {
    if (!standing.there[model]) lines.push(el("p", { class: "compare-left" }, name(label[model]), " has none of these tasks"));
  }
  if (chosen.length > MOST) lines.push(el("p", { class: "compare-left" }, `Compared are the first ${MOST} of ${chosen.length} models: pairs grow fast, and with them what a difference must reach.`));
  return lines;
}

/**
 * How to choose, where there are too few to compare.
 * @param {Context} ctx
 * @param {number[]} models
 */
function empty({ shown, board, set }, models) {
  const { label } = board.models;
  const others = shown.filter((model) => !models.includes(model)).slice(0, 3 - models.length);
  const offered = [...models, ...others];
  const box = el("div", { class: "compare-empty" },
    el("p", {}, models.length === 0
      ? "Choose two to five models, and this page says whether they can be told apart: type a name above, or mark rows of the table with x and press c."
      : "One more model is needed: type its name above, or mark rows of the table with x and press c."));
  if (offered.length >= 2) {
    box.append(el("button", { type: "button", class: "pill", on: { click: () => set({ m: offered.map((model) => label[model]) }) } },
      models.length === 0 ? `Compare the first ${offered.length} of the table` : "Compare it with the first two of the table"));
  }
  return box;
}

/**
 * The largest difference that an interval of any row reaches, so that all pairs are drawn on one scale.
 * @param {Pair[]} pairs
 */
function furthest(pairs) {
  let most = 0.01;
  for (const { all, types } of pairs) {
    for (const { test, p } of [all, ...types]) {
      if (p !== null) most = Math.max(most, Math.abs(test.low), Math.abs(test.high));
    }
  }
  return most;
}

/** @param {number} width of the page */
function plotWidth(width) {
  return width < NARROW ? Math.max(width - 270, 72) : 300;
}

/**
 * @param {Context} ctx
 * @param {Pair} pair
 * @param {number} reach
 * @param {number} width
 */
function table(ctx, pair, reach, width) {
  const { label } = ctx.board.models;
  const [a, b] = [shortName(label[pair.a]), shortName(label[pair.b])];
  const sides = el("span", { class: "compare-sides" }, el("span", {}, "← ", name(b)), el("span", {}, "→ ", name(a)));
  const heads = [
    el("th", { scope: "col" }, "Tasks"), el("th", { scope: "col", class: "compare-number" }, "n"), el("th", { scope: "col" }, el("span", { class: "unseen" }, "Drawn"), sides),
    el("th", { scope: "col", class: "compare-number" }, "Difference, 95 %"), el("th", { scope: "col", class: "compare-p" }, "p (Holm)"),
    el("th", { scope: "col" }, "Verdict")];
  return el("article", { class: "compare-pair" }, caption(ctx, pair),
    el("table", {}, el("thead", {}, el("tr", {}, heads)),
      el("tbody", {}, [pair.all, ...pair.types].map((row) => line(row, [a, b], reach, width)))),
    lacking(ctx, pair));
}

/**
 * The sentence of a pair.
 * @param {Context} ctx
 * @param {Pair} pair
 */
function caption({ board, standing }, { a, b, all }) {
  const { label } = board.models;
  const { test, verdict } = all;
  const told = { better: " is better than ", worse: " is worse than ", "cannot tell": " cannot be told from " };
  const between = verdict === "too few tasks" || verdict === "too few families" ? " against " : told[verdict];
  const on = test.n === standing.tasks.length ? `${test.n} tasks` : `the ${counted(test.n, "task")} that both have`;
  const size = all.p === null
    ? `${signed(test.difference)} points, ahead on ${test.wins} of ${on}: ${verdict} for a verdict`
    : `${signed(test.difference)} points ${interval(test.low, test.high)}, ahead on ${test.wins} of ${on}`;
  return el("h2", {}, el("b", {}, name(shortName(label[a]))), between, el("b", {}, name(shortName(label[b]))),
    el("span", { class: "compare-size" }, ` — ${size}`));
}

/**
 * @param {Row} row
 * @param {[string, string]} names
 * @param {number} reach
 * @param {number} width
 */
function line({ type, test, p, verdict }, [a, b], reach, width) {
  const isTold = verdict === "better" || verdict === "worse";
  const winner = isTold
    ? [el("span", { class: "compare-winner" }, name(verdict === "better" ? a : b)), el("span", { class: "compare-word" }, verdict)]
    : verdict;
  const difference = p === null
    ? [signed(test.difference), " ", el("span", { class: "compare-none" }, "no interval")]
    : [signed(test.difference), " ", el("span", { class: "compare-ends" }, interval(test.low, test.high))];
  return el("tr", { class: type === null ? "compare-all" : p === null ? "compare-few" : null },
    el("th", { scope: "row" }, type === null ? "All tasks" : typeWords(type)), el("td", { class: "compare-number" }, String(test.n)),
    el("td", { class: "compare-plot" }, plot({ type, test, p, verdict }, reach, width)),
    el("td", { class: "compare-number" }, difference), el("td", { class: "compare-p" }, p === null ? "" : pText(p)),
    el("td", { class: isTold ? "compare-won" : "compare-open" }, winner));
}

/**
 * A p value as the command prints it, never 0.
 * @param {number} p
 * @returns {string}
 */
export function pText(p) {
  return p < 0.0001 ? "<0.0001" : p.toFixed(p < 0.1 ? 4 : 2);
}

/**
 * The difference and its interval around 0.
 * @param {Row} row
 * @param {number} reach
 * @param {number} width
 */
function plot({ test, p, verdict }, reach, width) {
  /** @param {number} value */
  const at = (value) => (width / 2 + (value / reach) * (width / 2 - 8)).toFixed(1);
  const drawn = svg("svg", { width, height: ROW, "aria-hidden": "true" }, svg("path", { class: "compare-zero", d: `M${width / 2} 0V${ROW}` }));
  if (p === null) return drawn;
  const kind = verdict === "cannot tell" ? "compare-hollow" : "compare-filled";
  drawn.append(svg("path", { class: `compare-bar ${kind}`, d: `M${at(test.low)} ${ROW / 2}H${at(test.high)}` }),
    svg("circle", { class: `compare-dot ${kind}`, cx: at(test.difference), cy: ROW / 2, r: 4 }));
  return drawn;
}

/**
 * Which tasks a pair leaves out.
 * @param {Context} ctx
 * @param {Pair} pair
 */
function lacking({ board, standing }, { a, b, all }) {
  if (all.test.n === standing.tasks.length) return null;
  const lines = [a, b].map((model) => {
    const n = standing.tasks.length - standing.n[model];
    return n === 0 ? null : el("span", {}, name(shortName(board.models.label[model])), ` lacks ${counted(n, "task")}. `);
  });
  return el("p", { class: "compare-note" }, lines);
}

/**
 * Pairs without a shared task.
 * @param {Context} ctx
 * @param {Pair[]} pairs
 */
function apart({ board }, pairs) {
  const { label } = board.models;
  return pairs.filter(({ all }) => all.test.n === 0)
    .map(({ a, b }) => el("p", { class: "compare-left" }, name(label[a]), " and ", name(label[b]), " share none of these tasks"));
}

/**
 * Pairs whose scores and points say different things: the table's groups are made of points.
 * @param {Context} ctx
 * @param {Pair[]} pairs
 */
function otherByPoints({ board, standing }, pairs) {
  const { label } = board.models;
  return pairs.flatMap(({ a, b, all }) => {
    if (all.p === null || !standing.complete[a] || !standing.complete[b]) return [];
    const separated = standing.separated(a, b);
    if (separated === (all.verdict !== "cannot tell")) return [];
    return [el("p", { class: "compare-points" }, "By points, of which the table's groups are made, ", name(shortName(label[a])),
      separated ? " is told apart from " : " cannot be told from ", name(shortName(label[b])),
      all.test.apart === separated ? ": groups adjust for no other pairs." : ": points count how many models each beats on a task, and not by how much.")];
  });
}

/**
 * How verdicts are made, and the command that says the same.
 * @param {Context} ctx
 * @param {Pair[]} pairs
 * @param {number[]} models
 */
function foot(ctx, pairs, models) {
  const { board, state } = ctx;
  const rows = pairs.flatMap(({ types }) => types).filter(({ p }) => p !== null).length;
  const over = pairs.length > 1 ? ` over ${pairs.length} pairs` : "";
  const lines = [
    "Paired t test of the scores, over families of tasks. “Cannot tell” is not “equal”: everything within the interval fits the scores.",
    `Verdicts hold for all rows at once: p values are adjusted by Holm's method${over}${rows > 1 ? `, those of types over ${rows} rows` : ""}. Intervals are not, so one may leave out 0 where the verdict is “cannot tell”.`,
    "Below six tasks, or six families of tasks, nothing is said.",
  ];
  const box = el("div", { class: "compare-foot" }, lines.map((text) => el("p", {}, text)), otherByPoints(ctx, pairs));
  if (isWhole(state) && board.config) {
    const words = models.map((model) => quoted(visible(board.models.label[model]))).join(" ");
    box.append(el("p", {}, "The same in a terminal: ", el("code", {}, `python -m runner compare ${words} --benchmark ${board.config}`)));
  }
  return box;
}
