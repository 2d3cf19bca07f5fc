// Light or dark: as the system has it, until a reader chooses.

import { remember, remembered } from "./storage.js";

const STORED = "embedmark-theme";

/** Make the button of light and dark work; every page has it. */
export function themeButton() {
  const kept = remembered(STORED);
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  document.getElementById("theme")?.addEventListener("click", turnTheme);
}

/** Change from light to dark, or back. */
export function turnTheme() {
  const { dataset } = document.documentElement;
  const dark = dataset.theme ? dataset.theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
  dataset.theme = dark ? "light" : "dark";
  remember(STORED, dataset.theme);
}
