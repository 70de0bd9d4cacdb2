import { nameIn } from '../graphql/document';
import { exampleOf, examples, starters, type Example } from '../examples/examples';
import { variablesText } from '../examples/memory';
import { tourSteps } from '../start/steps';
import { Stored } from '../stored';
import newQuestion from './new.graphql?raw';
import { useShared } from '../useShared';

/** One question: the texts of its editors. */
export type Tab = { id: string; query: string; variables: string };

type Tabs = { list: Tab[]; active: string };

const tabs = new Stored<Tabs>('tabs', () => {
  const first = tabOf(examples[0]!);
  return { list: [first], active: first.id };
});

export const useTabs = (): Tabs => useShared(tabs);

export const activeTab = (): Tab => tabById(tabs.value.active)!;

export const tabById = (id: string): Tab | undefined => tabs.value.list.find(tab => tab.id === id);

export const exampleIn = (tab: Tab): Example | undefined => exampleOf(nameIn(tab.query));

/** What a tab is called: in plain words for an example, or by the name of its operation. */
export function titleOf({ query }: Tab): string {
  const name = nameIn(query);
  return [...tourSteps, ...starters].find(ours => ours.name === name)?.title ?? name ?? 'Question';
}

export function openTab(id: string): void {
  tabs.set({ ...tabs.value, active: id });
}

export const addTab = (): void => add(newTab());

/** Opens a question in a new tab. */
export const addQuestion = (texts: Omit<Tab, 'id'>): void => add({ id: nextId(), ...texts });

function add(tab: Tab): void {
  tabs.set({ list: [...tabs.value.list, tab], active: tab.id });
}

/** Puts a question into the tab of a first visit, if nothing was changed there. */
export function beginWith(query: string): void {
  const { list } = tabs.value;
  if (list.length === 1 && list[0]!.query === examples[0]!.query) {
    changeTab(list[0]!.id, { query, variables: '' });
  }
}

/** Opens the tab that has the question, or a new one. Returns its id. */
export function openQuestion(query: string, variables = ''): string {
  const open = tabs.value.list.find(tab => tab.query === query);
  if (open) {
    openTab(open.id);
  } else {
    addQuestion({ query, variables });
  }
  return tabs.value.active;
}

/** Opens the tab of an example, or a new one. */
export function openExample(example: Example): void {
  const open = tabs.value.list.find(tab => exampleIn(tab) === example);
  if (open) {
    openTab(open.id);
  } else {
    add(tabOf(example));
  }
}

export function changeTab(id: string, change: Partial<Omit<Tab, 'id'>>): void {
  tabs.set({ ...tabs.value, list: tabs.value.list.map(tab => (tab.id === id ? { ...tab, ...change } : tab)) });
}

/** Closes a tab. The last one is replaced by a new question. */
export function closeTab(id: string): void {
  const { list, active } = tabs.value;
  const at = list.findIndex(tab => tab.id === id);
  const rest = list.filter(tab => tab.id !== id);
  if (rest.length === 0) {
    rest.push(newTab());
  }
  tabs.set({ list: rest, active: id === active ? rest[Math.min(at, rest.length - 1)]!.id : active });
}

function newTab(): Tab {
  return { id: nextId(), query: newQuestion, variables: '' };
}

function tabOf(example: Example): Tab {
  return { id: nextId(), query: example.query, variables: variablesText(example) };
}

function nextId(): string {
  return crypto.getRandomValues(new Uint32Array(1))[0]!.toString(36);
}
