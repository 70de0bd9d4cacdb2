import { withoutTexts } from '../graphql/document';
import { examples, starters } from '../examples/examples';
import { Stored } from '../stored';
import { useShared } from '../useShared';

const most = 20;

// This storage outlives the session, and others may use this browser: no variables, no texts, no comments, no answers.
const history = new Stored<string[]>('history', () => [], 'localStorage');

/** The latest questions that were run in this browser, the latest first. */
export const useHistory = (): string[] => useShared(history);

/** Keeps a question that is run, without its texts. The examples have their own list. */
export function keep(query: string): void {
  const question = withoutTexts(query);
  if (question && ![...examples, ...starters].some(example => example.query === query)) {
    history.set([question, ...history.value.filter(other => other !== question)].slice(0, most));
  }
}

/** Removes all questions from this browser. */
export const forget = (): void => history.set([]);
