import { useMemo, useState } from 'react';
import { accountById, useAccounts } from '../accounts/accounts';
import { Role } from '../accounts/Role';
import { CodeEditor } from '../editor/CodeEditor';
import { json } from '../editor/languages';
import { explain } from '../explain/explain';
import { hiddenIn, type HiddenValues } from '../explain/hidden';
import { operationIn, withRedact } from '../graphql/document';
import { useSchema } from '../schema/schema';
import type { Request } from '../graphql/send';
import { Choice } from '../shell/Choice';
import { Tour } from '../start/Tour';
import { useAnswer, useIsRunning, type Answered } from '../tabs/answers';
import { askAgain, run } from '../tabs/run';
import { changeTab, useTabs } from '../tabs/tabs';
import { isStep, openNext, openStep, useIsStarted, useTour } from '../tabs/tour';
import { Cost } from './Cost';
import { Empty } from './Empty';
import { Errors } from './Errors';
import { KeepLive, Live } from './Live';
import { SideBySide } from './SideBySide';
import { Tree } from './Tree';
import { Welcome } from './Welcome';

/** The right half of the page: the answer of the open tab or how to get one, and the lines below it. */
export function AnswerSide() {
  const { active } = useTabs();
  const answered = useAnswer(active);
  const isRunning = useIsRunning(active);
  const schema = useSchema();
  const hidden = useMemo(
    () => (answered ? hiddenIn(answered.answer, answered.question, schema) : new Map()),
    [answered, schema],
  );
  const isStarted = useIsStarted();
  const tour = useTour();
  const onRedact = answered && hidden.size > 0 ? redacting(active, answered) : undefined;
  return (
    <>
      <section id="answer" className="panel answer" aria-label="Answer" aria-busy={isRunning && !answered?.pushes}>
        <div className="progress" data-running={isRunning} />
        {answered ? (
          <Shown key={`${active} ${Boolean(answered.pushes)}`} tab={active} answered={answered} hidden={hidden} onRedact={onRedact} />
        ) : (
          isStarted ? <Empty tab={active} /> : <Welcome />
        )}
        {isStarted && isStep(tour.current) && (
          <Tour {...tour} onNext={() => openNext(tour.current)} onGo={openStep} />
        )}
      </section>
      <footer className="foot">
        {answered ? (
          <>
            <Line answered={answered} hidden={hidden} onRedact={onRedact} />
            <Cost sent={answered} />
          </>
        ) : (
          <p className="explanation">Below an answer, this line says what was hidden or refused, and what to change.</p>
        )}
      </footer>
    </>
  );
}

/** Asks the question of an answer with @redact; undefined if it has it already. */
function redacting(tab: string, { question }: Answered): (() => void) | undefined {
  const query = withRedact(question.query, question.operationName);
  return query === undefined
    ? undefined
    : () => {
        changeTab(tab, { query });
        void run(tab, question.operationName ?? undefined);
      };
}

type View = 'Live' | 'Data' | 'Raw JSON';

const views: View[] = ['Data', 'Raw JSON'];

type AnswerProps = { answered: Answered; hidden: HiddenValues; onRedact: (() => void) | undefined };

function Shown({ tab, answered, hidden, onRedact }: AnswerProps & { tab: string }) {
  const { answer, asker, question, pushes } = answered;
  const [view, setView] = useState<View>(pushes ? 'Live' : 'Data');
  return (
    <>
      <header className="row">
        <h2>Answer</h2>
        <p className="asker-line">
          Asked as <strong>{asker ? asker.username : 'nobody'}</strong>
          {asker && <Role account={asker} />}
        </p>
        {isQuery(question) && <KeepLive tab={tab} question={question} />}
        {isQuery(question) && <SideBySide question={question} />}
        <Choice label="View of the answer" options={pushes ? ['Live', ...views] : views} chosen={view} onChoose={setView} />
      </header>
      <Owner tab={tab} answered={answered} />
      {view === 'Live' ? (
        <Live pushes={pushes!} question={question} />
      ) : view === 'Data' ? (
        <div className="scroll" tabIndex={0} role="group" aria-label="Data of the answer">
          {answer.data ? (
            <Tree path={[]} value={answer.data} hidden={hidden} onRedact={onRedact} />
          ) : (
            <p className="nothing">The answer has no data.</p>
          )}
          {answer.errors && <Errors errors={answer.errors} />}
        </div>
      ) : (
        <CodeEditor label="Raw JSON of the answer" value={JSON.stringify(answer, null, 2)} extensions={json()} isReadOnly />
      )}
    </>
  );
}

const twoLines = 80; // characters on a phone

/** The line below an answer. A phone shows its first words, until one asks for more. */
function Line({ answered, hidden, onRedact }: AnswerProps) {
  const [isWhole, setWhole] = useState(false);
  const { tone, text } = explain(answered.answer, hidden);
  return (
    <div className="explanation" role="status" data-tone={tone} data-whole={isWhole}>
      {text.length > twoLines && (
        <button type="button" className="link more" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? 'Less' : 'More'}
        </button>
      )}
      <span className="words">{text}</span>{' '}
      {onRedact && (
        <button type="button" className="link redact" onClick={onRedact}>
          Ask again with @redact
        </button>
      )}
    </div>
  );
}

const isQuery = ({ query, operationName }: Request) => operationIn(query, operationName)?.operation === 'query';

/** Marks an answer that belongs to another account than the chosen one. */
function Owner({ tab, answered }: { tab: string; answered: Answered }) {
  const { active } = useAccounts();
  const { owner, asker, question } = answered;
  if (owner === active) {
    return null;
  }
  return (
    <p className="remark" role="note">
      This answer belongs to {asker?.username ?? 'nobody'}. You now ask as {accountById(active)?.username ?? 'nobody'}.
      {isQuery(question) && (
        <button type="button" className="link" onClick={() => void askAgain(tab)}>
          Ask again
        </button>
      )}
    </p>
  );
}
