import { useSyncExternalStore } from 'react';

let notice: string | null = null;
const listeners = new Set<() => void>();

/** Shows one message in the account bar until it is closed. */
export function setNotice(text: string | null): void {
  notice = text;
  listeners.forEach(listener => listener());
}

export function useNotice(): string | null {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notice,
  );
}
