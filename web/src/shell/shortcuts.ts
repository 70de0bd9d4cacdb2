import { useEffect } from 'react';
import { prettified } from '../editor/prettify';
import { run } from '../tabs/run';
import { activeTab, addTab, changeTab } from '../tabs/tabs';
import { show, showDocs } from './look';

/** The keys of the page and what they do, for the help. */
export const shortcuts: [keys: string[], effect: string][] = [
  [['Ctrl', 'Enter'], 'Run the question'],
  [['Ctrl', 'Shift', 'P'], 'Prettify the question and the variables'],
  [['Ctrl', 'Space'], 'List what can stand at the cursor'],
  [['F1'], 'Show the field at the cursor in the docs; also Ctrl and click'],
  [['Ctrl', 'K'], 'Search the docs'],
  [['Alt', 'N'], 'New question'],
  [['Esc', 'Tab'], 'Leave the editor'],
];

/** Handles the keys of the page, wherever the focus is. On a Mac, Cmd is Ctrl. */
export function useShortcuts(): void {
  useEffect(() => {
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

function onKey(event: KeyboardEvent): void {
  const { key, code, altKey, shiftKey } = event;
  const isControl = event.ctrlKey || event.metaKey;
  const effect =
    isControl && key === 'Enter' ? () => run(activeTab().id)
    : isControl && shiftKey && key.toLowerCase() === 'p' ? prettify
    : isControl && !shiftKey && key === 'k' ? searchDocs
    : altKey && code === 'KeyN' ? newQuestion
    : undefined;
  if (effect) {
    event.preventDefault();
    void effect();
  }
}

async function prettify(): Promise<void> {
  const tab = activeTab();
  changeTab(tab.id, await prettified(tab));
}

function searchDocs(): void {
  showDocs();
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>('#docs input')?.focus());
}

function newQuestion(): void {
  addTab();
  show('ask');
}
