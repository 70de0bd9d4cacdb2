import { accountById, activate, addAccount, isChosen, type Account } from '../accounts/accounts';
import { setNotice } from '../accounts/notice';
import { register } from '../accounts/operations';
import type { Example } from './examples';
import { made, note } from './memory';
import { salt } from './salt';

/** The roles in the tour. */
export type Actor = 'desk' | 'doctor' | 'stranger';

const idOf = { desk: () => made('desk'), doctor: () => made('doctorAccount'), stranger: () => made('stranger') };

/** The account that an example is meant for, if it exists. */
export const actorOf = (example: Example | undefined): Account | undefined =>
  example?.actor && accountById(idOf[example.actor]() ?? null);

/**
 * Activates the account of an example's actor when the example is opened, if the
 * account exists. An account that the user chose stays active.
 */
export function showActor(example: Example | undefined): void {
  const actor = actorOf(example);
  if (actor && !isChosen()) {
    activate(actor.id);
  }
}

/** Registers the doctor or stranger of an example before it runs, unless the user chose an account. */
export async function actFor(example: Example | undefined): Promise<void> {
  const { actor } = example ?? {};
  if ((actor === 'doctor' || actor === 'stranger') && !actorOf(example) && !isChosen()) {
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
