import type { MonacoEditor } from '@graphiql/react';

// What we use of Monaco's completion widget, which has no option for this.
type SuggestController = {
  widget: { value: { onDidShow(listener: () => void): { dispose(): void }; toggleDetails(): void } };
};

/**
 * Opens the description beside the completion list the first time it shows.
 * Who closes it (Ctrl-Space) does not get it back until the next visit.
 */
export function showDescriptions(editor: MonacoEditor): void {
  const controller = editor.getContribution('editor.contrib.suggestController') as unknown as SuggestController | null;
  const widget = controller?.widget.value;
  const listening = widget?.onDidShow(() => {
    widget.toggleDetails();
    listening?.dispose();
  });
}
