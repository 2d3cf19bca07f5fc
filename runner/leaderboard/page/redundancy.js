// Which tasks of a benchmark say the same: how alike they order the models that have them all.

/** With fewer models a correlation of ranks says little. */
export const FEWEST_MODELS = 20;

/** A model, or a task, that lacks more than a tenth would leave too few of the other to compare. */
const NEARLY_ALL = 0.9;

/** From here on one task hardly says anything that the other does not. */
export const ALIKE = 0.95;

/**
 * @typedef {object} Redundancy
 * @property {number} models how many the correlations are over: those that have all of `tasks`
 * @property {number[]} tasks the columns that are compared
 * @property {number[]} left those that too few of the models have
 * @property {{a: number, b: number, correlation: number}[]} pairs of columns above `ALIKE`, the most alike first
 * @property {Map<number, {column: number, correlation: number}>} nearest of each column that which is most like it
 */

/**
 * Compare all pairs of tasks by Spearman's correlation of the places of models.
 * @param {ArrayLike<number | null>[]} scores of each task, of each model; null where missing
 * @returns {Redundancy | null} null where there are too few models, or fewer than two tasks
 */
export function redundancy(scores) {
  const n = scores.length === 0 ? 0 : scores[0].length;
  const has = new Int32Array(n);
  for (const column of scores) for (let model = 0; model < n; model++) if (column[model] !== null) has[model]++;
  const most = numbers(n).filter((model) => has[model] >= NEARLY_ALL * scores.length);
  const have = (/** @type {number} */ task) => most.filter((model) => scores[task][model] !== null).length;
  const [tasks, left] = split(numbers(scores.length), (task) => have(task) >= NEARLY_ALL * most.length);
  const models = most.filter((model) => tasks.every((task) => scores[task][model] !== null));
  if (models.length < FEWEST_MODELS || tasks.length < 2) return null;
  const ranks = tasks.map((task) => standardRanks(models.map((model) => /** @type {number} */ (scores[task][model]))));
  return { models: models.length, tasks, left, ...compared(tasks, ranks) };
}

/**
 * @param {number[]} tasks
 * @param {Float64Array[]} ranks
 */
function compared(tasks, ranks) {
  /** @type {Redundancy["pairs"]} */
  const pairs = [];
  /** @type {Redundancy["nearest"]} */
  const nearest = new Map();
  const near = (/** @type {number} */ of, /** @type {number} */ column, /** @type {number} */ correlation) => {
    const known = nearest.get(of);
    if (!known || correlation > known.correlation) nearest.set(of, { column, correlation });
  };
  for (let a = 0; a < tasks.length; a++) {
    for (let b = a + 1; b < tasks.length; b++) {
      let correlation = 0;
      for (let at = 0; at < ranks[a].length; at++) correlation += ranks[a][at] * ranks[b][at];
      near(tasks[a], tasks[b], correlation);
      near(tasks[b], tasks[a], correlation);
      if (correlation > ALIKE) pairs.push({ a: tasks[a], b: tasks[b], correlation });
    }
  }
  pairs.sort((one, other) => other.correlation - one.correlation || one.a - other.a || one.b - other.b);
  return { pairs, nearest };
}

/**
 * Ranks with ties averaged, less their mean and of length 1: the product of two is their correlation.
 * @param {number[]} values
 * @returns {Float64Array} zeros where all values are equal
 */
function standardRanks(values) {
  const order = numbers(values.length).sort((a, b) => values[a] - values[b]);
  const ranks = new Float64Array(values.length);
  const middle = (values.length - 1) / 2;
  let squares = 0;
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    const rank = (start + end - 1) / 2 - middle;
    for (let at = start; at < end; at++) ranks[order[at]] = rank;
    squares += (end - start) * rank * rank;
    start = end;
  }
  return squares === 0 ? ranks : ranks.map((rank) => rank / Math.sqrt(squares));
}

/** @param {number} n */
function numbers(n) {
  return Array.from({ length: n }, (_, at) => at);
}

/**
 * @param {number[]} all
 * @param {(one: number) => boolean} wanted
 * @returns {[number[], number[]]}
 */
function split(all, wanted) {
  return [all.filter(wanted), all.filter((one) => !wanted(one))];
}
