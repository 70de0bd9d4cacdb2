import { useEffect } from 'react';
import { filled, useMemory } from '../examples/memory';
import { changeTab, exampleIn, useTabs } from './tabs';

/** Fills what earlier answers made into the variables of the open example. */
export function useFilledTab(): void {
  const memory = useMemory();
  const { list, active } = useTabs();
  useEffect(() => {
    const tab = list.find(({ id }) => id === active)!;
    const variables = parsed(tab.variables);
    const next = variables && JSON.stringify(filled(variables, exampleIn(tab)?.fills), null, 2);
    if (next && next !== JSON.stringify(variables, null, 2)) {
      changeTab(tab.id, { variables: next });
    }
  }, [active, memory]);
}

// A text that is not JSON at the moment is not changed.
function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
