// The best so far along an axis, and whether each step up is told from the one before it. Pure.

/**
 * @typedef {object} Point
 * @property {number} model its index
 * @property {number} x
 * @property {number} y
 */

/** @typedef {import("./standing.js").Verdict} Verdict */

/**
 * @typedef {object} Step
 * @property {Point} point the best so far
 * @property {Point | null} before the best before it; null for the first
 * @property {Verdict | null} test against that one
 */

/**
 * Points that are better than all before them along the axis.
 * @param {Point[]} points
 * @param {boolean} down from the largest x to the smallest
 * @returns {Point[]} in that order; of several at one x the best alone
 */
export function best(points, down = false) {
  const sign = down ? -1 : 1;
  const sorted = [...points].sort((a, b) => sign * (a.x - b.x) || b.y - a.y || a.model - b.model);
  /** @type {Point[]} */
  const found = [];
  for (const point of sorted) if (found.length === 0 || point.y > found[found.length - 1].y) found.push(point);
  return found;
}

/**
 * Test each best against the best before it.
 * @param {Point[]} found of `best`
 * @param {(a: number, b: number) => Verdict} test
 * @returns {Step[]}
 */
export function steps(found, test) {
  return found.map((point, at) => {
    const before = at > 0 ? found[at - 1] : null;
    return { point, before, test: before ? test(point.model, before.model) : null };
  });
}

/**
 * Whether a step is drawn filled: it is told from the one before, or it is the first.
 * @param {Step} step
 * @returns {boolean}
 */
export function isTold({ before, test }) {
  return before === null || test?.apart === true;
}
