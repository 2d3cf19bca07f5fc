// Each type by itself: who leads, who cannot be told from the leader, and where the others lie.

import { el, name, svg } from "./dom.js";
import { leadersOf } from "./leaders.js";
import { shortName, typeWords } from "./modelwords.js";
import { counted, score } from "./numbers.js";

const FEWEST = 3;
const MOST = 8;
const STRIP = { width: 320, height: 30, margin: 6 };

/** @typedef {import("./modelwords.js").Context} Context */
/** @typedef {import("./leaders.js").Leaders} Leaders */
/** @typedef {{type: string, tasks: number[], leaders: Leaders}} Card */

/**
 * Draw the view.
 * @param {Context} ctx
 * @param {HTMLElement} root empty
 */
export function draw(ctx, root) {
  const { board, standing, shown } = ctx;
  const cards = standing.types.map(({ of, tasks }) => ({ type: of, tasks, leaders: leadersOf(board, standing, tasks) }));
  const section = el("section", { class: "types" });
  root.append(section);
  if (shown.length === 0 || cards.length === 0) return void section.append(ctx.empty());
  section.append(el("p", { class: "types-caption" }, caption(ctx, cards)),
    el("div", { class: "types-cards" }, cards.map((card) => drawn(ctx, card))));
}

/**
 * How many types can tell models apart, and who is in the first group of all of these.
 * @param {Context} ctx
 * @param {Card[]} cards
 * @returns {(Node | string)[]}
 */
function caption({ board }, cards) {
  const decided = cards.filter(({ leaders }) => leaders.enough);
  const few = `${decided.length} of ${counted(cards.length, "type")}`;
  if (decided.length === 0) return ["No type here has six tasks of as many families: ranks are shown, but nothing can be told apart."];
  const start = `${few} ${decided.length === 1 ? "has" : "have"} enough tasks to tell models apart`;
  const everywhere = decided[0].leaders.order.filter((model) => decided.every(({ leaders }) => leaders.group[model] === 0));
  if (decided.length === 1) return [`${start}: ${typeWords(decided[0].type)}.`];
  if (everywhere.length === 0) return [`${start}; `, el("b", {}, "no model is in the first group of all of them"), "."];
  const named = everywhere.slice(0, 3).flatMap((model, at) => [at > 0 ? ", " : "", el("b", {}, name(shortName(board.models.label[model])))]);
  const more = everywhere.length > 3 ? ` and ${everywhere.length - 3} more` : "";
  return [`${start}; `, ...named, `${more} ${everywhere.length === 1 ? "is" : "are"} in the first group of all of them.`];
}

/**
 * @param {Context} ctx
 * @param {Card} card
 */
function drawn(ctx, card) {
  const { type, tasks, leaders } = card;
  const rows = listed(ctx.shown, leaders);
  const only = el("button", { type: "button", class: "plain", on: { click: () => ctx.set({ type: [type], view: "table" }) } },
    "only ", typeWords(type));
  return el("article", { class: "types-card" },
    el("header", {}, el("h2", {}, typeWords(type)),
      el("span", { class: "types-count" }, `${counted(tasks.length, "task")}, ${counted(leaders.families, "family", "families")}`)),
    el("p", { class: "types-said" }, said(ctx, card)),
    strip(ctx, leaders),
    rows.length === 0 ? el("p", { class: "types-said" }, "None of the shown models has a rank here.") : table(ctx, card, rows), only);
}

/**
 * The shown models of the first group, at least a few and not too many.
 * @param {number[]} shown
 * @param {Leaders} leaders
 * @returns {number[]}
 */
export function listed(shown, { order, group }) {
  const passing = new Set(shown);
  const all = order.filter((model) => passing.has(model));
  const first = all.filter((model) => group[model] === 0).length;
  return all.slice(0, Math.min(Math.max(first, FEWEST), MOST));
}

/**
 * @param {Context} ctx
 * @param {Card} card
 * @returns {(Node | string)[]}
 */
function said({ board }, { tasks, leaders }) {
  const { order, group, enough } = leaders;
  if (order.length === 0) return ["No model has enough of these tasks for a rank."];
  if (!enough) return [tasks.length < 6 ? "Too few tasks to tell models apart." : "Too few families of tasks to tell models apart."];
  const first = order.filter((model) => group[model] === 0);
  if (first.length === 0) return ["No model has all of these tasks, so none can be told from another."];
  const leader = el("b", {}, name(shortName(board.models.label[first[0]])));
  if (first.length === 1) return [leader, " is told from the next."];
  return [`${counted(first.length - 1, "model")} cannot be told from `, leader, "."];
}

/**
 * @param {Context} ctx
 * @param {Card} card
 * @param {number[]} rows
 */
function table({ board, base }, { leaders, tasks }, rows) {
  const { rank, group, mean, enough } = leaders;
  const lines = rows.map((model, at) => {
    const next = rows[at + 1];
    const ends = enough && next !== undefined && group[model] >= 0 && group[next] >= 0 && group[next] !== group[model];
    const { slug, label } = board.models;
    return el("tr", { class: ends ? "types-end" : null },
      el("td", { class: "types-rank" }, `${rank[model]}${enough ? "" : "?"}`),
      el("th", { scope: "row" }, el("a", { href: `${base}m.html#${slug[model]}` }, name(shortName(label[model])))),
      el("td", { class: "types-mean" }, Number.isNaN(mean[model]) ? el("span", { title: "lacks some of these tasks" }, "–") : score(mean[model], 1)));
  });
  const inFirst = leaders.order.filter((model) => group[model] === 0).length;
  const more = inFirst > rows.filter((model) => group[model] === 0).length ? inFirst - rows.filter((model) => group[model] === 0).length : 0;
  return el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col", class: "types-rank" }, "Rank"), el("th", { scope: "col" }, "Model"),
      el("th", { scope: "col", class: "types-mean" }, tasks.length === 1 ? "Score" : "Mean"))),
    el("tbody", {}, lines),
    more > 0 ? el("tfoot", {}, el("tr", {}, el("td", { colspan: 3 }, `and ${more} more of the first group`))) : null);
}

/**
 * Where all shown models lie on the type, the first group marked.
 * @param {Context} ctx
 * @param {Leaders} leaders
 */
function strip({ shown }, { mean, group }) {
  const there = shown.filter((model) => !Number.isNaN(mean[model]));
  if (there.length < 2) return null;
  const values = there.map((model) => mean[model]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const { width, height, margin } = STRIP;
  /** @param {number} model */
  const dot = (model) => `M${(margin + ((mean[model] - low) / (high - low || 1)) * (width - 2 * margin)).toFixed(1)} 9h0`;
  const first = there.filter((model) => group[model] === 0);
  const others = there.filter((model) => group[model] !== 0);
  return svg("svg", { class: "types-strip", width: "100%", height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    svg("path", { class: "types-axis", d: `M${margin} 9H${width - margin}` }),
    svg("path", { class: "types-others", d: others.map(dot).join("") }), svg("path", { class: "types-first", d: first.map(dot).join("") }),
    svg("text", { x: margin, y: 27 }, score(low, 1)), svg("text", { x: width - margin, y: 27, "text-anchor": "end" }, score(high, 1)));
}
