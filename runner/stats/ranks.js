// The rule of ranks.py and separation.py for a page: the same points, draws, places and interval ends, bit for bit.
// Sums of points stay below 2^53, and every step but the t statistic is of whole numbers.

export const SCALE = 1000000;

/** A whole number and the number of a model behind it, in one that is sorted faster than by a function that compares. */
const MODELS = 4096;

// Where totals and models are as few as these, both take 31 bits together, and a double holds the totals of two models.
const FEW_BITS = 10;
const SMALL_BITS = 21;
const PAIR = 2 ** 26;

/**
 * Mix 32 bits: the function [16 21f0aaad 15 735a2d97 15] of C. Wellons' hash-prospector.
 * @param {number} word a whole number from 0 to 2^32 - 1
 * @returns {number} likewise
 */
export function mixed(word) {
  let x = word >>> 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x21f0aaad);
  x ^= x >>> 15;
  x = Math.imul(x, 0x735a2d97);
  x ^= x >>> 15;
  return x >>> 0;
}

/**
 * Twice the Borda points of each model on one task: 2 · (models - average rank), 0 where missing.
 * @param {ArrayLike<number | null>} scores of each model in millionths, null where missing
 * @returns {Int32Array}
 */
export function points2(scores) {
  const models = scores.length;
  const keys = new Float64Array(models);
  let n = 0;
  for (let model = 0; model < models; model++) {
    const score = scores[model];
    if (score !== null) keys[n++] = -score * MODELS + model;
  }
  const there = keys.subarray(0, n).sort();
  const points = new Int32Array(models);
  for (let start = 0; start < n; ) {
    const value = Math.floor(there[start] / MODELS);
    let end = start + 1;
    while (end < n && Math.floor(there[end] / MODELS) === value) end++;
    for (let at = start; at < end; at++) points[there[at] - value * MODELS] = 2 * models - (start + 1 + end);
    start = end;
  }
  return points;
}

/**
 * How often each family is drawn: the same draws as `draw_counts`.
 * @param {number} draw its number, from 0
 * @param {number} families how many there are
 * @param {number} seed
 * @returns {Int32Array}
 */
export function drawnFamilies(draw, families, seed = 0) {
  const counts = new Int32Array(families);
  const start = mixed(seed) + draw * families;
  for (let at = 0; at < families; at++) {
    counts[Math.floor((mixed((start + at) % 4294967296) * families) / 4294967296)]++;
  }
  return counts;
}

/**
 * Places of totals, the largest first; equal ones share the better place, from 1.
 * @param {ArrayLike<number>} totals
 * @returns {Int32Array}
 */
export function places(totals) {
  const n = totals.length;
  const order = Array.from({ length: n }, (_, model) => model).sort((a, b) => totals[b] - totals[a]);
  const found = new Int32Array(n);
  order.forEach((model, at) => {
    found[model] = at > 0 && totals[order[at - 1]] === totals[model] ? found[order[at - 1]] : at + 1;
  });
  return found;
}

/**
 * Which of the sorted draws are the ends of an interval, counted from 1.
 * @param {number} draws
 * @param {number} level
 * @returns {[number, number]}
 */
export function orderStatistics(draws, level) {
  const out = halfEven((draws * (1 - level)) / 2);
  return [Math.max(out, 1), draws - out];
}

/** @param {number} value */
function halfEven(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * The places between which each model stands in a share `level` of the draws.
 * @param {Int32Array[]} points of each task, the points of each model
 * @param {ArrayLike<number>} families the number of each task's family, from 0
 * @param {{draws: number, level: number, seed?: number}} asked
 * @returns {{low: Int32Array, high: Int32Array, first: Float64Array}}
 */
export function rankIntervals(points, families, { draws, level, seed = 0 }) {
  const models = points[0].length;
  let nFamilies = 0;
  for (let task = 0; task < points.length; task++) nFamilies = Math.max(nFamilies, families[task] + 1);
  const sums = familySums(points, families, nFamilies);
  const small = largest(sums) * nFamilies < 2 ** SMALL_BITS && models <= 2 ** FEW_BITS;
  const counts = small ? countSmall(sums, models, draws, seed) : countLarge(sums, models, draws, seed);
  return intervalsOf(counts, models, draws, level);
}

/**
 * The same where means over types of tasks are ranked: families are drawn within each type.
 * @param {{columns: number[][], families: ArrayLike<number>}[]} types of each its tasks' scores of each model in millionths,
 *   and the number of each task's family
 * @param {{draws: number, level: number}} asked
 * @returns {{low: Int32Array, high: Int32Array, first: Float64Array}}
 */
export function typeIntervals(types, { draws, level }) {
  const models = types[0].columns[0].length;
  const parts = types.map(({ columns, families }) => {
    const numbers = [...new Set(Array.from(families))].sort((a, b) => a - b);
    const own = Array.from(families, (family) => numbers.indexOf(family));
    return { own, families: numbers.length, sums: familySums(columns, own, numbers.length) };
  });
  const counts = new Int32Array(models * models);
  const totals = new Float64Array(models);
  for (let draw = 0; draw < draws; draw++) {
    totals.fill(0);
    parts.forEach(({ own, families, sums }, type) => {
      const times = drawnFamilies(draw, families, type);
      const n = own.reduce((sum, family) => sum + times[family], 0);
      for (let model = 0; model < models; model++) {
        let sum = 0;
        for (let family = 0; family < families; family++) sum += times[family] * sums[family][model];
        totals[model] += sum / n;
      }
    });
    const rank = places(totals.map((total) => Math.round(total * 1000)));
    for (let model = 0; model < models; model++) counts[model * models + rank[model] - 1]++;
  }
  return intervalsOf(counts, models, draws, level);
}

/**
 * @param {ArrayLike<number>} counts how often each model stands in each place
 * @param {number} models
 * @param {number} draws
 * @param {number} level
 */
function intervalsOf(counts, models, draws, level) {
  const [low, high] = orderStatistics(draws, level);
  const found = { low: new Int32Array(models), high: new Int32Array(models), first: new Float64Array(models) };
  for (let model = 0; model < models; model++) {
    let seen = 0;
    for (let place = 0; place < models; place++) {
      if (seen < low) found.low[model] = place + 1;
      if (seen < high) found.high[model] = place + 1;
      seen += counts[model * models + place];
      if (seen >= high) break;
    }
    found.first[model] = counts[model * models] / draws;
  }
  return found;
}

/**
 * @param {ArrayLike<number>[]} points
 * @param {ArrayLike<number>} families
 * @param {number} nFamilies
 */
function familySums(points, families, nFamilies) {
  const models = points[0].length;
  const sums = Array.from({ length: nFamilies }, () => new Float64Array(models));
  points.forEach((ofTask, task) => {
    const sum = sums[families[task]];
    for (let model = 0; model < models; model++) sum[model] += ofTask[model];
  });
  return sums;
}

/** @param {Float64Array[]} sums */
function largest(sums) {
  let most = 0;
  for (const sum of sums) for (let model = 0; model < sum.length; model++) if (sum[model] > most) most = sum[model];
  return most;
}

/**
 * How often each model stands in each place.
 * @param {Float64Array[]} sums of each family, what it adds to each model
 * @param {number} models
 * @param {number} draws
 * @param {number} seed
 */
function countLarge(sums, models, draws, seed) {
  const counts = new Int32Array(models * models);
  const totals = new Float64Array(models);
  const keys = new Float64Array(models);
  for (let draw = 0; draw < draws; draw++) {
    addUp(totals, sums, drawnFamilies(draw, sums.length, seed));
    for (let model = 0; model < models; model++) keys[model] = -totals[model] * MODELS + model;
    keys.sort();
    let place = 0;
    let last = NaN;
    for (let at = 0; at < models; at++) {
      const value = Math.floor(keys[at] / MODELS);
      if (value !== last) place = at;
      last = value;
      counts[(keys[at] - value * MODELS) * models + place]++;
    }
  }
  return counts;
}

/**
 * The same for small totals of not too many models, in half the time: model `a` of the first half and `b` of the second
 * are added up as one number, a + 2^26 b, and what is sorted fits in 32 bits.
 * @param {Float64Array[]} sums
 * @param {number} models
 * @param {number} draws
 * @param {number} seed
 */
function countSmall(sums, models, draws, seed) {
  const half = (models + 1) >> 1;
  const pairs = sums.map((sum) => Float64Array.from({ length: half }, (_, a) => sum[a] + PAIR * (sum[half + a] ?? 0)));
  const counts = draws < 2 ** 16 ? new Uint16Array(models * models) : new Int32Array(models * models);
  const totals = new Float64Array(half);
  const keys = new Int32Array(2 * half);
  const top = 2 ** SMALL_BITS - 1;
  const mask = 2 ** FEW_BITS - 1;
  for (let draw = 0; draw < draws; draw++) {
    addUp(totals, pairs, drawnFamilies(draw, sums.length, seed));
    for (let a = 0; a < half; a++) {
      const second = (totals[a] / PAIR) | 0;
      keys[a] = ((top - (totals[a] - second * PAIR)) << FEW_BITS) | a;
      keys[half + a] = ((top - second) << FEW_BITS) | (half + a);
    }
    const sorted = models === keys.length ? keys : keys.subarray(0, models);
    sorted.sort();
    let place = 0;
    let last = -1;
    for (let at = 0; at < models; at++) {
      const value = sorted[at] >> FEW_BITS;
      if (value !== last) place = at;
      last = value;
      counts[(sorted[at] & mask) * models + place]++;
    }
  }
  return counts;
}

/**
 * Add families up as often as each was drawn, four at a time.
 * @param {Float64Array} totals
 * @param {Float64Array[]} sums
 * @param {Int32Array} times
 */
function addUp(totals, sums, times) {
  const drawn = [];
  for (let family = 0; family < times.length; family++) if (times[family] > 0) drawn.push(family);
  totals.fill(0);
  let at = 0;
  for (; at + 3 < drawn.length; at += 4) {
    const [a, b, c, d] = [sums[drawn[at]], sums[drawn[at + 1]], sums[drawn[at + 2]], sums[drawn[at + 3]]];
    const [i, j, k, l] = [times[drawn[at]], times[drawn[at + 1]], times[drawn[at + 2]], times[drawn[at + 3]]];
    for (let n = 0; n < totals.length; n++) totals[n] += i * a[n] + j * b[n] + k * c[n] + l * d[n];
  }
  for (; at < drawn.length; at++) {
    const sum = sums[drawn[at]];
    const n = times[drawn[at]];
    for (let model = 0; model < totals.length; model++) totals[model] += n * sum[model];
  }
}

/**
 * What each family adds to a model's mean, and the mean: what `apart` compares.
 * @param {ArrayLike<number>[]} values of each task, what the ranking adds up for each model
 * @param {ArrayLike<number>} families the number of each task's family, from 0
 * @returns {{means: Float64Array, sums: Float64Array[]}}
 */
export function familyErrors(values, families) {
  const models = values[0].length;
  const means = new Float64Array(models);
  for (const ofTask of values) for (let model = 0; model < models; model++) means[model] += ofTask[model];
  for (let model = 0; model < models; model++) means[model] /= values.length;
  let nFamilies = 0;
  for (let task = 0; task < values.length; task++) nFamilies = Math.max(nFamilies, families[task] + 1);
  const sums = Array.from({ length: nFamilies }, () => new Float64Array(models));
  values.forEach((ofTask, task) => {
    const sum = sums[families[task]];
    for (let model = 0; model < models; model++) sum[model] += (ofTask[model] - means[model]) / values.length;
  });
  return { means, sums };
}

/**
 * The t statistic of one model's mean less another's, over families.
 * @param {{means: Float64Array, sums: Float64Array[]}} errors of `familyErrors`
 * @param {number} a
 * @param {number} b
 * @returns {number} infinite where they differ in the same way on every family
 */
export function statistic({ means, sums }, a, b) {
  const families = sums.length;
  const difference = means[a] - means[b];
  if (difference === 0) return 0;
  let squares = 0;
  let size = 0;
  for (const sum of sums) {
    const apart = sum[a] - sum[b];
    squares += apart * apart;
    size += sum[a] * sum[a] + sum[b] * sum[b];
  }
  if (families < 2) return 0;
  const variance = (families / (families - 1)) * squares;
  return variance < 1e-12 * size ? Math.sign(difference) * Infinity : difference / Math.sqrt(variance);
}

/**
 * Groups led by a model: its members are those after it until the first that is separated from it.
 * @param {ArrayLike<number>} order models by rank
 * @param {(leader: number, model: number) => boolean} separated
 * @returns {Int32Array} the number of each model's group, from 0; of models that are not in `order`, -1
 */
export function groups(order, separated) {
  const found = new Int32Array(order.length === 0 ? 0 : Math.max(...Array.from(order)) + 1).fill(-1);
  let leader = order[0];
  let number = 0;
  for (let at = 0; at < order.length; at++) {
    if (at > 0 && separated(leader, order[at])) {
      leader = order[at];
      number++;
    }
    found[order[at]] = number;
  }
  return found;
}
