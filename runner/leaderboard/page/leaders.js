// Who leads on some of the tasks, and who cannot be told from that leader: what the table says of a filter. Pure.

import { familyErrors, groups, places, points2, statistic } from "./ranks.js";
import { t975 } from "./quantiles.js";
import { FEWEST_FAMILIES, FEWEST_TASKS, familiesOf } from "./standing.js";

/**
 * @typedef {object} Leaders
 * @property {number[]} order models with a rank, by it
 * @property {Int32Array} rank of each model of the board; 0 for none
 * @property {Int32Array} group of each; -1 for none
 * @property {Float64Array} mean of each, in millionths; NaN where it lacks a task
 * @property {number} families of these tasks
 * @property {boolean} enough whether they are enough for groups
 */

/**
 * Rank all models on some of the kept tasks, as the table does when only these are kept.
 * @param {import("./standing.js").Board} board
 * @param {import("./standing.js").Standing} standing
 * @param {number[]} tasks places in the tasks that are kept
 * @returns {Leaders}
 */
export function leadersOf(board, standing, tasks) {
  const n = board.models.name.length;
  const columns = tasks.map((at) => standing.scores[at]);
  const family = familiesOf(tasks.map((at) => board.tasks.keys[standing.tasks[at]]));
  const families = new Set(family).size;
  const found = {
    order: /** @type {number[]} */ ([]), rank: new Int32Array(n), group: new Int32Array(n).fill(-1),
    mean: new Float64Array(n).fill(NaN), families, enough: families >= FEWEST_FAMILIES,
  };
  const has = new Int32Array(n);
  const sum = new Float64Array(n);
  for (const column of columns) {
    column.forEach((score, model) => {
      if (score === null) return;
      has[model]++;
      sum[model] += score;
    });
  }
  const rows = Array.from(has.keys()).filter((model) => has[model] > 0);
  const points = columns.map((column) => points2(rows.map((model) => column[model])));
  const totals = new Float64Array(rows.length);
  for (const ofTask of points) for (let at = 0; at < rows.length; at++) totals[at] += ofTask[at];
  const place = places(totals);
  const fewest = Math.min(FEWEST_TASKS, tasks.length);
  rows.forEach((model, at) => {
    if (has[model] >= fewest) found.rank[model] = place[at];
    if (has[model] === tasks.length) found.mean[model] = sum[model] / tasks.length;
  });
  found.order = rows.filter((model) => found.rank[model] > 0).sort((a, b) => found.rank[a] - found.rank[b] || a - b);
  if (found.enough && rows.length > 1) group(found, rows, points, family);
  return found;
}

/**
 * @param {Leaders} found
 * @param {number[]} rows
 * @param {Int32Array[]} points
 * @param {Int32Array} family
 */
function group(found, rows, points, family) {
  const errors = familyErrors(points, family);
  const critical = t975(found.families - 1);
  const complete = Array.from(rows.keys()).filter((at) => !Number.isNaN(found.mean[rows[at]]));
  complete.sort((a, b) => found.rank[rows[a]] - found.rank[rows[b]] || a - b);
  const numbers = groups(complete, (a, b) => Math.abs(statistic(errors, a, b)) > critical);
  for (const at of complete) found.group[rows[at]] = numbers[at];
}
