import { activate, useAccounts } from '../accounts/accounts';
import { actorOf, canOpen, open } from '../examples/actors';
import { exampleIn, type Tab } from '../tabs/tabs';

/** Says which account an example is meant for, if the user chose another one. */
export function ActorHint({ tab }: { tab: Tab }) {
  const { active, isChosen } = useAccounts();
  const example = exampleIn(tab);
  const actor = actorOf(example);
  const role = example?.actor;
  if (!isChosen || !role || (actor ? actor.id === active : !canOpen(role))) {
    return null;
  }
  const follow = () => (actor ? activate(actor.id) : open(role));
  return (
    <p className="remark" role="note">
      This step is meant for {actor ? actor.username : words[role]}.
      <button type="button" className="link" onClick={() => void follow()}>
        {actor ? `Ask as ${actor.username}` : `Ask as ${words[role]}`}
      </button>
    </p>
  );
}

const words = { desk: 'the front desk', doctor: 'a doctor', stranger: 'a stranger' };
