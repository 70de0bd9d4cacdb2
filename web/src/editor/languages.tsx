import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json as jsonLanguage, jsonParseLinter } from '@codemirror/lang-json';
import { bracketMatching, foldGutter, foldKeymap, indentOnInput } from '@codemirror/language';
import { linter, lintKeymap } from '@codemirror/lint';
import type { Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { graphql } from 'cm6-graphql';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { Markdown } from '../docs/Markdown';
import { isPhone } from '../shell/look';
import { fieldAtCursor } from './cursor';
import { typesOverSelection } from './typing';

// The page handles Ctrl-Enter, wherever the focus is; CodeMirror would insert a line.
const keys = [...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap];
const withoutSend = keys.filter(({ key }) => key !== 'Mod-Enter');

const writing = (): Extension => [
  isPhone() ? EditorView.lineWrapping : [lineNumbers(), highlightActiveLine()],
  history(),
  drawSelection(),
  typesOverSelection,
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  autocompletion(),
  keymap.of(withoutSend),
];

/** The language of a question: completion, errors while typing, and F1 or Ctrl-click for the docs. */
export function question(onShow: (type: string, field?: string) => void): Extension {
  const showField = (view: EditorView) => {
    const found = fieldAtCursor(view.state);
    if (found) {
      onShow(found.type, found.field);
    }
    return Boolean(found);
  };
  return [
    writing(),
    keymap.of([{ key: 'F1', run: showField }]),
    EditorView.domEventHandlers({ click: (event, view) => (event.ctrlKey || event.metaKey) && showField(view) }),
    graphql(undefined, {
      onCompletionInfoRender: ({ documentation, deprecationReason }) => rendered(documentation || deprecationReason),
    }),
  ];
}

function rendered(text: string | null | undefined): Node | null {
  if (!text) {
    return null;
  }
  const element = document.createElement('div');
  flushSync(() => createRoot(element).render(<Markdown text={text} />));
  return element;
}

/** JSON to read. */
export const json = (): Extension => [jsonLanguage(), isPhone() ? [] : foldGutter(), EditorView.lineWrapping, drawSelection()];

/** JSON to write. */
export const writtenJson = (): Extension => [
  writing(),
  jsonLanguage(),
  linter(view => (view.state.doc.toString().trim() === '' ? [] : jsonParseLinter()(view))),
];
