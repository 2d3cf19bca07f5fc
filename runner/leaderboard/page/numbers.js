// Numbers as they are printed.

const MINUS = "\u2212";
const THIN = "\u2009";

/**
 * A score of millionths in points.
 * @param {number | null} millionths
 * @param {number} [digits]
 */
export function score(millionths, digits = 1) {
  if (millionths === null || Number.isNaN(millionths)) return "–";
  return fixed(millionths / 10000, digits);
}

/**
 * @param {number} value
 * @param {number} digits
 * @returns {string} never with a negative zero
 */
export function fixed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/**
 * A difference, with its sign.
 * @param {number} value
 * @param {number} [digits]
 */
export function signed(value, digits = 2) {
  const text = fixed(value, digits);
  return text.startsWith(MINUS) || Number(text) === 0 ? text : `+${text}`;
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} [digits]
 */
export function interval(low, high, digits = 2) {
  return `[${fixed(low, digits)}, ${fixed(high, digits)}]`;
}

/**
 * A whole number with thin spaces between thousands.
 * @param {number} value
 */
export function whole(value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, THIN);
}

/**
 * How many parameters, as in 596 M.
 * @param {number | null} parameters
 */
export function size(parameters) {
  if (parameters === null) return "?";
  for (const [unit, of] of /** @type {[string, number][]} */ ([["T", 1e12], ["B", 1e9], ["M", 1e6], ["k", 1e3]])) {
    const value = parameters / of;
    if (value >= 0.9995) return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
  }
  return String(parameters);
}

/**
 * @param {number | null} percent
 */
export function share(percent) {
  return percent === null ? "unknown" : `${percent} %`;
}

/**
 * A count and its noun.
 * @param {number} n
 * @param {string} noun
 * @param {string} [many]
 */
export function counted(n, noun, many = `${noun}s`) {
  return `${whole(n)} ${n === 1 ? noun : many}`;
}
