import type { GraphQLSchema } from 'graphql';
import { Drawing, type DemoPerson } from './Drawing';
import { Segments, type Progress } from './Tour';
import './start.css';

type Props = {
  /** The schema with its directives; undefined until it is loaded. */
  schema: GraphQLSchema | undefined;
  /** The people of a demo server; null on any other server. */
  demo: DemoPerson[] | null;
  /** The command that starts a demo server. */
  command: string;
  tour: Progress;
  onContinue: (person: DemoPerson) => void;
  onTour: () => void;
};

/** What a visitor sees before the first answer. */
export function Start({ schema, demo, command, tour, onContinue, onTour }: Props) {
  return (
    <section className="start" aria-labelledby="start-title">
      <h2 id="start-title">The same question, six answers</h2>
      <p className="lead">
        CareGraph keeps patient records, and which doctor treats which patient. An answer depends on who asks: each field says which
        relations to the record may see and set it. A record that is not yours does not exist for you.
      </p>
      <Drawing schema={schema} demo={demo} onContinue={onContinue} />
      {!demo && (
        <p className="no-demo">
          This server has no example people. <code>{command}</code> starts one where you continue as each of the six with one click.
        </p>
      )}
      <TourInvitation {...tour} isDemo={Boolean(demo)} onTour={onTour} />
      <p className="elsewhere">
        <a href="rights/">Who sees what: every field</a> <a href="docs/">The same data over REST</a>
      </p>
    </section>
  );
}

function TourInvitation({ isDemo, onTour, ...tour }: Progress & Pick<Props, 'onTour'> & { isDemo: boolean }) {
  const { steps, done } = tour;
  const isOver = done.size >= steps.length;
  const isNew = done.size === 0;
  return (
    <div className="invitation">
      <p>
        <strong>{isOver ? 'You have seen the tour.' : 'Take the tour.'}</strong>{' '}
        {isNew ? `${steps.length} short steps, from ${isDemo ? 'a new patient' : 'an account of your own'} to a stranger who asks.` : `${done.size} of ${steps.length} steps are done.`}
      </p>
      <Segments {...tour} />
      <button type="button" className={isDemo ? 'button' : 'button primary'} onClick={onTour}>
        {isOver ? 'See it again' : isNew ? 'Start the tour' : 'Go on with the tour'}
      </button>
    </div>
  );
}
