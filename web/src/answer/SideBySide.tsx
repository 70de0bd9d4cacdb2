import { useEffect, useRef, useState } from 'react';
import { accountById, useAccounts } from '../accounts/accounts';
import { Compare, type Person, type Sent } from '../compare/Compare';
import { accountOf, demoPeople, useDemo } from '../demo/demo';
import { ask } from '../graphql/ask';
import type { Request } from '../graphql/send';
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
  useEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog ref={dialog} className="dialog wide-dialog" aria-label="Side by side" onClose={onClose}>
      <Compare question={question} people={people} send={sendAs} onClose={() => dialog.current!.close()} />
    </dialog>
  );
}

/** All who can ask: the accounts of the page with the chosen one first, the people of a demo, and nobody. */
function usePeople(): Person[] {
  const { list, active } = useAccounts();
  const demo = useDemo() ?? [];
  const accounts = list.map(({ id, username, role, part = role }) => ({ id, name: username, role: part }));
  const others = demo.filter(({ id }) => !list.some(account => account.id === id)).map(({ id, name, role }) => ({ id, name, role: role.toUpperCase() }));
  const first = accounts.filter(({ id }) => id === active);
  const rest = accounts.filter(({ id }) => id !== active);
  return [...first, ...rest, ...others, { id: null, name: 'nobody' }];
}

async function sendAs(id: string | null, question: Request): Promise<Sent> {
  const person = accountById(id) ? undefined : demoPeople()?.find(each => each.id === id);
  if (person) {
    await accountOf(person);
  }
  const sent = await ask(id, question);
  return { ...sent, answer: withoutTokens(sent.answer) };
}
