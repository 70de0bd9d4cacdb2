import { activate, useAccounts } from '../accounts/accounts';
import { actorOf, open } from '../examples/actors';
import { exampleIn, type Tab } from '../tabs/tabs';

/** Says which account an example is meant for, if the user chose another one. */
export function ActorHint({ tab }: { tab: Tab }) {
  const { active, isChosen } = useAccounts();
  const example = exampleIn(tab);
  const actor = actorOf(example);
  if (!isChosen || !example?.actor || (actor ? actor.id === active : example.actor === 'desk')) {
    return null;
  }
  const { actor: role } = example;
  const follow = () => (actor ? activate(actor.id) : role !== 'desk' && open(role));
  return (
    <p className="mark" role="note">
      This step is meant for {actor ? actor.username : `a ${role}`}.
      <button type="button" className="link" onClick={() => void follow()}>
        {actor ? `Ask as ${actor.username}` : `Register a ${role}`}
      </button>
    </p>
  );
}
