import { useEffect, useRef, useState } from 'react';
import { accountById, useAccounts } from '../accounts/accounts';
import { Compare, type Person, type Sent } from '../compare/Compare';
import { accountOf, demoPeople, useDemo } from '../demo/demo';
import { ask } from '../graphql/ask';
import type { Request } from '../graphql/send';
import { useSchema } from '../schema/schema';
import { withoutTokens } from './tokens';

/** The button that asks the question of an answer as several people, and the dialog with their answers. */
export function SideBySide({ question }: { question: Request }) {
  const [isOpen, setOpen] = useState(false);
  const people = usePeople();
  return (
    <>
      <button type="button" className="button" onClick={() => setOpen(true)}>
        Side by side
      </button>
      {isOpen && <CompareDialog question={question} people={people} onClose={() => setOpen(false)} />}
    </>
  );
}

type Props = { question: Request; people: Person[]; onClose: () => void };

function CompareDialog({ question, people, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const schema = useSchema();
  useEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog ref={dialog} className="dialog wide-dialog" aria-label="Side by side" onClose={onClose}>
      <Compare question={question} schema={schema} people={people} send={sendAs} onClose={() => dialog.current!.close()} />
    </dialog>
  );
}

/** All who can ask, with the chosen one first. The people of a demo keep their order when they are signed in. */
function usePeople(): Person[] {
  const { list, active } = useAccounts();
  const demo = useDemo() ?? [];
  const accounts = list.filter(({ id }) => !demo.some(person => person.id === id)).map(({ id, username, role }) => ({ id, name: username, role }));
  const people = [...accounts, ...demo.map(({ id, name, role }) => ({ id, name, role: role.toUpperCase() }))];
  const first = people.filter(({ id }) => id === active);
  const rest = people.filter(({ id }) => id !== active);
  return [...first, ...rest, { id: null, name: 'nobody' }];
}

async function sendAs(id: string | null, question: Request): Promise<Sent> {
  const person = accountById(id) ? undefined : demoPeople()?.find(each => each.id === id);
  if (person) {
    await accountOf(person);
  }
  const sent = await ask(id, question);
  return { ...sent, answer: withoutTokens(sent.answer) };
}
