import { EditorView } from '@codemirror/view';

/**
 * Types over a selection as a transaction. Left alone, Chromium keeps the look of the
 * replaced text as an inline style, which the page's content security policy reports.
 */
export const typesOverSelection = EditorView.domEventHandlers({
  beforeinput({ inputType, data }, view) {
    const { from, to, empty } = view.state.selection.main;
    if (inputType !== 'insertText' || data === null || empty || view.composing) {
      return false;
    }
    const insert = () =>
      view.state.update({
        changes: { from, to, insert: data },
        selection: { anchor: from + data.length },
        userEvent: 'input.type',
        scrollIntoView: true,
      });
    const handlers = view.state.facet(EditorView.inputHandler);
    if (!handlers.some(handle => handle(view, from, to, data, insert))) {
      view.dispatch(insert());
    }
    return true;
  },
});
