// What pictures say of a model, and which models they can draw.

import { el, name } from "./dom.js";
import { counted, share, size } from "./numbers.js";

/**
 * What each view is given.
 * @typedef {object} Context
 * @property {import("./standing.js").Board} board
 * @property {import("./address.js").State} state
 * @property {import("./standing.js").Standing} standing
 * @property {number[]} shown models in the order of the table
 * @property {(number | null)[]} zero percent of the kept tasks that each model was not trained on
 * @property {string} base from this page to the root
 * @property {() => HTMLElement} empty why no model is shown, and the way out
 * @property {(patch: Partial<import("./address.js").State>) => void} set
 */

/**
 * A model's name without its organisation; a slash in what tells variants apart is none.
 * @param {string} label
 * @returns {string}
 */
export function shortName(label) {
  const [plain] = label.split(" (");
  return label.slice(plain.indexOf("/") + 1);
}

/**
 * What is known of a model: size, zero-shot share, release, licence of weights.
 * @param {Context} ctx
 * @param {number} model
 * @returns {string[]}
 */
export function facts({ board: { models }, zero: shares }, model) {
  const zero = shares[model];
  return [
    sizeText(models.size[model]),
    zero === null ? "zero-shot share unknown" : `${share(zero)} zero-shot`,
    models.released[model] ?? "release date unknown",
    models.open[model] === 0 ? "closed weights" : "",
  ].filter((text) => text !== "");
}

/**
 * @param {number | null} parameters
 * @returns {string}
 */
export function sizeText(parameters) {
  return parameters === null ? "size unknown" : size(parameters);
}

/**
 * The shown models that have a mean, as points of a picture.
 * @param {Context} ctx
 * @param {(model: number) => number | null} xOf
 * @returns {{points: import("./front.js").Point[], aside: {model: number, y: number}[]}} aside: of unknown x
 */
export function pointsOf({ shown, standing }, xOf) {
  /** @type {import("./front.js").Point[]} */
  const points = [];
  /** @type {{model: number, y: number}[]} */
  const aside = [];
  for (const model of shown) {
    const mean = standing.mean[model];
    if (Number.isNaN(mean)) continue;
    const x = xOf(model);
    if (x === null || Number.isNaN(x)) aside.push({ model, y: mean / 10000 });
    else points.push({ model, x, y: mean / 10000 });
  }
  return { points, aside };
}

/**
 * Say how many models are not drawn since they lack a task, and offer to leave out the task that most lack.
 * @param {Context} ctx
 * @returns {HTMLElement[]}
 */
export function lackingNotes(ctx) {
  const { board, shown, standing, state } = ctx;
  const lacking = shown.filter((model) => standing.there[model] && !standing.complete[model]);
  const none = shown.filter((model) => !standing.there[model]).length;
  const notes = [];
  if (lacking.length > 0) {
    const item = el("li", {}, `${counted(lacking.length, "model")} without all ${standing.tasks.length} tasks not drawn: a mean of fewer is another mean`);
    const worst = onlyMissing(lacking, standing);
    if (worst !== null && worst.models >= 5) {
      const task = board.tasks.name[worst.task];
      item.append(`; ${worst.models} of them lack only `, name(task), ": ",
        el("button", { type: "button", class: "plain", on: { click: () => ctx.set({ drop: [...state.drop, task] }) } }, "leave it out"));
    }
    notes.push(item);
  }
  if (none > 0) notes.push(el("li", {}, `${counted(none, "model")} without any of these tasks not drawn`));
  return notes;
}

/**
 * The task that alone keeps most models from being complete.
 * @param {number[]} lacking
 * @param {import("./standing.js").Standing} standing
 * @returns {{task: number, models: number} | null}
 */
export function onlyMissing(lacking, standing) {
  const counts = new Int32Array(standing.tasks.length);
  for (const model of lacking) {
    if (standing.n[model] !== standing.tasks.length - 1) continue;
    counts[standing.scores.findIndex((ofTask) => ofTask[model] === null)]++;
  }
  const most = counts.indexOf(Math.max(...counts));
  return most >= 0 && counts[most] > 0 ? { task: standing.tasks[most], models: counts[most] } : null;
}

/**
 * What a picture of means calls them.
 * @param {import("./standing.js").Standing} standing
 */
export function meanTitle({ tasks }) {
  return tasks.length === 1 ? "Score of the task" : `Mean of ${tasks.length} tasks`;
}

/**
 * The sentence that stands where nothing can be drawn, with the way out.
 * @param {Context} ctx
 * @param {string} what none of the models has
 * @returns {HTMLElement}
 */
export function nothing(ctx, what) {
  const { shown, standing } = ctx;
  if (shown.length === 0) return el("section", { class: "scatter" }, ctx.empty());
  const why = `None of ${counted(shown.length, "model")} has ${what} and all ${standing.tasks.length} tasks.`;
  return el("section", { class: "scatter" }, el("p", { class: "scatter-caption" }, why),
    el("ul", { class: "scatter-notes" }, ...lackingNotes(ctx)));
}

/**
 * The field's name of a type as words: "PairClassification" is "Pair classification", and "STS" stays.
 * @param {string} type
 * @returns {string}
 */
export function typeWords(type) {
  return type.replace(/([a-z])([A-Z])(?=[a-z])/g, (_, end, start) => `${end} ${start.toLowerCase()}`);
}
