// Which models are shown, and in which order. Nothing here moves a rank.

/** @typedef {import("./address.js").State} State */
/** @typedef {import("./standing.js").Standing} Standing */
/** @typedef {any} Board */

/**
 * Whether all tasks of the benchmark are kept as they are, so that what the build found holds for them.
 * @param {State} state
 * @returns {boolean}
 */
export function isWhole(state) {
  const { type, task, drop, domain, modality, lang, exclude } = state;
  return [type, task, drop, domain, modality, lang, exclude].every((one) => one.length === 0);
}

/**
 * Of each model the percent of the tasks that are kept that it was not trained on, rounded down.
 * @param {Board} board
 * @param {State} state
 * @param {Standing} standing
 * @returns {(number | null)[]} null where nobody knows
 */
export function zeroShot(board, state, standing) {
  if (isWhole(state)) return board.models.zero;
  const trained = new Int32Array(board.models.name.length);
  for (const task of standing.tasks) for (const model of board.trained[task]) trained[model]++;
  const n = standing.tasks.length;
  return board.models.zero.map((/** @type {number | null} */ known, /** @type {number} */ model) =>
    known === null || !n ? null : Math.floor((100 * (n - trained[model])) / n),
  );
}

/**
 * The models that are shown, in the order of the table.
 * @param {Board} board
 * @param {State} state
 * @param {Standing} standing
 * @param {(number | null)[]} zero of each model
 * @returns {number[]}
 */
export function shownModels(board, state, standing, zero) {
  const passes = filterOf(board, state, zero);
  const found = [];
  for (let model = 0; model < board.models.name.length; model++) {
    if (standing.there[model] && passes(model)) found.push(model);
  }
  return sorted(board, state, standing, zero, found);
}

/**
 * @param {Board} board
 * @param {State} state
 * @param {(number | null)[]} zero
 * @returns {(model: number) => boolean}
 */
function filterOf(board, state, zero) {
  const { models } = board;
  const find = state.find.trim().toLowerCase();
  /** @type {((model: number) => boolean)[]} */
  const tests = [];
  if (find) tests.push((model) => models.label[model].toLowerCase().includes(find));
  const { max, min } = state;
  if (max !== null) tests.push((model) => models.size[model] !== null && models.size[model] <= max * 1e6);
  if (min !== null) tests.push((model) => models.size[model] !== null && models.size[model] >= min * 1e6);
  if (state.open) tests.push((model) => models.open[model] === 1);
  if (state.zs === "only") tests.push((model) => zero[model] === 100);
  if (state.zs === "unknown") tests.push((model) => zero[model] === 100 || zero[model] === null);
  if (state.own) tests.push((model) => models.own[model] === 1);
  if (state.licence.length) tests.push((model) => state.licence.includes(models.licence[model] ?? "not known"));
  if (state.kind.length) tests.push((model) => state.kind.includes(models.type[model] ?? "not known"));
  if (state.family.length) {
    tests.push((model) => state.family.includes(models.base[model]) || state.family.includes(models.name[model]));
  }
  return (model) => tests.every((test) => test(model));
}

/**
 * @param {Board} board
 * @param {State} state
 * @param {Standing} standing
 * @param {(number | null)[]} zero
 * @param {number[]} found
 */
function sorted(board, state, standing, zero, found) {
  const { name } = board.models;
  const { rank, n } = standing;
  const completed = isWhole(state) ? board.build.completed : [];
  // As ranking/board.py orders them: those without a rank last, by their place if all were complete, then by tasks.
  const byRank = (/** @type {number} */ a, /** @type {number} */ b) =>
    Number(!rank[a]) - Number(!rank[b]) || rank[a] - rank[b] ||
    (rank[a] ? 0 : Number(!completed[a]) - Number(!completed[b]) || (completed[a]?.[0] ?? 0) - (completed[b]?.[0] ?? 0)) ||
    n[b] - n[a] || (name[a] < name[b] ? -1 : name[a] > name[b] ? 1 : a - b);
  if (state.sort === "rank") return found.sort(byRank);
  const down = state.sort.startsWith("-");
  const value = valueOf(board, standing, zero, down ? state.sort.slice(1) : state.sort);
  return found.sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    const [noX, noY] = [x === null || Number.isNaN(x), y === null || Number.isNaN(y)];
    if (noX || noY) return Number(noX) - Number(noY) || byRank(a, b);
    const order = /** @type {any} */ (x) < /** @type {any} */ (y) ? -1 : x === y ? 0 : 1;
    return (down ? -order : order) || byRank(a, b);
  });
}

/**
 * What a column is sorted by.
 * @param {Board} board
 * @param {Standing} standing
 * @param {(number | null)[]} zero
 * @param {string} key
 * @returns {(model: number) => number | string | null} unknown keys sort nothing
 */
export function valueOf(board, standing, zero, key) {
  const { models } = board;
  const [kind, ...rest] = key.split(":");
  const what = rest.join(":");
  if (kind === "rank") return (model) => standing.rank[model] || null;
  if (kind === "name") return (model) => models.label[model].toLowerCase();
  if (kind === "mean") return (model) => (nearlyAll(standing, model) ? standing.partial[model] : null);
  if (kind === "meanType") return (model) => standing.meanType[model];
  if (kind === "zero") return (model) => zero[model];
  if (kind === "tasks") return (model) => standing.n[model];
  if (kind === "type") {
    const of = standing.types.find((one) => one.of === what);
    return of ? (model) => typeMean(standing, of.tasks, model) : () => null;
  }
  if (kind === "task") {
    const at = standing.tasks.findIndex((task) => board.tasks.name[task] === what);
    return at < 0 ? () => null : (model) => standing.scores[at][model];
  }
  const column = models[kind];
  return Array.isArray(column) ? (model) => column[model] : () => null;
}

/**
 * Whether a model has at least nine tenths of the tasks, so that its mean is shown, and as a mean of these.
 * @param {Standing} standing
 * @param {number} model
 */
export function nearlyAll(standing, model) {
  return standing.n[model] > 0 && standing.n[model] * 10 >= standing.tasks.length * 9;
}

/**
 * @param {Standing} standing
 * @param {number[]} tasks places of a type's tasks
 * @param {number} model
 * @returns {number | null} in millionths; null where it lacks any
 */
export function typeMean(standing, tasks, model) {
  let sum = 0;
  for (const at of tasks) {
    const score = standing.scores[at][model];
    if (score === null) return null;
    sum += score;
  }
  return sum / tasks.length;
}
