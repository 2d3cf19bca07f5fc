// The scores of tasks by the subsets that chosen languages keep: the rule of subsets.py, which a build of the benchmark
// cut to these subsets follows, too.
//
// A subset is kept where all of its languages but English are chosen, and one in English alone where English is. A score
// is the mean over what is kept, of the first revision of the model that has all of it.

/**
 * @typedef {object} Part a task in the file of a language
 * @property {number} task its place on the board
 * @property {number} of how many subsets the benchmark asks for
 * @property {string[]} subsets those that the language keeps
 * @property {string[][]} splits of each subset, or once where they are the same of all
 * @property {(((number | null)[] | null)[]) | null} scores of each subset the sum over splits of each model, under the
 *   first revision that has any of the task; null where the task is kept whole or not at all
 * @property {[number, number, (number | null)[]][]} [others] model, place of a further revision, sums of the subsets
 * @property {string[][]} [needs] which languages have to be chosen, of subsets that are kept with others alone
 */

/** @typedef {{code: string, tasks: Part[]}} LanguageFile */
/** @typedef {{[key: string]: LanguageFile}} LanguageFiles by the key that they were handed over with */
/** @typedef {any} Board see data_files.py */

/**
 * @typedef {object} Kept what is kept of a task
 * @property {number} task
 * @property {number} of how many subsets the benchmark asks for
 * @property {{name: string, splits: string[], sums: (number | null)[] | null}[]} subsets
 * @property {Map<string, Map<number, number>>} others model and place of a further revision → number of the subset in
 *   `subsets` → sum
 * @property {boolean} divided whether the board lacks the scores
 */

/**
 * Which files the page has to load so that languages can be chosen.
 * @param {Board} board
 * @param {string[]} languages codes
 * @returns {{key: string, name: string, bytes: number}[]} of languages that this board does not know there are none
 */
export function filesOf(board, languages) {
  const found = [];
  for (const one of board.languageFiles) {
    if (!languages.includes(one.code)) continue;
    found.push({ key: one.key, name: one.name, bytes: one.bytes });
    if (one.pairs && languages.length > 1) found.push({ key: one.pairs, name: one.name, bytes: one.pairsBytes });
  }
  return found;
}

/**
 * The scores of the tasks of which a choice of languages keeps anything.
 * @param {Board} board
 * @param {LanguageFiles} files those of `filesOf`
 * @param {string[]} languages codes
 * @returns {{tasks: number[], scores: (number | null)[][]}} places of tasks on the board, in its order; of each the
 *   score of every model in millionths
 */
export function columnsOf(board, files, languages) {
  const found = keptBy(board, files, languages);
  return { tasks: found.map((one) => one.task), scores: found.map((one) => column(board, one)) };
}

/**
 * The tasks of a benchmark's file that keeps what the languages keep, and nothing else.
 * @param {Board} board
 * @param {LanguageFiles} files those of `filesOf`
 * @param {string[]} languages codes
 * @returns {{task: number, name: string, subsets: string[] | null, splits: string[] | null}[]} null where the task's
 *   own are meant
 */
export function narrowedTasks(board, files, languages) {
  return keptBy(board, files, languages).flatMap((one) => {
    const name = board.tasks.name[one.task];
    const splits = board.tasks.splits[one.task];
    if (one.subsets.length === one.of) return [{ task: one.task, name, subsets: board.tasks.only[one.task], splits }];
    return bySplits(one.subsets).map((same) => ({
      task: one.task, name, subsets: same.map((subset) => subset.name), splits: splits && same[0].splits,
    }));
  });
}

/**
 * How many of the kept subsets of a task a model has.
 * @param {Board} board
 * @param {LanguageFiles} files those of `filesOf`
 * @param {string[]} languages codes
 * @param {number} task its place on the board
 * @param {number} model
 * @returns {{have: number, of: number, missing: string[]} | null} null where the files do not tell subsets apart
 */
export function partsOf(board, files, languages, task, model) {
  // Of tasks that are put together each has the files of the board that it was taken from.
  const from = board.origin?.(model, task);
  if (from) return from.model < 0 ? null : partsOf(from.board, from.files, languages, from.task, from.model);
  const one = keptBy(board, files, languages).find((kept) => kept.task === task);
  if (!one || !one.divided) return null;
  const ways = [(/** @type {number} */ at) => (one.subsets[at].sums?.[model] ?? null) !== null];
  for (const [key, sums] of one.others) if (modelOf(key) === model) ways.push((at) => sums.has(at));
  const missing = ways
    .map((has) => one.subsets.filter((_, at) => !has(at)).map((subset) => subset.name))
    .reduce((least, names) => (names.length < least.length ? names : least));
  return { have: one.subsets.length - missing.length, of: one.subsets.length, missing };
}

/** @type {WeakMap<LanguageFiles, {languages: string, kept: Kept[]}>} */
const lately = new WeakMap();

/**
 * @param {Board} board
 * @param {LanguageFiles} files
 * @param {string[]} languages
 * @returns {Kept[]} in the board's order of tasks
 */
function keptBy(board, files, languages) {
  const key = languages.join();
  const before = lately.get(files);
  if (before?.languages === key) return before.kept;
  const kept = keptAnew(board, files, languages);
  lately.set(files, { languages: key, kept });
  return kept;
}

/**
 * @param {Board} board
 * @param {LanguageFiles} files
 * @param {string[]} languages
 * @returns {Kept[]}
 */
function keptAnew(board, files, languages) {
  /** @type {Map<number, Kept>} */
  const found = new Map();
  for (const { key } of filesOf(board, languages)) {
    for (const part of files[key].tasks) {
      for (let at = 0; at < part.subsets.length; at++) {
        if (part.needs && !part.needs[at].every((code) => languages.includes(code))) continue;
        const { task, of } = part;
        /** @type {Kept} */
        const kept = found.get(task) || { task, of, subsets: [], others: new Map(), divided: part.scores !== null };
        found.set(task, kept);
        for (const [model, place, sums] of part.others || []) {
          const sum = sums[at];
          if (sum !== null) entry(kept.others, `${place} ${model}`).set(kept.subsets.length, sum);
        }
        const splits = part.splits[part.splits.length === 1 ? 0 : at];
        kept.subsets.push({ name: part.subsets[at], splits, sums: part.scores && part.scores[at] });
      }
    }
  }
  return [...found.values()].sort((a, b) => a.task - b.task);
}

/**
 * @param {Map<string, Map<number, number>>} others
 * @param {string} key
 */
function entry(others, key) {
  const there = others.get(key) || new Map();
  others.set(key, there);
  return there;
}

/** @param {string} key of `others` */
function modelOf(key) {
  return Number(key.split(" ")[1]);
}

/**
 * @param {Board} board
 * @param {Kept} one
 * @returns {(number | null)[]}
 */
function column(board, one) {
  if (!one.divided || one.subsets.length === one.of) return board.scores[one.task];
  const n = one.subsets.reduce((sum, subset) => sum + subset.splits.length, 0);
  const models = board.models.name.length;
  /** @type {(number | null)[]} */
  const scores = Array(models).fill(null);
  if (one.subsets.every((subset) => subset.sums)) {
    for (let model = 0; model < models; model++) {
      const sums = one.subsets.map((subset) => /** @type {(number | null)[]} */ (subset.sums)[model] ?? null);
      scores[model] = mean(sums, n);
    }
  }
  const places = [...one.others].sort((a, b) => parseInt(a[0]) - parseInt(b[0]));
  for (const [key, sums] of places) {
    const model = modelOf(key);
    scores[model] ??= mean(one.subsets.map((_, at) => sums.get(at) ?? null), n);
  }
  return scores;
}

/**
 * The mean of n whole numbers, rounded to a whole one, half up.
 * @param {(number | null)[]} sums null where one is missing
 * @param {number} n
 * @returns {number | null}
 */
function mean(sums, n) {
  let total = 0;
  for (const sum of sums) {
    if (sum === null) return null;
    total += sum;
  }
  return Math.floor((2 * total + n) / (2 * n));
}

/**
 * @param {Kept["subsets"]} subsets
 * @returns {Kept["subsets"][]} those of the same splits together
 */
function bySplits(subsets) {
  const found = new Map();
  for (const subset of subsets) {
    const key = JSON.stringify(subset.splits);
    found.set(key, [...(found.get(key) || []), subset]);
  }
  return [...found.values()];
}
