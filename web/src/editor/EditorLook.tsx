import { pick, useGraphiQL, useMonaco } from '@graphiql/react';
import { useEffect } from 'react';
import { showDescriptions } from './showDescriptions';

// GraphiQL sets its own colors in Monaco's themes; everything else uses the CSS
// variables of theme.css.
const themes = {
  'graphiql-LIGHT': ['vs', '#0b6e5b', '#1d3035', '#ffffff'],
  'graphiql-DARK': ['vs-dark', '#5cc9ae', '#d6e0dd', '#17221f'],
} as const;
const phone = '(max-width: 700px)';

/** Sets the colors of the editors, and a font size at which a query fits next to its answer. */
export function EditorLook() {
  const monaco = useMonaco(state => state.monaco);
  useEffect(() => {
    for (const [name, [base, accent, ink, background]] of Object.entries(themes)) {
      monaco?.editor.defineTheme(name, {
        base,
        inherit: true,
        colors: {
          'editor.background': '#ffffff00',
          'scrollbar.shadow': '#ffffff00',
          'editorHoverWidget.background': background,
          'editorSuggestWidget.background': background,
          'editorWidget.background': background,
          'quickInput.background': background,
          'menu.background': background,
          'editorSuggestWidget.selectedBackground': `${accent}2a`,
          'editorSuggestWidget.selectedForeground': ink,
          'editorSuggestWidget.highlightForeground': accent,
          'editorSuggestWidget.focusHighlightForeground': accent,
          'list.hoverBackground': `${accent}19`,
          'textLink.foreground': accent,
          'textLink.activeForeground': accent,
          'editorLink.activeForeground': accent,
          focusBorder: accent,
        },
        rules: [
          { token: 'argument.identifier.gql', foreground: name === 'graphiql-DARK' ? '9db5ff' : '4355b8' },
          { token: 'keyword.gql', foreground: accent.slice(1) },
        ],
      });
    }
  }, [monaco]);
  const editors = useGraphiQL(pick('queryEditor', 'variableEditor', 'headerEditor', 'responseEditor'));
  useEffect(() => {
    for (const editor of Object.values(editors)) {
      editor?.updateOptions({ fontSize: 13, ...(matchMedia(phone).matches && { wordWrap: 'on', lineNumbers: 'off' }) });
    }
  }, [editors]);
  useEffect(() => {
    if (editors.queryEditor) {
      showDescriptions(editors.queryEditor);
    }
  }, [editors.queryEditor]);
  return null;
}
