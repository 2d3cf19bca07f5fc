// The data that pages read: each file is a script that hands over one object.

import { unpacked } from "./packed.js";

/** @typedef {{[key: string]: any}} Data */

/** @type {Map<string, Data>} */
const held = new Map();

/** @type {Map<string, {resolve: (data: Data) => void, reject: (error: Error) => void}[]>} */
const waiting = new Map();

const ADMITTED = /^(\.\.\/)?((d|t|m|custom)\/)?[a-z0-9-]+(\.[a-z0-9-]+)?\.js$/;

const BESIDE = "it belongs beside this page; build the leaderboard again";

/** @type {any} */
let policy = null;

/**
 * Take what a file hands over; called by the files.
 * @param {string} key
 * @param {string} text JSON
 */
export function put(key, text) {
  const data = unpacked(JSON.parse(text));
  held.set(key, data);
  for (const { resolve } of waiting.get(key) || []) resolve(data);
  waiting.delete(key);
}

/**
 * @param {string} key
 * @returns {any} what was handed over by that name; null where nothing was
 */
export function got(key) {
  return held.get(key) || null;
}

/**
 * Load a file once.
 * @param {string} key what it hands over
 * @param {string} path of the file, from this page
 * @returns {Promise<any>} rejected, with the path in words, where the file cannot be read or does not hand it over
 */
export function need(key, path) {
  const there = held.get(key);
  if (there) return Promise.resolve(there);
  return new Promise((resolve, reject) => {
    const others = waiting.get(key);
    if (others) {
      others.push({ resolve, reject });
      return;
    }
    waiting.set(key, [{ resolve, reject }]);
    const script = document.createElement("script");
    script.src = trusted(path);
    script.onerror = () => refuse(key, `${path} cannot be read: ${BESIDE}`);
    script.onload = () => refuse(key, `${path} is damaged: ${BESIDE}`); // where it handed over, nobody waits any more
    document.head.append(script);
  });
}

/**
 * Tell whoever waits that nothing comes; the next one who asks has the file loaded again.
 * @param {string} key
 * @param {string} words
 */
function refuse(key, words) {
  const others = waiting.get(key) || [];
  waiting.delete(key);
  for (const { reject } of others) reject(new Error(words));
}

/**
 * Why a page has not got what its own lines of markup load.
 * @param {string} path
 * @returns {string}
 */
export function lacks(path) {
  return `${path} cannot be read or is damaged: ${BESIDE}`;
}

/**
 * @param {string} path
 * @returns {any} a TrustedScriptURL where the browser knows such
 */
function trusted(path) {
  const types = /** @type {any} */ (window).trustedTypes;
  if (!types) {
    if (!ADMITTED.test(path)) throw new TypeError(`not a file of the leaderboard: ${path}`);
    return path;
  }
  policy = policy || types.createPolicy("embedmark", { createScriptURL: admitted });
  return policy.createScriptURL(path);
}

/** @param {string} path */
function admitted(path) {
  if (!ADMITTED.test(path)) throw new TypeError(`not a file of the leaderboard: ${path}`);
  return path;
}
