// Who stands where on the tasks that are kept: the rule of ranking/board.py, with the same draws.

import { familyErrors, groups, places, points2, rankIntervals, statistic, typeIntervals } from "./ranks.js";
import { t975 } from "./quantiles.js";
import { isWhole } from "./rows.js";
import { columnsOf } from "./subsets.js";

export const DRAWS = 1000;
export const LEVEL = 0.98;
export const FEWEST_TASKS = 8;
export const FEWEST_FAMILIES = 6;

/** @typedef {import("./address.js").State} State */
/** @typedef {any} Board see data_files.py */
/** @typedef {any} Context see main.js */

/**
 * @typedef {object} Verdict of a paired test over families, in points
 * @property {number} n tasks that both have
 * @property {number} families
 * @property {number} difference
 * @property {number} low
 * @property {number} high
 * @property {number} t
 * @property {number} wins tasks on which the first is ahead
 * @property {boolean | null} apart null where there are too few families
 */

/**
 * @typedef {object} Standing
 * @property {number[]} tasks the columns that are kept
 * @property {(number | null)[][]} scores of these, of each model, in millionths
 * @property {Uint8Array} there whether a model has any of them
 * @property {Int32Array} n how many
 * @property {Uint8Array} complete
 * @property {number} models how many have any
 * @property {Int32Array} rank 0 for none
 * @property {Int32Array} low
 * @property {Int32Array} high
 * @property {Int32Array} group -1 for none
 * @property {number[]} leaders
 * @property {Float64Array} mean in millionths; NaN where a task is missing
 * @property {Float64Array} partial of the tasks that there are
 * @property {Float64Array} meanType
 * @property {Int32Array} family of each task that is kept
 * @property {number} families
 * @property {boolean} enough whether anything can be decided
 * @property {{of: string, tasks: number[]}[]} types of the tasks that are kept, by place in `tasks`
 * @property {(a: number, b: number, tasks?: number[]) => Verdict} test
 * @property {(a: number, b: number) => boolean} separated
 */

/**
 * Rank all models on the tasks that are kept; filters of models move nothing.
 * @param {Board} board
 * @param {State} state
 * @param {{[key: string]: any}} [files] of the languages that are chosen: see subsets.js
 * @returns {Standing}
 */
export function standing(board, state, files = {}) {
  const { tasks, columns } = kept(board, state, files);
  const n = board.models.name.length;
  const count = new Int32Array(n);
  for (const column of columns) for (let model = 0; model < n; model++) if (column[model] !== null) count[model]++;
  const rows = indices(n, (model) => count[model] > 0);
  const complete = Uint8Array.from(count, (have) => (tasks.length > 0 && have === tasks.length ? 1 : 0));
  const family = familiesOf(tasks.map((task) => board.tasks.keys[task]));
  const families = family.length ? Math.max(...family) + 1 : 0;
  const enough = families >= FEWEST_FAMILIES;
  const found = {
    tasks, scores: columns, n: count, complete, family, families, enough, models: rows.length,
    there: Uint8Array.from(count, (have) => (have > 0 ? 1 : 0)), types: typesOf(board, tasks),
    rank: new Int32Array(n), low: new Int32Array(n), high: new Int32Array(n), group: new Int32Array(n).fill(-1),
    leaders: /** @type {number[]} */ ([]),
  };
  const by = board.by ?? "borda";
  const ranked = by === "borda" ? rows : indices(n, (model) => complete[model] === 1);
  const rule = by === "type" ? typeRule(found, ranked) : sumRule(found, ranked, by === "mean");
  const separated = isWhole(state) ? takeRanks(found, board.build, rule) : rankThem(found, rule);
  return {
    ...found,
    ...meansOf(found, n),
    separated,
    test: (a, b, places = tasks.map((_, at) => at)) => paired(places, columns, family, a, b),
  };
}

/**
 * @param {Board} board
 * @param {State} state
 * @param {{[code: string]: any}} files
 * @returns {{tasks: number[], columns: (number | null)[][]}} tasks that anybody has
 */
function kept(board, state, files) {
  const { tasks, scores } = state.lang.length && !board.narrowed
    ? columnsOf(board, files, state.lang)
    : { tasks: indices(board.tasks.name.length, () => true), scores: board.scores };
  /** @type {{tasks: number[], columns: (number | null)[][]}} */
  const found = { tasks: [], columns: [] };
  tasks.forEach((/** @type {number} */ task, /** @type {number} */ at) => {
    if (!keeps(board, state, task)) return;
    const column = without(board, state, task, scores[at]);
    if (column.every((/** @type {number | null} */ score) => score === null)) return;
    found.tasks.push(task);
    found.columns.push(column);
  });
  return found;
}

/**
 * Whether a task is kept by the filters of types, tasks, domains and modalities.
 * @param {Board} board
 * @param {State} state
 * @param {number} task
 * @returns {boolean}
 */
export function keeps(board, state, task) {
  const { type, name, domains, modalities } = board.tasks;
  const any = (/** @type {string[]} */ wanted, /** @type {string[]} */ have) =>
    !wanted.length || wanted.some((one) => have.includes(one));
  return (
    !state.drop.includes(name[task]) && any(state.type, [type[task]]) && any(state.task, [name[task]]) && any(state.domain, domains[task]) &&
    any(state.modality, modalities[task])
  );
}

/**
 * @param {Board} board
 * @param {State} state
 * @param {number} task
 * @param {(number | null)[]} column
 * @returns {(number | null)[]} excluded scores count as missing
 */
function without(board, state, task, column) {
  if (!state.exclude.length) return column;
  const out = new Set();
  const marks = board.marks || {};
  for (const kind of state.exclude) for (const [at, model] of marks[kind] || []) if (at === task) out.add(model);
  return out.size ? column.map((score, model) => (out.has(model) ? null : score)) : column;
}

/**
 * Number the families of tasks: those that share anything, in however many steps, are of one.
 * @param {number[][]} keys what each task shares with others
 * @returns {Int32Array} in the order of the first task of each
 */
export function familiesOf(keys) {
  const above = keys.map((_, at) => at);
  const root = (/** @type {number} */ at) => {
    while (above[at] !== at) at = above[at] = above[above[at]];
    return at;
  };
  const holder = new Map();
  keys.forEach((of, at) => {
    for (const key of of) {
      if (holder.has(key)) above[root(at)] = root(holder.get(key));
      else holder.set(key, at);
    }
  });
  const numbers = new Map();
  return Int32Array.from(keys, (_, at) => {
    const of = root(at);
    if (!numbers.has(of)) numbers.set(of, numbers.size);
    return numbers.get(of);
  });
}

/**
 * @typedef {object} Rule what is added up, as `rule_of` in ranking/rules.py
 * @property {number[]} rows the models that are ranked
 * @property {() => ArrayLike<number>[]} values of each task, of these: what the test compares
 * @property {() => ArrayLike<number>} totals of these
 * @property {(asked: {draws: number, level: number}) => {low: Int32Array, high: Int32Array}} intervals
 */

/**
 * Points of all models that have anything, or the scores of those that have everything.
 * @param {any} found
 * @param {number[]} rows
 * @param {boolean} byMean
 * @returns {Rule}
 */
function sumRule(found, rows, byMean) {
  const made = once(() => found.scores.map((/** @type {(number | null)[]} */ column) => {
    const of = rows.map((model) => column[model]);
    return byMean ? Float64Array.from(of, (score) => score ?? 0) : points2(of);
  }));
  const totals = () => {
    const sums = new Float64Array(rows.length);
    for (const ofTask of made()) for (let at = 0; at < rows.length; at++) sums[at] += ofTask[at];
    return sums;
  };
  return { rows, values: made, totals, intervals: (asked) => rankIntervals(made(), found.family, asked) };
}

/**
 * The mean over types of those that have everything.
 * @param {any} found
 * @param {number[]} rows
 * @returns {Rule}
 */
function typeRule(found, rows) {
  const column = (/** @type {number} */ at) => rows.map((model) => found.scores[at][model]);
  const values = once(() => {
    /** @type {Float64Array[]} */
    const shares = [];
    for (const { tasks } of found.types) for (const at of tasks) shares[at] = Float64Array.from(column(at), (score) => score / tasks.length);
    return shares;
  });
  const totals = () => {
    const sums = new Float64Array(rows.length);
    for (const { tasks } of found.types) {
      const columns = tasks.map(column);
      for (let at = 0; at < rows.length; at++) sums[at] += columns.reduce((/** @type {number} */ sum, /** @type {number[]} */ of) => sum + of[at], 0) / tasks.length;
    }
    return sums.map((sum) => Math.round(sum * 1000));
  };
  const intervals = (/** @type {{draws: number, level: number}} */ asked) =>
    typeIntervals(found.types.map((/** @type {{tasks: number[]}} */ { tasks }) => ({
      columns: tasks.map(column), families: tasks.map((at) => found.family[at]),
    })), asked);
  return { rows, values, totals, intervals };
}

/**
 * @template T
 * @param {() => T} make
 * @returns {() => T} makes it when it is first asked for
 */
function once(make) {
  /** @type {{made: T} | null} */
  let kept = null;
  return () => (kept ??= { made: make() }).made;
}

/**
 * Take what the build found of all tasks.
 * @param {any} found
 * @param {any} build
 * @param {Rule} rule
 * @returns {(a: number, b: number) => boolean}
 */
function takeRanks(found, build, rule) {
  for (const key of ["rank", "low", "high", "group"]) found[key].set(build[key]);
  const order = rule.rows.filter((model) => found.group[model] >= 0).sort((a, b) => found.rank[a] - found.rank[b] || a - b);
  for (const model of order) if (found.group[model] === found.leaders.length) found.leaders.push(model);
  return tester(found, rule);
}

/**
 * The test of what is ranked: it is made when it is first asked.
 * @param {any} found
 * @param {Rule} rule
 * @returns {(a: number, b: number) => boolean} false where one of the two is not ranked by the rule
 */
function tester(found, { rows, values }) {
  const place = new Map(rows.map((model, at) => [model, at]));
  const critical = found.enough ? t975(found.families - 1) : Infinity;
  const errors = once(() => familyErrors(values(), found.family));
  return (a, b) => {
    const [one, other] = [place.get(a), place.get(b)];
    if (!found.enough || one === undefined || other === undefined) return false;
    return Math.abs(statistic(errors(), one, other)) > critical;
  };
}

/**
 * @param {any} found
 * @param {Rule} rule
 * @returns {(a: number, b: number) => boolean} whether the test tells two models apart
 */
function rankThem(found, rule) {
  const { rows } = rule;
  const separated = tester(found, rule);
  if (!rows.length) return separated;
  const rank = places(rule.totals());
  const fewest = Math.min(FEWEST_TASKS, found.tasks.length);
  rows.forEach((model, at) => (found.rank[model] = found.n[model] >= fewest ? rank[at] : 0));
  if (!found.enough || rows.length < 2) return separated;
  const { low, high } = rule.intervals({ draws: DRAWS, level: LEVEL });
  const complete = indices(rows.length, (at) => found.complete[rows[at]] === 1);
  for (const at of complete) {
    if (!found.rank[rows[at]]) continue;
    found.low[rows[at]] = low[at];
    found.high[rows[at]] = high[at];
  }
  const order = complete.sort((a, b) => rank[a] - rank[b] || a - b);
  const group = groups(order, (a, b) => separated(rows[a], rows[b]));
  for (const at of order) {
    found.group[rows[at]] = group[at];
    if (group[at] === found.leaders.length) found.leaders.push(rows[at]);
  }
  return separated;
}

/**
 * @param {any} found
 * @param {number} n
 */
function meansOf(found, n) {
  const partial = new Float64Array(n).fill(NaN);
  const mean = new Float64Array(n).fill(NaN);
  const meanType = new Float64Array(n).fill(NaN);
  for (let model = 0; model < n; model++) {
    if (!found.n[model]) continue;
    let sum = 0;
    for (const column of found.scores) sum += column[model] ?? 0;
    partial[model] = sum / found.n[model];
    if (!found.complete[model]) continue;
    mean[model] = partial[model];
    let ofTypes = 0;
    for (const { tasks } of found.types) {
      let ofType = 0;
      for (const at of tasks) ofType += found.scores[at][model];
      ofTypes += ofType / tasks.length;
    }
    meanType[model] = ofTypes / found.types.length;
  }
  return { partial, mean, meanType };
}

/**
 * @param {Board} board
 * @param {number[]} tasks
 */
function typesOf(board, tasks) {
  return board.types
    .map((/** @type {string} */ of) => ({
      of,
      tasks: indices(tasks.length, (at) => board.tasks.type[tasks[at]] === of),
    }))
    .filter((/** @type {{tasks: number[]}} */ one) => one.tasks.length);
}

/**
 * The paired test of two models' mean over families of tasks, as in stats/means.py.
 * @param {number[]} places of tasks
 * @param {(number | null)[][]} columns
 * @param {Int32Array} family
 * @param {number} a
 * @param {number} b
 * @returns {Verdict}
 */
function paired(places, columns, family, a, b) {
  const both = places.filter((at) => columns[at][a] !== null && columns[at][b] !== null);
  const values = both.map((at) => (/** @type {number} */ (columns[at][a]) - /** @type {number} */ (columns[at][b])) / 1e4);
  const difference = values.reduce((sum, value) => sum + value, 0) / values.length;
  /** @type {Map<number, number>} */
  const sums = new Map();
  both.forEach((at, place) => {
    sums.set(family[at], (sums.get(family[at]) ?? 0) + (values[place] - difference) / values.length);
  });
  const families = sums.size;
  let squares = 0;
  for (const sum of sums.values()) squares += sum * sum;
  const error = families > 1 ? Math.sqrt((families / (families - 1)) * squares) : NaN;
  const wide = families > 1 ? t975(families - 1) * error : NaN;
  const t = difference === 0 ? 0 : difference / error;
  const wins = values.filter((value) => value > 0).length;
  const apart = families < FEWEST_FAMILIES ? null : Math.abs(difference) > wide;
  return { n: both.length, families, difference, low: difference - wide, high: difference + wide, t, wins, apart };
}

/**
 * @param {number} n
 * @param {(at: number) => boolean} wanted
 * @returns {number[]}
 */
function indices(n, wanted) {
  const found = [];
  for (let at = 0; at < n; at++) if (wanted(at)) found.push(at);
  return found;
}
