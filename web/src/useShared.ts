import { useSyncExternalStore } from 'react';
import type { Shared } from './stored';

/** The value, in a component that follows it. */
export function useShared<T>(shared: Shared<T>): T {
  return useSyncExternalStore(shared.subscribe, () => shared.value);
}
