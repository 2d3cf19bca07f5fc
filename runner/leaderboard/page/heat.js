// How dark a cell is: by its place within the column, on a log scale. A linear scale of scores would paint the whole top
// of a column dark; this one tells the best from the next few, and these from the middle.

/** The steps of colour, from the ground to the darkest: `--heat-0` to `--heat-6`. */
export const STEPS = 7;

/** From so many models on, each step is twice as many places as the one before: 1, 2–3, 4–7, 8–15, 16–31, 32–63, 64–. */
const WHOLE_SCALE = 64;

/**
 * The colour step of a place. With fewer than 64 models the scale is stretched, so that the last place is always 0.
 * @param {number} place from 1; 0 where there is none
 * @param {number} n how many models have a score in the column
 * @returns {number} from 0, the ground, to 6, the best; 0 where there is nothing to compare with
 */
export function heat(place, n) {
  if (place < 1 || n < 2) return 0;
  const steps = STEPS - 1;
  const passed = (steps * Math.log2(place)) / Math.log2(Math.min(n, WHOLE_SCALE));
  // 6 · log2(3) / log2(27) is 2, and a hair less in doubles.
  return steps - Math.min(steps, Math.floor(passed + 1e-9));
}

/**
 * The place of each model within a column, the largest first; equal ones share the better place.
 * @param {ArrayLike<number | null>} scores null or NaN where a model has none
 * @returns {{place: Int32Array, n: number}} places from 1, 0 where there is no score; and how many models have one
 */
export function columnPlaces(scores) {
  const sorted = new Float64Array(scores.length);
  let n = 0;
  for (let model = 0; model < scores.length; model++) {
    const score = scores[model];
    if (score !== null && !Number.isNaN(score)) sorted[n++] = -score;
  }
  const there = sorted.subarray(0, n).sort();
  const place = new Int32Array(scores.length);
  for (let model = 0; model < scores.length; model++) {
    const score = scores[model];
    if (score !== null && !Number.isNaN(score)) place[model] = 1 + firstAt(there, -score);
  }
  return { place, n };
}

/**
 * Where a value first stands among sorted ones, or how many are smaller.
 * @param {Float64Array} sorted from the smallest
 * @param {number} value
 */
function firstAt(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
