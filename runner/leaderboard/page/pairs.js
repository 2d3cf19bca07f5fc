// Models against one another, on all tasks and by type: the verdicts of `python -m runner compare`. Pure.

import { FEWEST_FAMILIES } from "./standing.js";
import { holm, pOfT } from "./student.js";

/** The chance of a false claim, written as Python computes it. */
const ALPHA = 1 - 0.95;
const FEWEST_TASKS = 6;
/** From so many families on, the command tests a mean over tasks, so that its p value counts in the adjustment. */
const FEWEST_TESTED = 3;

/** @typedef {import("./standing.js").Verdict} Test */

/**
 * @typedef {object} Row
 * @property {string | null} type null for all tasks
 * @property {Test} test
 * @property {number | null} p adjusted by Holm's method; null where there is no test
 * @property {"better" | "worse" | "cannot tell" | "too few tasks" | "too few families"} verdict of the first model
 */

/**
 * @typedef {object} Pair
 * @property {number} a
 * @property {number} b
 * @property {Row} all
 * @property {Row[]} types of the tasks that both have
 */

/**
 * Compare each model with those after it. p values of all tasks are adjusted for all pairs, as the command does, also
 * for those of too few families for a verdict here; those of types for all types of all pairs.
 * @param {import("./standing.js").Standing} standing
 * @param {number[]} models
 * @returns {Pair[]}
 */
export function pairsOf(standing, models) {
  const found = models.flatMap((a, at) =>
    models.slice(at + 1).map((b) => ({
      a, b,
      all: rowOf(null, standing.test(a, b)),
      types: standing.types.map(({ of, tasks }) => rowOf(of, standing.test(a, b, tasks))).filter(({ test }) => test.n > 0),
    })));
  judge(found.map(({ all }) => all), FEWEST_TESTED);
  judge(found.flatMap(({ types }) => types), FEWEST_FAMILIES);
  return found;
}

/**
 * @param {string | null} type
 * @param {Test} test
 * @returns {Row} not yet judged
 */
function rowOf(type, test) {
  return { type, test, p: null, verdict: test.n < FEWEST_TASKS ? "too few tasks" : "too few families" };
}

/**
 * @param {Row[]} rows
 * @param {number} fewest families of those that count in the adjustment
 */
function judge(rows, fewest) {
  const tested = rows.filter(({ test }) => test.families >= fewest);
  const adjusted = holm(tested.map(({ test }) => pOfT(test.t, test.families - 1)));
  tested.forEach((row, at) => {
    if (row.test.apart === null) return;
    row.p = adjusted[at];
    row.verdict = adjusted[at] > ALPHA || row.test.difference === 0 ? "cannot tell" : row.test.difference > 0 ? "better" : "worse";
  });
}
