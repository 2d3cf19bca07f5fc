// Performance against the share of tasks that a model was not trained on.

import { roundValues } from "./axes.js";
import { el, name } from "./dom.js";
import { best, steps } from "./front.js";
import { lackingNotes, meanTitle, nothing, pointsOf, shortName } from "./modelwords.js";
import { interval, share, signed } from "./numbers.js";
import { scatter } from "./scatter.js";

/**
 * Draw the view.
 * @param {import("./modelwords.js").Context} ctx
 * @param {HTMLElement} root empty
 */
export function draw(ctx, root) {
  const { standing } = ctx;
  const { points, aside } = pointsOf(ctx, (model) => ctx.zero[model]);
  if (points.length === 0) return void root.append(nothing(ctx, "a known zero-shot share"));
  const least = Math.min(90, Math.floor(Math.min(...points.map(({ x }) => x)) / 10) * 10);
  scatter(ctx, root, {
    caption: caption(ctx, points, aside),
    points, aside, steps: steps(best(points, true), standing.test), toLeft: true, enough: standing.enough,
    asideName: "unknown",
    axis: {
      title: "Zero-shot: share of tasks not trained on",
      domain: [least - 1, 101],
      bent: (value) => value,
      marks: (n) => roundValues(least, 100, n).map((value) => ({ value, text: share(value) })),
    },
    yTitle: meanTitle(standing),
    legend: {
      told: "best of those trained on as few tasks, told from the best of those trained on fewer",
      open: "best of those trained on as few tasks, cannot be told from it",
    },
    against: "the best of those trained on fewer tasks",
    xHead: "Zero-shot",
    xText: (model) => zeroText(ctx.zero[model]),
    notes: [...lackingNotes(ctx), el("li", {}, "The share is what publishers told of their training data; nobody looked into it")],
  });
}

/** @param {number | null} percent */
function zeroText(percent) {
  return percent === null ? "unknown" : share(percent);
}

/**
 * Whether training on the benchmark's tasks goes with a better mean.
 * @param {import("./modelwords.js").Context} ctx
 * @param {import("./front.js").Point[]} points
 * @param {{model: number}[]} aside
 * @returns {(Node | string)[]}
 */
function caption({ board, standing }, points, aside) {
  /** @param {import("./front.js").Point} point */
  const called = ({ model, x }) => [el("b", {}, name(shortName(board.models.label[model]))), ` (${share(x)})`];
  const front = best(points, true);
  const [pure, top] = [front[0], front[front.length - 1]];
  const unknown = aside.length === 0 ? "" : ` ${aside.length} of those drawn do not say what they were trained on.`;
  const muted = el("span", { class: "scatter-aside" }, unknown);
  if (pure === top) return [...called(top), " has the best mean, and none was trained on fewer of the tasks.", muted];
  const { difference, low, high, apart } = standing.test(top.model, pure.model);
  if (apart === null) {
    return [...called(top), " has the best mean; the tasks are too few to tell it from those trained on fewer of them.", muted];
  }
  const told = apart ? [" is better than "] : [" cannot be told from "];
  return [...called(top), ...told, ...called(pure), ", the best of those trained on the fewest tasks",
    el("span", { class: "scatter-aside" }, ` — ${signed(difference)} points ${interval(low, high)}.${unknown}`)];
}
