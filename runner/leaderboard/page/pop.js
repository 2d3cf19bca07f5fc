// What opens beside a number: closed by Esc or a click elsewhere, it gives the focus back.

import { need } from "./data.js";
import { clear, el } from "./dom.js";
import { place } from "./menus.js";
import { content } from "./record.js";

/** @type {HTMLElement | null} */
let box = null;

/** @type {Element | null} */
let owner = null;

/**
 * Open.
 * @param {Element} anchor beside what
 * @param {string} label what it is, for who does not see it
 * @param {Node} inside
 */
export function pop(anchor, label, inside) {
  if (!box) {
    box = el("div", { class: "popover", popover: "auto", role: "dialog", tabindex: -1 });
    box.addEventListener("toggle", (event) => {
      if (/** @type {any} */ (event).newState === "closed" && owner instanceof HTMLElement && owner.isConnected) {
        owner.focus({ preventScroll: true });
      }
    });
    document.body.append(box);
  }
  if (box.matches(":popover-open")) box.hidePopover();
  owner = anchor;
  box.setAttribute("aria-label", label);
  clear(box).append(inside);
  box.showPopover();
  place(box, anchor);
  box.focus({ preventScroll: true });
}

/**
 * Open the record of a score of a board.
 * @param {any} ctx
 * @param {number} model
 * @param {number} task
 * @param {Element} anchor
 * @returns {Promise<void>}
 */
export async function openRecord(ctx, model, task, anchor) {
  const { board, base } = ctx;
  const key = `d/${board.slug}.src`;
  const label = `record of ${board.models.label[model]} on ${board.tasks.name[task]}`;
  try {
    const src = await need(key, `${base}${key}.js`);
    pop(anchor, label, content(ctx, model, task, src));
  } catch (error) {
    pop(anchor, label, el("p", { class: "problem" }, /** @type {Error} */ (error).message));
  }
}
