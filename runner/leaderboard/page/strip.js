// Where a model stands, drawn: static_rows.py draws the same before any script has run.

import { svg } from "./dom.js";

/**
 * The place and its interval on a line from the first to the last, on a log scale.
 * @param {number} rank 0 for none
 * @param {number} low 0 where there is no interval
 * @param {number} high
 * @param {number} n
 * @param {boolean} certain whether the model has all tasks; else it is where it would stand
 */
export function strip(rank, low, high, n, certain) {
  const x = (/** @type {number} */ place) => (3 + (78 * Math.log(place)) / Math.log(Math.max(n, 2))).toFixed(1);
  return svg(
    "svg", { class: "strip", width: 84, height: 14, viewBox: "0 0 84 14", "aria-hidden": "true", focusable: "false" },
    svg("path", { class: "track", d: "M3 7H81" }),
    low ? svg("path", { class: "interval", d: `M${x(low)} 7H${x(high)}` }) : null,
    rank ? svg("circle", { class: certain ? "dot" : "dot hollow", cx: x(rank), cy: 7, r: 3 }) : null,
  );
}
