// Scales, marks of axes, and where labels go. Pure: lengths are pixels.

/** @typedef {{value: number, text: string}} Mark */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Box */
/** @typedef {{x: number, y: number, text: string}} Wanted */
/** @typedef {{x: number, y: number, anchor: "start" | "end"}} Placed */

const DAY = 86400000;
const MONTHS = [1, 3, 6, 12, 24, 60, 120];
const HEIGHT = 14;
const GAP = 9;

/**
 * A scale from values to pixels.
 * @param {[number, number]} domain
 * @param {[number, number]} range
 * @param {(value: number) => number} bent what is drawn evenly: Math.log10 for a log scale
 * @returns {(value: number) => number}
 */
export function scale([low, high], [from, to], bent = (value) => value) {
  const start = bent(low);
  const span = bent(high) - start || 1;
  return (value) => from + ((bent(value) - start) / span) * (to - from);
}

/**
 * Round values in a range, 1, 2 or 5 of a power of ten apart.
 * @param {number} low
 * @param {number} high
 * @param {number} most how many there may be about
 * @returns {number[]}
 */
export function roundValues(low, high, most) {
  if (!(high > low)) return [low];
  const raw = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
  const found = [];
  for (let at = Math.ceil(low / step); at * step <= high * (1 + 1e-12); at++) found.push(Number((at * step).toPrecision(12)));
  return found;
}

/**
 * Values of a log scale: powers of ten, and three times them where there is room.
 * @param {number} low above 0
 * @param {number} high
 * @param {number} most
 * @returns {number[]}
 */
export function powerValues(low, high, most) {
  /** @param {number[]} factors */
  const within = (factors) => {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      for (const factor of factors) if (factor * 10 ** power >= low && factor * 10 ** power <= high) found.push(factor * 10 ** power);
    }
    return found;
  };
  const both = within([1, 3]);
  return both.length <= most ? both : within([1]);
}

/**
 * The first days of months, quarters or years in a range.
 * @param {number} low a day, counted from 1970-01-01
 * @param {number} high
 * @param {number} most
 * @returns {Mark[]} written as year, or year and month
 */
export function dayMarks(low, high, most) {
  const months = (high - low) / 30.44;
  const step = MONTHS.find((one) => months / one <= most) ?? 120;
  const start = new Date(low * DAY);
  const first = Math.ceil((start.getUTCFullYear() * 12 + start.getUTCMonth()) / step) * step;
  /** @type {Mark[]} */
  const found = [];
  for (let month = first; ; month += step) {
    const value = Date.UTC(Math.floor(month / 12), month % 12, 1) / DAY;
    if (value > high) return found;
    const year = String(Math.floor(month / 12));
    const text = step >= 12 ? year : `${year}-${String((month % 12) + 1).padStart(2, "0")}`;
    if (value >= low) found.push({ value, text });
  }
}

/**
 * The day of a date.
 * @param {string} date as in 2025-06-05, or 2025-06, or 2025
 * @returns {number} counted from 1970-01-01; NaN if it is none
 */
export function dayOf(date) {
  return Date.parse(date) / DAY;
}

/**
 * About how wide a text is, without asking the page for it, which would lay it out.
 * @param {string} text
 * @param {number} size of the letters
 * @returns {number}
 */
export function widthOf(text, size) {
  let width = 0;
  for (const letter of text) {
    if (/[ilj.,:;'|!()[\]]/.test(letter)) width += 0.32;
    else if (/[mwMW@%]/.test(letter)) width += 0.9;
    else if (/[A-Z]/.test(letter)) width += 0.66;
    else width += letter.charCodeAt(0) > 0x2e7f ? 1 : 0.58;
  }
  return width * size;
}

/**
 * Put labels beside their points, each at the first of four places where it is over nothing else; what is soft may be
 * written over where no place is free of it.
 * @param {Wanted[]} wanted the most important first
 * @param {{hard: Box[], soft: Box[]}} taken
 * @param {Box} frame what none may leave
 * @param {{size: number, toLeft: boolean}} drawn letters; and whether the line steps up to the left
 * @returns {(Placed | null)[]} null where no place is free
 */
export function placeLabels(wanted, taken, frame, { size, toLeft }) {
  const hard = [...taken.hard];
  return wanted.map(({ x, y, text }) => {
    const width = widthOf(text, size);
    const possible = places(toLeft)
      .map(([right, up]) => placeAt(x, y, right, up, width))
      .filter(({ box }) => inside(box, frame) && !hard.some((other) => overlap(box, other)));
    const found = possible.find(({ box }) => !taken.soft.some((other) => overlap(box, other))) ?? possible[0];
    if (!found) return null;
    hard.push(found.box);
    return found.placed;
  });
}

/**
 * Right or not and above or not, those clear of the line first.
 * @param {boolean} toLeft
 * @returns {[boolean, boolean][]}
 */
function places(toLeft) {
  return [[toLeft, true], [!toLeft, false], [!toLeft, true], [toLeft, false]];
}

/**
 * @param {number} x
 * @param {number} y
 * @param {boolean} right
 * @param {boolean} up
 * @param {number} width
 * @returns {{placed: Placed, box: Box}}
 */
function placeAt(x, y, right, up, width) {
  /** @type {Placed} */
  const placed = { x: x + (right ? GAP : -GAP), y: y + (up ? -5 : 15), anchor: right ? "start" : "end" };
  const left = right ? placed.x : placed.x - width;
  return { placed, box: { left, right: left + width, top: placed.y + 3 - HEIGHT, bottom: placed.y + 3 } };
}

/**
 * @param {Box} box
 * @param {Box} frame
 */
function inside(box, frame) {
  return box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
}

/**
 * @param {Box} one
 * @param {Box} other
 */
function overlap(one, other) {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}
