// The view of tasks: a heat map of models by tasks. Only the cells in sight are in the page, rows and columns alike: 457
// models by 131 tasks would be 60,000 nodes.

import { clear, el, name } from "./dom.js";
import { columnPlaces, heat } from "./heat.js";
import { shortName, typeWords } from "./modelwords.js";
import { counted, score } from "./numbers.js";
import { partsOf } from "./subsets.js";
import { isPinned } from "./table.js";

/**
 * What the view takes of the context.
 * @typedef {{
 *   board: {slug: string, models: {slug: string[], label: string[], own: number[]}, tasks: {name: string[], type: string[]}, types: string[],
 *     scores: (number | null)[][], trained: number[][], findings?: {at: number[][]},
 *     states: Record<string, number[][]>, marks?: Record<string, number[][]>},
 *   state: {sort: string, exclude: string[], lang: string[]},
 *   standing: {tasks: number[], scores: ArrayLike<number | null>[], rank: ArrayLike<number>, leaders: number[],
 *     enough: boolean},
 *   files: import("./subsets.js").LanguageFiles, shown: number[], base: string, printed: boolean, empty: () => Node,
 *   set: (patch: {sort?: string, exclude?: string[]}) => void,
 *   record: (model: number, task: number, anchor: HTMLElement) => void,
 * }} Context
 *
 * @typedef {{task: number, scores: ArrayLike<number | null>, heat: Uint8Array | null, trained: Set<number> | null}} Column
 * @typedef {{rank: number, name: number, column: number, row: number, head: number}} Sizes in pixels
 * @typedef {{row: number, column: number}} At a cell; row -1 is the heads, -2 the marks above them; column -1 the names
 *
 * @typedef {object} HeatMap
 * @property {Context} ctx
 * @property {number[]} rows models, in the order in which they stand
 * @property {number} pinned how many of the first rows are pinned ones, which stand in their place below as well
 * @property {Column[]} columns tasks, by type
 * @property {Sizes} sizes
 * @property {Record<string, Set<number>[]>} marks of each column's task the models that have one, by its kind
 * @property {Set<number>} leaders models that begin a group
 * @property {At} active the cell that has, or had, the focus
 * @property {[number, number, number, number]} drawn first and last row, first and last column; the last ones not counted
 * @property {Map<number, HTMLElement>} lines rows that are in the page
 * @property {HTMLElement} scroll
 * @property {HTMLElement} table
 * @property {HTMLElement} widths
 * @property {HTMLElement} head
 * @property {HTMLElement} above
 * @property {HTMLElement} below
 */

const HEAD_ROWS = 2;
const LEAD_COLUMNS = 2;
const OF_TASK = "-task:";
const ON_PAPER = 15;
const MOST_NAMED = 3;
const PHONE_WIDTH = 600;

/** The head of the page, the sentence and the filters are at least so high. */
const LEAST_ABOVE = 180;

/** Where the reader was, so that a view that is drawn anew after a click stands as before. */
const kept = { slug: "", left: 0, top: 0, focus: false, active: { row: 0, column: 0 } };

/**
 * Draw the heat map.
 * @param {Context} ctx
 * @param {HTMLElement} root an empty element
 * @returns {void}
 */
export function draw(ctx, root) {
  clear(root);
  const columns = columnsOf(ctx);
  if (ctx.shown.length === 0 || columns.length === 0) {
    root.append(el("div", { class: "tasks-empty" }, ctx.empty()));
    return;
  }
  if (kept.slug !== ctx.board.slug) Object.assign(kept, { slug: ctx.board.slug, left: 0, top: 0, focus: false });
  const map = build(ctx, columns);
  root.append(legend(ctx, columns), map.scroll);
  if (!ctx.printed && (kept.left > 0 || kept.top > 0)) {
    map.scroll.scrollLeft = kept.left;
    map.scroll.scrollTop = kept.top;
  }
  render(map);
  if (kept.focus) focusAt(map, kept.active);
  kept.focus = false;
  listen(map);
}

/**
 * Tasks in the order of their columns: types as the board has them, and within a type the benchmark's order.
 * @param {Context} ctx
 * @returns {Column[]}
 */
function columnsOf({ board, standing }) {
  const byType = new Map(board.types.map((type) => [type, /** @type {Column[]} */ ([])]));
  standing.tasks.forEach((task, at) => {
    byType.get(board.tasks.type[task])?.push({ task, scores: standing.scores[at], heat: null, trained: null });
  });
  return [...byType.values()].flat();
}

/**
 * Models in the order of the rows: the pinned ones, and then all in the order of the table.
 * @param {Context} ctx
 * @returns {{rows: number[], pinned: number}}
 */
function rowsOf(ctx) {
  const first = ctx.shown.filter((model) => isPinned(ctx, model));
  const pinned = first.length < ctx.shown.length ? first.length : 0;
  return { rows: pinned > 0 ? [...first, ...ctx.shown] : ctx.shown, pinned };
}

/**
 * @param {Context} ctx
 * @param {Column[]} columns
 * @returns {HeatMap}
 */
function build(ctx, columns) {
  const { rows, pinned } = rowsOf(ctx);
  const sizes = sizesNow();
  const widths = el("colgroup", {});
  const head = el("thead", {});
  const above = el("tr", { class: "tasks-space", "aria-hidden": "true" }, el("td", {}));
  const below = el("tr", { class: "tasks-space", "aria-hidden": "true" }, el("td", {}));
  const table = el(
    "table",
    {
      class: "tasks-table",
      role: "grid",
      "aria-label": "Scores of models on tasks",
      "aria-rowcount": rows.length + HEAD_ROWS,
      "aria-colcount": columns.length + LEAD_COLUMNS,
    },
    widths,
    head,
    el("tbody", {}, above, below),
  );
  const label = "Heat map of models by tasks";
  const scroll = el("div", { class: "tasks-scroll", role: "region", "aria-label": label, tabindex: -1 }, table);
  const lead = sizes.rank + sizes.name;
  pixels(table, "width", lead + (ctx.printed ? Math.min(columns.length, ON_PAPER) : columns.length) * sizes.column);
  pixels(scroll, "--tasks-row", sizes.row);
  pixels(scroll, "--tasks-rank", sizes.rank);
  pixels(scroll, "--tasks-lead", lead);
  pixels(scroll, "--tasks-column", sizes.column);
  const active = clamped(kept.active, rows.length, columns.length);
  const marks = marksOf(ctx, columns);
  const leaders = new Set(ctx.state.sort === "rank" ? ctx.standing.leaders.slice(1) : []);
  const lines = new Map();
  const drawn = /** @type {HeatMap["drawn"]} */ ([0, 0, 0, 0]);
  return { ctx, rows, pinned, columns, sizes, marks, leaders, active, drawn, lines, scroll, table, widths, head, above, below };
}

/**
 * Sizes are known before anything is drawn: to measure the page would lay it out twice.
 * @returns {Sizes}
 */
function sizesNow() {
  const head = 180;
  if (matchMedia(`(max-width: ${PHONE_WIDTH}px)`).matches) return { rank: 36, name: 132, column: 46, row: 40, head };
  const touched = matchMedia("(pointer: coarse)").matches;
  return { rank: 60, name: innerWidth >= 1900 ? 320 : 240, column: touched ? 46 : 42, row: touched ? 40 : 26, head };
}

/**
 * @param {HTMLElement} node
 * @param {string} property
 * @param {number} value
 */
function pixels(node, property, value) {
  node.style.setProperty(property, `${value}px`);
}

/**
 * @param {Context["board"]} board
 * @returns {Record<string, number[][]>} of each kind of mark the cells that have it: task, model
 */
function markedCells({ findings, states, marks }) {
  return { finding: findings?.at ?? [], own: states.own, signed: states.signed, otherData: marks?.revisions ?? [] };
}

/**
 * @param {Context} ctx
 * @param {Column[]} columns
 * @returns {Record<string, Set<number>[]>}
 */
function marksOf({ board }, columns) {
  const at = new Map(columns.map(({ task }, column) => [task, column]));
  /** @type {Record<string, Set<number>[]>} */
  const marks = {};
  for (const [kind, cells] of Object.entries(markedCells(board))) {
    marks[kind] = [];
    for (const [task, model] of cells) {
      const column = at.get(task);
      if (column !== undefined) (marks[kind][column] ??= new Set()).add(model);
    }
  }
  return marks;
}

/**
 * @param {Context} ctx
 * @param {Column[]} columns
 */
function legend({ board, state }, columns) {
  const tasks = new Set(columns.map(({ task }) => task));
  const cells = markedCells(board);
  const any = (/** @type {string} */ kind) => cells[kind].some(([task]) => tasks.has(task));
  /** @type {[boolean, string, string][]} */
  const keys = [
    [columns.some(({ task }) => board.trained[task].length > 0), "tasks-trained", "trained on this task"],
    [true, "tasks-none", "not run"],
    [any("finding"), "tasks-finding", "has a finding: open it"],
    [any("own"), "tasks-own", "measured here"],
    [any("signed"), "tasks-own tasks-signed", "measured here and signed"],
    [state.exclude.length > 0, "tasks-excluded", "excluded"],
    [any("otherData"), "tasks-other", "two or more revisions of its data: press to exclude the others"],
  ];
  const steps = [6, 4, 2, 0].map((step) => el("span", { class: `tasks-key tasks-heat-${step}` }));
  return el(
    "p",
    { class: "tasks-legend" },
    el("span", {}, ...steps, "place on the task: best, next few, … last"),
    ...keys.filter(([there]) => there).map(([, look, words]) => el("span", {}, keySample(look), words)),
  );
}

/** @param {string} look */
function keySample(look) {
  const text = /other/.test(look) ? "2+" : /finding|excluded/.test(look) ? "7.5" : "";
  return el("span", { class: `tasks-key ${look}`, "aria-hidden": "true" }, text);
}

/**
 * Bring the page up to what is in sight.
 * @param {HeatMap} map
 * @returns {void}
 */
function render(map) {
  const [top, bottom, left, right] = inSight(map);
  const [oldTop, oldBottom, oldLeft, oldRight] = map.drawn;
  if (top === oldTop && bottom === oldBottom && left === oldLeft && right === oldRight) return;
  const focused = map.scroll.contains(document.activeElement) && document.activeElement !== map.scroll;
  map.drawn = [top, bottom, left, right];
  if (left !== oldLeft || right !== oldRight) {
    drawHead(map);
    map.lines.forEach((line) => line.remove());
    map.lines.clear();
  }
  drawRows(map);
  pixels(map.above, "height", top * map.sizes.row);
  pixels(map.below, "height", (map.rows.length - bottom) * map.sizes.row);
  const node = nodeAt(map, map.active);
  node?.setAttribute("tabindex", "0");
  map.scroll.setAttribute("tabindex", node ? "-1" : "0");
  if (focused && !map.scroll.contains(document.activeElement)) (node ?? map.scroll).focus({ preventScroll: true });
}

/**
 * Which rows and columns are in sight, in steps of four, so that not every pixel of scrolling draws. On paper it is all
 * rows, and the columns that were in sight, as far as a sheet is wide.
 * @param {HeatMap} map
 * @returns {[number, number, number, number]}
 */
function inSight({ ctx, rows, columns, sizes, scroll }) {
  if (ctx.printed) {
    const first = Math.min(Math.floor(kept.left / sizes.column), Math.max(0, columns.length - ON_PAPER));
    return [0, rows.length, first, Math.min(columns.length, first + ON_PAPER)];
  }
  const span = (/** @type {number} */ from, /** @type {number} */ seen, /** @type {number} */ size, /** @type {number} */ n) => {
    const first = Math.max(0, Math.floor(from / size / 4) * 4 - 4);
    return [Math.min(first, Math.max(0, n - 1)), Math.min(n, Math.ceil((from + seen) / size / 4) * 4 + (from > 0 ? 4 : 0))];
  };
  const above = innerWidth > PHONE_WIDTH ? LEAST_ABOVE : 0;
  const height = Math.max(innerHeight - sizes.head - above, 10 * sizes.row);
  const width = Math.max(innerWidth - sizes.rank - sizes.name, sizes.column);
  const [top, bottom] = span(scroll.scrollTop, height, sizes.row, rows.length);
  const [left, right] = span(scroll.scrollLeft, width, sizes.column, columns.length);
  return [top, bottom, left, right];
}

/**
 * Heads: a row of types, and a row of names.
 * @param {HeatMap} map
 */
function drawHead(map) {
  const { ctx, columns, sizes } = map;
  const [, , left, right] = map.drawn;
  const width = (/** @type {number} */ value) => {
    const column = el("col", {});
    pixels(column, "width", value);
    return column;
  };
  const before = ctx.printed ? 0 : left * sizes.column;
  const after = ctx.printed ? 0 : (columns.length - right) * sizes.column;
  const seen = columns.slice(left, right);
  map.widths.replaceChildren(
    ...[sizes.rank, sizes.name, before, ...seen.map(() => sizes.column), after].map((value) => width(value)),
  );
  const types = el("tr", { "aria-rowindex": 1 }, el("td", { class: "tasks-lead tasks-corner", colspan: 2 }), space());
  for (let from = 0; from < seen.length; ) {
    const type = ctx.board.tasks.type[seen[from].task];
    let to = from + 1;
    while (to < seen.length && ctx.board.tasks.type[seen[to].task] === type) to++;
    const at = { scope: "colgroup", colspan: to - from, "aria-colindex": left + from + 1 + LEAD_COLUMNS, title: type };
    types.append(el("th", { class: "tasks-type", ...at }, el("span", {}, typeWords(type))));
    from = to;
  }
  types.append(space());
  const names = el("tr", { "aria-rowindex": 2, class: "tasks-names" }, rankHead(map), modelHead(), space());
  seen.forEach((_, at) => names.append(taskHead(map, left + at)));
  names.append(space());
  map.head.replaceChildren(types, names);
}

/** Takes the place of columns out of sight. */
function space() {
  return el("td", { class: "tasks-space", "aria-hidden": "true" });
}

/** @param {HeatMap} map */
function rankHead(map) {
  const { state } = map.ctx;
  const sorted = state.sort === "rank";
  const attributes = { scope: "col", class: "tasks-lead tasks-rank", "aria-colindex": 1, "aria-sort": sorted ? "ascending" : null };
  const click = () => sortBy(map, "rank", { row: -1, column: -1 });
  const label = "Sort by rank";
  return el("th", attributes, el("button", { type: "button", tabindex: -1, "aria-label": label, title: label, on: { click } }, "#"));
}

function modelHead() {
  return el("th", { scope: "col", class: "tasks-lead tasks-name", "aria-colindex": 2 }, "Model");
}

/**
 * @param {HeatMap} map
 * @param {number} column
 */
function taskHead(map, column) {
  const { board, state } = map.ctx;
  const { task } = map.columns[column];
  const full = board.tasks.name[task];
  const sorted = state.sort === OF_TASK + full;
  const click = () => sortBy(map, sorted ? "rank" : OF_TASK + full, { row: -1, column });
  const button = el(
    "button",
    { type: "button", tabindex: -1, title: sorted ? `${full}: sort by rank again` : `${full}: best first`, on: { click } },
    el("span", { class: "tasks-vertical" }, name(shortTask(full, board.tasks.type[task]))),
    el("span", { class: "tasks-arrow", "aria-hidden": "true" }, sorted ? "↓" : ""),
  );
  return el(
    "th",
    {
      scope: "col",
      class: firstOfType(map, column) ? "tasks-first" : null,
      "aria-colindex": column + 1 + LEAD_COLUMNS,
      "aria-sort": sorted ? "descending" : null,
    },
    map.marks.otherData[column] ? revisionsMark(map, column, full) : null,
    button,
  );
}

/**
 * The mark of a column that has scores of several dataset revisions, which leaves out those of other revisions.
 * @param {HeatMap} map
 * @param {number} column
 * @param {string} task
 */
function revisionsMark(map, column, task) {
  const { state, set } = map.ctx;
  const pressed = state.exclude.includes("revisions");
  const n = map.marks.otherData[column].size;
  const words = `2+ revisions of the data of ${task}: exclude ${counted(n, "score")} on others than most`;
  const click = () => {
    remember(map, { row: -2, column });
    set({ exclude: pressed ? state.exclude.filter((one) => one !== "revisions") : [...state.exclude, "revisions"] });
  };
  const attributes = { type: "button", class: "tasks-revisions", tabindex: -1, "aria-pressed": String(pressed) };
  return el("button", { ...attributes, "aria-label": words, title: words, on: { click } }, "2+");
}

/**
 * @param {HeatMap} map
 * @param {number} column
 */
function firstOfType({ ctx, columns }, column) {
  const type = (/** @type {number} */ at) => ctx.board.tasks.type[columns[at].task];
  return column > 0 && type(column) !== type(column - 1);
}

/**
 * Take rows out of sight from the page, and add those that came into sight. Rows that stay are not moved: they may hold
 * the focus.
 * @param {HeatMap} map
 */
function drawRows(map) {
  const [top, bottom] = map.drawn;
  for (const [at, line] of map.lines) {
    if (at >= top && at < bottom) continue;
    line.remove();
    map.lines.delete(at);
  }
  let last = map.above;
  for (let at = top; at < bottom; at++) {
    let line = map.lines.get(at);
    if (!line) {
      line = drawRow(map, at);
      map.lines.set(at, line);
      last.after(line);
    }
    last = line;
  }
}

/**
 * @param {HeatMap} map
 * @param {number} at
 */
function drawRow(map, at) {
  const { ctx, rows } = map;
  const [, , left, right] = map.drawn;
  const model = rows[at];
  const rank = ctx.standing.rank[model];
  const ruled = at > 0 && (at === map.pinned || (at > map.pinned && map.leaders.has(model)));
  const place = rank === 0 ? "–" : ctx.standing.enough ? String(rank) : `${rank}?`;
  const line = el(
    "tr",
    { "aria-rowindex": at + 1 + HEAD_ROWS, class: ruled ? "tasks-leader" : null },
    el("td", { class: "tasks-lead tasks-rank", "aria-colindex": 1 }, place),
    modelName(ctx, model),
    space(),
  );
  for (let column = left; column < right; column++) line.append(cell(map, model, column));
  line.append(space());
  return line;
}

/**
 * @param {Context} ctx
 * @param {number} model
 */
function modelName({ board, base }, model) {
  const label = board.models.label[model];
  const href = `${base}m.html#${board.models.slug[model]}`;
  const link = el("a", { href, tabindex: -1, title: label }, el("b", {}, name(shortName(label))));
  const maker = label.indexOf("/");
  if (maker > 0) link.append(" ", el("span", { class: "tasks-maker" }, name(label.slice(0, maker))));
  return el("th", { scope: "row", class: "tasks-lead tasks-name", "aria-colindex": 2 }, link);
}

/**
 * @param {HeatMap} map
 * @param {number} model
 * @param {number} at the column
 */
function cell(map, model, at) {
  const { board, state } = map.ctx;
  const column = map.columns[at];
  const here = column.scores[model];
  // What a filter of languages takes away was never run in these languages; only an exclusion is struck.
  const struck = here === null && state.exclude.length > 0 && state.lang.length === 0 ? board.scores[column.task][model] : null;
  const value = here ?? struck;
  let look = firstOfType(map, at) ? "tasks-first " : "";
  const parts = value === null && state.lang.length > 0 ? partsOf(board, map.ctx.files, state.lang, column.task, model) : null;
  const said = [];
  if (parts?.have) {
    look += "tasks-none tasks-part";
    said.push(`${parts.have} of ${parts.of} subsets; without ${parts.missing.slice(0, MOST_NAMED).join(", ")}${parts.missing.length > MOST_NAMED ? " and others" : ""}`);
  } else if (value === null) {
    look += "tasks-none";
    said.push("not run");
  } else {
    column.heat ??= heatOf(column.scores);
    column.trained ??= new Set(board.trained[column.task]);
    look += `tasks-heat-${column.heat[model]}`;
    if (struck !== null) (look += " tasks-excluded"), said.push("excluded");
    if (column.trained.has(model)) (look += " tasks-trained"), said.push("trained on this task");
    if (map.marks.finding[at]?.has(model)) (look += " tasks-finding"), said.push("has a finding");
    if (map.marks.own[at]?.has(model)) (look += " tasks-own"), said.push("measured here");
    if (map.marks.signed[at]?.has(model)) (look += " tasks-signed"), said.push("signed");
  }
  const text = parts?.have ? `${parts.have}/${parts.of}` : value === null ? "" : score(value, 1);
  const label = said.length > 0 ? (value !== null ? `${text}, ` : "") + said.join(", ") : null;
  const attributes = { class: look, tabindex: -1, "aria-colindex": at + 1 + LEAD_COLUMNS, "aria-label": label };
  return el("td", attributes, text);
}

/** @param {ArrayLike<number | null>} scores */
function heatOf(scores) {
  const { place, n } = columnPlaces(scores);
  return Uint8Array.from(place, (one) => heat(one, n));
}

/**
 * A task's name without the word of its type, which stands above it.
 * @param {string} task
 * @param {string} type
 */
function shortTask(task, type) {
  const words = type === "MultilabelClassification" ? ["Multilabel", "Classification"] : [type];
  const word = words.find((one) => task.indexOf(one) > 0);
  return word ? task.replace(word, "") : task;
}

/** @param {HeatMap} map */
function listen(map) {
  const { scroll, table } = map;
  let waiting = false;
  scroll.addEventListener("scroll", () => {
    kept.left = scroll.scrollLeft;
    kept.top = scroll.scrollTop;
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      render(map);
    });
  });
  new ResizeObserver(() => render(map)).observe(scroll);
  scroll.addEventListener("keydown", (event) => onKey(map, event));
  table.addEventListener("click", (event) => openCell(map, event.target));
  table.addEventListener("focusin", (event) => {
    const at = whereIs(event.target);
    if (at) activate(map, at);
  });
  table.addEventListener("pointerover", (event) => markColumn(map, whereIs(event.target)));
  table.addEventListener("pointerleave", () => markColumn(map, null));
}

/**
 * Which cell a node is, or is in.
 * @param {EventTarget | null} target
 * @returns {At | null}
 */
function whereIs(target) {
  if (!(target instanceof Element)) return null;
  const box = target.closest("td, th");
  const line = box?.closest("tr");
  if (!box || !line || !box.hasAttribute("aria-colindex")) return null;
  const column = Number(box.getAttribute("aria-colindex")) - 1 - LEAD_COLUMNS;
  const row = Number(line.getAttribute("aria-rowindex")) - 1 - HEAD_ROWS;
  if (row < -1) return null;
  const above = row === -1 && target.closest(".tasks-revisions");
  return { row: above ? -2 : row, column: Math.max(column, -1) };
}

/**
 * The node of a cell that takes the focus.
 * @param {HeatMap} map
 * @param {At} at
 * @returns {HTMLElement | null} null where it is out of sight
 */
function nodeAt({ head, lines, drawn }, { row, column }) {
  const line = row < 0 ? head.lastElementChild : lines.get(row);
  if (!line || (column >= 0 && (column < drawn[2] || column >= drawn[3]))) return null;
  // The rank, the name and the space stand before the first column in sight.
  const box = line.children[column < 0 ? (row < 0 ? 0 : 1) : column - drawn[2] + 3];
  if (row === -2) return box.querySelector(".tasks-revisions");
  if (row === -1) return box.querySelector("button:not(.tasks-revisions)");
  return column < 0 ? box.querySelector("a") : /** @type {HTMLElement} */ (box);
}

/**
 * Make a cell the one that Tab leads to.
 * @param {HeatMap} map
 * @param {At} at
 */
function activate(map, at) {
  nodeAt(map, map.active)?.setAttribute("tabindex", "-1");
  map.active = at;
  kept.active = at;
  nodeAt(map, at)?.setAttribute("tabindex", "0");
  map.scroll.setAttribute("tabindex", "-1");
}

/**
 * Bring a cell into sight and give it the focus.
 * @param {HeatMap} map
 * @param {At} at
 */
function focusAt(map, at) {
  const { scroll, sizes, head } = map;
  if (at.row >= 0) {
    const top = at.row * sizes.row;
    const height = scroll.clientHeight - head.offsetHeight;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    else if (top + sizes.row > scroll.scrollTop + height) scroll.scrollTop = top + sizes.row - height;
  }
  if (at.column >= 0) {
    const left = at.column * sizes.column;
    const width = scroll.clientWidth - sizes.rank - sizes.name;
    if (left < scroll.scrollLeft) scroll.scrollLeft = left;
    else if (left + sizes.column > scroll.scrollLeft + width) scroll.scrollLeft = left + sizes.column - width;
  }
  render(map);
  activate(map, at);
  nodeAt(map, at)?.focus({ preventScroll: true });
}

/**
 * @param {At} at
 * @param {number} rows
 * @param {number} columns
 * @returns {At}
 */
function clamped({ row, column }, rows, columns) {
  return { row: Math.min(Math.max(row, -2), rows - 1), column: Math.min(Math.max(column, -1), columns - 1) };
}

/**
 * @param {HeatMap} map
 * @param {KeyboardEvent} event
 */
function onKey(map, event) {
  if (event.altKey || event.metaKey) return;
  const at = map.active;
  if ((event.key === "Enter" || event.key === " ") && at.row >= 0 && at.column >= 0) {
    openCell(map, nodeAt(map, at));
  } else {
    const to = target(map, event.key, event.ctrlKey);
    if (!to) return;
    focusAt(map, clamped(to, map.rows.length, map.columns.length));
  }
  event.preventDefault();
  event.stopPropagation();
}

/**
 * Where a key leads from the active cell.
 * @param {HeatMap} map
 * @param {string} key
 * @param {boolean} far whether the control key is held
 * @returns {At | null} null where the key is none of the grid's
 */
function target(map, key, far) {
  const { row, column } = map.active;
  const page = Math.max(1, Math.floor((map.scroll.clientHeight - map.head.offsetHeight) / map.sizes.row) - 1);
  const ends = { row: map.rows.length - 1, column: map.columns.length - 1 };
  if (key === "ArrowUp" && row === -1) return nodeAt(map, { row: -2, column }) ? { row: -2, column } : { row: -1, column };
  if (row === -2 && (key === "ArrowLeft" || key === "ArrowRight")) return { row: -1, column: column + (key === "ArrowLeft" ? -1 : 1) };
  switch (key) {
    case "ArrowUp":
      return { row: Math.max(row - 1, -2), column };
    case "ArrowDown":
      return { row: row + 1, column };
    case "ArrowLeft":
      return { row, column: column - 1 };
    case "ArrowRight":
      return { row, column: column + 1 };
    case "PageUp":
      return { row: Math.max(row - page, 0), column };
    case "PageDown":
      return { row: row + page, column };
    case "Home":
      return { row: far ? 0 : row, column: -1 };
    case "End":
      return { row: far ? ends.row : row, column: ends.column };
    default:
      return null;
  }
}

/**
 * @param {HeatMap} map
 * @param {EventTarget | null} node
 */
function openCell(map, node) {
  const at = whereIs(node);
  if (!at || at.row < 0 || at.column < 0 || !(node instanceof HTMLElement)) return;
  const box = /** @type {HTMLElement} */ (node.closest("td"));
  if (!box.classList.contains("tasks-none")) map.ctx.record(map.rows[at.row], map.columns[at.column].task, box);
}

/**
 * @param {HeatMap} map
 * @param {At | null} at
 */
function markColumn(map, at) {
  map.head.querySelector(".tasks-over")?.classList.remove("tasks-over");
  if (at && at.column >= 0) nodeAt(map, { row: -1, column: at.column })?.parentElement?.classList.add("tasks-over");
}

/**
 * @param {HeatMap} map
 * @param {string} sort
 * @param {At} at the head that was clicked
 */
function sortBy(map, sort, at) {
  remember(map, at);
  kept.top = 0;
  map.ctx.set({ sort });
}

/**
 * Keep the focus over the redraw that follows.
 * @param {HeatMap} map
 * @param {At} at
 */
function remember(map, at) {
  kept.active = at;
  kept.focus = true;
  kept.left = map.scroll.scrollLeft;
  kept.top = map.scroll.scrollTop;
}
