import { useSyncExternalStore } from 'react';
import { Shared, Stored, useShared } from '../stored';

export type Theme = 'system' | 'light' | 'dark';

type Look = {
  theme: Theme;
  /** The docs are open next to the question, on a wide screen. */
  docs: boolean;
  /** The width of the question's panel, in percent. */
  split: number;
};

const look = new Stored<Look>('look', () => ({ theme: 'system', docs: false, split: 42 }), localStorage);

export const useLook = (): Look => useShared(look);

export function changeLook(change: Partial<Look>): void {
  look.set({ ...look.value, ...change });
  applyTheme();
}

/** Lets the style sheets follow the chosen theme. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = look.value.theme;
}

/** The panel that fills the screen of a phone. Wide screens show them all. */
export type View = 'ask' | 'answer' | 'docs';

const view = new Shared<View>('answer');

export const useView = (): View => useShared(view);
export const show = (next: View): void => view.set(next);

const phone = matchMedia('(max-width: 760px)');

export const isPhone = (): boolean => phone.matches;

export const useIsPhone = (): boolean => useSyncExternalStore(followPhone, isPhone);

function followPhone(listener: () => void): () => void {
  phone.addEventListener('change', listener);
  return () => phone.removeEventListener('change', listener);
}

/** Opens the docs, wherever they are on this screen. */
export function showDocs(): void {
  if (isPhone()) {
    show('docs');
  } else {
    changeLook({ docs: true });
  }
}
