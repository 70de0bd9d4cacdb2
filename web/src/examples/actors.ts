import { accountById, activate, activeAccount, addAccount } from '../accounts/accounts';
import { setNotice } from '../accounts/notice';
import { register } from '../accounts/operations';
import type { Example } from './examples';
import { made, note } from './memory';
import { salt } from './salt';

/** The roles in the tour. */
export type Actor = 'desk' | 'doctor' | 'stranger';

const idOf = { desk: () => made('desk'), doctor: () => made('doctorAccount'), stranger: () => made('stranger') };

/**
 * Activates the account of an example's actor when the example is opened, if the
 * account exists. An account that the user signed in by hand stays active.
 */
export function showActor(example: Example | undefined): void {
  const actor = example?.actor && accountById(idOf[example.actor]() ?? null);
  if (actor && (activeAccount()?.made ?? true)) {
    activate(actor.id);
  }
}

/** Registers the doctor or stranger of an example before it runs, if needed. */
export async function actFor(example: Example | undefined): Promise<void> {
  const { actor } = example ?? {};
  if ((actor === 'doctor' || actor === 'stranger') && !accountById(idOf[actor]() ?? null)) {
    await open(actor);
  }
}

/** Registers an account with a random password and makes it the active one. */
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
    setNotice(`The ${actor}'s account could not be registered: ${outcome.faults[0]?.message ?? 'no reason given.'}`);
    return;
  }
  addAccount({ ...outcome.account, made: true });
  note(actor === 'doctor' ? { doctorAccount: outcome.account.id } : { stranger: outcome.account.id });
}
