// The find box: words that a filter is called by become this filter, and all others find models by name.

import { clear, el } from "./dom.js";
import { visible } from "./escapes.js";
import { place } from "./menus.js";
import { size } from "./numbers.js";

/** @typedef {any} Context what a view is given */
/** @typedef {any} Board see data_files.py */
/** @typedef {{[key: string]: any}} Patch a part of a state */

/**
 * @typedef {object} Suggestion
 * @property {Patch} patch what it changes of the state
 * @property {string[]} words what it is, for a reader
 * @property {string[]} left words that no filter is called by
 */

/** @typedef {{key: string, value: any, word: string, names: string[], list: boolean}} Entry */

const SHORTEST = 2;
const MOST_WORDS = 4;
const ALTERNATIVES = 4;
const MODELS = 6;
const PAUSE = 120;

// -- what words mean --------------------------------------------------------------------------------------------------

/** @type {WeakMap<Board, Entry[]>} */
const known = new WeakMap();

/**
 * Every value that a filter can have on a board, the more telling first.
 * @param {Board} board
 * @returns {Entry[]}
 */
function entriesOf(board) {
  const found = known.get(board) ?? [
    { key: "open", value: true, word: "open weights", names: ["open", "openweights"], list: false },
    { key: "zs", value: "only", word: "zero-shot only", names: ["zeroshot", "zeroshotonly"], list: false },
    ...(board.models.own.includes(1)
      ? [{ key: "own", value: true, word: "my models", names: ["mine", "mymodels"], list: false }]
      : []),
    ...offered(board, "type", board.types),
    ...(board.languageFiles ?? []).map((/** @type {any} */ one) => ({
      key: "lang", value: one.code, word: one.name, names: [folded(one.name), folded(one.code)], list: true,
    })),
    ...offered(board, "domain", board.tasks.domains.flat()),
    ...offered(board, "modality", board.tasks.modalities.flat()),
    ...listed("licence", board.models.licence),
    ...listed("kind", board.models.type),
    ...offered(board, "bench", []),
    ...offered(board, "task", board.tasks.name),
  ];
  known.set(board, found);
  return found;
}

/**
 * What a filter of tasks offers: where tasks are put together, more than the board has.
 * @param {Board} board
 * @param {string} key
 * @param {string[]} values of the board
 * @returns {Entry[]}
 */
function offered(board, key, values) {
  /** @type {{value: string, label: string}[] | undefined} */
  const choices = board.choices?.[key];
  if (!choices) return listed(key, values);
  return choices.map(({ value, label }) => ({ key, value, word: label, names: [folded(label)], list: true }));
}

/**
 * @param {string} key
 * @param {(string | null)[]} values
 * @returns {Entry[]}
 */
function listed(key, values) {
  const different = [...new Set(values)].flatMap((value) => (value === null || value === undefined ? [] : [value]));
  return different.sort().map((value) => ({ key, value, word: value, names: [folded(value)], list: true }));
}

/**
 * A text as words are compared: without case, accents, blanks and signs.
 * @param {string} text
 */
function folded(text) {
  return text.toLowerCase().normalize("NFKD").replace(/[^\p{L}\p{N}.]/gu, "");
}

/**
 * The entries that a word begins the name of; those that are called so first.
 * @param {Board} board
 * @param {string} word folded
 * @returns {Entry[]}
 */
function begun(board, word) {
  if (!word) return [];
  const entries = entriesOf(board);
  const exact = entries.filter((entry) => entry.names.includes(word));
  if (word.length < SHORTEST) return exact;
  const others = entries.filter((entry) => !exact.includes(entry) && entry.names.some((name) => name.startsWith(word)));
  return [...exact, ...others];
}

/** @type {{[unit: string]: number}} millions of parameters */
const UNITS = { k: 1e-3, m: 1, b: 1e3, t: 1e6 };

/**
 * A bound of sizes, as in 500m, <=7b, >1.5B; without a sign it is the largest.
 * @param {string} word
 * @returns {Suggestion | null}
 */
function bound(word) {
  const found = /^([<>≤≥]?)=?(\d+(?:\.\d+)?)([kmbt])$/i.exec(word);
  if (!found) return null;
  const millions = Number(found[2]) * UNITS[found[3].toLowerCase()];
  const least = found[1] === ">" || found[1] === "≥";
  const words = [`${least ? "≥" : "≤"} ${size(millions * 1e6)}`];
  return { patch: least ? { min: millions } : { max: millions }, words, left: [] };
}

/**
 * Understand a line of words: each is what a filter is called by, or begins with it, or is left.
 * @param {Board} board
 * @param {string} text
 * @returns {Suggestion}
 */
export function suggest(board, text) {
  /** @type {Suggestion} */
  const found = { patch: {}, words: [], left: [] };
  const typed = wordsOf(text);
  for (let at = 0; at < typed.length; ) at += taken(board, typed.slice(at), found);
  return found;
}

/** @param {string} text */
function wordsOf(text) {
  return text.trim().split(/[\s,]+/).filter((word) => word);
}

/**
 * Understand the first words of some.
 * @param {Board} board
 * @param {string[]} typed
 * @param {Suggestion} found is added to
 * @returns {number} how many words were taken
 */
function taken(board, typed, found) {
  const sized = bound(typed[0]);
  if (sized) {
    Object.assign(found.patch, sized.patch);
    found.words.push(...sized.words);
    return 1;
  }
  for (let n = Math.min(MOST_WORDS, typed.length); n > 0; n--) {
    const [entry] = begun(board, folded(typed.slice(0, n).join("")));
    if (!entry) continue;
    add(found, entry);
    return n;
  }
  found.left.push(typed[0]);
  return 1;
}

/**
 * @param {Suggestion} found
 * @param {Entry} entry
 */
function add({ patch, words }, { key, value, word, list }) {
  const before = patch[key] ?? [];
  if (list && before.includes(value)) return;
  patch[key] = list ? [...before, value] : value;
  words.push(word);
}

/**
 * What a line may mean, the likeliest first: all of it as filters, with other meanings of its last word, or with words
 * that are left as a model's name; and all of it as a name.
 * @param {Board} board
 * @param {string} text
 * @returns {Suggestion[]} none where nothing is written
 */
export function suggestions(board, text) {
  const typed = wordsOf(text);
  if (!typed.length) return [];
  const first = suggest(board, text);
  const name = { patch: { find: text.trim() }, words: [], left: typed };
  if (!first.words.length) return [name];
  const before = suggest(board, typed.slice(0, -1).join(" "));
  const others = begun(board, folded(typed[typed.length - 1])).slice(1, 1 + ALTERNATIVES).map((entry) => {
    const other = { patch: { ...before.patch }, words: [...before.words], left: before.left };
    add(other, entry);
    return other;
  });
  return [first, ...others].map((one) => ({ ...one, patch: { ...one.patch, find: one.left.join(" ") } })).concat(name);
}

/**
 * The models whose name has a text in it, those whose own name begins with it first.
 * @param {Board} board
 * @param {string} text
 * @returns {number[]}
 */
export function modelsCalled(board, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const labels = board.models.label.map((/** @type {string} */ label) => label.toLowerCase());
  const begins = (/** @type {number} */ model) => labels[model].split("/").some((/** @type {string} */ part) => part.startsWith(wanted));
  const found = labels.flatMap((/** @type {string} */ label, /** @type {number} */ at) => (label.includes(wanted) ? [at] : []));
  return found.sort((/** @type {number} */ a, /** @type {number} */ b) => Number(begins(b)) - Number(begins(a)) || a - b);
}

// -- the box ----------------------------------------------------------------------------------------------------------

/** @typedef {{patch: Patch, parts: (string | Node)[]}} Option */

/**
 * The box: a combobox with a list of what was meant.
 * @param {() => Context} current what is shown now
 * @param {Element} root an empty element
 * @returns {{update: () => void}} to be called where the state was changed elsewhere
 */
export function box(current, root) {
  const list = el("ul", { role: "listbox", id: "find-list", class: "find-list", popover: "manual", "aria-label": "What you may mean" });
  const input = /** @type {HTMLInputElement} */ (
    el("input", {
      type: "search", id: "find", class: "find-input", role: "combobox", "aria-expanded": "false", "aria-controls": "find-list",
      "aria-autocomplete": "list", "aria-label": "Find models, or type filters: german retrieval open 500m", autocomplete: "off",
      spellcheck: "false", placeholder: "Find: e5, or german retrieval", value: current().state.find,
    })
  );
  const made = { current, input, list, options: /** @type {Option[]} */ ([]), at: -1, waits: 0 };
  input.addEventListener("input", () => typed(made));
  input.addEventListener("keydown", (event) => pressed(made, event));
  input.addEventListener("blur", () => close(made));
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // which would take the focus from the box
  root.append(input, list);
  return { update: () => updated(made) };
}

/** @typedef {{current: () => Context, input: HTMLInputElement, list: HTMLElement, options: Option[], at: number, waits: number}} Box */

/** @param {Box} made */
function updated({ current, input }) {
  if (document.activeElement !== input) input.value = current().state.find;
}

/**
 * Show what was meant; where no filter is called so, models are found as one types.
 * @param {Box} made
 */
function typed(made) {
  const { current, input } = made;
  const { board, state } = current();
  const text = input.value;
  made.options = optionsOf(board, text);
  made.at = made.options.length ? 0 : -1;
  drawList(made);
  const find = suggest(board, text).words.length ? "" : text.trim();
  window.clearTimeout(made.waits);
  made.waits = window.setTimeout(() => {
    if (state.find !== find) current().set({ find });
  }, PAUSE);
}

/**
 * @param {Board} board
 * @param {string} text
 * @returns {Option[]}
 */
function optionsOf(board, text) {
  const meant = suggestions(board, text).map(({ patch, words }) => ({ patch, parts: told(words, patch.find) }));
  const { label } = board.models;
  const models = modelsCalled(board, text).slice(0, MODELS).map((model) => ({
    patch: { find: label[model] },
    parts: [el("span", { class: "note" }, "model "), el("bdi", {}, visible(label[model]))],
  }));
  return [...meant, ...models];
}

/**
 * @param {string[]} words
 * @param {string} name
 * @returns {(string | Node)[]}
 */
function told(words, name) {
  const filters = words.map((word) => el("b", {}, visible(word)));
  const named = name ? [el("span", {}, el("span", { class: "note" }, "name has "), el("bdi", {}, `“${visible(name)}”`))] : [];
  return [...filters, ...named].flatMap((part, at) => (at ? [" · ", part] : [part]));
}

/** @param {Box} made */
function drawList(made) {
  const { input, list, options, at } = made;
  if (!options.length) {
    close(made);
    return;
  }
  clear(list).append(...options.map(({ parts }, place) =>
    el(
      "li", { role: "option", id: `find-${place}`, "aria-selected": String(place === at), on: { click: () => choose(made, place) } },
      ...parts,
    ),
  ));
  if (!list.matches(":popover-open")) list.showPopover();
  place(list, input);
  input.setAttribute("aria-expanded", "true");
  if (at < 0) input.removeAttribute("aria-activedescendant");
  else input.setAttribute("aria-activedescendant", `find-${at}`);
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

/** @param {Box} made */
function close(made) {
  const { input, list } = made;
  if (list.matches(":popover-open")) list.hidePopover();
  clear(list);
  made.options = [];
  made.at = -1;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

/**
 * @param {Box} made
 * @param {number} at
 */
function choose(made, at) {
  const { patch } = made.options[at];
  window.clearTimeout(made.waits);
  made.input.value = patch.find;
  close(made);
  made.current().set(patch);
}

/**
 * @param {Box} made
 * @param {KeyboardEvent} event
 */
function pressed(made, event) {
  const { input, options } = made;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && !options.length && input.value) typed(made);
  else if (step && options.length) {
    made.at = (made.at + step + options.length) % options.length;
    drawList(made);
  } else if (event.key === "Enter" && made.at >= 0) choose(made, made.at);
  else if (event.key === "Escape" && options.length) close(made);
  else if (event.key === "Escape" && input.value) {
    input.value = "";
    typed(made);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
