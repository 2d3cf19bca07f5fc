// Opens what runner/leaderboard/packed.py packed. Pure.

/** @typedef {{runs: number[][], steps: number[], low: number, rest: string, high: string}} Packed */

/**
 * @param {{[key: string]: any}} data what a file hands over
 * @returns {{[key: string]: any}} the same, with a board's scores, labels and marks as the rest of the page reads them
 */
export function unpacked(data) {
  if (data.packed === undefined) return data;
  const { packed, ...rest } = data;
  const { name, label } = data.models;
  return {
    ...rest,
    models: { ...data.models, label: label.map((/** @type {string | null} */ one, /** @type {number} */ at) => one ?? name[at]) },
    marks: {
      lint: distinct(data.findings.at),
      revisions: data.marks.revisions.flatMap((/** @type {[number, number[]]} */ [task, models]) => models.map((model) => [task, model])),
    },
    scores: packed === null ? data.scores : scoresOf(packed, name.length),
  };
}

/**
 * @param {Packed} packed
 * @param {number} models
 * @returns {(number | null)[][]} of each task, in millionths
 */
function scoresOf({ runs, steps, low, rest, high }, models) {
  const lower = new Uint16Array(bytes(rest).buffer);
  const upper = bytes(high);
  let number = 0;
  return steps.map((step, task) => {
    /** @type {(number | null)[]} */
    const column = new Array(models).fill(null);
    const lengths = runs[task];
    let model = 0;
    for (let run = 0; run < lengths.length; run += 2) {
      model += lengths[run];
      for (const end = model + (lengths[run + 1] ?? 0); model < end; model += 1, number += 1) {
        column[model] = (upper[number] * 65536 + lower[number] + low) * step;
      }
    }
    return column;
  });
}

/**
 * @param {string} text base64
 * @returns {Uint8Array}
 */
function bytes(text) {
  const whole = /** @type {any} */ (Uint8Array);
  if (whole.fromBase64) return whole.fromBase64(text);
  const letters = atob(text);
  const found = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) found[at] = letters.charCodeAt(at);
  return found;
}

/**
 * @param {number[][]} at task, model and text
 * @returns {number[][]} each task and model once
 */
function distinct(at) {
  const seen = new Map(at.map(([task, model]) => [`${task} ${model}`, [task, model]]));
  return [...seen.values()].sort(([task, model], [other, otherModel]) => task - other || model - otherModel);
}
