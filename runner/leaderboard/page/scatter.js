// One drawing for size, zero-shot and time: a dot a model, the line of the best so far, and what was not drawn.

import { placeLabels, roundValues, scale } from "./axes.js";
import { clear, el, name, svg } from "./dom.js";
import { visible } from "./escapes.js";
import { isTold } from "./front.js";
import { facts, shortName } from "./modelwords.js";
import { counted, interval, score, signed } from "./numbers.js";

/** @typedef {import("./front.js").Point} Point */
/** @typedef {import("./front.js").Step} Step */
/** @typedef {import("./axes.js").Mark} Mark */
/** @typedef {import("./axes.js").Box} Box */

/**
 * @typedef {object} Axis
 * @property {string} title
 * @property {[number, number]} domain
 * @property {(value: number) => number} bent what is drawn evenly
 * @property {(most: number) => Mark[]} marks about so many at most
 */

/**
 * @typedef {object} Figure
 * @property {(Node | string)[]} caption what the picture says
 * @property {Point[]} points
 * @property {{model: number, y: number}[]} aside models whose x nobody tells
 * @property {string} asideName
 * @property {Step[]} steps
 * @property {boolean} toLeft whether the line steps up to the left
 * @property {boolean} enough whether there are enough families for a verdict
 * @property {Axis} axis
 * @property {string} yTitle
 * @property {{told: string, open: string}} legend what a filled and a hollow dot of the line say
 * @property {string} against how the test is named, as in "the best smaller one"
 * @property {string} xHead of the table
 * @property {(model: number) => string} xText
 * @property {Node[]} notes what is not drawn
 */

const MARGIN = { left: 40, right: 14, top: 26, bottom: 46 };
const REACH = 18;
const SIZE = 12;
/** The share of models that may lie below the axis, and how far below the others they must be, as a share of their span. */
const OUT = 0.05;
const BELOW = 0.05;

/**
 * Draw a figure, and again whenever its width changes.
 * @param {import("./modelwords.js").Context} ctx
 * @param {HTMLElement} root
 * @param {Figure} figure
 */
export function scatter(ctx, root, figure) {
  const plot = el("div", { class: "scatter-plot" });
  const low = lowest(figure);
  const below = [...figure.points, ...figure.aside].filter(({ y }) => y < low).length;
  const notes = [...figure.notes];
  if (below > 0) notes.unshift(el("li", {}, `${counted(below, "model")} below ${low} not drawn`));
  root.append(
    el("section", { class: "scatter" },
      el("p", { class: "scatter-caption" }, ...figure.caption),
      legend(figure),
      plot,
      notes.length > 0 ? el("ul", { class: "scatter-notes" }, ...notes) : "",
      table(ctx, figure)),
  );
  let width = 0;
  const redraw = () => {
    const now = plot.clientWidth;
    if (now === 0 || Math.abs(now - width) < 2) return;
    width = now;
    clear(plot);
    drawPlot(ctx, plot, figure, width, low);
  };
  redraw();
  new ResizeObserver(redraw).observe(plot);
}

/**
 * Where the axis of means begins: below the line and below nineteen of twenty models, or below all where few are left.
 * @param {Figure} figure
 */
function lowest({ points, aside, steps }) {
  const ys = [...points, ...aside].map(({ y }) => y).sort((one, other) => one - other);
  const twentieth = ys[Math.floor(ys.length * OUT)];
  const high = ys[ys.length - 1];
  const first = steps.length > 0 ? steps[0].point.y : high;
  const least = Math.min(twentieth - (high - twentieth) * BELOW, first);
  return Math.floor(Math.max(ys[0], least) - 0.5);
}

/** @param {Figure} figure */
function legend({ legend: texts, enough, steps }) {
  const items = enough
    ? [[sign("scatter-told"), texts.told], [sign("scatter-open"), texts.open], [bar(), "95 % interval of that difference"]]
    : [[sign("scatter-open"), `${texts.told.split(",")[0]}; too few tasks to say whether by chance`]];
  if (steps.length === 0) return "";
  return el("ul", { class: "scatter-legend" }, ...items.map(([drawn, text]) => el("li", {}, drawn, text)));
}

/** @param {string} kind */
function sign(kind) {
  return svg("svg", { class: "scatter-sign", width: 12, height: 12, "aria-hidden": "true" },
    svg("circle", { class: kind, cx: 6, cy: 6, r: 4.5 }));
}

function bar() {
  return svg("svg", { class: "scatter-sign", width: 12, height: 12, "aria-hidden": "true" },
    svg("path", { class: "scatter-whisker", d: "M6 0V12" }));
}

/**
 * @typedef {object} Laid
 * @property {number} width
 * @property {number} height
 * @property {number} right where the axis ends
 * @property {(value: number) => number} x
 * @property {(value: number) => number} y
 */

/**
 * @param {Figure} figure
 * @param {number} width
 * @param {number} low
 * @returns {Laid}
 */
function laidOut(figure, width, low) {
  const height = Math.round(Math.min(Math.max(width * 0.46, 360), 720));
  const strip = !figure.aside.some(({ y }) => y >= low) ? 0 : width < 600 ? 56 : 96;
  const right = width - MARGIN.right - strip;
  const tops = figure.steps.map(({ point, before, test }) => (before && test && test.apart !== null ? before.y + test.high : point.y));
  const high = Math.max(...tops, ...figure.points.map(({ y }) => y), ...figure.aside.map(({ y }) => y));
  return {
    width, height, right,
    x: scale(figure.axis.domain, [MARGIN.left, right], figure.axis.bent),
    y: scale([low, high + (high - low) * 0.02], [height - MARGIN.bottom, MARGIN.top]),
  };
}

/**
 * @typedef {object} Dot
 * @property {number} model
 * @property {number} x
 * @property {number} y
 * @property {Step | null} step
 */

/**
 * @param {import("./modelwords.js").Context} ctx
 * @param {HTMLElement} plot
 * @param {Figure} figure
 * @param {number} width
 * @param {number} low
 */
function drawPlot(ctx, plot, figure, width, low) {
  const laid = laidOut(figure, width, low);
  const dots = placed(figure, laid, low);
  const drawn = dots.map((dot) => mark(ctx, figure, dot, spoken(ctx, figure, dot.model, dot.step)));
  const above = dots.map((dot, at) => (isMarked(ctx, dot) ? drawn[at] : null));
  const picture = svg("svg",
    { class: "scatter-svg", width, height: laid.height, role: "group",
      "aria-label": `${figure.yTitle} against ${figure.axis.title}, ${counted(dots.length, "model")}; arrow keys go from one to the next` },
    grid(figure, laid, low),
    svg("g", {}, ...drawn.filter((_, at) => above[at] === null)),
    line(figure, laid, low),
    svg("g", {}, .../** @type {Node[]} */ (above.filter((one) => one !== null))),
    labels(ctx, figure, laid, dots));
  plot.append(picture);
  attend(ctx, plot, picture, figure, dots, drawn);
}

/**
 * All dots from left to right, those without an x last.
 * @param {Figure} figure
 * @param {Laid} laid
 * @param {number} low
 * @returns {Dot[]}
 */
function placed(figure, laid, low) {
  const stepOf = new Map(figure.steps.map((step) => [step.point.model, step]));
  const known = figure.points.map(({ model, x, y }) => ({ model, x: laid.x(x), y: laid.y(y), value: y, step: stepOf.get(model) ?? null }));
  const room = laid.width - MARGIN.right - laid.right - 28;
  const aside = figure.aside.map(({ model, y }) => (
    { model, x: laid.right + 20 + spreadOut(model) * room, y: laid.y(y), value: y, step: null }));
  return [...known, ...aside].filter(({ value }) => value >= low).sort((a, b) => a.x - b.x || b.y - a.y);
}

/**
 * A fixed share from 0 to 1 of each model, so that dots of a strip do not hide one another.
 * @param {number} model
 */
function spreadOut(model) {
  return (model * 0.6180339887498949) % 1;
}

/**
 * Models that are drawn above others and named: the line's, one's own, pinned ones and those that are compared.
 * @param {import("./modelwords.js").Context} ctx
 * @param {Dot} dot
 */
function isMarked({ board, state }, { model, step }) {
  return step !== null || board.models.own[model] === 1 || isChosen(state, board.models.label[model]);
}

/**
 * @param {import("./address.js").State} state
 * @param {string} label
 */
function isChosen(state, label) {
  return state.pin.includes(label) || state.m.includes(label);
}

/**
 * @param {import("./modelwords.js").Context} ctx
 * @param {Figure} figure
 * @param {Dot} dot
 * @param {string} said
 */
function mark({ board, state }, { enough }, { model, x, y, step }, said) {
  const kinds = ["scatter-dot"];
  if (step) kinds.push(enough && isTold(step) ? "scatter-told" : "scatter-open");
  if (isChosen(state, board.models.label[model])) kinds.push("scatter-chosen");
  const shared = { class: kinds.join(" "), role: "button", tabindex: "-1", "aria-label": said };
  if (board.models.own[model] === 1) {
    return svg("rect", { ...shared, class: `${shared.class} scatter-own`, x: fixed(x - 4.5), y: fixed(y - 4.5), width: 9, height: 9 });
  }
  return svg("circle", { ...shared, cx: fixed(x), cy: fixed(y), r: step ? 5 : 4 });
}

/** @param {number} value */
function fixed(value) {
  return value.toFixed(1);
}

/**
 * @param {Figure} figure
 * @param {Laid} laid
 * @param {number} low
 */
function grid(figure, laid, low) {
  const { axis, yTitle, aside, asideName } = figure;
  const floor = laid.height - MARGIN.bottom;
  const group = svg("g", { class: "scatter-grid", "aria-hidden": "true" }, svg("text", { x: 0, y: 12 }, yTitle));
  const top = MARGIN.top - 6;
  for (const value of roundValues(low, valueAt(laid, low, top), laid.height / 60)) {
    const y = fixed(laid.y(value));
    group.append(svg("path", { d: `M${MARGIN.left} ${y}H${laid.width - MARGIN.right}` }),
      svg("text", { x: MARGIN.left - 8, y: Number(y) + 4, "text-anchor": "end" }, String(value)));
  }
  for (const { value, text } of axis.marks(Math.max((laid.right - MARGIN.left) / 74, 2))) {
    const x = fixed(laid.x(value));
    group.append(svg("path", { d: `M${x} ${floor}v5` }), svg("text", { x, y: floor + 19, "text-anchor": "middle" }, text));
  }
  group.append(svg("text", { x: laid.right, y: floor + 40, "text-anchor": "end" }, axis.title));
  if (aside.some(({ y }) => y >= low)) {
    group.append(svg("path", { class: "scatter-strip", d: `M${fixed(laid.right + 8)} ${top}V${floor + 5}` }),
      svg("text", { x: laid.width - MARGIN.right, y: 12, "text-anchor": "end" }, asideName));
  }
  return group;
}

/**
 * @param {Laid} laid
 * @param {number} low
 * @param {number} top
 */
function valueAt(laid, low, top) {
  const floor = laid.height - MARGIN.bottom;
  const unit = floor - laid.y(low + 1);
  return low + (floor - top) / unit;
}

/**
 * The stepped line, and the interval of each step around its point.
 * @param {Figure} figure
 * @param {Laid} laid
 * @param {number} low
 */
function line({ steps, toLeft }, laid, low) {
  if (steps.length === 0) return svg("g", {});
  const end = toLeft ? MARGIN.left : laid.right;
  const path = steps.map(({ point }, at) => {
    const to = `${fixed(laid.x(point.x))}`;
    return at === 0 ? `M${to} ${fixed(laid.y(point.y))}` : `H${to}V${fixed(laid.y(point.y))}`;
  });
  const whiskers = steps.map(({ point, before, test }) => {
    if (before === null || !test || test.apart === null) return "";
    const from = laid.y(Math.max(before.y + test.low, low));
    return `M${fixed(laid.x(point.x))} ${fixed(from)}V${fixed(laid.y(before.y + test.high))}`;
  });
  return svg("g", { "aria-hidden": "true" },
    svg("path", { class: "scatter-whisker", d: whiskers.join("") }),
    svg("path", { class: "scatter-line", d: `${path.join("")}H${fixed(end)}` }));
}

/**
 * Names beside the marked dots, the best first.
 * @param {import("./modelwords.js").Context} ctx
 * @param {Figure} figure
 * @param {Laid} laid
 * @param {Dot[]} dots
 */
function labels(ctx, figure, laid, dots) {
  const last = figure.steps[figure.steps.length - 1];
  const marked = dots.filter((dot) => isMarked(ctx, dot)).sort((a, b) => weight(a, last) - weight(b, last) || a.y - b.y);
  const wanted = marked.map(({ model, x, y }) => ({ x, y, text: visible(shortName(ctx.board.models.label[model])) }));
  const taken = { hard: [...marked.map(({ x, y }) => boxAround(x, y, x, y, 6)), ...segments(figure, laid)], soft: whiskers(figure, laid) };
  const frame = { left: MARGIN.left, right: laid.width, top: 16, bottom: laid.height - MARGIN.bottom };
  const found = placeLabels(wanted, taken, frame, { size: SIZE, toLeft: figure.toLeft });
  return svg("g", { class: "scatter-labels", "aria-hidden": "true" },
    ...found.flatMap((at, which) => at === null ? [] : [svg("text", { x: fixed(at.x), y: fixed(at.y), "text-anchor": at.anchor }, wanted[which].text)]));
}

/**
 * One's own, chosen models and the best of all are named before the others of the line, and of these the told ones.
 * @param {Dot} dot
 * @param {Step | undefined} last
 */
function weight({ step }, last) {
  return step === null || step === last ? 0 : isTold(step) ? 1 : 2;
}

/**
 * @param {Figure} figure
 * @param {Laid} laid
 * @returns {Box[]}
 */
function segments({ steps }, laid) {
  return steps.slice(1).flatMap(({ point }, at) => {
    const { point: last } = steps[at];
    const [x, y] = [laid.x(point.x), laid.y(point.y)];
    const [fromX, fromY] = [laid.x(last.x), laid.y(last.y)];
    return [boxAround(fromX, fromY, x, fromY, 0.5), boxAround(x, fromY, x, y, 0.5)];
  });
}

/**
 * @param {Figure} figure
 * @param {Laid} laid
 * @returns {Box[]}
 */
function whiskers({ steps }, laid) {
  return steps.flatMap(({ point, before, test }) => {
    if (before === null || !test || test.apart === null) return [];
    const x = laid.x(point.x);
    return [boxAround(x, laid.y(before.y + test.low), x, laid.y(before.y + test.high), 1)];
  });
}

/**
 * @param {number} x
 * @param {number} y
 * @param {number} toX
 * @param {number} toY
 * @param {number} margin
 * @returns {Box}
 */
function boxAround(x, y, toX, toY, margin) {
  return { left: Math.min(x, toX) - margin, right: Math.max(x, toX) + margin, top: Math.min(y, toY) - margin, bottom: Math.max(y, toY) + margin };
}

/**
 * What a dot is, in words: for a screen reader, and in the note that it opens.
 * @param {import("./modelwords.js").Context} ctx
 * @param {Figure} figure
 * @param {number} model
 * @param {Step | null} step
 */
function spoken(ctx, figure, model, step) {
  const label = visible(ctx.board.models.label[model]);
  const said = `${label}: ${score(ctx.standing.mean[model], 2)}, ${figure.xText(model)}`;
  return step ? `${said}; ${verdict(ctx, figure, step)}` : said;
}

/**
 * @param {import("./modelwords.js").Context} ctx
 * @param {Figure} figure
 * @param {Step} step
 */
function verdict({ board }, figure, { before, test }) {
  if (before === null) return "the first of the line";
  const other = visible(shortName(board.models.label[before.model]));
  if (test === null || test.apart === null) return `best so far, after ${other}; too few tasks for a verdict`;
  const difference = `${signed(test.difference)} ${interval(test.low, test.high)}`;
  return test.apart ? `better than ${figure.against}, ${other}: ${difference}` : `cannot be told from ${figure.against}, ${other}: ${difference}`;
}

/**
 * Pointer and keys: the nearest dot shows its note, a click or Enter keeps it open, arrows go from dot to dot.
 * @param {import("./modelwords.js").Context} ctx
 * @param {HTMLElement} plot
 * @param {SVGElement} picture
 * @param {Figure} figure
 * @param {Dot[]} dots
 * @param {SVGElement[]} drawn
 */
function attend(ctx, plot, picture, figure, dots, drawn) {
  if (dots.length === 0) return;
  const tip = el("div", { class: "scatter-tip", hidden: "" });
  plot.append(tip);
  let current = -1;
  let kept = false;
  drawn[0].setAttribute("tabindex", "0");

  /** @param {number} at */
  const show = (at) => {
    if (at === current && !tip.hidden) return;
    if (current >= 0) drawn[current].classList.remove("scatter-now");
    current = at;
    tip.hidden = at < 0;
    if (at < 0) return;
    drawn[at].classList.add("scatter-now");
    clear(tip);
    tip.append(...note(ctx, figure, dots[at]));
    beside(tip, dots[at], plot.clientWidth);
  };
  const hide = () => {
    kept = false;
    show(-1);
  };
  /** @param {number} at */
  const go = (at) => {
    drawn.forEach((one) => one.setAttribute("tabindex", "-1"));
    drawn[at].setAttribute("tabindex", "0");
    drawn[at].focus();
  };
  picture.addEventListener("pointermove", (event) => {
    if (!kept) show(nearest(dots, /** @type {PointerEvent} */ (event), picture));
  });
  plot.addEventListener("pointerleave", () => kept || show(-1));
  picture.addEventListener("click", (event) => {
    const at = nearest(dots, /** @type {MouseEvent} */ (event), picture);
    kept = at >= 0;
    show(at);
  });
  picture.addEventListener("focusin", (event) => {
    const at = drawn.indexOf(/** @type {SVGElement} */ (event.target));
    if (at >= 0) show(at);
  });
  plot.addEventListener("focusout", (event) => {
    if (!plot.contains(/** @type {Node | null} */ (/** @type {FocusEvent} */ (event).relatedTarget)) && !kept) hide();
  });
  plot.addEventListener("keydown", (event) => {
    const at = drawn.indexOf(/** @type {SVGElement} */ (event.target));
    const { key } = /** @type {KeyboardEvent} */ (event);
    if (key === "Escape" && !tip.hidden) {
      if (at < 0 && current >= 0) drawn[current].focus();
      hide();
    } else if (at >= 0 && (key === "Enter" || key === " ")) {
      show(at);
      kept = true;
      /** @type {HTMLElement | null} */ (tip.querySelector("a"))?.focus();
    } else if (at >= 0 && nextOf(key, at, dots) !== null) {
      kept = false;
      go(/** @type {number} */ (nextOf(key, at, dots)));
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
}

/**
 * @param {Dot[]} dots
 * @param {MouseEvent} event
 * @param {SVGElement} picture
 * @returns {number} -1 where none is near
 */
function nearest(dots, event, picture) {
  const { left, top } = picture.getBoundingClientRect();
  const [x, y] = [event.clientX - left, event.clientY - top];
  let found = -1;
  let least = REACH * REACH;
  dots.forEach((dot, at) => {
    const distance = (dot.x - x) ** 2 + (dot.y - y) ** 2 - (dot.step ? 30 : 0);
    if (distance < least) [found, least] = [at, distance];
  });
  return found;
}

/**
 * Left and right go to the next dot, up and down to the next of the line.
 * @param {string} key
 * @param {number} at
 * @param {Dot[]} dots
 * @returns {number | null}
 */
function nextOf(key, at, dots) {
  const last = dots.length - 1;
  if (key === "Home") return 0;
  if (key === "End") return last;
  if (key === "ArrowRight") return Math.min(at + 1, last);
  if (key === "ArrowLeft") return Math.max(at - 1, 0);
  if (key !== "ArrowUp" && key !== "ArrowDown") return null;
  const way = key === "ArrowUp" ? 1 : -1;
  for (let next = at + way; next >= 0 && next <= last; next += way) if (dots[next].step) return next;
  return at;
}

/**
 * @param {import("./modelwords.js").Context} ctx
 * @param {Figure} figure
 * @param {Dot} dot
 * @returns {(Node | string)[]}
 */
function note(ctx, figure, { model, step }) {
  const { board, standing } = ctx;
  const label = board.models.label[model];
  const leader = step?.before?.model ?? figure.steps[figure.steps.length - 1]?.point.model;
  const lines = [
    el("p", { class: "scatter-tip-name" }, name(label)),
    el("p", {}, el("b", {}, score(standing.mean[model], 2)), ` ${figure.yTitle.toLowerCase()}`),
    el("p", {}, facts(ctx, model).join(" · ")),
  ];
  if (step) lines.push(el("p", {}, sentenceCase(verdict(ctx, figure, step))));
  const ways = el("p", { class: "scatter-tip-ways" }, el("a", { href: `${ctx.base}m.html#${board.models.slug[model]}` }, "its page"));
  if (leader !== undefined && leader !== model) {
    const compared = [label, board.models.label[leader]];
    ways.append(el("button", { type: "button", class: "plain", on: { click: () => ctx.set({ view: "compare", m: compared }) } },
      "compare with ", name(shortName(board.models.label[leader]))));
  }
  return [...lines, ways];
}

/** @param {string} text */
function sentenceCase(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * @param {HTMLElement} tip
 * @param {Dot} dot
 * @param {number} width
 */
function beside(tip, dot, width) {
  const wide = Math.min(300, width - 16);
  const left = dot.x + 14 + wide <= width ? dot.x + 14 : Math.max(dot.x - 14 - wide, 4);
  tip.style.setProperty("left", `${left}px`);
  tip.style.setProperty("top", `${dot.y + 12}px`);
  tip.style.setProperty("width", `${wide}px`);
}

/**
 * The same for those who do not see it, and for those who want the numbers; its rows are made when it is opened.
 * @param {import("./modelwords.js").Context} ctx
 * @param {Figure} figure
 */
function table(ctx, figure) {
  const rows = [...figure.points, ...figure.aside].sort((a, b) => b.y - a.y);
  const stepOf = new Map(figure.steps.map((step) => [step.point.model, step]));
  const holder = el("div", { class: "scatter-rows", tabindex: "0", role: "region", "aria-label": "The same as a table" });
  const fill = () => {
    if (holder.hasChildNodes()) return;
    holder.append(el("table", {},
      el("thead", {}, el("tr", {}, ...["Model", "Mean", figure.xHead, "The line"].map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, ...rows.map(({ model }) => {
        const step = stepOf.get(model);
        return el("tr", {},
          el("th", { scope: "row" }, name(ctx.board.models.label[model])),
          el("td", { class: "scatter-number" }, score(ctx.standing.mean[model], 2)),
          el("td", { class: "scatter-number" }, figure.xText(model)),
          el("td", {}, step ? sentenceCase(verdict(ctx, figure, step)) : ""));
      }))));
  };
  return el("details", { class: "scatter-table", on: { toggle: fill } }, el("summary", {}, "The same as a table"), holder);
}
