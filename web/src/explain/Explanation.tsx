import { useGraphiQL } from '@graphiql/react';
import { askedAs } from '../graphql/asked';
import type { Answer } from '../graphql/send';
import { loadedSchema } from '../schema/schema';
import { explain } from './explain';

/** The line under the result: the account that sent the request, and what was hidden from it. */
export function Explanation() {
  const { response, query, operationName } = useGraphiQL(({ tabs, activeTabIndex }) => tabs[activeTabIndex]!);
  const answer = response ? answerIn(response) : undefined;
  if (!response || !answer) {
    return (
      <p className="explanation">
        Run the tabs from left to right with <kbd>Ctrl</kbd> <kbd>Enter</kbd> or the green button: a tour of who sees what.
      </p>
    );
  }
  const asker = askedAs(response);
  const hidden = explain(answer, { schema: loadedSchema(), query: query ?? '', operationName });
  return (
    <p className="explanation" role="status" data-hidden={hidden !== undefined}>
      {asker && (
        <>
          Asked as <strong>{asker}</strong>.{' '}
        </>
      )}
      {hidden ?? 'Nothing was hidden or refused.'}
    </p>
  );
}

function answerIn(text: string): Answer | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
