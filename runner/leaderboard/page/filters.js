// The row of filters: what is kept and what is shown. It is made once; only its words change.

import { offer } from "./copy.js";
import { clear, el } from "./dom.js";
import { visible } from "./escapes.js";
import { box } from "./find.js";
import { choiceList, menuButton } from "./menus.js";
import { counted, size } from "./numbers.js";
import { CHOICES, chosenColumns } from "./table.js";

/** @typedef {any} Context */

const SIZES = [100, 500, 1000, 5000, 10000];
const ZERO = [["any", "Zero-shot: any"], ["unknown", "100 % or unknown"], ["only", "100 % only"]];

/**
 * Make the row.
 * @param {HTMLElement} root
 * @param {() => Context} current what is shown now
 * @returns {{update: () => void}}
 */
export function bar(root, current) {
  const menus = [benches, types, languages, domains, sizes].map((make) => make(current));
  const open = el("button", { type: "button", class: "pill", "aria-pressed": "false" }, "Open weights");
  open.addEventListener("click", () => current().set({ open: !current().state.open }));
  const zero = zeroChoice(current);
  const more = menuButton({ label: "More", wide: true }, (menu) => moreMenu(menu, current()));
  const columns = menuButton({ label: "Columns", kind: "right" }, (menu) => columnMenu(menu, current()));
  const copy = menuButton({ label: "Copy" }, (menu) => offer(current(), menu));
  const find = el("div", { class: "find" });
  const chips = el("div", { class: "chips" });
  const [boards, kinds, tongues, fields, extent] = menus;
  boards.button.hidden = !current().board.choices;
  clear(root).append(
    find, ...[boards, kinds, tongues, fields].flatMap((one) => [one.button, one.menu]), el("span", { class: "rule", "aria-hidden": "true" }),
    extent.button, extent.menu, open, zero, more.button, more.menu, columns.button, columns.menu,
    copy.button, copy.menu, chips,
  );
  const finder = box(current, find);
  const update = () => {
    const { state } = current();
    for (const one of [finder, ...menus]) one.update();
    open.setAttribute("aria-pressed", String(state.open));
    zero.value = state.zs;
    zero.classList.toggle("on", state.zs !== "any");
    more.button.classList.toggle("on", moreOn(state) > 0);
    more.button.textContent = moreOn(state) ? `More: ${moreOn(state)}` : "More";
    clear(chips).append(...chipsOf(current()));
  };
  return { update };
}

/** @param {any} state */
function moreOn(state) {
  const lists = [state.task, state.drop, state.modality, state.licence, state.family, state.kind, state.exclude];
  return lists.filter((one) => one.length).length + Number(state.own);
}

/**
 * A menu of a list in the state.
 * @param {() => Context} current
 * @param {string} key
 * @param {(chosen: string[], context: Context) => string} words on the button
 * @param {(context: Context) => {title: string, choices: {value: string, label: string, note?: string}[]}} content
 */
function listMenu(current, key, words, content) {
  const made = menuButton({ label: words([], current()) }, (menu) => {
    const context = current();
    const made = content(context);
    const choices = context.board.choices?.[key] ?? made.choices;
    choiceList(menu, { title: made.title, choices, chosen: context.state[key], change: (chosen) => current().set({ [key]: chosen }) });
  });
  const update = () => {
    const chosen = current().state[key];
    made.button.textContent = visible(words(chosen, current()));
    made.button.classList.toggle("on", chosen.length > 0);
  };
  return { ...made, update };
}

/**
 * Benchmarks that tasks are taken from, where they are of several.
 * @param {() => Context} current
 */
function benches(current) {
  const words = (/** @type {string[]} */ chosen) => (!chosen.length ? "Any benchmark" : counted(chosen.length, "benchmark"));
  return listMenu(current, "bench", words, () => ({ title: "Benchmarks", choices: [] }));
}

/** @param {() => Context} current */
function types(current) {
  const words = (/** @type {string[]} */ chosen, /** @type {Context} */ { board }) =>
    !chosen.length ? (board.choices ? "Any type" : `All ${counted(board.types.length, "type")}`) : chosen.length < 3 ? chosen.join(", ") : `${chosen.length} types`;
  return listMenu(current, "type", words, ({ board }) => ({
    title: "Types of tasks",
    choices: board.types.map((/** @type {string} */ of) => ({
      value: of, label: of, note: String(board.tasks.type.filter((/** @type {string} */ one) => one === of).length),
    })),
  }));
}

/** @param {() => Context} current */
function languages(current) {
  const label = (/** @type {Context} */ context, /** @type {string} */ code) =>
    (context.board.languageFiles ?? []).find((/** @type {any} */ one) => one.code === code)?.name ?? code;
  const words = (/** @type {string[]} */ chosen, /** @type {Context} */ context) =>
    !chosen.length ? "Languages" : chosen.length < 3 ? chosen.map((code) => label(context, code)).join(", ") : `${chosen.length} languages`;
  return listMenu(current, "lang", words, ({ board }) => ({
    title: "Languages",
    choices: (board.languageFiles ?? []).map((/** @type {any} */ one) => ({ value: one.code, label: one.name, note: String(one.tasks) })),
  }));
}

/** @param {() => Context} current */
function domains(current) {
  const words = (/** @type {string[]} */ chosen) => (!chosen.length ? "Domains" : chosen.length < 3 ? chosen.join(", ") : `${chosen.length} domains`);
  return listMenu(current, "domain", words, ({ board }) => ({ title: "Domains", choices: values(board.tasks.domains.flat()) }));
}

/**
 * The different values, each with how often it is there.
 * @param {(string | null)[]} all
 */
function values(all) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const value of all) counts.set(value ?? "not known", (counts.get(value ?? "not known") ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([value, n]) => ({ value, label: visible(value), note: String(n) }));
}

/** @param {() => Context} current */
function sizes(current) {
  const words = (/** @type {any} */ { min, max }) => {
    if (min !== null && max !== null) return `${size(min * 1e6)} to ${size(max * 1e6)}`;
    return max !== null ? `≤ ${size(max * 1e6)}` : min !== null ? `≥ ${size(min * 1e6)}` : "Any size";
  };
  const made = menuButton({ label: "Any size" }, (menu) => {
    const { state } = current();
    const pick = (/** @type {number | null} */ max) => {
      current().set({ max, min: null });
      menu.hidePopover();
    };
    menu.append(el("div", { class: "menu-head" }, el("b", {}, "Parameters")));
    const choice = (/** @type {number | null} */ max, /** @type {string} */ text) =>
      el("li", {}, el("button", { type: "button", class: "plain", "aria-pressed": String(state.max === max), on: { click: () => pick(max) } }, text));
    menu.append(el("ul", { class: "choices" }, choice(null, "Any size"), SIZES.map((max) => choice(max, `≤ ${size(max * 1e6)}`))));
    menu.append(bound(current, "min", "At least, in millions"), bound(current, "max", "At most, in millions"));
  });
  const update = () => {
    const { state } = current();
    made.button.textContent = words(state);
    made.button.classList.toggle("on", state.max !== null || state.min !== null);
  };
  return { ...made, update };
}

/**
 * @param {() => Context} current
 * @param {"min" | "max"} key
 * @param {string} label
 */
function bound(current, key, label) {
  const input = /** @type {HTMLInputElement} */ (
    el("input", { type: "number", min: 0, step: "any", inputmode: "decimal", value: current().state[key] ?? "" })
  );
  input.addEventListener("change", () => current().set({ [key]: input.value === "" ? null : Math.abs(Number(input.value)) }));
  return el("label", { class: "bound" }, el("span", {}, label), input);
}

/** @param {() => Context} current */
function zeroChoice(current) {
  const select = /** @type {HTMLSelectElement} */ (
    el("select", { class: "pill", "aria-label": "Zero-shot" }, ZERO.map(([value, label]) => el("option", { value }, label)))
  );
  select.addEventListener("change", () => current().set({ zs: select.value }));
  return select;
}

/**
 * @param {HTMLElement} menu
 * @param {Context} context
 */
function moreMenu(menu, context) {
  const { board, state, shown } = context;
  const { models, tasks } = board;
  const named = board.choices?.task ?? tasks.name.map((/** @type {string} */ value) => ({ value, label: value }));
  const set = (/** @type {string} */ key) => (/** @type {string[]} */ chosen) => context.set({ [key]: chosen });
  const part = (/** @type {string} */ title, /** @type {string} */ key, /** @type {any[]} */ choices) => {
    if (choices.length < 2 && !state[key].length) return;
    const root = el("div", {});
    choiceList(root, { title, choices, chosen: state[key], change: set(key) });
    menu.append(el("details", { open: state[key].length > 0 }, el("summary", {}, `${title}${state[key].length ? `: ${state[key].length}` : ""}`), root));
  };
  part("Licences", "licence", values(models.licence));
  part("Model families", "family", families(models));
  part("Kinds of models", "kind", values(models.type));
  part("Tasks", "task", named);
  part("Tasks left out", "drop", tasks.name.map((/** @type {string} */ value) => ({ value, label: value })));
  part("Modalities", "modality", board.choices?.modality ?? values(tasks.modalities.flat()));
  part("Scores taken as missing", "exclude", [
    { value: "lint", label: "with a finding", note: String(board.marks?.lint?.length ?? 0) },
    { value: "revisions", label: "on another revision of the data", note: String(board.marks?.revisions?.length ?? 0) },
  ]);
  if (models.own.includes(1)) menu.append(flag(context, "own", "My models only"));
  menu.append(flag(context, "all", `All ${counted(shown.length, "row")} at once`));
}

/**
 * @param {Context} context
 * @param {string} key
 * @param {string} label
 */
function flag(context, key, label) {
  const input = /** @type {HTMLInputElement} */ (el("input", { type: "checkbox", checked: context.state[key] }));
  input.addEventListener("change", () => context.set({ [key]: input.checked }));
  return el("label", { class: "flag" }, input, label);
}

/** @param {any} models */
function families(models) {
  return values(models.base.filter((/** @type {string | null} */ base) => base !== null));
}

/**
 * @param {HTMLElement} menu
 * @param {Context} context
 */
function columnMenu(menu, context) {
  choiceList(menu, {
    title: "Columns",
    choices: CHOICES.map(([value, label]) => ({ value, label })),
    chosen: chosenColumns(context),
    change: (chosen) => context.set({ cols: chosen.length ? chosen : null }),
  });
  menu.append(el("p", {}, el("a", { href: `${context.base}columns.html` }, "What the columns mean")));
}

/**
 * What an address says that this build does not know; and what lists hold that the benchmark has not.
 * @param {Context} context
 */
function chipsOf(context) {
  const { state } = context;
  return state.unknown.map((/** @type {[string, string]} */ [key, value]) => {
    const text = `${visible(key)}${value ? ` = ${visible(value)}` : ""}`;
    const drop = () => context.set({ unknown: state.unknown.filter((/** @type {[string, string]} */ one) => one[0] !== key || one[1] !== value) });
    return el(
      "span", { class: "chip" }, el("s", {}, text), ` this build does not know it `,
      el("button", { type: "button", class: "plain", "aria-label": `forget ${text}`, on: { click: drop } }, "forget"),
    );
  });
}
