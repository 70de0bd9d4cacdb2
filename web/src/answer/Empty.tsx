import { starters } from '../examples/examples';
import { run } from '../tabs/run';
import { changeTab, exampleIn, tabById, titleOf } from '../tabs/tabs';
import { RunIcon } from '../shell/icons';

/** What to do while the open tab has no answer. */
export function Empty({ tab }: { tab: string }) {
  const open = tabById(tab)!;
  const ask = (query: string) => {
    changeTab(tab, { query, variables: '' });
    void run(tab);
  };
  return (
    <div className="empty-answer">
      <h2>{exampleIn(open) ? titleOf(open) : 'A new question'}</h2>
      <p>
        The answer appears here. Press <kbd>Ctrl</kbd> <kbd>Enter</kbd> in the question, or the button below.
      </p>
      <button type="button" className="button primary" onClick={() => void run(tab)}>
        <RunIcon /> Run
      </button>
      {!exampleIn(open) && (
        <>
          <h3>Or start with one of these</h3>
          <ul>
            {starters.map(({ title, query }) => (
              <li key={title}>
                <button type="button" className="button" onClick={() => ask(query)}>
                  {title}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
