// Names are words of strangers: each form of text escapes what it would obey.

// Controls, what turns the direction of writing, what cannot be seen, and halves of characters.
const UNSEEN = new RegExp(
  "[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180e\\u200b-\\u200f" +
    "\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff0-\\ufffb\\u{e0000}-\\u{e0fff}\\p{Surrogate}]",
  "gu",
);

/**
 * Write every character that would be obeyed, or that nobody sees, as an escape such as \u202e. Tabs and ends of lines
 * stay.
 * @param {string} text
 */
export function visible(text) {
  return text.replace(UNSEEN, escaped);
}

/** @param {string} character */
function escaped(character) {
  const code = /** @type {number} */ (character.codePointAt(0));
  const [letter, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
  return `\\${letter}${code.toString(16).padStart(Number(digits), "0")}`;
}

/**
 * One line of a text.
 * @param {string} text
 */
export function oneLine(text) {
  return visible(text.replace(/[ \t]*[\n\r]+[ \t]*|\t/g, " "));
}

const FORMULA = /^[=+\-@\t\n]/; // other controls are escapes by then

/**
 * A cell of CSV by RFC 4180, which no spreadsheet takes for a formula.
 * @param {string | number | null} value numbers stay numbers
 */
export function csvCell(value) {
  if (value === null) return "";
  if (typeof value === "number") return `${value}`;
  const clean = visible(value);
  const safe = FORMULA.test(clean) ? `'${clean}` : clean;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** @type {Record<string, string>} */
const LATEX = {
  "\\": "\\textbackslash{}",
  "{": "\\textbraceleft{}", // BibTeX counts braces, be they escaped or not
  "}": "\\textbraceright{}",
  "&": "\\&",
  "%": "\\%",
  $: "\\$",
  "#": "\\#",
  _: "\\_",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  '"': "\\char34{}",
  "`": "\\textasciigrave{}",
  "[": "{[}", // at the head of a row it would belong to the end of the one before,
  "*": "{*}", // and so would this
  "−": "$-$",
  "\u2009": "\\,",
  "\u202f": "\\,",
  "\u00a0": "~",
};

/**
 * A text as LaTeX shows it, on one line.
 * @param {string} text
 */
export function latexText(text) {
  return oneLine(text)
    .replace(/[\\{}&%$#_~^<>|"`[*−\u2009\u202f\u00a0]/g, (character) => LATEX[character])
    .replace(/[-–](?=[-–])/g, "$&{}") // or together they would be another dash
    .replaceAll("–", "--");
}

/** @type {Record<string, string>} */
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;" };

/**
 * A text as Markdown shows it, on one line: no HTML, no link, no new cell.
 * @param {string} text
 */
export function markdownText(text) {
  return oneLine(text)
    .replace(/[\\`*_{}[\]#~$:!]|(?<=www)\./gi, "\\$&")
    .replace(/[&<>|]/g, (character) => ENTITIES[character]);
}

const NO_YAML = new RegExp(`${UNSEEN.source}|[\\ufffe\\uffff]`, "gu");
const PLAIN = /^[A-Za-z][\w.-]*$/;
const NO_TEXT = new Set(["null", "true", "false", "yes", "no", "on", "off", "y", "n"]);

/**
 * A text as YAML reads it back: plain where it can be read in one way alone, else in double quotes.
 * @param {string} text
 */
export function yamlText(text) {
  if (PLAIN.test(text) && !NO_TEXT.has(text.toLowerCase())) return text;
  const quoted = JSON.stringify(text); // which escapes controls and halves of characters
  return quoted.replace(NO_YAML, (character) => {
    const code = /** @type {number} */ (character.codePointAt(0)).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}

/**
 * A line of a comment in YAML.
 * @param {string} text
 */
export function yamlComment(text) {
  return `# ${oneLine(text).replace(/[\ufffe\uffff]/g, "\ufffd")}`;
}

/**
 * An address as it may stand in \url{} of LaTeX, in <> of Markdown, and in CSV.
 * @param {string} text
 */
export function plainAddress(text) {
  return text
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(/[^\x21-\x7e]|[{}\\^`"<>|]/gu, (character) => encodeURIComponent(character));
}
