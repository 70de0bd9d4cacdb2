import { hiddenIn } from '../explain/hidden';
import { asLive } from '../graphql/document';
import type { Request } from '../graphql/send';
import { prettified } from '../editor/prettify';
import { useSchema } from '../schema/schema';
import type { Push } from '../tabs/answers';
import { run } from '../tabs/run';
import { openQuestion, tabById } from '../tabs/tabs';
import { bytes } from './Cost';
import { Errors } from './Errors';
import { Tree } from './Tree';

const clock = new Intl.DateTimeFormat([], { timeStyle: 'medium' });

/** The pushes of a subscription with their time and size, the latest first and open. */
export function Live({ pushes, question }: { pushes: Push[]; question: Request }) {
  const schema = useSchema();
  return (
    <div className="scroll live" tabIndex={0} role="log" aria-label="Pushes">
      {pushes.map((push, index) => (
        <details key={push.number} open={index === 0}>
          <summary>
            <span className="count">{push.number}</span> <strong>{clock.format(push.at)}</strong>{' '}
            <span className="muted">{bytes(push.bytes)}</span>
          </summary>
          {push.answer.data && <Tree path={[]} value={push.answer.data} hidden={hiddenIn(push.answer, question, schema)} onRedact={undefined} />}
          {push.answer.errors && <Errors errors={push.answer.errors} />}
        </details>
      ))}
    </div>
  );
}

/** Keeps the answer to a query fresh, in a tab of its own, if the server can. */
export function KeepLive({ tab, question }: { tab: string; question: Request }) {
  const canLive = useSchema()?.getSubscriptionType()?.getFields().live;
  const query = canLive && asLive(question.query, question.operationName);
  if (!query) {
    return null;
  }
  const open = async () => {
    const texts = await prettified({ query, variables: tabById(tab)!.variables });
    await run(openQuestion(texts.query, texts.variables));
  };
  return (
    <button type="button" className="button" onClick={() => void open()}>
      Live
    </button>
  );
}
