// What a reader sees of the table, as texts and as values: what is copied out of the page is made of it.

import { score, share, size } from "./numbers.js";
import { isWhole, nearlyAll, typeMean } from "./rows.js";

/**
 * A column of the table: `text` is what a reader sees; `fields` are the same as values for a program, null where there
 * is none.
 * @typedef {{
 *   title: string, right: boolean, text: (model: number) => string,
 *   fields: {name: string, value: (model: number) => string | number | null}[],
 * }} Column
 */

/** The columns that are copied where neither the reader nor the page's width has chosen. */
const USUAL = ["mean", "meanType", "types", "zero", "size"];

const NOTHING = "–";
const MILLIONTHS_OF_PERCENT = 10000;

/**
 * The columns that are shown, in their order.
 * @param {any} ctx what a view is given; `columns` are the ids that the table shows
 * @returns {Column[]}
 */
export function columns(ctx) {
  const chosen = new Set(ctx.state.cols ?? ctx.columns ?? USUAL);
  if (ctx.state.view === "tasks") chosen.add("each");
  const made = Object.entries(known(ctx)).flatMap(([id, some]) => (chosen.has(id) ? some() : []));
  return [...ranks(ctx), model(ctx), ...made];
}

/**
 * What each id of a column stands for.
 * @param {any} ctx
 * @returns {Record<string, () => Column[]>}
 */
function known(ctx) {
  const { models } = ctx.board;
  const { standing } = ctx;
  return {
    mean: () => [mean(ctx)],
    meanType: () => [scores("mean_type", "Mean (Type)", (m) => standing.meanType[m], 2)],
    types: () => standing.types.map((/** @type {{of: string, tasks: number[]}} */ type) => ofType(standing, type)),
    each: () => standing.tasks.map((/** @type {number} */ task, /** @type {number} */ at) => ofTask(ctx, task, at)),
    tasks: () => [tasks(ctx)],
    zero: () => [facts("zero_shot_percent", "Zero-shot", ctx.zero, share, "unknown")],
    size: () => [facts("parameters", "Parameters", models.size, size)],
    active: () => [facts("active_parameters", "Active parameters", models.active, size)],
    dim: () => [facts("dimension", "Dimension", models.dim)],
    tokens: () => [facts("longest_input_tokens", "Longest input", models.tokens)],
    licence: () => [facts("licence", "Licence", models.licence)],
    open: () => [facts("open_weights", "Open weights", models.open, (open) => (open ? "yes" : "no"))],
    released: () => [facts("released", "Released", models.released)],
    languages: () => [facts("languages", "Languages", models.languages)],
    price: () => [facts("price_usd_per_million_tokens", "Price", models.price)],
    speed: () => [facts("speed_texts_per_second", "Speed", models.speed)],
    energy: () => [energy(models)],
  };
}

/**
 * The rank with its interval and group; and where the build knows it, the rank of those that lack tasks if they had
 * all.
 * @param {any} ctx
 * @returns {Column[]}
 */
function ranks(ctx) {
  const { rank, low, high, enough } = ctx.standing;
  const told = (/** @type {number} */ m) => (rank[m] ? `${rank[m]}` : NOTHING);
  /** @type {Column[]} */
  const found = [
    {
      title: "Rank",
      right: true,
      text: (/** @type {number} */ m) => (low[m] ? `${rank[m]} [${low[m]}–${high[m]}]` : told(m)),
      fields: [
        { name: "rank", value: (/** @type {number} */ m) => rank[m] || null },
        { name: "rank_low", value: (/** @type {number} */ m) => low[m] || null },
        { name: "rank_high", value: (/** @type {number} */ m) => high[m] || null },
      ],
    },
  ];
  if (enough) found.push(groups(ctx));
  /** @type {(number[] | null)[]} */
  const completed = isWhole(ctx.state) ? ctx.board.build.completed : [];
  if (!ctx.shown.some((/** @type {number} */ m) => completed[m])) return found;
  found.push({
    title: "Rank with all tasks",
    right: true,
    text: (m) => (completed[m] ? `${completed[m]?.[0]} [${completed[m]?.[1]}–${completed[m]?.[2]}]` : NOTHING),
    fields: ["", "_low", "_high"].map((end, at) => ({
      name: `rank_with_all_tasks${end}`,
      value: (m) => completed[m]?.[at] ?? null,
    })),
  });
  return found;
}

/**
 * @param {any} ctx
 * @returns {Column}
 */
function groups(ctx) {
  const value = (/** @type {number} */ m) => (ctx.standing.group[m] < 0 ? null : ctx.standing.group[m] + 1);
  return { title: "Group", right: true, text: (m) => `${value(m) ?? NOTHING}`, fields: [{ name: "group", value }] };
}

/**
 * @param {any} ctx
 * @returns {Column}
 */
function model(ctx) {
  const { name, label } = ctx.board.models;
  return {
    title: "Model",
    right: false,
    text: (m) => label[m],
    fields: [
      { name: "model", value: (m) => name[m] },
      { name: "variant", value: (m) => (label[m] === name[m] ? null : label[m]) },
    ],
  };
}

/**
 * The mean over all tasks; of a model that lacks a few the mean of what it has, marked as such.
 * @param {any} ctx
 * @returns {Column}
 */
function mean(ctx) {
  const { complete, mean: ofAll, partial } = ctx.standing;
  const lacks = (/** @type {number} */ m) => !complete[m] && nearlyAll(ctx.standing, m);
  return {
    title: "Mean (Task)",
    right: true,
    text: (m) => (lacks(m) ? `~${score(partial[m], 2)}` : score(ofAll[m], 2)),
    fields: [
      { name: "mean_task", value: (m) => percent(ofAll[m]) },
      { name: "mean_of_the_tasks_it_has", value: (m) => (lacks(m) ? percent(partial[m]) : null) },
    ],
  };
}

/**
 * The mean of a type of tasks, of models that have all of these.
 * @param {any} standing
 * @param {{of: string, tasks: number[]}} type
 */
function ofType(standing, { of, tasks: places }) {
  return scores(`mean of ${of}`, of, (m) => typeMean(standing, places, m), 2);
}

/**
 * @param {any} ctx
 * @param {number} task
 * @param {number} at its place among those that are kept
 */
function ofTask(ctx, task, at) {
  const name = ctx.board.tasks.name[task];
  return scores(name, name, (m) => ctx.standing.scores[at][m], 1);
}

/**
 * @param {any} ctx
 * @returns {Column}
 */
function tasks(ctx) {
  const { n, tasks: kept } = ctx.standing;
  return {
    title: "Tasks",
    right: true,
    text: (m) => `${n[m]}/${kept.length}`,
    fields: [
      { name: "tasks", value: (m) => n[m] },
      { name: "tasks_of", value: () => kept.length },
    ],
  };
}

/**
 * A column of scores.
 * @param {string} name
 * @param {string} title
 * @param {(model: number) => number | null} value in millionths; null or NaN where there is none
 * @param {1 | 2} digits
 * @returns {Column}
 */
function scores(name, title, value, digits) {
  const fields = [{ name, value: (/** @type {number} */ m) => percent(value(m)) }];
  return { title, right: true, text: (m) => score(value(m), digits), fields };
}

/**
 * Percent, to a millionth of the score.
 * @param {number | null} millionths
 */
function percent(millionths) {
  return millionths === null || Number.isNaN(millionths) ? null : Math.round(millionths) / MILLIONTHS_OF_PERCENT;
}

/**
 * Watt-hours for a thousand texts, and whether meters told all of them.
 * @param {any} models
 * @returns {Column}
 */
function energy(models) {
  const column = facts("energy_wh_per_thousand_texts", "Energy", models.energy);
  const text = (/** @type {number} */ m) => `${models.estimated?.[m] ? "≈ " : ""}${column.text(m)}`;
  const estimated = (/** @type {number} */ m) => (models.energy?.[m] == null ? null : models.estimated?.[m] ? "yes" : "no");
  return { ...column, text, fields: [...column.fields, { name: "energy_is_estimated", value: estimated }] };
}

/**
 * A column of facts, as the data have them.
 * @param {string} name
 * @param {string} title
 * @param {(string | number | null)[] | undefined} values
 * @param {(value: any) => string} told
 * @param {string} unknown
 * @returns {Column}
 */
function facts(name, title, values, told = String, unknown = "?") {
  const value = (/** @type {number} */ m) => values?.[m] ?? null;
  const text = (/** @type {number} */ m) => {
    const one = value(m);
    return one === null ? unknown : told(one);
  };
  const right = !values?.some((one) => typeof one === "string");
  return { title, right, text, fields: [{ name, value }] };
}
