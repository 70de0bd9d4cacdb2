import { useDidUpdate, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';
import { storedActiveTab } from '../stored';
import { showActor } from './actors';
import { exampleOf, examples, type Example } from './examples';
import { filled, useMemory } from './memory';

export const variablesText = ({ variables, fills }: Example) => JSON.stringify(filled(variables, fills), null, 2);

/** The tabs of a first visit. */
export const exampleTabs = examples.map(example => ({ query: example.query, variables: variablesText(example) }));

export const firstTab = storedActiveTab() ?? exampleTabs[0]!;

/** Fills in the variables of the open example and activates its actor. */
export function ExampleTabs() {
  const memory = useMemory();
  const { updateActiveTabValues } = useGraphiQLActions();
  const { tabId, name, editor } = useGraphiQL(({ tabs, activeTabIndex, variableEditor }) => ({
    tabId: tabs[activeTabIndex]!.id,
    name: tabs[activeTabIndex]!.title,
    editor: variableEditor,
  }));

  useDidUpdate(() => showActor(exampleOf(name)), [tabId]); // not after a reload, which keeps the active account

  useEffect(() => {
    const example = exampleOf(name);
    const variables = editor && parsed(editor.getValue());
    if (!example || !variables) {
      return;
    }
    const next = JSON.stringify(filled(variables, example.fills), null, 2);
    if (next !== JSON.stringify(variables, null, 2)) {
      editor.setValue(next);
      updateActiveTabValues({ variables: next }); // at once: GraphiQL itself does it later
    }
  }, [tabId, memory, editor]);

  return null;
}

// A text that is not JSON at the moment is not changed.
function parsed(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
