// Performance by release date: the best so far, and whether each new best is told from the last.

import { dayMarks, dayOf } from "./axes.js";
import { el, name } from "./dom.js";
import { best, isTold, steps } from "./front.js";
import { lackingNotes, meanTitle, nothing, pointsOf, shortName } from "./modelwords.js";
import { scatter } from "./scatter.js";

const MARGIN_DAYS = 30;

/**
 * Draw the view.
 * @param {import("./modelwords.js").Context} ctx
 * @param {HTMLElement} root empty
 */
export function draw(ctx, root) {
  const { board, standing } = ctx;
  const { released } = board.models;
  const { points, aside } = pointsOf(ctx, (model) => (released[model] === null ? null : dayOf(/** @type {string} */ (released[model]))));
  if (points.length === 0) return void root.append(nothing(ctx, "a known release date"));
  const found = steps(best(points), standing.test);
  const days = points.map(({ x }) => x);
  const [first, last] = [Math.min(...days) - MARGIN_DAYS, Math.max(...days) + MARGIN_DAYS];
  scatter(ctx, root, {
    caption: caption(ctx, found),
    points, aside, steps: found, toLeft: false, enough: standing.enough,
    asideName: "unknown",
    axis: { title: "Release date", domain: [first, last], bent: (value) => value, marks: (n) => dayMarks(first, last, n) },
    yTitle: meanTitle(standing),
    legend: { told: "best so far, told from the best before it", open: "best so far, cannot be told from the best before it" },
    against: "the best before it",
    xHead: "Released",
    xText: (model) => released[model] ?? "release date unknown",
    notes: lackingNotes(ctx),
  });
}

/**
 * Since when nothing newer is told from the best.
 * @param {import("./modelwords.js").Context} ctx
 * @param {import("./front.js").Step[]} found
 * @returns {(Node | string)[]}
 */
function caption({ board, standing }, found) {
  const top = found[found.length - 1];
  /** @param {number} model */
  const called = (model) => [el("b", {}, name(shortName(board.models.label[model]))), ` (${board.models.released[model]})`];
  if (!standing.enough) return [...called(top.point.model), " has the best mean of the dated models; the tasks are too few to say by how much."];
  const told = found.filter((step) => isTold(step));
  const last = told[told.length - 1];
  const share = found.length < 3 ? "" : ` ${told.length - 1} of ${found.length - 1} new bests are told from the best before them.`;
  const aside = el("span", { class: "scatter-aside" }, share);
  if (last === top) return ["The last model told from the best before it is ", ...called(top.point.model), ", the best of all.", aside];
  const isApart = standing.test(top.point.model, last.point.model).apart;
  return !isApart
    ? ["The best mean is of ", ...called(top.point.model), ", which cannot be told from ", ...called(last.point.model), ".", aside]
    : [...called(top.point.model), " is better than ", ...called(last.point.model), ", though no step between them is told from the one before.", aside];
}
