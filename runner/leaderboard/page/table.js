// The table: models in groups that cannot be told apart. Rows that are out of sight are not drawn.

import { clear, el, name } from "./dom.js";
import { visible } from "./escapes.js";
import { heat } from "./heat.js";
import { shortName } from "./modelwords.js";
import { counted, score, share, size } from "./numbers.js";
import { nearlyAll, typeMean } from "./rows.js";
import { strip } from "./strip.js";

/**
 * What each view is given; see main.js.
 * @typedef {any} Context
 */

/**
 * @typedef {object} Column
 * @property {string} id
 * @property {string} head
 * @property {string} title
 * @property {string | null} sort what a click sorts by, best first; null for none
 * @property {string} kind a class
 * @property {(model: number) => HTMLElement} cell
 */

const ROWS = { wide: { row: 32, line: 26 }, phone: { row: 56, line: 34 } };
const BEYOND = 6;
const WIDE = "(min-width: 1700px)";
const PHONE = "(max-width: 600px)";
const USUAL = ["mean", "meanType", "types", "zero", "size"];
const PRINTED = ["mean", "meanType", "types"];
const MORE = ["tasks", "active", "dim", "tokens", "licence", "released"];

/** All columns that can be chosen, with their names. */
export const CHOICES = [
  ["mean", "Mean of tasks"], ["meanType", "Mean of types"], ["types", "Each type"], ["tasks", "Tasks done"],
  ["zero", "Zero-shot"], ["size", "Parameters"], ["active", "Active parameters"], ["dim", "Dimension"],
  ["tokens", "Longest input"], ["licence", "Licence"], ["open", "Open weights"], ["released", "Released"],
  ["languages", "Languages"], ["price", "Price"], ["speed", "Speed"], ["energy", "Energy"],
];

/** @type {{[type: string]: string}} */
const SHORT = {
  Clustering: "Cluster.", Reranking: "Rerank.", Classification: "Classif.", PairClassification: "Pair cl.",
  Summarization: "Summ.", BitextMining: "Bitext", MultilabelClassification: "Multilabel",
  InstructionReranking: "Instr. rer.", InstructionRetrieval: "Instr. retr.", HierarchicalClassification: "Hier. cl.",
  Any2AnyRetrieval: "Any2any", Any2AnyReranking: "Any2any rer.", Any2AnyMultilingualRetrieval: "Multil. any2any",
  DocumentUnderstanding: "Documents", ImageClassification: "Image cl.", ImageClustering: "Image clust.",
  ZeroShotClassification: "Zero-shot cl.", VisionCentricQA: "Vision QA", Compositionality: "Compos.",
  "VisualSTS(eng)": "Visual STS", "VisualSTS(multi)": "Vis. STS multi",
};

/**
 * The columns that are shown.
 * @param {Context} ctx
 * @returns {string[]}
 */
export function chosenColumns(ctx) {
  if (ctx.printed) return PRINTED;
  if (ctx.state.cols !== null) return ctx.state.cols;
  return window.matchMedia(WIDE).matches ? [...USUAL, ...MORE] : USUAL;
}

/**
 * Draw the table.
 * @param {Context} ctx
 * @param {HTMLElement} root
 */
export function draw(ctx, root) {
  const phone = !ctx.printed && window.matchMedia(PHONE).matches;
  const columns = phone ? phoneColumns(ctx) : columnsOf(ctx);
  const items = itemsOf(ctx);
  const { table, body } = framed(ctx, columns, root, items.length);
  if (!ctx.shown.length) {
    body.append(el("tr", {}, el("td", { colspan: columns.length, class: "empty" }, ctx.empty())));
    return;
  }
  const heights = ROWS[phone ? "phone" : "wide"];
  const offsets = offsetsOf(items, heights);
  const box = /** @type {HTMLElement} */ (table.parentElement);
  let from = -1;
  let to = -1;
  const all = ctx.state.all || ctx.printed;
  const redraw = () => {
    const view = seen(box, phone);
    const first = all ? 0 : Math.max(0, placeOf(offsets, view.top) - BEYOND);
    const last = all ? items.length : Math.min(items.length, placeOf(offsets, view.bottom) + BEYOND);
    if (first === from && last === to) return;
    from = first;
    to = last;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.model : undefined;
    const rows = [spacer(offsets[first], columns.length)];
    for (let at = first; at < last; at++) rows.push(itemRow(ctx, items[at], columns, at));
    rows.push(spacer(offsets[items.length] - offsets[last], columns.length));
    clear(body).append(...rows.filter((row) => row !== null).map((row) => /** @type {Node} */ (row)));
    if (focused !== undefined) focusRow(body, focused);
  };
  listen(phone ? window : box, redraw);
  redraw();
}

/**
 * @param {EventTarget} scroller
 * @param {() => void} redraw
 */
function listen(scroller, redraw) {
  let waits = false;
  const later = () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      redraw();
    });
  };
  if (scroller === window) {
    const old = /** @type {any} */ (window).embedmarkScroll;
    if (old) window.removeEventListener("scroll", old);
    /** @type {any} */ (window).embedmarkScroll = later;
  }
  scroller.addEventListener("scroll", later, { passive: true });
}

/**
 * @param {HTMLElement} box
 * @param {boolean} phone
 */
function seen(box, phone) {
  if (phone) {
    const top = -box.getBoundingClientRect().top;
    return { top: Math.max(0, top), bottom: top + window.innerHeight };
  }
  return { top: box.scrollTop, bottom: box.scrollTop + Math.max(box.clientHeight, window.innerHeight) };
}

/**
 * @param {{model: number}[]} items
 * @param {{row: number, line: number}} heights
 */
function offsetsOf(items, heights) {
  const found = new Float64Array(items.length + 1);
  items.forEach((item, at) => (found[at + 1] = found[at] + (item.model < 0 ? heights.line : heights.row)));
  return found;
}

/**
 * @param {Float64Array} offsets
 * @param {number} top
 */
function placeOf(offsets, top) {
  let low = 0;
  let high = offsets.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle] <= top) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * @param {number} height
 * @param {number} columns
 */
function spacer(height, columns) {
  if (height <= 0) return null;
  const cell = el("td", { colspan: columns });
  cell.style.setProperty("height", `${height}px`);
  return el("tr", { class: "spacer", "aria-hidden": "true" }, cell);
}

/**
 * Put the focus on a model's row, if it is drawn.
 * @param {Element} body
 * @param {string} model
 */
function focusRow(body, model) {
  const row = body.querySelector(`tr[data-model="${model}"]`);
  if (row instanceof HTMLElement) row.focus({ preventScroll: true });
}

/**
 * Rows of models (0 and up), and lines above groups (-1 - group) and pinned ones (`pinned`).
 * @param {Context} ctx
 * @returns {{model: number, pinned?: number}[]}
 */
function itemsOf(ctx) {
  const { state, standing, shown } = ctx;
  /** @type {{model: number, pinned?: number}[]} */
  const items = [];
  const pinned = shown.filter((/** @type {number} */ model) => isPinned(ctx, model));
  if (pinned.length && pinned.length < shown.length) {
    items.push({ model: -1, pinned: pinned.length });
    for (const model of pinned) items.push({ model, pinned: 1 });
    if (state.sort !== "rank" || !standing.leaders.length) items.push({ model: -1, pinned: 0 });
  }
  let group = -1;
  for (const model of shown) {
    if (state.sort === "rank" && standing.group[model] > group) {
      group = standing.group[model];
      items.push({ model: -1 - group });
    }
    items.push({ model });
  }
  return items;
}

/**
 * @param {Context} ctx
 * @param {number} model
 */
export function isPinned(ctx, model) {
  const { models } = ctx.board;
  return models.own[model] === 1 || models.mine?.[model] === 1 || ctx.state.pin.includes(models.label[model]);
}

/**
 * @param {Context} ctx
 * @param {Column[]} columns
 * @param {HTMLElement} root
 * @param {number} rows
 */
function framed(ctx, columns, root, rows) {
  const head = el("tr", {}, columns.map((column) => headCell(ctx, column)));
  const body = el("tbody", {});
  const table = el(
    "table", { class: "models", "aria-rowcount": rows + 1 },
    el("caption", { class: "unseen" }, `Models on ${ctx.board.name}`), el("thead", {}, head), body,
    ctx.printed ? el("tfoot", {}, el("tr", {}, el("td", { class: "printed-foot", colspan: columns.length }, ctx.foot()))) : null,
  );
  const box = el("div", { class: "box", role: "region", tabindex: 0, "aria-label": "Table of models" }, table);
  clear(root).append(box);
  return { table, body };
}

/**
 * @param {Context} ctx
 * @param {Column} column
 */
function headCell(ctx, column) {
  const { state } = ctx;
  const usual = column.sort;
  if (usual === null) return el("th", { scope: "col", class: column.kind, title: column.title }, column.head);
  const other = usual.startsWith("-") ? usual.slice(1) : usual === "rank" ? "rank" : `-${usual}`;
  const up = state.sort === usual || state.sort === other;
  const down = up && state.sort.startsWith("-");
  const button = el(
    "button", { type: "button", title: column.title, on: { click: () => ctx.set({ sort: state.sort === usual ? other : usual }) } },
    column.head, up ? el("span", { "aria-hidden": "true" }, down ? " ↓" : " ↑") : null,
  );
  const order = up ? (down ? "descending" : "ascending") : null;
  return el("th", { scope: "col", class: column.kind, "aria-sort": order }, button);
}

/**
 * @param {Context} ctx
 * @param {{model: number, pinned?: number}} item
 * @param {Column[]} columns
 * @param {number} at
 */
function itemRow(ctx, item, columns, at) {
  if (item.model < 0) {
    const words = item.pinned === undefined ? groupWords(ctx, -1 - item.model) : pinnedWords(ctx, item.pinned);
    return el("tr", { class: "group", "aria-rowindex": at + 2 }, el("th", { scope: "rowgroup", colspan: columns.length }, el("div", {}, words)));
  }
  const { model } = item;
  const listeners = { click: (/** @type {MouseEvent} */ event) => clicked(ctx, model, event), keydown: keyed(ctx, model) };
  return el(
    "tr",
    { class: rowClass(ctx, item), "data-model": model, tabindex: -1, "aria-rowindex": at + 2, on: listeners },
    columns.map((column) => column.cell(model)),
  );
}

/**
 * @param {Context} ctx
 * @param {{model: number, pinned?: number}} item
 */
function rowClass(ctx, { model, pinned }) {
  const found = ["model"];
  if (pinned) found.push("pinned");
  if (ctx.board.models.own[model]) found.push("own");
  if (ctx.state.m.includes(ctx.board.models.label[model])) found.push("chosen");
  return found.join(" ");
}

/**
 * @param {Context} ctx
 * @param {number} n how many are pinned; 0 below them
 */
function pinnedWords(ctx, n) {
  if (!n) return [el("b", {}, "All")];
  const { own } = ctx.board.models;
  const mine = ctx.shown.some((/** @type {number} */ model) => own[model] === 1);
  return [el("b", {}, ctx.state.pin.length ? "Pinned" : mine ? "Measured here" : "Yours"), " · also in their place below"];
}

/**
 * @param {Context} ctx
 * @param {number} group
 * @returns {(Node | string)[]}
 */
function groupWords(ctx, group) {
  const { standing, shown, board } = ctx;
  let all = 0;
  for (const of of standing.group) if (of === group) all++;
  const here = shown.filter((/** @type {number} */ model) => standing.group[model] === group).length;
  const leader = standing.leaders[group];
  const words = all === 1
    ? ["one model: told apart from the next"]
    : here < all
      ? [`${here} of ${all} shown: `, name(shortName(board.models.label[leader])), " and those that cannot be told from it"]
      : [name(shortName(board.models.label[leader])), ` and ${counted(all - 1, "model")} that cannot be told from it`];
  return [el("b", {}, `Group ${group + 1}`), " · ", ...words];
}

/**
 * @param {Context} ctx
 * @param {number} model
 * @param {MouseEvent} event
 */
function clicked(ctx, model, event) {
  const target = event.target instanceof Element ? event.target.closest("[data-task],a,input,button") : null;
  if (target?.matches("a,input,button")) return;
  if (!target && window.matchMedia(PHONE).matches) ctx.sheet(model, event.currentTarget);
}

/**
 * @param {Context} ctx
 * @param {number} model
 * @returns {(event: KeyboardEvent) => void}
 */
function keyed(ctx, model) {
  return (event) => {
    if (event.key !== "Enter" || event.target !== event.currentTarget) return;
    event.preventDefault();
    ctx.sheet(model, event.currentTarget);
  };
}

/** @param {string} label */
function owner(label) {
  const at = label.indexOf("/");
  return at < 0 ? "" : label.slice(0, at);
}

/**
 * @param {Context} ctx
 * @returns {Column[]}
 */
function columnsOf(ctx) {
  const chosen = new Set(chosenColumns(ctx));
  const { standing } = ctx;
  const found = [rankColumn(ctx), nameColumn(ctx)];
  if (chosen.has("mean")) found.push(meanColumn(ctx));
  if (chosen.has("meanType")) {
    const cell = (/** @type {number} */ model) => scoreCell(standing.meanType[model], 2, "mean-type");
    found.push({ id: "meanType", head: "Mean, types", title: "Mean over types of the mean over tasks", sort: "-meanType", kind: "number", cell });
  }
  if (chosen.has("types")) for (const one of standing.types) found.push(typeColumn(ctx, one));
  for (const [id, head, title, sort, cell] of facts(ctx)) {
    if (chosen.has(id)) found.push({ id, head, title, sort, kind: id === "licence" ? "words" : "number", cell });
  }
  return found;
}

/**
 * @param {Context} ctx
 * @returns {Column[]}
 */
function phoneColumns(ctx) {
  return [{ ...rankColumn(ctx), head: "Rank" }, nameColumn(ctx, true), meanColumn(ctx)];
}

/**
 * @param {Context} ctx
 * @returns {[string, string, string, string, (model: number) => HTMLElement][]}
 */
function facts(ctx) {
  const { models } = ctx.board;
  const { standing } = ctx;
  /** @type {(column: any[], show: (value: any) => string, kind?: string) => (model: number) => HTMLElement} */
  const plain = (column, show, kind = "number") => (model) => known(column[model] ?? null, show, kind);
  const text = String;
  return [
    ["tasks", "Tasks", "Tasks that the model has, of all that are kept", "-tasks", (model) => tasksCell(standing, model)],
    ["zero", "Zero-shot", "Tasks that the model was not trained on", "-zero", (model) => zeroCell(ctx.zero[model])],
    ["size", "Size", "Parameters", "size", plain(models.size, size)],
    ["active", "Active", "Active parameters", "active", plain(models.active, size)],
    ["dim", "Dim.", "Dimension of the embeddings", "dim", plain(models.dim, text)],
    ["tokens", "Longest input", "In tokens", "-tokens", plain(models.tokens, text)],
    ["licence", "Licence", "As its publisher states it", "licence", plain(models.licence, text, "words")],
    ["open", "Open", "Whether the weights can be had", "-open", plain(models.open, (open) => (open ? "yes" : "no"))],
    ["released", "Released", "Day of release", "-released", plain(models.released, text)],
    ["languages", "Languages", "How many languages its publisher states", "-languages", plain(models.languages, text)],
    ["price", "Price", "Dollars for a million tokens, where its file states it", "price", plain(models.price ?? [], text)],
    ["speed", "Speed", "Texts a second, by your own records", "-speed", spent(models, models.speed, [])],
    ["energy", "Energy", "Watt-hours for a thousand texts, by your own records", "energy", spent(models, models.energy, models.estimated)],
  ];
}

/**
 * @param {any} value
 * @param {(value: any) => string} show
 * @param {string} kind
 */
function known(value, show, kind) {
  if (value === null) return el("td", { class: kind }, el("span", { class: "unknown", title: "not known" }, "?"));
  return el("td", { class: kind }, show(value));
}

/**
 * What models took, with the machine that it was on.
 * @param {any} models
 * @param {(number | null)[]} column
 * @param {number[]} estimated 1 where meters did not tell all of it
 * @returns {(model: number) => HTMLElement}
 */
function spent(models, column, estimated) {
  return (model) => {
    const [mark, words] = estimated[model] ? ["≈ ", ["estimated"]] : ["", []];
    const cell = known(column[model], (value) => `${mark}${value}`, "number");
    if (column[model] !== null) cell.title = visible([...words, ...models.machines[model]].join("; "));
    return cell;
  };
}

/** @param {number | null} percent */
function zeroCell(percent) {
  if (percent !== null) return el("td", { class: "number" }, share(percent));
  return el("td", { class: "number" }, el("span", { class: "unknown", title: "its training data is not known" }, "unknown"));
}

/**
 * @param {any} standing
 * @param {number} model
 */
function tasksCell(standing, model) {
  const all = standing.tasks.length;
  const have = standing.n[model];
  return el("td", { class: "number" }, el("span", { class: have < all ? "lacks" : null }, String(have)), `/${all}`);
}

/**
 * @param {number} value in millionths, NaN for none
 * @param {number} digits
 * @param {string} kind
 */
function scoreCell(value, digits, kind) {
  if (Number.isNaN(value)) return el("td", { class: `number ${kind} none` }, "–");
  return el("td", { class: `number ${kind}` }, score(value, digits));
}

/**
 * @param {Context} ctx
 * @returns {Column}
 */
function meanColumn(ctx) {
  const { standing } = ctx;
  const all = standing.tasks.length;
  const cell = (/** @type {number} */ model) => {
    if (standing.complete[model]) return el("td", { class: "number mean" }, score(standing.mean[model], 2));
    if (!nearlyAll(standing, model)) return el("td", { class: "number mean none", title: `has ${standing.n[model]} of ${all} tasks` }, "–");
    const title = `mean of ${standing.n[model]} of ${all}`;
    return el("td", { class: "number mean partial", title }, `~${score(standing.partial[model], 2)}`);
  };
  return { id: "mean", head: "Mean, tasks", title: "Mean over tasks", sort: "-mean", kind: "number", cell };
}

/**
 * @param {Context} ctx
 * @param {{of: string, tasks: number[]}} one
 * @returns {Column}
 */
function typeColumn(ctx, one) {
  const { standing, board } = ctx;
  const means = board.models.name.map((/** @type {string} */ _, /** @type {number} */ model) => typeMean(standing, one.tasks, model));
  const order = means.filter((/** @type {number | null} */ mean) => mean !== null).sort((/** @type {number} */ a, /** @type {number} */ b) => b - a);
  const place = new Map();
  order.forEach((/** @type {number} */ mean, /** @type {number} */ at) => place.has(mean) || place.set(mean, at + 1));
  const cell = (/** @type {number} */ model) => {
    const mean = means[model];
    if (mean === null) return el("td", { class: "number type none", "aria-label": "not run" });
    return el("td", { class: `number type heat-${heat(place.get(mean), order.length)}` }, score(mean));
  };
  const title = `${one.of}: mean of ${counted(one.tasks.length, "task")}`;
  return { id: `type:${one.of}`, head: Object.hasOwn(SHORT, one.of) ? SHORT[one.of] : one.of, title, sort: `-type:${one.of}`, kind: "number type", cell };
}

/** @type {{[by: string]: string}} */
const WHAT = { borda: "Borda points", mean: "the mean over tasks", type: "the mean over types" };

/**
 * @param {Context} ctx
 * @returns {Column}
 */
function rankColumn(ctx) {
  const { standing } = ctx;
  const title = `Place by ${WHAT[ctx.board.by ?? "borda"]}, and the places between which it would stand on other tasks like these`;
  const cell = (/** @type {number} */ model) => rankCell(standing, ctx.completed(model), model);
  return { id: "rank", head: standing.enough ? "Rank, 98 % interval" : "Rank", title, sort: "rank", kind: "rank", cell };
}

/**
 * @param {any} standing
 * @param {number[] | null} completed
 * @param {number} model
 */
function rankCell(standing, completed, model) {
  const rank = standing.rank[model];
  const certain = standing.low[model] > 0;
  const [low, high] = certain ? [standing.low[model], standing.high[model]] : completed ? completed.slice(1) : [0, 0];
  const said = rankWords(rank, low, high, certain);
  return el(
    "td", { class: "rank", title: certain || !low ? null : `if it had all tasks: ${completed?.[0]}, between ${low} and ${high}` },
    el("span", { class: "place", "aria-hidden": "true" }, rank ? String(rank) : "?"),
    el("span", { class: "between", "aria-hidden": "true" }, low ? `${low}–${high}` : ""),
    low || rank ? strip(rank || (completed?.[0] ?? 0), low, high, standing.models, certain) : null,
    el("span", { class: "unseen" }, said),
  );
}

/**
 * @param {number} rank
 * @param {number} low
 * @param {number} high
 * @param {boolean} certain
 */
function rankWords(rank, low, high, certain) {
  const place = rank ? `rank ${rank}` : "no rank: too few tasks";
  if (!low) return place;
  return certain ? `${place}, between ${low} and ${high}` : `${place}; if it had all tasks, between ${low} and ${high}`;
}

/**
 * The interval of a rank as it fits below a name.
 * @param {Context} ctx
 * @param {number} model
 */
function phoneStrip({ standing }, model) {
  const certain = standing.low[model] > 0;
  return certain ? strip(standing.rank[model], standing.low[model], standing.high[model], standing.models, true) : null;
}

/**
 * @param {Context} ctx
 * @param {boolean} [phone]
 * @returns {Column}
 */
function nameColumn(ctx, phone = false) {
  const { models } = ctx.board;
  const cell = (/** @type {number} */ model) => {
    const label = models.label[model];
    const link = el("a", { href: `${ctx.base}m.html#${models.slug[model]}`, class: "name" }, name(shortName(label)));
    if (phone) {
      const zero = ctx.zero[model] === null ? "?" : `${ctx.zero[model]} %`;
      return el("th", { scope: "row", class: "name" }, link, el("span", { class: "below" }, phoneStrip(ctx, model), `${size(models.size[model])} · zero-shot ${zero}`));
    }
    const check = el("input", {
      type: "checkbox", class: "choose", checked: ctx.state.m.includes(label), "aria-label": `compare ${label}`,
      on: { change: () => ctx.choose(label) },
    });
    return el(
      "th", { scope: "row", class: "name", title: visible(label) },
      el(
        "div", { class: "who" }, check, link, el("span", { class: "owner" }, name(owner(label))),
        models.service?.[model] ? el("span", { class: "mark", title: "a service: what it runs can change" }, "service") : null,
        models.own[model] ? el("span", { class: "mark mine" }, "measured here") : null,
        models.mine?.[model] && !models.own[model]
          ? el("span", { class: "mark mine", title: "you measured this model on other tasks; these scores are published" }, "yours")
          : null,
      ),
    );
  };
  return { id: "name", head: "Model", title: "By name", sort: "name", kind: "name", cell };
}
