// The record of a score: what opens beside any number.

import { toClipboard } from "./clipboard.js";
import { el, name } from "./dom.js";
import { visible } from "./escapes.js";
import { typeWords } from "./modelwords.js";
import { score } from "./numbers.js";
import { command, lines, provenanceOf } from "./provenance.js";

/** @typedef {import("./provenance.js").Provenance} Provenance */

/**
 * What is shown of one score.
 * @typedef {object} Shown
 * @property {string} model as it is labelled
 * @property {string} task
 * @property {string} of which type, splits and subsets
 * @property {number} score in millionths
 * @property {number} place
 * @property {number} n models that have a score
 * @property {number | null} trained 1 where the model was trained on the task, null where nobody knows
 * @property {string[]} findings
 * @property {Provenance | null} record
 * @property {string | null} command
 * @property {{text: string, href: string}[]} links
 */

/**
 * The record of a score of a board.
 * @param {any} ctx
 * @param {number} model
 * @param {number} task
 * @param {any} src what `d/<slug>.src.js` holds
 * @returns {HTMLElement}
 */
export function content(ctx, model, task, src) {
  const { board, base } = ctx;
  const { models, tasks } = board;
  const column = columnOf(ctx, task);
  const value = /** @type {number} */ (column[model] ?? board.scores[task][model]);
  const there = /** @type {number[]} */ (column.filter((/** @type {any} */ one) => one !== null));
  const record = provenanceOf(src, task, model);
  const box = card({
    model: models.label[model],
    task: tasks.name[task],
    of: ctx.state.lang.length ? `${typeWords(tasks.type[task])}, subsets of the chosen languages` : typeWords(tasks.type[task]),
    score: value,
    place: 1 + there.filter((one) => one > value).length,
    n: there.length,
    trained: board.trained[task].includes(model) ? 1 : models.zero[model] === null ? null : 0,
    findings: findingsOf(board, task, model),
    record,
    command: record && command(record, models.file?.[model] ?? null, src.choices[task]),
    links: [
      { text: "All of this model", href: `${base}m.html#${models.slug[model]}` },
      { text: "All of this task", href: `${base}t.html#${tasks.slug[task]}` },
    ],
  });
  const out = exclusions(ctx, task, model);
  if (out.length) box.append(el("p", { class: "actions" }, out));
  return box;
}

/**
 * The scores of a task as they are shown: of some languages, where these are chosen.
 * @param {any} ctx
 * @param {number} task
 * @returns {(number | null)[]}
 */
function columnOf({ board, standing }, task) {
  const at = standing.tasks.indexOf(task);
  return at < 0 ? board.scores[task] : standing.scores[at];
}

/**
 * @param {any} board
 * @param {number} task
 * @param {number} model
 * @returns {string[]}
 */
function findingsOf(board, task, model) {
  const { text = [], at = [], tasks = [], models = [] } = board.findings ?? {};
  const here = at.filter((/** @type {number[]} */ one) => one[0] === task && one[1] === model);
  const column = tasks.filter((/** @type {number[]} */ one) => one[0] === task);
  const row = models.filter((/** @type {number[]} */ one) => one[0] === model);
  const found = [...here, ...column, ...row].map((/** @type {number[]} */ one) => text[one[one.length - 1]]);
  if (isMarked(board, "revisions", task, model)) found.push("It is of another revision of the data than most scores of this task here.");
  else if ((board.several ?? []).includes(task)) found.push("Scores of this task here are of several revisions of the data; this one is of the commonest, or states none.");
  return found;
}

/**
 * @param {any} board
 * @param {string} kind
 * @param {number} task
 * @param {number} model
 * @returns {boolean} whether the score is among those that a reader can exclude by that name
 */
function isMarked(board, kind, task, model) {
  return (board.marks?.[kind] ?? []).some((/** @type {number[]} */ one) => one[0] === task && one[1] === model);
}

/**
 * What a reader can leave out of the ranks because of this score, or take back.
 * @param {any} ctx
 * @param {number} task
 * @param {number} model
 * @returns {HTMLElement[]}
 */
function exclusions(ctx, task, model) {
  const { board, state, set } = ctx;
  const kinds = [
    { kind: "revisions", there: (board.several ?? []).includes(task), words: "scores of other data than most" },
    { kind: "lint", there: isMarked(board, "lint", task, model), words: "scores that lint marks" },
  ];
  return kinds.filter(({ there }) => there).map(({ kind, words }) => {
    const out = state.exclude.includes(kind);
    const change = () => set({ exclude: out ? state.exclude.filter((/** @type {string} */ one) => one !== kind) : [...state.exclude, kind] });
    return el("button", { type: "button", class: "pill", on: { click: change } }, `${out ? "Count" : "Exclude"} ${words}`);
  });
}

/**
 * Everything that is known of one score.
 * @param {Shown} shown
 * @returns {HTMLElement}
 */
export function card(shown) {
  const { record } = shown;
  const findings = [...shown.findings];
  if (shown.trained === 1) findings.unshift("The model was trained on this task: it is not zero-shot.");
  return el(
    "div", { class: "record" },
    el("h2", {}, name(shown.model)),
    el("p", { class: "muted" }, name(shown.task), ` · ${visible(shown.of)}`),
    el("p", { class: "big" }, score(shown.score, 2)),
    el("p", { class: "muted" }, `${shown.place} of ${shown.n} models on this task`),
    record ? facts(record, shown.trained) : el("p", { class: "record-none" }, "Its record is not beside this board: the task's page has the scores of its subsets."),
    findings.map((text) => el("p", { class: "record-finding" }, visible(text))),
    record ? rerun(record, shown.command) : null,
    el(
      "p", { class: "actions" },
      copyButton("Copy record", JSON.stringify(copied(shown), null, 2)),
      shown.links.map(({ text, href }) => el("a", { class: "pill", href }, text)),
    ),
  );
}

/**
 * @param {Provenance} record
 * @param {number | null} trained
 */
function facts(record, trained) {
  const told = [...lines(record)];
  if (trained === null) told.push({ term: "Trained on it", text: "unknown: no training data is stated" });
  return el("dl", { class: "facts" }, told.map(({ term, text, whole }) => [
    el("dt", {}, term),
    el("dd", { title: whole ?? null }, visible(text)),
  ]));
}

/**
 * @param {Provenance} record
 * @param {string | null} line
 */
function rerun(record, line) {
  if (!line) return el("p", { class: "muted" }, "No file of this build says how to run this model on this task again.");
  const title = record.jobs.length ? "Run it again, and compare" : "Run it again, and compare with what was published";
  return el(
    "details", { class: "record-rerun" }, el("summary", {}, title),
    el("pre", { tabindex: 0, "aria-label": "command" }, visible(line)),
    copyButton("Copy command", line),
  );
}

/** @param {Shown} shown */
function copied({ model, task, of, score: value, place, n, record }) {
  return { model, task, of, score: value / 1e6, place, n, record };
}

/**
 * A button that copies; where the browser does not let it, the text is shown to be copied by hand.
 * @param {string} label
 * @param {string} text
 * @returns {HTMLElement}
 */
export function copyButton(label, text) {
  const button = el("button", { type: "button", class: "pill" }, label);
  const status = el("span", { class: "unseen", role: "status" });
  const box = el("span", { class: "record-copy" }, button, status);
  const byHand = () => {
    const area = /** @type {HTMLTextAreaElement} */ (el("textarea", { readonly: true, "aria-label": label, class: "record-text" }, text));
    box.append(area);
    area.select();
  };
  button.addEventListener("click", async () => {
    box.querySelector("textarea")?.remove();
    if (!(await toClipboard(text))) {
      byHand();
      return;
    }
    status.textContent = "copied";
    button.textContent = "Copied";
    window.setTimeout(() => { button.textContent = label; }, 1500);
  });
  return box;
}
