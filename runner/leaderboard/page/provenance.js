// Where a score comes from, in words. What nobody stated is said to be not stated.

/**
 * What is known of where a score comes from.
 * @typedef {object} Provenance
 * @property {string | null} revision of the model
 * @property {(string | null)[]} data revisions of the data; null among several is what a part does not state
 * @property {(string | null)[]} versions of the code
 * @property {(string | null)[]} origins
 * @property {string[]} files that it was imported from
 * @property {any[]} jobs records of one's own; empty for scores of others
 */

/** @typedef {{term: string, text: string, whole?: string}} Line `whole`: of a text that is cut */

export const NOT_STATED = "not stated";
const DIGITS = 12;
const COMMIT = /^[0-9a-f]{20,}$/;

/** @type {{[origin: string]: string}} */
const ORIGINS = {
  snapshot: "published; from the snapshot that ships",
  published: "imported, not verified",
  "self-reported": "imported, self-reported: no result file of a run",
  embedmark: "imported from a record of embedmark made elsewhere",
};

/**
 * Read a cell of a `d/<slug>.src.js`.
 * @param {any} src
 * @param {number} task
 * @param {number} model
 * @returns {Provenance | null} null where the cell has no record
 */
export function provenanceOf(src, task, model) {
  const mine = src.own.find((/** @type {any[]} */ one) => one[0] === task && one[1] === model);
  if (mine) return ofJobs(mine[2].map((/** @type {number} */ number) => src.jobs[number]));
  const data = part(src.data, task, model);
  if (data === null) return null;
  const of = src.model[model];
  const number = Array.isArray(of) ? of[task] : of;
  const folders = part(src.folder, task, model) ?? [];
  const names = part(src.name, task, model) ?? [];
  return {
    revision: number === null || number === undefined ? null : src.revisions[number],
    data,
    versions: part(src.version, task, model) ?? [null],
    origins: part(src.origin, task, model) ?? [null],
    files: names.map((/** @type {string} */ name, /** @type {number} */ at) => (folders[at] ? `${folders[at]}/${name}` : name)),
    jobs: [],
  };
}

/**
 * @param {{list: any[], cells: any[]}} of
 * @param {number} task
 * @param {number} model
 */
function part({ list, cells }, task, model) {
  const row = cells[task];
  const number = Array.isArray(row) ? row[model] : row;
  return number === null || number === undefined ? null : list[number];
}

/**
 * What one's own records say of themselves.
 * @param {any[]} jobs
 * @returns {Provenance}
 */
export function ofJobs(jobs) {
  const told = (/** @type {string} */ key) => [...new Set(jobs.map((job) => job[key]))];
  return {
    revision: told("model")[0] ?? told("content")[0] ?? null,
    data: told("data"),
    versions: told("embedmark"),
    origins: ["here"],
    files: [],
    jobs,
  };
}

/**
 * Say it, line by line.
 * @param {Provenance} found
 * @returns {Line[]}
 */
export function lines(found) {
  return found.jobs.length ? own(found) : ofOthers(found);
}

/**
 * @param {Provenance} found
 * @returns {Line[]}
 */
function ofOthers({ revision, data, versions, origins, files }) {
  const told = origins.map((origin) => (origin === null ? NOT_STATED : (ORIGINS[origin] ?? origin)));
  return [
    { term: "Record", text: told.join("; ") },
    ...files.map((file) => ({ term: "File", text: file })),
    { term: "Measured by", text: NOT_STATED },
    { term: "Model revision", ...short(revision) },
    ...data.map((one) => ({ term: "Data revision", ...short(one, data.length) })),
    ...versions.map((one) => ({ term: "Code", ...version(one, versions.length) })),
    { term: "Prompts", text: NOT_STATED },
    { term: "Number format", text: NOT_STATED },
  ];
}

/**
 * @param {Provenance} found
 * @returns {Line[]}
 */
function own({ revision, data, jobs }) {
  const first = jobs[0];
  const days = [...new Set(jobs.map((job) => job.date))].sort();
  const formats = [...new Set(jobs.map((job) => job.dtype ?? NOT_STATED))];
  const prompts = [...new Set(jobs.flatMap((job) => job.prompts))];
  const signed = [...new Set(jobs.map((job) => job.signed ?? "not signed"))];
  const code = [...new Set(jobs.map(codeOf))];
  const found = [
    { term: "Record", text: `measured here; ${signed.join("; ")}` },
    { term: jobs.length === 1 ? "Job" : "Jobs", text: jobs.length === 1 ? first.job.slice(0, DIGITS) : `${jobs.length}, one for each subset of a split`, whole: jobs.map((job) => job.job).join(" ") },
    { term: "Date", text: days.length === 1 ? days[0] : `${days[0]} to ${days[days.length - 1]}` },
    { term: "Model revision", ...short(revision) },
    ...data.map((one) => ({ term: "Data revision", ...short(one, data.length) })),
    ...code.map((text) => ({ term: "Code", text })),
    { term: "Prompts", text: prompts.length ? prompts.join("; ") : "none in the model's settings" },
    { term: "Number format", text: formats.join(", ") },
  ];
  if (jobs.some((job) => job.service)) found.push({ term: "Service", text: "a service ran the model: nobody can run it again to check" });
  return found;
}

/** @param {any} job */
function codeOf(job) {
  const version = `embedmark ${job.embedmark ?? NOT_STATED}`;
  if (!job.commit) return version;
  return `${version}, commit ${job.commit.slice(0, DIGITS)}${job.changed ? " with changes" : ""}`;
}

/**
 * @param {string | null} version
 * @param {number} several
 * @returns {{text: string}}
 */
function version(version, several) {
  if (version === null) return { text: several > 1 ? "of a part not stated" : NOT_STATED };
  return { text: `mteb ${version}` };
}

/**
 * A revision, cut where it is a commit.
 * @param {string | null} revision
 * @param {number} [several]
 * @returns {{text: string, whole?: string}}
 */
export function short(revision, several = 1) {
  if (revision === null) return { text: several > 1 ? "of a part not stated" : NOT_STATED };
  return COMMIT.test(revision) ? { text: revision.slice(0, DIGITS), whole: revision } : { text: revision };
}

/**
 * How the score is made again.
 * @param {Provenance} found
 * @param {string | null} model what the model's file is called
 * @param {string | null} task the same of the task
 * @returns {string | null} null where no file says how
 */
export function command(found, model, task) {
  if (found.jobs.length) return `python -m runner verify ${found.jobs.map((job) => job.job.slice(0, DIGITS)).join(" ")}`;
  if (!model || !task) return null;
  return `python -m runner reproduce ${quoted(`model=${model}`)} ${quoted(`task=${task}`)}`;
}

/**
 * A word of a command line, as a shell takes it.
 * @param {string} word
 * @returns {string}
 */
export function quoted(word) {
  return /^[\w.,:=@%/+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\"'\"'")}'`;
}
