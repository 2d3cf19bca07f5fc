// What opens beside the name of a model: its place, its means, and what is known of it.

import { el, name } from "./dom.js";
import { shortName, typeWords } from "./modelwords.js";
import { score, share, size } from "./numbers.js";
import { pop } from "./pop.js";
import { nearlyAll, typeMean } from "./rows.js";
import { strip } from "./strip.js";
import { isPinned } from "./table.js";

/** @typedef {any} Context */

/**
 * Show what is known of a model on this benchmark.
 * @param {Context} ctx
 * @param {number} model
 * @param {Element} anchor
 */
export function sheet(ctx, model, anchor) {
  const { board, standing, base } = ctx;
  const { models } = board;
  const label = models.label[model];
  const pin = () => ctx.pin(label);
  const choose = () => ctx.choose(label);
  const ranked = standing.rank.filter((/** @type {number} */ rank) => rank > 0).length;
  const facts = [
    ["Mean", standing.complete[model] ? score(standing.mean[model], 2) : nearlyAll(standing, model) ? `~${score(standing.partial[model], 2)}` : "–"],
    ["Tasks", `${standing.n[model]}/${standing.tasks.length}`],
    ...standing.types.map((/** @type {any} */ one) => [typeWords(one.of), score(typeMean(standing, one.tasks, model))]),
    ["Zero-shot", share(ctx.zero[model])],
    ["Parameters", size(models.size[model])],
    ["Licence", models.licence[model] ?? "not known"],
    ["Released", models.released[model] ?? "not known"],
  ];
  const rank = standing.rank[model];
  pop(anchor, label, el("div", {},
    el("h2", {}, name(shortName(label))),
    el("p", { class: "muted" }, name(label)),
    el("p", { class: "big" }, rank ? `Rank ${rank}` : "No rank: too few tasks"),
    rank && standing.low[model]
      ? el("p", { class: "muted" }, `between ${standing.low[model]} and ${standing.high[model]} of ${ranked} `, strip(rank, standing.low[model], standing.high[model], standing.models, true))
      : el("p", { class: "muted" }, `of ${ranked} with a rank`),
    el("dl", { class: "facts" }, facts.map(([term, value]) => [el("dt", {}, term), el("dd", {}, value)])),
    el(
      "p", { class: "actions" },
      el("a", { class: "pill", href: `${base}m.html#${models.slug[model]}` }, "All of this model"),
      el("button", { type: "button", class: "pill", on: { click: pin } }, isPinned(ctx, model) ? "Unpin" : "Pin"),
      el("button", { type: "button", class: "pill", on: { click: choose } }, ctx.state.m.includes(label) ? "Compare without" : "Compare"),
    ),
  ));
}
