/**
 * Copies a text; false if the browser does not allow it. The clipboard API exists only on HTTPS and localhost, and clinics
 * open the page by an address of their network: there the text of the element is selected and copied.
 */
export async function copy(text: string, shown: Element): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(shown);
    return document.execCommand('copy');
  }
}
