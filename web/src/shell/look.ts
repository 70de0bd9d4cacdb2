import { useSyncExternalStore } from 'react';
import { Shared } from '../stored';
import { look, type Look } from '../theme';
import { useShared } from '../useShared';

export const useLook = (): Look => useShared(look);

export const changeLook = (change: Partial<Look>): void => look.set({ ...look.value, ...change });

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
