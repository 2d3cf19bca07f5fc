// What is shown, as the part of an address after #, and back.

/**
 * @typedef {object} State
 * @property {string} view
 * @property {string[]} type
 * @property {string[]} bench benchmarks that tasks are taken from; see custom.js
 * @property {string[]} task
 * @property {string[]} drop tasks that are left out
 * @property {string[]} lang
 * @property {string[]} domain
 * @property {string[]} modality
 * @property {string} find
 * @property {number | null} max millions of parameters
 * @property {number | null} min
 * @property {boolean} open
 * @property {string} zs any, unknown or only
 * @property {string[]} licence
 * @property {string[]} family names of base models
 * @property {string[]} kind
 * @property {boolean} own
 * @property {string[]} exclude lint or revisions
 * @property {string} sort
 * @property {string[]} pin
 * @property {string[]} m models to compare
 * @property {string[] | null} cols
 * @property {boolean} all
 * @property {[string, string][]} unknown
 */

export const VIEWS = ["table", "size", "time", "zero", "types", "tasks", "languages", "fairness", "compare", "about"];
const LISTS = ["bench", "type", "task", "drop", "lang", "domain", "modality", "licence", "family", "kind", "exclude", "pin", "m"];
const NUMBERS = ["max", "min"];
const FLAGS = ["open", "own", "all"];
/** @type {{[key: string]: string[]}} */
const CHOICES = { zs: ["any", "unknown", "only"] };
const TEXTS = ["find", "sort"];

/** @returns {State} */
export function initial() {
  return {
    view: "table", bench: [], type: [], task: [], drop: [], lang: [], domain: [], modality: [], find: "", max: null, min: null, open: false,
    zs: "any", licence: [], family: [], kind: [], own: false, exclude: [], sort: "rank", pin: [], m: [], cols: null,
    all: false, unknown: [],
  };
}

/**
 * Read an address.
 * @param {string} hash with or without #
 * @returns {State} what is not known is kept in `unknown`
 */
export function parse(hash) {
  const state = initial();
  const text = hash.replace(/^#/, "");
  const at = text.indexOf("?");
  const view = at < 0 ? text : text.slice(0, at);
  if (VIEWS.includes(view)) state.view = view;
  else if (view) state.unknown.push(["view", decoded(view)]);
  for (const part of at < 0 ? [] : text.slice(at + 1).split("&")) {
    if (!part) continue;
    const equals = part.indexOf("=");
    const key = decoded(equals < 0 ? part : part.slice(0, equals));
    if (!taken(state, key, equals < 0 ? "" : part.slice(equals + 1))) {
      state.unknown.push([key, equals < 0 ? "" : decoded(part.slice(equals + 1))]);
    }
  }
  return state;
}

/**
 * @param {any} state
 * @param {string} key
 * @param {string} value still encoded
 * @returns {boolean} whether it is known
 */
function taken(state, key, value) {
  if (LISTS.includes(key) || key === "cols") state[key] = value ? value.split(",").map(decoded) : [];
  else if (TEXTS.includes(key)) state[key] = decoded(value);
  else if (FLAGS.includes(key) && value === "1") state[key] = true;
  else if (NUMBERS.includes(key) && /^\d+(\.\d+)?$/.test(value)) state[key] = Number(value);
  else if (Object.hasOwn(CHOICES, key) && CHOICES[key].includes(value)) state[key] = value;
  else return false;
  return true;
}

/**
 * Write an address. Equal states have equal addresses.
 * @param {State} state
 * @returns {string} without #; empty for what is shown at first
 */
export function write(state) {
  const any = /** @type {any} */ (state);
  const start = /** @type {any} */ (initial());
  /** @type {[string, string][]} */
  const parts = [];
  for (const key of LISTS) if (any[key].length) parts.push([key, any[key].map(encoded).join(",")]);
  for (const key of [...TEXTS, ...NUMBERS, ...Object.keys(CHOICES)]) {
    if (any[key] !== start[key]) parts.push([key, encoded(String(any[key]))]);
  }
  for (const key of FLAGS) if (any[key]) parts.push([key, "1"]);
  if (state.cols !== null) parts.push(["cols", state.cols.map(encoded).join(",")]);
  let view = state.view;
  for (const [key, value] of state.unknown) {
    if (key === "view" && view === "table") view = encoded(value);
    else parts.push([encoded(key), encoded(value)]);
  }
  parts.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0));
  const query = parts.map(([key, value]) => `${key}=${value}`).join("&");
  return (view === "table" ? "" : view) + (query ? `?${query}` : "");
}

/** @param {string} text */
function encoded(text) {
  // Halves of characters have no form in an address.
  const whole = text.replace(/[\ud800-\udfff]/gu, "\ufffd");
  return encodeURIComponent(whole).replace(/%2F/g, "/").replace(/%3A/g, ":");
}

/**
 * A part of an address as it was before it was encoded; one that is not well encoded stays.
 * @param {string} text
 * @returns {string}
 */
export function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
