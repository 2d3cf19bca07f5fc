// The one way to the clipboard.

/**
 * @param {string} text
 * @returns {Promise<boolean>} whether the browser did it: a page from a disk, or in a frame, may not
 */
export async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
