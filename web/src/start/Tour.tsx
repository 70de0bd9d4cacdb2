import type { Step } from './steps';
import './tour.css';

export type Progress = {
  steps: Step[];
  /** The names of the steps that were run. */
  done: ReadonlySet<string>;
  /** The name of the open step. */
  current: string | undefined;
};

type Props = Progress & { onNext: () => void; onGo: (name: string) => void };

/** The tour next to an answer: where one is, what comes next, and all steps. */
export function Tour({ onNext, onGo, ...progress }: Props) {
  const { steps, current } = progress;
  const at = steps.findIndex(({ name }) => name === current);
  const open = steps[at];
  const next = steps[at + 1];
  return (
    <section className="tour" aria-label="Tour">
      <Segments {...progress} />
      <p className="where">
        <span className="count">{open ? `Step ${at + 1} of ${steps.length}` : `A tour of ${steps.length} steps`}</span>
        {open && <strong>{open.title}.</strong>}
        {open?.text && <span>{open.text}</span>}
      </p>
      {next ? (
        <button type="button" className="button primary" onClick={onNext}>
          {open ? 'Next' : 'Start'}: {next.title}
        </button>
      ) : (
        <p className="end">That was the last step. Now ask a question of your own.</p>
      )}
      <details>
        <summary>All steps</summary>
        <StepList {...progress} onGo={onGo} />
      </details>
    </section>
  );
}

/** The progress as a row of segments. The text next to it says the same. */
export function Segments({ steps, done, current }: Progress) {
  return (
    <span className="segments" aria-hidden="true">
      {steps.map(({ name }) => (
        <span key={name} data-done={done.has(name)} data-current={name === current} />
      ))}
    </span>
  );
}

function StepList({ steps, done, current, onGo }: Progress & Pick<Props, 'onGo'>) {
  return (
    <ol>
      {steps.map(({ name, title }, i) => (
        <li key={name}>
          <button type="button" className="step" aria-current={name === current ? 'step' : undefined} onClick={() => onGo(name)}>
            <span className="number" data-done={done.has(name)} aria-hidden="true">
              {done.has(name) ? '✓' : i + 1}
            </span>
            {title}
            {done.has(name) && <span className="unseen">, done</span>}
          </button>
        </li>
      ))}
    </ol>
  );
}
