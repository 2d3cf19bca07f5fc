// What was left out: models of the results that a board does not show, with the reason.

import { need, put } from "./data.js";
import { clear, el, name } from "./dom.js";
import { visible } from "./escapes.js";
import { counted, whole } from "./numbers.js";
import { facts, head, link, section, table } from "./sheets.js";
import { themeButton } from "./theme.js";

/** @typedef {any} Left as left_out.py lays it out */

/** Begin. */
export function start() {
  /** @type {any} */ (globalThis).EM.put = put;
  document.addEventListener("DOMContentLoaded", async () => {
    themeButton();
    const root = /** @type {HTMLElement} */ (document.getElementById("view"));
    try {
      draw(await need("left-out", "left-out.js"), root);
    } catch (error) {
      clear(root).append(el("p", { class: "empty problem" }, /** @type {Error} */ (error).message));
    }
    document.documentElement.dataset.ready = "1";
  });
}

/**
 * @param {Left} left
 * @param {HTMLElement} root
 */
export function draw(left, root) {
  const out = left.models.length - left.shown;
  head("What was left out", [
    el("b", {}, `${counted(left.models.length, "model")} in the results: ${whole(left.shown)} on at least one benchmark, ${whole(out)} on none.`),
    el("span", {}, " Nothing is dropped in silence: this page names every model that a board does not show."),
  ]);
  const holder = el("div", {});
  const select = /** @type {HTMLSelectElement} */ (el("select", { class: "pill", "aria-label": "benchmark" }, left.boards.map((/** @type {any} */ board, /** @type {number} */ at) => el("option", { value: at }, board.name))));
  const refill = () => {
    const at = left.boards.findIndex((/** @type {any} */ board) => board.slug === location.hash.slice(1));
    if (at >= 0) select.value = String(at);
    clear(holder).append(ofBoard(left, left.boards[Number(select.value)]));
  };
  select.addEventListener("input", () => {
    history.replaceState(null, "", `#${left.boards[Number(select.value)].slug}`);
    refill();
  });
  window.addEventListener("hashchange", refill);
  clear(root).append(el(
    "div", { class: "sheet" },
    section("On no benchmark", reasons(left, left.nowhere)),
    left.boards.length ? section("Of one benchmark", el("p", { class: "sheet-bar" }, el("label", {}, "Benchmark ", select)), holder) : null,
    section("All benchmarks", boards(left)),
    others(left),
  ));
  if (left.boards.length) refill();
}

/**
 * @param {Left} left
 * @param {any} board
 */
function ofBoard(left, board) {
  const out = board.out.reduce((/** @type {number} */ sum, /** @type {any} */ [, models]) => sum + models.length, 0);
  return el(
    "div", {},
    el("p", {}, el("a", { href: `b/${board.slug}.html` }, name(board.name)), ` shows ${whole(board.shown)} and leaves out ${whole(out)}: together ${whole(board.shown + out)}, all models of the results.`),
    reasons(left, board.out),
  );
}

/**
 * @param {Left} left
 * @param {[number, number[]][]} found
 */
function reasons(left, found) {
  if (!found.length) return el("p", { class: "muted" }, "None.");
  return el("div", {}, found.map(([why, models]) => el(
    "details", { open: models.length <= 20 }, el("summary", {}, `${counted(models.length, "model")}: ${left.reasons[why]}`),
    el("ul", { class: "sheet-names" }, models.map((model) => el("li", {}, link("m", left.models[model][0], left.models[model][1])))),
  )));
}

/** @param {Left} left */
function boards(left) {
  const used = [...new Set(left.boards.flatMap((/** @type {any} */ board) => board.out.map((/** @type {any} */ [why]) => why)))].sort();
  const heads = [{ head: "Benchmark" }, { head: "Shown", kind: "number" }, ...used.map((why) => ({ head: left.reasons[why], kind: "number" }))];
  return table("shown and left out", heads, left.boards.length, (at) => {
    const board = left.boards[at];
    const counts = new Map(board.out.map((/** @type {[number, number[]]} */ [why, models]) => [why, models.length]));
    return el(
      "tr", {}, el("th", { scope: "row" }, el("a", { href: `#${board.slug}` }, name(board.name))), el("td", { class: "number" }, whole(board.shown)),
      used.map((why) => el("td", { class: "number" }, whole(/** @type {number} */ (counts.get(why) ?? 0)))),
    );
  });
}

/** @param {Left} left */
function others({ unscored, problems, failures }) {
  const listed = (/** @type {any[]} */ found) => (found.length ? el("ul", {}, found.map((one) => el("li", {}, visible(Array.isArray(one) ? one.join(": ") : one)))) : "none");
  return section("Besides models", facts([
    ["Benchmarks that nobody has a score of", listed(unscored)],
    ["Records that cannot be read", listed(problems)],
    ["Jobs that failed", listed(failures)],
  ]));
}
