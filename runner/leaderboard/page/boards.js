// The list of benchmarks: behind the button in the head, where it is searched and chosen from, and on the front page.

import { initial, parse, write } from "./address.js";
import { need } from "./data.js";
import { clear, el, name } from "./dom.js";
import { place } from "./menus.js";
import { counted } from "./numbers.js";

/**
 * A benchmark in boards.js.
 * @typedef {object} Entry
 * @property {string} slug
 * @property {string} name
 * @property {string} group
 * @property {number} tasks
 * @property {number} models
 * @property {number} languages
 * @property {number} own how many models were measured here
 * @property {string | null} [title]
 * @property {string | null} [description]
 * @property {string | null} [superseded] the name of the one that took its place
 *
 * @typedef {{base: string, here: string}} Where from this page to the root of the site, and the slug of what it shows
 */

/** @type {[string, string][]} */
const GROUPS = [
  ["mine", "My own"], ["general", "General"], ["language", "One language"], ["region", "Languages of a region"], ["domain", "One domain"],
  ["image", "Images"],
];

/** What is filtered of models holds on another benchmark, too; what is filtered of tasks does not. */
const OF_TASKS = /** @type {const} */ (["type", "task", "drop", "lang", "domain", "modality", "exclude", "sort", "unknown"]);

const LIST = "boards-list";

/**
 * Put the button that opens the list of benchmarks in the head.
 * @param {{slug: string, name: string}} board what is shown
 * @param {string} base from this page to the root of the site
 * @param {HTMLElement} root its place; what is in it goes
 * @returns {void}
 */
export function button(board, base, root) {
  const where = { base, here: board.slug };
  const pill = el(
    "button",
    { type: "button", class: "pill board", "aria-haspopup": "dialog", "aria-expanded": "false", title: "Choose a benchmark ( [ and ] for the ones before and after )" },
    name(board.name),
    el("span", { class: "boards-arrow", "aria-hidden": "true" }, "▾"),
  );
  const menu = el("div", { class: "menu boards", popover: "auto", role: "dialog", "aria-label": "Benchmarks" });
  menu.addEventListener("toggle", (event) => {
    pill.setAttribute("aria-expanded", String(/** @type {ToggleEvent} */ (event).newState === "open"));
  });
  pill.addEventListener("click", () => {
    if (menu.matches(":popover-open")) return menu.hidePopover();
    entries(base).then(
      (all) => open(menu, pill, all, where),
      (error) => show(menu, pill, el("p", { class: "problem" }, error.message)),
    );
  });
  clear(root).append(pill, menu);
}

/**
 * Go to the benchmark before or after the one that is shown.
 * @param {string} here its slug
 * @param {string} base
 * @param {1 | -1} step
 * @returns {Promise<void>}
 */
export async function turn(here, base, step) {
  const all = inGroups(await entries(base)).flatMap(([, members]) => members);
  const at = all.findIndex((one) => one.slug === here);
  go({ base, here }, all[(Math.max(at, 0) + step + all.length) % all.length]);
}

/**
 * Draw the front page's list of all benchmarks.
 * @param {{slug: string}} board what is shown above it
 * @param {string} base
 * @param {HTMLElement} root
 * @returns {Promise<void>}
 */
export async function list(board, base, root) {
  const where = { base, here: board.slug };
  /** @type {Entry[]} */
  let all;
  try {
    all = await entries(base);
  } catch (error) {
    clear(root).append(el("p", { class: "problem" }, /** @type {Error} */ (error).message));
    return;
  }
  const search = /** @type {HTMLInputElement} */ (el("input", { type: "search", placeholder: "Find a benchmark", "aria-label": "Find a benchmark" }));
  const groups = inGroups(all).map(([title, members]) => {
    const rows = members.map((one) => ({ one, node: el("li", {}, linkOf(one, where), aboutOf(one), countsOf(one)) }));
    return { node: el("section", {}, el("h3", {}, title), el("ul", {}, rows.map(({ node }) => node))), rows };
  });
  const nobody = el("p", { class: "muted", hidden: true }, "No benchmark is called so.");
  search.addEventListener("input", () => {
    for (const { node, rows } of groups) {
      for (const row of rows) row.node.hidden = !matches(row.one, search.value);
      node.hidden = rows.every((row) => row.node.hidden);
    }
    nobody.hidden = groups.some(({ node }) => !node.hidden);
  });
  const head = el("div", { class: "boards-head" }, el("h2", {}, `All ${counted(all.length, "benchmark")}`), search, ownChoice(base));
  clear(root).append(el("div", { class: "boards-all" }, head, nobody, el("div", { class: "boards-groups" }, groups.map(({ node }) => node))));
}

/**
 * @param {string} base
 * @returns {Promise<Entry[]>}
 */
function entries(base) {
  return need("boards", `${base}boards.js`);
}

/**
 * @param {Entry[]} all
 * @returns {[string, Entry[]][]} title of a group, and its benchmarks, those that were replaced last
 */
function inGroups(all) {
  const order = (/** @type {Entry} */ one) => `${one.superseded ? 1 : 0} ${(one.title ?? one.name).toLowerCase()} ${one.name}`;
  const sorted = [...all].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  const groups = GROUPS.map(([group, title]) => /** @type {[string, Entry[]]} */ ([title, sorted.filter((one) => one.group === group)]));
  return groups.filter(([, members]) => members.length > 0);
}

/**
 * Whether each word that was typed is in what is known of a benchmark.
 * @param {Entry} one
 * @param {string} typed
 */
function matches(one, typed) {
  const text = `${one.name} ${one.title ?? ""} ${one.description ?? ""} ${one.group}`.toLowerCase();
  return typed.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/**
 * @param {Where} where
 * @param {Entry} one
 */
function address({ base }, one) {
  const state = { ...parse(location.hash) };
  const start = initial();
  for (const key of OF_TASKS) Object.assign(state, { [key]: start[key] });
  const hash = write(state);
  return `${base}b/${one.slug}.html${hash ? `#${hash}` : ""}`;
}

/**
 * @param {Where} where
 * @param {Entry} one
 */
function go(where, one) {
  if (one.slug !== where.here) location.assign(address(where, one));
}

/**
 * @param {Entry} one
 * @param {Where} where
 */
function linkOf(one, where) {
  const current = one.slug === where.here ? "page" : null;
  return el("a", { href: `${where.base}b/${one.slug}.html`, "aria-current": current }, name(one.name));
}

/** @param {Entry} one */
function aboutOf(one) {
  const words = one.superseded ? ["replaced by ", name(one.superseded)] : [one.description ?? one.title ?? ""];
  return el("span", { class: "boards-about" }, ...words);
}

/**
 * The way to the page that puts tasks of any benchmark together.
 * @param {string} base
 */
function ownChoice(base) {
  return el("p", { class: "boards-own" }, el("a", { href: `${base}custom.html` }, "Put tasks of any benchmark together"));
}

/** @param {Entry} one */
function countsOf(one) {
  const words = [counted(one.tasks, "task"), counted(one.models, "model"), counted(one.languages, "language")];
  return el("span", { class: "boards-counts" }, words.join(" · "), one.own ? el("span", { class: "mark mine" }, "measured here") : null);
}

/**
 * @param {HTMLElement} menu
 * @param {HTMLElement} pill
 * @param {...Node} content
 */
function show(menu, pill, ...content) {
  clear(menu).append(...content);
  menu.showPopover();
  place(menu, pill);
}

/**
 * Open the list: a box to type in, and below it what fits. Arrows choose, Enter goes there.
 * @param {HTMLElement} menu
 * @param {HTMLElement} pill
 * @param {Entry[]} all
 * @param {Where} where
 */
function open(menu, pill, all, where) {
  const box = /** @type {HTMLInputElement} */ (
    el("input", {
      // In a box of type search the first Esc empties it; here it closes the list.
      type: "text", class: "search", role: "combobox", placeholder: "Find a benchmark", autocomplete: "off", spellcheck: "false",
      "aria-label": "Find a benchmark", "aria-expanded": "true", "aria-controls": LIST, "aria-autocomplete": "list",
    })
  );
  const options = el("div", { id: LIST, role: "listbox", "aria-label": "Benchmarks", class: "boards-options" });
  const nobody = el("p", { class: "muted", role: "status" });
  /** @type {{one: Entry, node: HTMLElement}[]} */
  let rows = [];
  let active = -1;
  const choose = (/** @type {number} */ to) => {
    rows[active]?.node.removeAttribute("data-active");
    active = to;
    rows[active]?.node.setAttribute("data-active", "");
    rows[active]?.node.scrollIntoView({ block: "nearest" });
    if (rows[active]) box.setAttribute("aria-activedescendant", rows[active].node.id);
    else box.removeAttribute("aria-activedescendant");
  };
  const fill = () => {
    rows = [];
    clear(options);
    for (const [title, members] of inGroups(all.filter((one) => matches(one, box.value)))) {
      const id = `boards-group-${rows.length}`;
      const group = el("div", { role: "group", "aria-labelledby": id }, el("div", { class: "boards-title", id }, title));
      for (const one of members) {
        const node = optionOf(one, where);
        rows.push({ one, node });
        group.append(node);
      }
      options.append(group);
    }
    nobody.textContent = rows.length === 0 ? "No benchmark is called so." : "";
    active = -1;
    const here = box.value.trim() ? 0 : rows.findIndex(({ one }) => one.slug === where.here);
    choose(rows.length === 0 ? -1 : Math.max(here, 0));
  };
  box.addEventListener("input", fill);
  box.addEventListener("keydown", (event) => {
    const to = stepOf(event.key, active, rows.length);
    if (event.key === "Enter" && rows[active]) go(where, rows[active].one);
    else if (to === null) return;
    else choose(to);
    event.preventDefault();
  });
  show(menu, pill, box, nobody, options, ownChoice(where.base));
  fill();
  box.focus({ preventScroll: true });
}

/**
 * @param {string} key
 * @param {number} active
 * @param {number} n
 * @returns {number | null} the option that a key leads to
 */
function stepOf(key, active, n) {
  if (n === 0) return null;
  if (key === "ArrowDown") return (active + 1) % n;
  if (key === "ArrowUp") return (active - 1 + n) % n;
  if (key === "PageDown") return Math.min(active + 8, n - 1);
  if (key === "PageUp") return Math.max(active - 8, 0);
  return null;
}

/**
 * @param {Entry} one
 * @param {Where} where
 */
function optionOf(one, where) {
  const click = (/** @type {MouseEvent} */ event) => {
    if (event.ctrlKey || event.metaKey) window.open(address(where, one), "_blank", "noopener");
    else go(where, one);
  };
  return el(
    "div",
    { role: "option", id: `boards-option-${one.slug}`, class: "boards-option", "aria-selected": String(one.slug === where.here), on: { click } },
    el("b", {}, name(one.name)),
    countsOf(one),
    aboutOf(one),
  );
}
