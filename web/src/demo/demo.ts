import { accountById, keepAccount, type Account } from '../accounts/accounts';
import { setNotice } from '../accounts/notice';
import { nestedQuestion } from '../examples/examples';
import { made, note } from '../examples/memory';
import { ask } from '../graphql/ask';
import type { DemoPerson } from '../start/Drawing';
import { Shared } from '../stored';
import { beginWith } from '../tabs/tabs';
import { useShared } from '../useShared';

const people = new Shared<DemoPerson[] | null>(null);

/** The people of a demo server; null on any other server, and until they are loaded. */
export const useDemo = (): DemoPerson[] | null => useShared(people);
export const demoPeople = (): DemoPerson[] | null => people.value;

/** Loads the people of a demo server. */
export async function loadDemo(): Promise<void> {
  const response = await fetch('demo/people').catch(() => undefined);
  if (response?.ok) {
    people.set(await response.json());
    beginWith(nestedQuestion); // registration is closed, so the first example is of no use
  }
}

/** The account of a person of the demo, signed in if it was not; undefined after a notice. */
export async function accountOf(person: DemoPerson): Promise<Account | undefined> {
  const known = accountById(person.id);
  if (known) {
    return known;
  }
  const response = await fetch('demo/continue', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ id: person.id }),
  }).catch(() => undefined);
  if (!response?.ok) {
    setNotice(`The demo cannot continue as ${person.name}. Reload the page, or start the server again.`);
    return undefined;
  }
  const account = signedIn(person, await response.json());
  keepAccount(account);
  await noteRecords(account.id);
  return account;
}

type Login = { access: string; refresh: string; user: { email: string; role: string } };

function signedIn({ id, name, role }: DemoPerson, { access, refresh, user }: Login): Account {
  return {
    id,
    username: name,
    email: user.email,
    role: user.role.toUpperCase(),
    part: role.toUpperCase(),
    tokens: { access, refresh, accessExpiresAt: expiry(access) },
  };
}

// A token is a JSON Web Token: its second part has the time when it ends, in seconds.
function expiry(token: string): string {
  const claims = token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
  return new Date(JSON.parse(atob(claims)).exp * 1000).toISOString();
}

const records = '{ patients(search: "arjun", first: 1) { nodes { id version } } doctors(first: 1) { nodes { id } } }';

/** Gives the examples the records of the clinic, unless they have made their own. */
async function noteRecords(id: string): Promise<void> {
  const { data } = (await ask(id, { query: records })).answer as { data?: any };
  const patient = data?.patients?.nodes[0];
  if (patient && !made('patient')) {
    note({ patient: patient.id, patientVersion: patient.version });
  }
  if (!made('doctor')) {
    note({ doctor: data?.doctors?.nodes[0]?.id });
  }
}
