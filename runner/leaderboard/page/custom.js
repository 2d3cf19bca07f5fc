// Tasks of any benchmark put together: their columns are taken out of the benchmarks' files, and ranked as a board.

import { initial } from "./address.js";
import { got, need, put } from "./data.js";
import { clear, el } from "./dom.js";
import { visible } from "./escapes.js";
import { show, unable } from "./main.js";
import { keeps, standing } from "./standing.js";
import { columnsOf, filesOf, narrowedTasks } from "./subsets.js";

/** @typedef {import("./address.js").State} State */
/** @typedef {any} Board see data_files.py */
/** @typedef {any} Index see custom.py */
/** @typedef {{task: number, board: number}} Pick a task of the index, and the board whose file its scores are taken from */

/**
 * @typedef {object} Source
 * @property {Board} board
 * @property {{[key: string]: any}} files of the languages that are chosen
 * @property {Map<number, (number | null)[]>} columns scores by task of the board: of the chosen languages, if any are
 * @property {Map<number, Asked[]>} asked what a benchmark's file says of each task
 */

/** @typedef {{name: string, subsets: string[] | null, splits: string[] | null}} Asked */
/** @typedef {{task: number, source: Source, at: number, column: (number | null)[]}} Part `at` is the task on its board */

const NAME = "Your own benchmark";
const SAYS = "Choose tasks of any benchmark: by type, language, domain or benchmark, or one by one under More. The address keeps the choice.";
const OF_TASKS = /** @type {const} */ (["bench", "type", "task", "lang", "domain", "modality"]);

/** Begin: called when the script is there, before the data. */
export function start() {
  /** @type {any} */ (globalThis).EM.put = put;
  document.addEventListener("DOMContentLoaded", () => {
    const index = got("custom/index");
    if (index) show({ slug: "custom", name: NAME }, "", composer(index));
    else unable("custom/index.js");
  });
}

// -- what is chosen ---------------------------------------------------------------------------------------------------

/**
 * The tasks that are chosen, each with a board that has it: the fewest boards that are found by taking those with most
 * of the rest first.
 * @param {Index} index
 * @param {State} state
 * @returns {Pick[]} in the order of the index; none where nothing is chosen
 */
export function picksOf(index, state) {
  if (OF_TASKS.every((key) => !state[key].length)) return [];
  /** @type {Map<number, number[]>} */
  const open = new Map();
  index.tasks.name.forEach((/** @type {string} */ _, /** @type {number} */ task) => {
    const boards = boardsOf(index, state, task);
    if (boards.length) open.set(task, boards);
  });
  /** @type {Pick[]} */
  const found = [];
  while (open.size) {
    const counts = index.boards.map(() => 0);
    for (const boards of open.values()) for (const board of boards) counts[board]++;
    const board = counts.indexOf(Math.max(...counts));
    for (const [task, boards] of open) {
      if (!boards.includes(board)) continue;
      found.push({ task, board });
      open.delete(task);
    }
  }
  return found.sort((a, b) => a.task - b.task);
}

/**
 * The boards that a task can be taken from: of all that ask for the most of it that the choice lets in.
 * @param {Index} index
 * @param {State} state
 * @param {number} task
 * @returns {number[]}
 */
function boardsOf({ tasks, boards }, state, task) {
  if (!keeps({ tasks }, { ...state, drop: [] }, task)) return [];
  for (const [of, languages] of tasks.variants[task]) {
    const found = of.filter((/** @type {number} */ board) =>
      (!state.bench.length || state.bench.includes(boards[board].slug)) && spoken(languages, boards[board].languages, state.lang));
    if (found.length) return found;
  }
  return [];
}

/**
 * Whether a board can tell what a task is in the chosen languages: it is in these alone, or the board has its subsets.
 * @param {string[]} languages of the task
 * @param {string[]} told of the board
 * @param {string[]} chosen
 */
function spoken(languages, told, chosen) {
  if (!chosen.length) return true;
  if (languages.length && languages.every((code) => chosen.includes(code))) return true;
  return chosen.some((code) => languages.includes(code) && told.includes(code));
}

// -- the board --------------------------------------------------------------------------------------------------------

/**
 * Make boards of states; the last one is kept, since most changes are of models.
 * @param {Index} index
 * @returns {(state: State, root: HTMLElement) => Promise<{board: Board, files: {}} | null>} null where a file cannot be
 *   read, which is said
 */
function composer(index) {
  const choices = choicesOf(index);
  let last = { key: "", board: /** @type {Board} */ (null) };
  return async (state, root) => {
    const key = JSON.stringify(OF_TASKS.map((one) => state[one]));
    if (key !== last.key) {
      const picks = picksOf(index, state);
      const bytes = [...new Set(picks.map((pick) => pick.board))].reduce((sum, board) => sum + index.boards[board].bytes, 0);
      const late = window.setTimeout(() => say(root, `loading scores of ${picks.length} tasks (${Math.ceil(bytes / 1000)} kB)`), 150);
      try {
        const sources = await sourcesOf(index, picks, state.lang);
        last = { key, board: Object.assign(joined(index, picks, sources), { choices }) };
        if (!picks.length) last.board.says = key === JSON.stringify(OF_TASKS.map(() => [])) ? SAYS : "No task is all that is chosen.";
      } catch (error) {
        say(root, /** @type {Error} */ (error).message);
        document.documentElement.dataset.ready = "1";
        return null;
      } finally {
        window.clearTimeout(late);
      }
    }
    return { board: last.board, files: {} };
  };
}

/**
 * @param {HTMLElement} root
 * @param {string} text
 */
function say(root, text) {
  clear(root).append(el("p", { class: "empty" }, visible(text)));
}

/**
 * Load the files of boards.
 * @param {Index} index
 * @param {Pick[]} picks
 * @param {string[]} languages
 * @returns {Promise<Map<number, Source>>} by number of the board
 */
async function sourcesOf(index, picks, languages) {
  const numbers = [...new Set(picks.map((pick) => pick.board))];
  const found = await Promise.all(numbers.map(async (number) => {
    const key = `d/${index.boards[number].slug}`;
    const board = await need(key, `${key}.js`);
    const wanted = languages.length ? filesOf(board, languages) : [];
    const files = await Promise.all(wanted.map(async (one) => [one.key, await need(one.key, `${one.key}.js`)]));
    return /** @type {[number, Source]} */ ([number, sourceOf(board, Object.fromEntries(files), languages)]);
  }));
  return new Map(found);
}

/**
 * @param {Board} board
 * @param {{[key: string]: any}} files
 * @param {string[]} languages
 * @returns {Source}
 */
export function sourceOf(board, files, languages) {
  const { name, only, splits, languages: spokenIn } = board.tasks;
  const columns = new Map();
  const asked = new Map();
  const whole = (/** @type {string[]} */ codes) => codes.length > 0 && codes.every((code) => languages.includes(code));
  name.forEach((/** @type {string} */ task, /** @type {number} */ at) => {
    if (languages.length && !whole(spokenIn[at])) return;
    columns.set(at, board.scores[at]);
    asked.set(at, [{ name: task, subsets: only[at], splits: splits[at] }]);
  });
  const known = languages.filter((code) => board.languageFiles.some((/** @type {any} */ one) => one.code === code));
  if (known.length) {
    const { tasks, scores } = columnsOf(board, files, known);
    const narrowed = narrowedTasks(board, files, known);
    tasks.forEach((task, at) => {
      if (columns.has(task)) return;
      columns.set(task, scores[at]);
      asked.set(task, narrowed.filter((one) => one.task === task).map((one) => ({ name: one.name, subsets: one.subsets, splits: one.splits })));
    });
  }
  return { board, files, columns, asked };
}

/**
 * Put the columns of several boards together as one.
 * @param {Index} index
 * @param {Pick[]} picks
 * @param {Map<number, Source>} sources by number of the board
 * @returns {Board}
 */
export function joined(index, picks, sources) {
  const parts = picks.flatMap(({ task, board }) => partOf(index, task, /** @type {Source} */ (sources.get(board))));
  const models = modelsOf(parts);
  const used = [...new Set(parts.map((part) => part.source))];
  const taskFields = [...new Set(used.flatMap(({ board }) => Object.keys(board.tasks)))];
  const tasks = { ...empty(index.columns.tasks), ...Object.fromEntries(taskFields.map((field) => [field, parts.map(({ source, at }) => source.board.tasks[field]?.[at] ?? null)])) };
  tasks.keys = parts.map((part) => index.tasks.keys[part.task]);
  const modelFields = [...new Set(used.flatMap(({ board }) => Object.keys(board.models)))];
  const trained = parts.map(({ source, at }) => placed(models, source, source.board.trained[at]));
  const columns = Object.fromEntries(modelFields.map((field) => [field, models.map((model) => firstOf(model, field))]));
  columns.zero = models.map((model, at) => (firstOf(model, "zero") === null || !parts.length ? null : shareWithout(trained, at)));
  const days = used.map(({ board }) => board.newest).filter((day) => day);
  const board = {
    name: NAME, slug: "custom", page: "custom.html", group: "mine", reference: null, languages: [], config: null, title: null,
    newest: days.length ? days.sort()[days.length - 1] : null, narrowed: true,
    models: { ...empty(index.columns.models), ...columns }, tasks, ranked: models.length, trained, unscored: [],
    types: [...new Set(parts.map((part) => index.tasks.type[part.task]))].sort(),
    scores: parts.map((part) => scoresOf(models, part)),
    asked: parts.map(({ source, at }) => source.asked.get(at)),
    languageFiles: Object.entries(index.languages).map(([code, name]) => ({ code, name, tasks: null, bytes: 0 })),
    ...marksOf(parts, models),
    origin: (/** @type {number} */ model, /** @type {number} */ task) => {
      const { source, at, column } = parts[task];
      const standing = { tasks: [at], scores: [column] };
      return { board: source.board, files: source.files, standing, task: at, model: models[model].get(source) ?? -1 };
    },
  };
  return withRanks(board);
}

/**
 * @param {Index} index
 * @param {number} task
 * @param {Source} source
 * @returns {Part[]} none where nobody has a score
 */
function partOf(index, task, source) {
  const at = source.board.tasks.name.indexOf(index.tasks.name[task]);
  const column = source.columns.get(at);
  return column && column.some((score) => score !== null) ? [{ task, source, at, column }] : [];
}

/** @typedef {Map<Source, number>} Model its places on boards */

/**
 * The models that have any of the scores, by name, one's own last.
 * @param {Part[]} parts
 * @returns {Model[]}
 */
function modelsOf(parts) {
  /** @type {Map<string, Model>} */
  const found = new Map();
  for (const { source, column } of parts) {
    const { own, label } = source.board.models;
    column.forEach((score, model) => {
      if (score === null) return;
      const key = `${own[model]} ${label[model]}`;
      const places = found.get(key) ?? new Map();
      found.set(key, places.set(source, model));
    });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, places]) => places);
}

/**
 * What the first board that knows it says of a model.
 * @param {Model} model
 * @param {string} field
 */
function firstOf(model, field) {
  for (const [source, at] of model) {
    const value = source.board.models[field]?.[at] ?? null;
    if (value !== null) return value;
  }
  return null;
}

/**
 * Empty columns, for where there are none to take them from.
 * @param {string[]} fields
 * @returns {{[field: string]: any[]}}
 */
function empty(fields) {
  return Object.fromEntries(fields.map((field) => [field, []]));
}

/**
 * @param {Model[]} models
 * @param {Part} part
 */
function scoresOf(models, { source, column }) {
  return models.map((model) => {
    const at = model.get(source);
    return at === undefined ? null : (column[at] ?? null);
  });
}

/**
 * Places of a board's models among those that are put together.
 * @param {Model[]} models
 * @param {Source} source
 * @param {number[]} places on the board
 */
function placed(models, source, places) {
  const wanted = new Set(places);
  return models.flatMap((model, at) => (wanted.has(model.get(source) ?? -1) ? [at] : []));
}

/**
 * @param {number[][]} trained
 * @param {number} model
 */
function shareWithout(trained, model) {
  const seen = trained.filter((models) => models.includes(model)).length;
  return Math.floor((100 * (trained.length - seen)) / trained.length);
}

/**
 * What boards mark of scores, for the tasks and models that are put together.
 * @param {Part[]} parts
 * @param {Model[]} models
 */
function marksOf(parts, models) {
  const found = { findings: { text: /** @type {string[]} */ ([]), at: /** @type {number[][]} */ ([]) }, several: /** @type {number[]} */ ([]) };
  /** @type {{[kind: string]: {[name: string]: number[][]}}} */
  const pairs = { marks: {}, states: {} };
  parts.forEach(({ source, at }, task) => {
    const { board } = source;
    /** @type {Map<number, number>} */
    const place = new Map();
    models.forEach((model, here) => model.has(source) && place.set(/** @type {number} */ (model.get(source)), here));
    for (const kind of ["marks", "states"]) {
      for (const [name, all] of Object.entries(board[kind] ?? {})) {
        const here = (pairs[kind][name] ??= []);
        for (const [of, model] of all) if (of === at && place.has(model)) here.push([task, place.get(model) ?? 0]);
      }
    }
    for (const [of, model, text] of board.findings?.at ?? []) {
      if (of !== at || !place.has(model)) continue;
      found.findings.at.push([task, place.get(model) ?? 0, found.findings.text.push(board.findings.text[text]) - 1]);
    }
    if ((board.several ?? []).includes(at)) found.several.push(task);
  });
  return { ...found, ...pairs };
}

/**
 * Give a board what the build gives others: the ranks of all its tasks, made when they are first asked for.
 * @param {Board} board
 */
function withRanks(board) {
  /** @type {any} */
  let made = null;
  const bare = { ...board };
  return Object.defineProperty(board, "build", {
    enumerable: true,
    get: () => {
      if (!made) {
        const { rank, low, high, group } = standing(bare, { ...initial(), exclude: ["nothing"] });
        made = { rank, low, high, group, completed: board.models.name.map(() => null) };
      }
      return made;
    },
  });
}

// -- what can be chosen -----------------------------------------------------------------------------------------------

/** @typedef {{value: string, label: string, note?: string}} Choice */

/**
 * What the menus of filters offer: all that any task is, with how many are.
 * @param {Index} index
 * @returns {{[key: string]: Choice[]}}
 */
export function choicesOf({ boards, languages, tasks }) {
  const spokenIn = tasks.variants.map((/** @type {any[]} */ variants) => [...new Set(variants.flatMap(([, codes]) => codes))]);
  const held = tasks.variants.map((/** @type {any[]} */ variants) => [...new Set(variants.flatMap(([of]) => of))]);
  return {
    bench: counts(held).map(([board, n]) => ({ value: boards[board].slug, label: boards[board].name, note: `${n}` })).sort(byLabel),
    type: counts(tasks.type.map((/** @type {string} */ one) => [one])).map(plain).sort(byLabel),
    lang: counts(spokenIn).filter(([code]) => languages[code]).map(([code, n]) => ({ value: code, label: languages[code], note: `${n}` })).sort(byLabel),
    domain: counts(tasks.domains).map(plain).sort(byLabel),
    modality: counts(tasks.modalities).map(plain).sort(byLabel),
    task: tasks.name.map((/** @type {string} */ one) => ({ value: one, label: one })),
  };
}

/**
 * @param {any[][]} all
 * @returns {[any, number][]}
 */
function counts(all) {
  const found = new Map();
  for (const values of all) for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  return [...found];
}

/**
 * @param {[string, number]} counted
 * @returns {Choice}
 */
function plain([value, n]) {
  return { value, label: value, note: `${n}` };
}

/**
 * @param {Choice} a
 * @param {Choice} b
 */
function byLabel(a, b) {
  return a.label < b.label ? -1 : a.label > b.label ? 1 : 0;
}
