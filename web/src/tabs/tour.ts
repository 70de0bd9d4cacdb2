import { demoPeople, useDemo } from '../demo/demo';
import { showActor } from '../examples/actors';
import { exampleOf } from '../examples/examples';
import { show } from '../shell/look';
import { tourSteps, type Step } from '../start/steps';
import { Shared, Stored } from '../stored';
import { exampleIn, openExample, useTabs } from './tabs';
import { useShared } from '../useShared';

const done = new Stored<string[]>('tour', () => []);
const isStarted = new Shared(false);

/** Whether the visitor has begun to ask: then the start screen is gone. */
export const useIsStarted = (): boolean => useShared(isStarted);
export const start = (): void => isStarted.set(true);

/** The steps with the ones that were run, and the open one. */
export function useTour() {
  useDemo(); // it decides which steps there are
  const { list, active } = useTabs();
  const current = exampleIn(list.find(({ id }) => id === active)!)?.name;
  return { steps: steps(), done: new Set(useShared(done)), current };
}

// Registration is closed on a demo server, and its doctors have their entries.
const notInDemo = ['Register', 'CreateDoctor'];

const steps = (): Step[] => tourSteps.filter(({ name }) => demoPeople() === null || !notInDemo.includes(name));

export const isStep = (name: string | undefined): boolean => steps().some(step => step.name === name);

export function markDone(name: string): void {
  if (!done.value.includes(name)) {
    done.set([...done.value, name]);
  }
}

/** Opens a step's question. */
export function openStep(name: string): void {
  const example = exampleOf(name)!;
  start();
  openExample(example);
  void showActor(example);
  show('ask');
}

/** Opens the first step that was not run, or the first one. */
export function goOn(): void {
  const next = steps().find(({ name }) => !done.value.includes(name)) ?? steps()[0]!;
  openStep(next.name);
}

export function openNext(current: string | undefined): void {
  const at = steps().findIndex(({ name }) => name === current);
  openStep(steps()[at + 1]!.name);
}
