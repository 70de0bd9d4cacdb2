import { accountById, activate, activeAccount, addAccount } from '../accounts/accounts';
import { setNotice } from '../accounts/notice';
import { register } from '../accounts/operations';
import type { Example } from './examples';
import { made, note } from './memory';
import { salt } from './salt';

/** The parts of the tour. */
export type Actor = 'desk' | 'doctor' | 'stranger';

const idOf = { desk: () => made('desk'), doctor: () => made('doctorAccount'), stranger: () => made('stranger') };

/**
 * Opening an example makes its actor the active account, if there is one
 * already. An account that the person signed in by hand stays active: that was
 * their choice.
 */
export function showActor(example: Example | undefined): void {
  const actor = example?.actor && accountById(idOf[example.actor]() ?? null);
  if (actor && (activeAccount()?.made ?? true)) {
    activate(actor.id);
  }
}

/** Running an example opens the account of its doctor or stranger, if there is none yet. */
export async function actFor(example: Example | undefined): Promise<void> {
  const { actor } = example ?? {};
  if ((actor === 'doctor' || actor === 'stranger') && !accountById(idOf[actor]() ?? null)) {
    await open(actor);
  }
}

/** Opens an account with a random password, good for this session, and makes it the active one. */
export async function open(actor: 'doctor' | 'stranger'): Promise<void> {
  const username = `${actor}_${salt()}`;
  const outcome = await register({
    username,
    email: `${username}@clinic.example`,
    password: `${salt(10)}-${salt(10)}`,
    phone: null,
    role: actor === 'doctor' ? 'DOCTOR' : 'PATIENT',
  });
  if ('faults' in outcome) {
    setNotice(`The ${actor}'s account could not be opened: ${outcome.faults[0]?.message ?? 'no reason given.'}`);
    return;
  }
  addAccount({ ...outcome.account, made: true });
  note(actor === 'doctor' ? { doctorAccount: outcome.account.id } : { stranger: outcome.account.id });
}
