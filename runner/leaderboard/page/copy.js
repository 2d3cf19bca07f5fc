// What is shown, as a text to take along: a table for a spreadsheet, a paper or a page, references, and a benchmark
// file that the runner measures.

import { write } from "./address.js";
import { toClipboard } from "./clipboard.js";
import { el } from "./dom.js";
import { csvCell, latexText, markdownText, oneLine, plainAddress, yamlComment, yamlText } from "./escapes.js";
import { counted } from "./numbers.js";
import { isWhole } from "./rows.js";
import { columns } from "./shown.js";
import { LEVEL } from "./standing.js";
import { narrowedTasks } from "./subsets.js";
import { chosenColumns } from "./table.js";

// -- what every form says ---------------------------------------------------------------------------------------------

const WEB = /^https?:\/\//;

/**
 * The address of what is shown. That of a page on a reader's own disk begins at the board's folder: what is above it is
 * nobody else's.
 * @param {any} ctx what a view is given, with the page's `address`
 */
function addressOf(ctx) {
  const whole = ctx.address ?? "";
  if (WEB.test(whole)) return plainAddress(whole);
  const hash = write(ctx.state);
  return plainAddress(`${ctx.board.page ?? `b/${ctx.board.slug}.html`}${hash && "#"}${hash}`);
}

/**
 * What the ranks are made of, and how, in a line.
 * @param {any} ctx
 */
function about(ctx) {
  const { board, standing, shown, state } = ctx;
  const all = board.tasks.name.length;
  const kept = standing.tasks.length;
  const parts = [
    `Ranking of ${board.name}: ${kept === all ? counted(kept, "task") : `${kept} of ${counted(all, "task")}`}`,
    ...narrowings(state),
    `${shown.length} of ${counted(board.models.name.length, "model")} shown`,
    standing.enough
      ? `ranks with intervals of ${Math.round(100 * LEVEL)} % over draws of tasks`
      : "too few tasks for intervals",
    "scores in percent",
    ...(board.newest ? [`newest record ${board.newest}`] : []),
  ];
  return oneLine(parts.join("; "));
}

/** @type {[string, string][]} */
const OF_TASKS = [
  ["bench", "benchmarks"], ["type", "types"], ["task", "tasks"], ["lang", "languages"], ["domain", "domains"], ["modality", "modalities"],
];

/**
 * The filters of tasks, in words.
 * @param {any} state
 * @returns {string[]}
 */
function narrowings(state) {
  const chosen = OF_TASKS.flatMap(([key, words]) => (state[key].length ? [`${words} ${state[key].join(", ")}`] : []));
  if (state.drop.length) chosen.push(`without ${state.drop.join(", ")}`);
  return [...chosen, ...state.exclude.map((/** @type {string} */ kind) => `without scores marked ${kind}`)];
}

// -- tables -----------------------------------------------------------------------------------------------------------

/**
 * A table for programs, by RFC 4180: every column as values, with where they are from in the last ones.
 * @param {any} ctx what a view is given, with the page's `address`
 * @returns {string}
 */
export function csv(ctx) {
  const fields = columns(ctx).flatMap((column) => column.fields);
  const from = [oneLine(ctx.board.name), ctx.board.newest ?? null, addressOf(ctx)];
  const heads = [...fields.map((field) => field.name), "benchmark", "newest_record", "address"];
  const rows = ctx.shown.map((/** @type {number} */ model) => [...fields.map((field) => field.value(model)), ...from]);
  return [heads, ...rows].map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");
}

/**
 * A table with booktabs for a paper, a rule between groups.
 * @param {any} ctx what a view is given, with the page's `address`
 * @returns {string}
 */
export function latex(ctx) {
  const shown = columns(ctx);
  const { group } = ctx.standing;
  const row = (/** @type {string[]} */ cells) => `${cells.map(latexText).join(" & ")} \\\\`;
  const rules = ctx.state.sort === "rank";
  const body = ctx.shown.map((/** @type {number} */ model) => row(shown.map((column) => column.text(model))));
  const ruled = body.flatMap((/** @type {string} */ line, /** @type {number} */ at) => {
    const [before, here] = [group[ctx.shown[at - 1]], group[ctx.shown[at]]];
    return rules && at && before !== here && before >= 0 && here >= 0 ? ["\\midrule", line] : [line];
  });
  const from = addressOf(ctx);
  return [
    `% ${from}`,
    "% needs \\usepackage{booktabs} and \\usepackage{url}",
    "\\begin{table}",
    `\\caption{${latexText(about(ctx))}.}`,
    `\\begin{tabular}{${shown.map((column) => (column.right ? "r" : "l")).join("")}}`,
    "\\toprule",
    row(shown.map((column) => column.title)),
    "\\midrule",
    ...ruled,
    "\\bottomrule",
    "\\end{tabular}",
    ...(WEB.test(from) ? [`\\par{\\footnotesize\\url{${from}}}`] : []),
    "\\end{table}",
    "",
  ].join("\n");
}

/**
 * A table for a page or an issue.
 * @param {any} ctx what a view is given, with the page's `address`
 * @returns {string}
 */
export function markdown(ctx) {
  const shown = columns(ctx);
  const row = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |`;
  const from = addressOf(ctx);
  return [
    row(shown.map((column) => markdownText(column.title))),
    row(shown.map((column) => (column.right ? "---:" : ":---"))),
    ...ctx.shown.map((/** @type {number} */ model) => row(shown.map((column) => markdownText(column.text(model))))),
    "",
    `${markdownText(about(ctx))}. ${WEB.test(from) ? `<${from}>` : markdownText(from)}`,
    "",
  ].join("\n");
}

// -- references -------------------------------------------------------------------------------------------------------

/**
 * Entries of the table itself, the benchmark, and the shown models whose page is known. They say what is known alone: a
 * title, an address, a revision.
 * @param {any} ctx what a view is given, with the page's `address`
 * @returns {string}
 */
export function bibtex(ctx) {
  const { board, shown } = ctx;
  const { slug, label, reference, revision } = board.models;
  const models = shown.filter((/** @type {number} */ model) => reference[model]);
  return [
    entry(`board-${board.slug}`, `Ranking of ${board.name}`, addressOf(ctx), about(ctx)),
    entry(`benchmark-${board.slug}`, `Benchmark ${board.name}`, board.reference, null),
    ...models.map((/** @type {number} */ model) => {
      const told = revision?.[model] ? `revision ${revision[model]}` : null;
      const key = board.models.own[model] ? `own-${slug[model]}-${model}` : slug[model];
      return entry(`model-${key}`, `Model ${label[model]}`, reference[model], told);
    }),
  ].join("\n");
}

/**
 * @param {string} key of letters, digits and -
 * @param {string} title
 * @param {string | null} link
 * @param {string | null} note
 */
function entry(key, title, link, note) {
  const fields = [["title", `{${latexText(title)}}`]];
  if (link && WEB.test(link)) fields.push(["howpublished", `\\url{${plainAddress(link)}}`]);
  if (note) fields.push(["note", latexText(note)]);
  return `@misc{${key},\n${fields.map(([name, value]) => `  ${name} = {${value}},\n`).join("")}}\n`;
}

// -- a benchmark file -------------------------------------------------------------------------------------------------

const LONGEST_NAME = 200;

/**
 * A benchmark file for the runner: the tasks that are kept, each cut to the subsets that are.
 * @param {any} ctx what a view is given, with the page's `address`, and in `files` those of the languages
 * @returns {string}
 */
export function yaml(ctx) {
  const { board, state } = ctx;
  const whole = isWhole(state);
  return [
    ...[addressOf(ctx), ...notes(ctx, whole)].map(yamlComment),
    `name: ${yamlText(whole ? board.name : nameOfPart(ctx))}`,
    ...(whole && board.reference ? [`reference: ${yamlText(board.reference)}`] : []),
    ...(board.by && board.by !== "borda" ? [`ranked_by: ${board.by}`] : []),
    "tasks:",
    ...tasksOf(ctx).map((task) => `  - ${asked(task)}`),
    "",
  ].join("\n");
}

/**
 * What the file does not say by itself.
 * @param {any} ctx
 * @param {boolean} whole
 */
function notes(ctx, whole) {
  const { board, state } = ctx;
  const found = ["Save it as mine/benchmark/part.yaml", "python -m runner --config-dir mine model=NAME benchmark=part"];
  if (whole && board.config) found.push(`All of the benchmark, which the runner has as benchmark=${board.config}`);
  if (state.exclude.length) {
    found.push(`The page leaves out scores marked ${state.exclude.join(" and ")}, which no benchmark file can say`);
  }
  for (const [task, reason] of Object.entries(board.awaits ?? {})) found.push(`Not in it, ${task}: ${reason}`);
  if (board.unscored.length) found.push(`Not in it, since nobody has a score: ${board.unscored.join(", ")}`);
  return found;
}

/**
 * @param {any} ctx
 * @returns {string}
 */
function nameOfPart(ctx) {
  const { board, standing, state } = ctx;
  const chosen = OF_TASKS.flatMap(([key]) => state[key]).join(", ");
  const told = oneLine(`${board.name}: ${chosen || counted(standing.tasks.length, "task")}`);
  return told.length <= LONGEST_NAME ? told : oneLine(`Part of a benchmark: ${counted(standing.tasks.length, "task")}`);
}

/**
 * The tasks that are kept, with the subsets and splits that are; null for all that a task has.
 * @param {any} ctx
 * @returns {{name: string, subsets: string[] | null, splits: string[] | null}[]}
 */
function tasksOf({ board, files, standing, state }) {
  const { name, only, splits } = board.tasks;
  if (board.asked) return standing.tasks.flatMap((/** @type {number} */ task) => board.asked[task]);
  if (!state.lang.length) {
    return standing.tasks.map((/** @type {number} */ task) => ({
      name: name[task], subsets: only[task], splits: splits[task],
    }));
  }
  const kept = new Set(standing.tasks);
  return narrowedTasks(board, files, state.lang).filter(({ task }) => kept.has(task));
}

/**
 * A task as a benchmark asks for it.
 * @param {{name: string, subsets: string[] | null, splits: string[] | null}} task
 */
function asked({ name, subsets, splits }) {
  const told = Object.entries({ subsets, splits }).flatMap(([key, names]) =>
    names ? [`${key}: [${names.map(yamlText).join(", ")}]`] : [],
  );
  return told.length ? `{name: ${yamlText(name)}, ${told.join(", ")}}` : yamlText(name);
}

// -- the menu ---------------------------------------------------------------------------------------------------------

/** @type {{title: string, told: string, ending: string, make: (ctx: any) => string}[]} */
const FORMS = [
  { title: "CSV", told: "for a spreadsheet or a program", ending: "csv", make: csv },
  { title: "LaTeX", told: "a table for a paper", ending: "tex", make: latex },
  { title: "Markdown", told: "a table for a page", ending: "md", make: markdown },
  { title: "BibTeX", told: "what to cite", ending: "bib", make: bibtex },
  { title: "YAML", told: "these tasks, for the runner", ending: "yaml", make: yaml },
];

/**
 * Offer what is shown in every form, to copy or to save.
 * @param {any} ctx what a view is given
 * @param {Element} root an empty element
 */
export function offer(ctx, root) {
  const said = el("p", { class: "copy-said", role: "status" });
  const full = { ...ctx, address: location.href, columns: chosenColumns(ctx) };
  root.append(
    el("ul", { class: "copy-forms" }, FORMS.map((form) => choice(form, full, said))),
    el("p", { class: "copy-address" }, button("Copy the address", () => copied(location.href, "The address", said))),
    said,
  );
}

/**
 * @param {typeof FORMS[0]} form
 * @param {any} ctx
 * @param {HTMLElement} said where it is told what was done
 */
function choice(form, ctx, said) {
  const { title, ending, make } = form;
  return el(
    "li",
    {},
    el("span", { class: "copy-form" }, el("b", {}, title), ` ${form.told}`),
    button("Copy", () => copied(make(ctx), title, said), `Copy as ${title}`),
    button("Save", () => save(make(ctx), `${ctx.board.slug}.${ending}`, said), `Save as ${title}`),
  );
}

/**
 * @param {string} text
 * @param {() => void} act
 * @param {string} [label] where the text alone does not say what it does
 */
function button(text, act, label) {
  return el("button", { type: "button", class: "pill", "aria-label": label, on: { click: act } }, text);
}

/**
 * @param {string} text
 * @param {string} what
 * @param {HTMLElement} said
 */
async function copied(text, what, said) {
  const done = (await toClipboard(text)) || bySelection(text, said);
  said.replaceChildren(done ? `${what} is copied.` : `This browser lets no page copy. Save ${what} instead.`);
}

/**
 * @param {string} text
 * @param {HTMLElement} near an element in the document
 */
function bySelection(text, near) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "copy-area";
  near.after(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}

/**
 * @param {string} text
 * @param {string} file
 * @param {HTMLElement} said
 */
function save(text, file, said) {
  const made = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = made;
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(made), 10000); // Firefox reads it after the click
  said.replaceChildren(`${file} is saved.`);
}
