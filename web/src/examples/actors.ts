import { accountById, activate, addAccount, isChosen, type Account } from '../accounts/accounts';
import { setNotice } from '../accounts/notice';
import { register } from '../accounts/operations';
import { accountOf, demoPeople } from '../demo/demo';
import type { DemoPerson } from '../start/Drawing';
import type { Example } from './examples';
import { made, note } from './memory';
import { salt } from './salt';

/** The roles in the tour. */
export type Actor = 'desk' | 'doctor' | 'stranger';

const madeAs = { desk: 'desk', doctor: 'doctorAccount', stranger: 'stranger' } as const;
const personAs = { desk: 'owner', doctor: 'doctor', stranger: 'stranger' } as const;

/** The person of a demo server who plays an actor. */
const personOf = (actor: Actor): DemoPerson | undefined => demoPeople()?.find(({ role }) => role === personAs[actor]);

/** The account that an example is meant for, if the page has it. */
export const actorOf = (example: Example | undefined): Account | undefined =>
  example?.actor && accountById(personOf(example.actor)?.id ?? made(madeAs[example.actor]) ?? null);

/** Whether the page can get the account of an actor: the desk's is that of the example Register. */
export const canOpen = (actor: Actor): boolean => actor !== 'desk' || personOf(actor) !== undefined;

/**
 * Activates the account of an example's actor when the example is opened, if there is
 * one. An account that the user chose stays active.
 */
export async function showActor(example: Example | undefined): Promise<void> {
  const actor = actorOf(example);
  if (isChosen()) {
    return;
  }
  if (actor) {
    activate(actor.id);
  } else if (example?.actor && personOf(example.actor)) {
    await open(example.actor);
  }
}

/** Gets the account of an example's actor before it runs, unless the user chose an account. */
export async function actFor(example: Example | undefined): Promise<void> {
  const { actor } = example ?? {};
  if (actor && canOpen(actor) && !actorOf(example) && !isChosen()) {
    await open(actor);
  }
}

/** Signs an actor in, or registers an account with a random password, and makes it the active one. */
export async function open(actor: Actor): Promise<void> {
  const person = personOf(actor);
  if (person) {
    const account = await accountOf(person);
    activate(account?.id ?? null);
  } else {
    await registerActor(actor);
  }
}

async function registerActor(actor: Actor): Promise<void> {
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
