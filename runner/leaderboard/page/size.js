// Performance against size: the best of its size, and whether it is told from the best smaller one.

import { powerValues } from "./axes.js";
import { el, name } from "./dom.js";
import { best, steps } from "./front.js";
import { lackingNotes, meanTitle, nothing, pointsOf, shortName, sizeText } from "./modelwords.js";
import { interval, signed, size } from "./numbers.js";
import { scatter } from "./scatter.js";

/**
 * Draw the view.
 * @param {import("./modelwords.js").Context} ctx
 * @param {HTMLElement} root empty
 */
export function draw(ctx, root) {
  const { board, standing } = ctx;
  const { points, aside } = pointsOf(ctx, (model) => board.models.size[model] || null);
  if (points.length === 0) return void root.append(nothing(ctx, "a known size"));
  const found = steps(best(points), standing.test);
  const sizes = points.map(({ x }) => x);
  const [least, most] = [Math.min(...sizes) / 1.3, Math.max(...sizes) * 1.3];
  scatter(ctx, root, {
    caption: caption(ctx, found, points),
    points, aside, steps: found, toLeft: false, enough: standing.enough,
    asideName: aside.some(({ model }) => board.models.size[model] === 0) ? "none, unknown" : "unknown",
    axis: {
      title: "Parameters, log scale",
      domain: [least, most],
      bent: Math.log10,
      marks: (n) => powerValues(least, most, n).map((value) => ({ value, text: size(value) })),
    },
    yTitle: meanTitle(standing),
    legend: { told: "best of its size, told from the best smaller one", open: "best of its size, cannot be told from the best smaller one" },
    against: "the best smaller one",
    xHead: "Parameters",
    xText: (model) => sizeText(board.models.size[model]),
    notes: lackingNotes(ctx),
  });
}

/**
 * How small a model can be without being told from the best.
 * @param {import("./modelwords.js").Context} ctx
 * @param {import("./front.js").Step[]} found
 * @param {import("./front.js").Point[]} points
 * @returns {(Node | string)[]}
 */
function caption({ board, standing }, found, points) {
  const top = found[found.length - 1].point;
  /** @param {number} model */
  const called = (model) => el("b", {}, name(shortName(board.models.label[model])));
  /** @param {import("./front.js").Point} point */
  const sized = ({ model, x }) => [called(model), ` (${size(x)})`];
  const untold = points.filter(({ model, x }) => x < top.x && standing.test(top.model, model).apart === false);
  if (!standing.enough) return [...sized(top), " has the best mean of the models of known size; the tasks are too few to say by how much."];
  if (untold.length === 0) {
    return [...sized(top), " is better than every smaller model", found.length === 1 ? ": it is the smallest." : "."];
  }
  const smallest = untold.reduce((one, other) => (other.x < one.x || (other.x === one.x && other.y > one.y) ? other : one));
  const { difference, low, high } = standing.test(top.model, smallest.model);
  return ["The smallest model that cannot be told from ", ...sized(top), " is ", ...sized(smallest),
    el("span", { class: "scatter-aside" }, ` — the difference is ${signed(difference)} points ${interval(low, high)}`)];
}
