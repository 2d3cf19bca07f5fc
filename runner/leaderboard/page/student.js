// Student's t distribution and Holm's method for a page: the p values of runner/stats/paired.py.

const TERMS = 400;

/**
 * How often a difference as large as this comes from no difference: two-sided, by Student's t.
 * @param {number} t the difference by its standard error; infinite where that is 0
 * @param {number} df degrees of freedom, a whole number from 1
 * @returns {number} never 0, so that no test claims certainty
 */
export function pOfT(t, df) {
  if (t === 0) return 1;
  if (!Number.isFinite(t)) return Number.MIN_VALUE;
  const square = t * t;
  const a = df / 2;
  const scale = betaOfHalf(df);
  const out = df / (df + square);
  const within = square / (df + square);
  const found = out < (a + 1) / (a + 2.5) ? incomplete(out, a, 0.5, scale) : 1 - incomplete(within, 0.5, a, scale);
  return Math.max(found, Number.MIN_VALUE);
}

/**
 * The beta function of df/2 and 1/2, up from those of 1/2 and 1.
 * @param {number} df
 */
function betaOfHalf(df) {
  let found = df % 2 === 1 ? Math.PI : 2;
  for (let a = df % 2 === 1 ? 0.5 : 1; a < df / 2; a++) found *= a / (a + 0.5);
  return found;
}

/**
 * The regularized incomplete beta function by its continued fraction (DLMF 8.17.22), from the innermost term outwards.
 * It converges fast for x below (a + 1) / (a + b + 2).
 * @param {number} x
 * @param {number} a
 * @param {number} b
 * @param {number} beta of a and b
 */
function incomplete(x, a, b, beta) {
  let fraction = 1;
  for (let m = TERMS; m >= 0; m--) {
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    fraction = 1 + odd / fraction;
    if (m > 0) fraction = 1 + (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)) / fraction;
  }
  return Math.exp(a * Math.log(x) + b * Math.log1p(-x)) / (a * beta * fraction);
}

/**
 * Adjust p values so that the chance of any false claim stays below the level (Holm 1979).
 * @param {number[]} p
 * @returns {number[]} in the same order
 */
export function holm(p) {
  const order = p.map((_, at) => at).sort((a, b) => p[a] - p[b]);
  const found = new Array(p.length);
  let largest = 0;
  order.forEach((at, done) => {
    largest = Math.max(largest, p[at] * (p.length - done));
    found[at] = Math.min(largest, 1);
  });
  return found;
}
