// What the columns mean: all of it is in the page; only the button of light and dark has to work.

import { themeButton } from "./theme.js";

/** Begin. */
export function start() {
  document.addEventListener("DOMContentLoaded", () => {
    themeButton();
    document.documentElement.dataset.ready = "1";
  });
}
