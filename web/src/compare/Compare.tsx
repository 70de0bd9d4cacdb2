import type { GraphQLSchema } from 'graphql';
import { useEffect, useRef, useState } from 'react';
import type { Answer, Request as Question } from '../graphql/send';
import { isRepeatable } from '../share/operation';
import { Answers } from './Answers';
import './compare.css';

/** Someone who asks; null asks without a token. */
export type Person = { id: string | null; name: string; role?: string | undefined };

export type Sent = { answer: Answer; bytes: number; milliseconds: number };

type Props = {
  question: Question;
  /** Says why a value is hidden; undefined until it is loaded. */
  schema: GraphQLSchema | undefined;
  /** All who can ask, at least two. */
  people: Person[];
  send: (personId: string | null, question: Question) => Promise<Sent>;
  onClose: () => void;
};

const most = 4;

/** Asks one question as two to four people, with one request each, and shows the answers next to each other. */
export function Compare({ question, schema, people, send, onClose }: Props) {
  const [ids, setIds] = useState(() => people.slice(0, most).map(({ id }) => id));
  const asked = people.filter(({ id }) => ids.includes(id));
  const chosen = asked.map(({ id }) => id);
  const canAsk = isRepeatable(question);
  const answers = useAnswers(question, canAsk ? chosen : [], send);

  const toggle = (id: string | null) => setIds(chosen.includes(id) ? chosen.filter(one => one !== id) : [...chosen, id]);

  return (
    <section className="compare" aria-label="Side by side">
      <header>
        <h2>
          One question, {asked.length} people{question.operationName && <code>{question.operationName}</code>}
        </h2>
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
      </header>
      <fieldset className="choose">
        <legend>Ask as</legend>
        {people.map(person => (
          <label key={person.id ?? 'nobody'}>
            <input
              type="checkbox"
              checked={chosen.includes(person.id)}
              disabled={chosen.includes(person.id) ? chosen.length <= 2 : chosen.length >= most}
              onChange={() => toggle(person.id)}
            />
            <span>{person.name}</span>
          </label>
        ))}
      </fieldset>
      {canAsk ? (
        <Answers question={question} schema={schema} people={asked} sent={asked.map(({ id }) => answers.get(id))} />
      ) : (
        <p className="refusal">Only a query is sent for several people. A mutation would change data more than once.</p>
      )}
    </section>
  );
}

type Answers = ReadonlyMap<string | null, Sent>;

/** The answers that have arrived. Each person is asked once for each question. */
function useAnswers(question: Question, ids: (string | null)[], send: Props['send']): Answers {
  const [answers, setAnswers] = useState<Answers>(new Map());
  const latest = useRef({ text: '', asked: new Set<string | null>() });

  useEffect(() => {
    const text = JSON.stringify(question);
    if (latest.current.text !== text) {
      latest.current = { text, asked: new Set() };
      setAnswers(new Map());
    }
    const turn = latest.current;
    for (const id of ids.filter(one => !turn.asked.has(one))) {
      turn.asked.add(id);
      void send(id, question).then(sent => {
        if (latest.current === turn) {
          setAnswers(old => new Map(old).set(id, sent));
        }
      });
    }
  });

  return answers;
}
