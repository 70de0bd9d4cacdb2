import type { MonacoEditor } from '@graphiql/react';

// The part of Monaco's completion widget that we use: it has no option for this.
type SuggestController = {
  widget: { value: { onDidShow(listener: () => void): { dispose(): void }; toggleDetails(): void } };
};

/**
 * Opens the description next to the completion list the first time it appears.
 * After the user closes it (Ctrl-Space), it stays closed until the next visit.
 */
export function showDescriptions(editor: MonacoEditor): void {
  const controller = editor.getContribution('editor.contrib.suggestController') as unknown as SuggestController | null;
  const widget = controller?.widget.value;
  const listening = widget?.onDidShow(() => {
    widget.toggleDetails();
    listening?.dispose();
  });
}
