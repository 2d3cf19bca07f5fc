// The one way to make what is shown: elements, attributes of a list, and texts, which are never markup.

import { visible } from "./escapes.js";

const SVG = "http://www.w3.org/2000/svg";
const ALLOWED = new Set(
  (
    "alt class colspan rowspan scope href rel title id lang dir role tabindex type name value placeholder for checked " +
    "selected disabled hidden open download min max step size autocomplete list datetime translate spellcheck " +
    "d cx cy r x y x1 x2 y1 y2 width height viewBox points transform text-anchor dominant-baseline focusable " +
    "preserveAspectRatio popover target inputmode multiple readonly"
  ).split(" "),
);
const READ = new Set(["alt", "aria-label", "placeholder", "title"]);
const LINKS = /^(https:\/\/|#|\.{0,2}\/?[a-z0-9-]+[/.#])/i;

/** @typedef {string | number | Node | null | undefined | false} Piece */
/** @typedef {Piece | Piece[] | Piece[][]} Child */
/** @typedef {{[name: string]: any}} Attributes */

/**
 * Make an element.
 * @param {string} tag
 * @param {Attributes} [attributes] of the list; `on` holds listeners by event; null and false leave one out
 * @param {...Child} children texts are texts
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  return /** @type {HTMLElement} */ (filled(document.createElement(tag), attributes, children));
}

/**
 * Make a part of a picture.
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  return /** @type {SVGElement} */ (filled(document.createElementNS(SVG, tag), attributes, children));
}

/**
 * @param {Element} node
 * @param {Attributes} attributes
 * @param {Child[]} children
 */
function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, /** @type {any} */ (listener));
    } else if (ALLOWED.has(key) || key.startsWith("aria-") || key.startsWith("data-")) {
      if (key === "href" && !LINKS.test(String(value))) continue;
      node.setAttribute(key, value === true ? "" : READ.has(key) ? visible(String(value)) : String(value));
    } else throw new TypeError(`no attribute of ours: ${key}`);
  }
  append(node, children);
  return node;
}

/**
 * @param {Element} node
 * @param {Child[]} children
 */
function append(node, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(node, child);
    else if (child instanceof Node) node.append(child);
    else if (child !== null && child !== undefined && child !== false) node.append(String(child));
  }
}

/**
 * Empty an element.
 * @param {Element} node
 * @returns {Element} the same
 */
export function clear(node) {
  while (node.firstChild) node.firstChild.remove();
  return node;
}

const LONGEST = 96;

/**
 * A text as `name` shows it, for pictures.
 * @param {string} text
 * @returns {string}
 */
export function plain(text) {
  const letters = Array.from(visible(text));
  return letters.length <= LONGEST ? letters.join("") : `${letters.slice(0, LONGEST - 1).join("")}…`;
}

/**
 * A name that strangers chose: it moves nothing around it, and long ones are cut.
 * @param {string} text
 * @returns {HTMLElement}
 */
export function name(text) {
  const cut = plain(text);
  const seen = visible(text);
  return cut === seen ? el("bdi", {}, seen) : el("bdi", { title: seen }, cut);
}
