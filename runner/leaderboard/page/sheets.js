// What the pages of models and of tasks share: sections, tables that begin short, and the list of all names.

import { decoded } from "./address.js";
import { need } from "./data.js";
import { clear, el, name } from "./dom.js";
import { visible } from "./escapes.js";
import { whole } from "./numbers.js";

export const FIRST = 100;

/** @typedef {{head: string, kind?: string}} Head */

/**
 * @param {string} title
 * @param {...any} inside
 * @returns {HTMLElement}
 */
export function section(title, ...inside) {
  return el("section", { class: "sheet-section" }, el("h2", {}, title), ...inside);
}

/**
 * A table whose rows are made when they are shown: the first hundred, and all when asked for.
 * @param {string} label
 * @param {Head[]} heads
 * @param {number} n rows
 * @param {(at: number) => HTMLElement} row
 * @returns {HTMLElement}
 */
export function table(label, heads, n, row) {
  const body = el("tbody", {});
  const fill = (/** @type {number} */ from, /** @type {number} */ to) => {
    for (let at = from; at < to; at++) body.append(row(at));
  };
  fill(0, Math.min(n, FIRST));
  const box = el(
    "div", { class: "sheet-box", role: "region", tabindex: 0, "aria-label": label },
    el("table", { class: "sheet-table" }, el("caption", { class: "unseen" }, label), el("thead", {}, el("tr", {}, heads.map(({ head, kind }) => el("th", { scope: "col", class: kind ?? null }, head)))), body),
  );
  if (n <= FIRST) return box;
  const more = el("button", { type: "button", class: "pill" }, `All ${whole(n)} rows`);
  const rest = () => {
    fill(FIRST, n);
    more.remove();
  };
  more.addEventListener("click", rest);
  window.addEventListener("beforeprint", rest, { once: true });
  return el("div", {}, box, more);
}

/**
 * @param {[string, any][]} told terms, and what is said of each; null says that nobody states it
 * @returns {HTMLElement}
 */
export function facts(told) {
  return el("dl", { class: "facts" }, told.map(([term, value]) => [
    el("dt", {}, term),
    el("dd", {}, value ?? el("span", { class: "unknown" }, "not stated")),
  ]));
}

/**
 * A link to the page of a model or of a task, where there is one.
 * @param {"m" | "t"} page
 * @param {string} of
 * @param {string | null} slug
 * @returns {HTMLElement}
 */
export function link(page, of, slug) {
  return slug ? el("a", { href: `${page}.html#${slug}` }, name(of)) : name(of);
}

/**
 * Say who this page is of.
 * @param {string} title
 * @param {Node[]} sentence
 */
export function head(title, sentence) {
  const heading = /** @type {HTMLElement} */ (document.getElementById("title"));
  clear(heading).append(name(title));
  const said = /** @type {HTMLElement} */ (document.getElementById("sentence"));
  clear(said).append(...sentence);
  document.title = `${title} · embedmark`;
}

/**
 * Show the page that the address names, again whenever that changes; without a name the list of all.
 * @param {"m" | "t"} page
 * @param {"models" | "tasks"} kind
 * @param {(data: any, root: HTMLElement) => void} draw
 */
export function follow(page, kind, draw) {
  const root = /** @type {HTMLElement} */ (document.getElementById("view"));
  let turn = 0;
  const show = async () => {
    const mine = ++turn;
    try {
      const slug = await slugOf(location.hash.replace(/^#/, "").split("?")[0], kind);
      const known = slug !== "";
      const data = known ? await need(`${page}/${slug}`, `${page}/${slug}.js`) : await need("names", "names.js");
      if (mine !== turn) return;
      clear(root);
      if (known) draw(data, root);
      else list(page, kind, data[kind], root);
    } catch (error) {
      if (mine !== turn) return;
      head(`No such ${kind === "models" ? "model" : "task"}`, []);
      clear(root).append(el("p", { class: "empty problem" }, /** @type {Error} */ (error).message, " ", el("a", { href: `${page}.html` }, `All ${kind}`)));
    }
    document.documentElement.dataset.ready = "1";
  };
  window.addEventListener("hashchange", show);
  show();
}

/**
 * The place of what an address names: by its place, or by its name.
 * @param {string} wanted
 * @param {"models" | "tasks"} kind
 * @returns {Promise<string>} empty where it names nothing
 */
async function slugOf(wanted, kind) {
  if (wanted === "" || /^[a-z0-9-]+$/.test(wanted)) return wanted;
  const names = await need("names", "names.js");
  const of = decoded(wanted);
  const found = names[kind].find((/** @type {[string, string]} */ [one]) => one === of);
  if (!found) throw new Error(`no scores of ${visible(of)} are in this build.`);
  return found[1];
}

/**
 * @param {"m" | "t"} page
 * @param {"models" | "tasks"} kind
 * @param {[string, string][]} names
 * @param {HTMLElement} root
 */
function list(page, kind, names, root) {
  head(`All ${kind}`, [el("span", {}, `${whole(names.length)} ${kind} have scores.`)]);
  const items = names.map(([of, slug]) => el("li", {}, link(page, of, slug)));
  const input = /** @type {HTMLInputElement} */ (el("input", { type: "search", placeholder: `Find a ${kind.slice(0, -1)}`, "aria-label": `find a ${kind.slice(0, -1)}` }));
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    names.forEach(([of], at) => { items[at].hidden = !of.toLowerCase().includes(wanted); });
  });
  root.append(el("div", { class: "sheet" }, el("p", {}, input), el("ul", { class: "sheet-names" }, items)));
}
