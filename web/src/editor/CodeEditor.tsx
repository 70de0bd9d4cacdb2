import { EditorState, type Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { look } from './look';

type Props = {
  label: string;
  value: string;
  onChange?: (value: string) => void;
  /** Read once, when the editor appears. */
  extensions: Extension;
  isReadOnly?: boolean;
  /** Called with the view when it is there. */
  onReady?: (view: EditorView) => void;
};

/**
 * A CodeMirror editor. It lives in a shadow root, because CodeMirror then adds its
 * styles as style sheet objects, which the page's content security policy allows.
 */
export function CodeEditor({ label, value, onChange, extensions, isReadOnly = false, onReady }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const changed = useRef(onChange);
  changed.current = onChange;

  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: 'open' });
    const created = new EditorView({
      root,
      parent: root,
      doc: value,
      extensions: [
        look,
        EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
        EditorView.updateListener.of(({ docChanged, state }) => docChanged && changed.current?.(state.doc.toString())),
        isReadOnly ? [EditorState.readOnly.of(true), EditorView.editable.of(false)] : [],
        extensions,
      ],
    });
    view.current = created;
    onReady?.(created);
    return () => created.destroy();
  }, []);

  useEffect(() => {
    const { state } = view.current!;
    if (state.doc.toString() !== value) {
      view.current!.dispatch({ changes: { from: 0, to: state.doc.length, insert: value } });
    }
  }, [value]);

  return <div ref={host} className="editor" />;
}
