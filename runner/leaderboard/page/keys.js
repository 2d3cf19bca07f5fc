// Keys. Single letters can be turned off, since some speak to their computers.

import { VIEWS } from "./address.js";
import { turn } from "./boards.js";
import { clear, el } from "./dom.js";
import { remember, remembered } from "./storage.js";
import { turnTheme } from "./theme.js";

/** @typedef {any} Context */

const STORED = "embedmark-keys";
const LIST = [
  ["/", "find a model"], ["j k ↓ ↑", "next and previous row"], ["Enter", "open what is in focus"], ["p", "pin the row"],
  ["x", "choose the row to compare"], ["c", "compare what is chosen"], ["1 … 9", "views"], ["[ ]", "previous and next benchmark"],
  ["t", "light or dark"], ["y", "copy the address"], ["?", "this list"], ["Esc", "close"],
];

/**
 * Listen to keys.
 * @param {() => Context} current
 */
export function listen(current) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector(":popover-open")) return;
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("input,select,textarea,[contenteditable]") && !target.matches("input[type=checkbox]")) return;
    if (/^[a-z/?[\]0-9]$/.test(event.key) && remembered(STORED) === "off") return;
    if (pressed(event.key, current())) event.preventDefault();
  });
}

/**
 * @param {string} key
 * @param {Context} ctx
 * @returns {boolean} whether it did anything
 */
function pressed(key, ctx) {
  if (key === "/") return focus(document.querySelector(".find input"));
  if (key === "j" || key === "ArrowDown") return move(1, key === "j");
  if (key === "k" || key === "ArrowUp") return move(-1, key === "k");
  const row = focusedRow();
  if (key === "p" && row !== null) return done(ctx.pin(ctx.board.models.label[row]));
  if (key === "x" && row !== null) return done(ctx.choose(ctx.board.models.label[row]));
  if (key === "c") return done(ctx.set({ view: "compare" }));
  if (/^[1-9]$/.test(key)) return done(ctx.set({ view: VIEWS[Number(key) - 1] }));
  if (key === "[" || key === "]") return done(turn(ctx.board.slug, ctx.base, key === "[" ? -1 : 1));
  if (key === "t") return done(turnTheme());
  if (key === "y") return done(ctx.copyAddress());
  if (key === "?") return done(help());
  return false;
}

/** @param {any} _ */
function done(_) {
  return true;
}

/** @param {Element | null} node */
function focus(node) {
  if (!(node instanceof HTMLElement)) return false;
  node.focus();
  return true;
}

/** @returns {number | null} */
function focusedRow() {
  const row = document.activeElement?.closest("tr[data-model]");
  return row instanceof HTMLElement ? Number(row.dataset.model) : null;
}

/**
 * @param {number} step
 * @param {boolean} begins whether it goes to the first row where none is in focus
 */
function move(step, begins) {
  const row = document.activeElement?.closest("tr[data-model]");
  if (!row) return begins ? focus(document.querySelector("tr[data-model]")) : false;
  let next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
  while (next && !next.matches("[data-model]")) next = step > 0 ? next.nextElementSibling : next.previousElementSibling;
  if (!next) return false;
  next.scrollIntoView({ block: "nearest" });
  return focus(next);
}

/** List the keys. */
function help() {
  const box = el("div", { class: "popover keys", popover: "auto", role: "dialog", tabindex: -1, "aria-label": "Keys" });
  const off = /** @type {HTMLInputElement} */ (el("input", { type: "checkbox", checked: remembered(STORED) !== "off" }));
  off.addEventListener("change", () => remember(STORED, off.checked ? "on" : "off"));
  clear(box).append(
    el("h2", {}, "Keys"),
    el("dl", { class: "facts" }, LIST.map(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)])),
    el("label", { class: "flag" }, off, "single letters and digits are keys"),
  );
  box.addEventListener("toggle", (event) => {
    if (/** @type {any} */ (event).newState === "closed") box.remove();
  });
  document.body.append(box);
  box.showPopover();
  box.focus();
}
