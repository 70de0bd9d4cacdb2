import type { Account } from '../accounts/accounts';
import type { Request, Sent } from '../graphql/send';
import { Shared } from '../stored';
import { useShared } from '../useShared';

/** An answer with its question. */
export type Answered = Sent & {
  question: Request;
  /** The account that asked; undefined for nobody. */
  asker: Account | undefined;
  /** The id of the account that the answer belongs to: the asker, or the account that the answer signed in. */
  owner: string | null;
  /** The answers of a subscription so far, the latest first. */
  pushes?: Push[];
};

/** One answer of a subscription, and when it arrived. */
export type Push = Sent & { number: number; at: Date };

// In memory only: answers contain patient data.
const answers = new Shared<Record<string, Answered>>({});
const running = new Shared<Record<string, AbortController>>({});

export const useAnswer = (tab: string): Answered | undefined => useShared(answers)[tab];
export const useIsRunning = (tab: string): boolean => tab in useShared(running);

export const answerOf = (tab: string): Answered | undefined => answers.value[tab];

export function putAnswer(tab: string, answered: Answered): void {
  answers.set({ ...answers.value, [tab]: answered });
}

/** Marks the tab as waiting for an answer, and stops the request before. */
export function begin(tab: string): AbortController {
  stop(tab);
  const controller = new AbortController();
  running.set({ ...running.value, [tab]: controller });
  return controller;
}

/** Ends the wait. Returns false if a newer request runs in its place. */
export function end(tab: string, controller: AbortController): boolean {
  if (running.value[tab] !== controller) {
    return false;
  }
  const { [tab]: _, ...rest } = running.value;
  running.set(rest);
  return true;
}

export function stop(tab: string): void {
  running.value[tab]?.abort();
}
