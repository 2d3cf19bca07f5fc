// What a ranking can and cannot decide, in words: the twin of runner/ranking/sentence.py, the same to the character.

/**
 * @typedef {{task: string, lack: number, have: number}} Missed a task that many models lack, and nothing else
 */

/**
 * What the sentence is made of; `Facts` in sentence.py says what each means.
 * @typedef {object} Facts
 * @property {number} models
 * @property {number} tasks
 * @property {number} of
 * @property {number} families
 * @property {number} complete
 * @property {number} first
 * @property {boolean} alike
 * @property {number} unranked
 * @property {number} unknown
 * @property {number} absent
 * @property {Missed | null} missed
 * @property {string[]} kept
 * @property {string[]} excluded
 * @property {number | null} shown
 * @property {string[]} filters
 * @property {string} by
 */

/**
 * A part of the sentence; `leaves` is the task that it offers to leave out.
 * @typedef {{text: string, bold: boolean, leaves: string | null}} Part
 */

const FEWEST = 6;

const SMALL = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/** @type {Record<string, string>} */
const ORDERS = { borda: "Borda", mean: "the mean over tasks", type: "the mean over types" };

/** @type {Record<string, string>} */
const EXCLUDED = { lint: "scores with a finding", revisions: "scores on other revisions of the data" };

/**
 * Say what a ranking can and cannot decide, whom it lacks and whom it hides.
 * @param {Facts} facts
 * @returns {Part[]}
 */
export function sentence(facts) {
  if (facts.models === 0) return [part("No model has a score on these tasks.", true)];
  const parts = [...head(facts), part(verdict(facts), true), ...missed(facts)];
  for (const clause of [excluded(facts), absent(facts), lacking(facts)]) if (clause) parts.push(part(` ${clause}`));
  return parts;
}

/**
 * @param {string} text
 * @param {boolean} bold
 * @param {string | null} leaves
 * @returns {Part}
 */
function part(text, bold = false, leaves = null) {
  return { text, bold, leaves };
}

/** @param {Facts} facts */
function head(facts) {
  let rest = facts.tasks < facts.of ? ` of ${facts.of}` : "";
  if (facts.kept.length > 0) rest += ` (${facts.kept.join(", ")})`;
  if (facts.by !== "borda") rest += `, ranked by ${ORDERS[facts.by]}`;
  return [part(count(facts.models, "model"), true), part(" on "), part(count(facts.tasks, "task"), true),
    part(`${rest}. `)];
}

/** @param {Facts} facts */
function verdict(facts) {
  if (facts.models === 1) return "It is the only one, so there is nobody to tell it from.";
  if (facts.families < FEWEST) {
    const sources = facts.tasks >= FEWEST ? ` from ${words(facts.families, "source")} of data` : "";
    return `${begun(words(facts.tasks, "task"))}${sources} cannot decide who is better: with fewer than ` +
      `${SMALL[FEWEST]} there is no interval, no group and no verdict.`;
  }
  if (facts.complete < 2 || facts.first === 0) {
    const has = facts.complete === 1 ? "Only one model has" : facts.complete === 0 ? "No model has" : "Too few have";
    return `${has} all of these tasks, so nobody can be told apart.`;
  }
  const told = first(facts);
  return facts.complete < facts.models ? `Of the ${facts.complete} with all of them, ${told}` : begun(told);
}

/** @param {Facts} facts */
function first(facts) {
  if (facts.first === 1) return "the first is told apart from the second.";
  if (facts.first === facts.complete && facts.complete > 2) {
    return facts.alike ? "none can be told apart." : "none can be told apart from the first.";
  }
  return facts.alike
    ? `the first ${number(facts.first)} cannot be told apart.`
    : `the next ${number(facts.first - 1)} cannot be told apart from the first.`;
}

/**
 * A task is offered to be left out where that more than doubles the models that can be told apart.
 * @param {Facts} facts
 */
function missed(facts) {
  if (facts.missed === null || facts.missed.lack <= facts.complete || facts.tasks < 2) return [];
  const { task, lack, have } = facts.missed;
  const text = ` ${begun(number(lack))} ${lack === 1 ? "lacks" : "lack"} only ${task}, which ${number(have)} ` +
    `${have === 1 ? "has" : "have"}: `;
  return [part(text), part("leave it out", false, task), part(".")];
}

/** @param {Facts} facts */
function excluded(facts) {
  if (facts.excluded.length === 0) return "";
  return `${begun(facts.excluded.map((one) => EXCLUDED[one]).join(" and "))} are taken as missing.`;
}

/** @param {Facts} facts */
function absent(facts) {
  if (facts.absent === 0) return "";
  return `${begun(words(facts.absent, "other model"))} ${facts.absent === 1 ? "has" : "have"} none of these tasks.`;
}

/**
 * Who lacks tasks, who says nothing of training data, and whom of all that a reader sees.
 * @param {Facts} facts
 */
function lacking(facts) {
  const clauses = [];
  const without = facts.models - facts.complete;
  if (without > 0) {
    let clause = `${number(without)} ${without === 1 ? "lacks" : "lack"} tasks`;
    if (facts.unranked === without) clause += ` and ${without === 1 ? "has" : "have"} no rank`;
    else if (facts.unranked > 0) clause += ` (${number(facts.unranked)} too many for a rank)`;
    clauses.push(clause);
  }
  if (facts.unknown === 1) clauses.push("one does not say what it was trained on");
  if (facts.unknown > 1) clauses.push(`${number(facts.unknown)} do not say what they were trained on`);
  if (facts.shown === null) return clauses.length > 0 ? `${begun(clauses.join(", "))}; all are shown.` : "";
  let seen = `${facts.shown ? number(facts.shown) : "none"} ${facts.shown < 2 ? "is" : "are"} shown`;
  if (facts.filters.length > 0) seen += `: ${facts.filters.join(", ")}; ranks are among all`;
  return `${begun(clauses.length > 0 ? `${clauses.join(", ")}; ${seen}` : seen)}.`;
}

/** @param {number} value */
function number(value) {
  return value < SMALL.length ? SMALL[value] : String(value);
}

/**
 * @param {number} value
 * @param {string} noun
 */
function words(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/**
 * @param {number} value
 * @param {string} noun
 */
function count(value, noun) {
  return `${value} ${noun}${value === 1 ? "" : "s"}`;
}

/** @param {string} text */
function begun(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
