// Menus that open below a button: they close by Esc, by a click elsewhere, and give the focus back.

import { clear, el } from "./dom.js";

/**
 * A button with a menu.
 * @param {{label: string, kind?: string, wide?: boolean}} what
 * @param {(root: HTMLElement) => void} fill puts the content in, each time the menu opens
 * @returns {{button: HTMLElement, menu: HTMLElement}}
 */
export function menuButton({ label, kind = "", wide = false }, fill) {
  const menu = el("div", { class: wide ? "menu wide" : "menu", popover: "auto", role: "dialog", "aria-label": label });
  const button = el("button", { type: "button", class: `pill ${kind}`, "aria-haspopup": "dialog", "aria-expanded": "false" }, label);
  button.addEventListener("click", () => (menu.matches(":popover-open") ? menu.hidePopover() : open(menu, button, fill)));
  menu.addEventListener("toggle", (event) => {
    const isOpen = /** @type {any} */ (event).newState === "open";
    button.setAttribute("aria-expanded", String(isOpen));
  });
  return { button, menu };
}

/**
 * @param {HTMLElement} menu
 * @param {HTMLElement} button
 * @param {(root: HTMLElement) => void} fill
 */
function open(menu, button, fill) {
  clear(menu);
  fill(menu);
  menu.showPopover();
  place(menu, button);
  const first = menu.querySelector("input,button,select,a");
  if (first instanceof HTMLElement) first.focus({ preventScroll: true });
}

/**
 * Put an open popover below what it belongs to, within the window.
 * @param {HTMLElement} menu
 * @param {Element} anchor
 */
export function place(menu, anchor) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.max(8, Math.min(at.left, window.innerWidth - width - 8));
  const below = at.bottom + 4;
  const top = below + height <= window.innerHeight - 8 ? below : Math.max(8, Math.min(at.top - height - 4, window.innerHeight - height - 8));
  menu.style.setProperty("left", `${left}px`);
  menu.style.setProperty("top", `${top}px`);
}

/**
 * A list of choices, with a search where it is long.
 * @param {HTMLElement} root
 * @param {object} what
 * @param {string} what.title
 * @param {{value: string, label: string, note?: string}[]} what.choices
 * @param {string[]} what.chosen
 * @param {(chosen: string[]) => void} what.change
 */
export function choiceList(root, { title, choices, chosen, change }) {
  const picked = new Set(chosen);
  const rows = choices.map((choice) => choiceRow(choice, picked, () => tell()));
  const tell = () => {
    change(choices.map((one) => one.value).filter((value) => picked.has(value)));
    for (const { box, value } of rows) box.checked = picked.has(value);
  };
  const reset = el("button", { type: "button", class: "plain", on: { click: () => { picked.clear(); tell(); } } }, "all");
  root.append(el("div", { class: "menu-head" }, el("b", {}, title), reset));
  if (choices.length > 12) root.append(searchBox(title, rows));
  root.append(el("ul", { class: "choices" }, rows.map((row) => row.node)));
}

/**
 * @param {{value: string, label: string, note?: string}} choice
 * @param {Set<string>} picked
 * @param {() => void} tell
 */
function choiceRow({ value, label, note }, picked, tell) {
  const box = /** @type {HTMLInputElement} */ (el("input", { type: "checkbox", checked: picked.has(value) }));
  box.addEventListener("change", () => {
    if (box.checked) picked.add(value);
    else picked.delete(value);
    tell();
  });
  const only = () => {
    picked.clear();
    picked.add(value);
    tell();
  };
  const node = el(
    "li", {}, el("label", {}, box, el("span", {}, label), note ? el("span", { class: "note" }, note) : null),
    el("button", { type: "button", class: "plain only", "aria-label": `only ${label}`, on: { click: only } }, "only"),
  );
  return { node, box, value, text: label.toLowerCase() };
}

/**
 * @param {string} title
 * @param {{node: HTMLElement, text: string}[]} rows
 */
function searchBox(title, rows) {
  const input = /** @type {HTMLInputElement} */ (el("input", { type: "search", class: "search", placeholder: "Search", "aria-label": `search ${title}` }));
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const row of rows) row.node.hidden = !row.text.includes(wanted);
  });
  return input;
}
