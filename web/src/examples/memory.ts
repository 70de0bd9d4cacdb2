import type { Answer } from '../graphql/send';
import { Stored } from '../stored';
import type { Example, Variables } from './examples';
import { newEmail, newLicense, newUsername } from './fresh';
import { useShared } from '../useShared';

/** Values from the answers of the examples, for the variables of later ones. */
export type Made = {
  patient: string;
  patientVersion: number;
  doctor: string;
  nextPage: string | null;
  newUsername: string;
  newEmail: string;
  newLicense: string;
  /** Accounts by their role in the tour. */
  desk: string;
  stranger: string;
  doctorAccount: string;
};

/** All values by name, latest last: a variable with an earlier one is out of date. */
type Memory = { [Name in keyof Made]?: Made[Name][] };

const memory = new Stored<Memory>('made', () => ({
  newUsername: [newUsername()],
  newEmail: [newEmail()],
  newLicense: [newLicense()],
}));

export const useMemory = (): Memory => useShared(memory);

export function made<Name extends keyof Made>(name: Name): Made[Name] | undefined {
  return memory.value[name]?.at(-1);
}

/** Stores values. It skips undefined ones, which the answer did not contain. */
export function note(things: Partial<Made>): void {
  const next: Record<string, unknown[]> = { ...memory.value };
  for (const [name, value] of Object.entries(things)) {
    if (value !== undefined && value !== next[name]?.at(-1)) {
      next[name] = [...(next[name] ?? []), value];
    }
  }
  memory.set(next as Memory);
}

export function remember(example: Example | undefined, { data }: Answer): void {
  if (example?.makes && data) {
    note(example.makes(data));
  }
}

/**
 * Fills the stored values into the variables. It replaces only blanks and earlier
 * stored values, so the user's own values stay.
 */
export function filled(variables: Variables, fills: Example['fills'] = {}): Variables {
  const result = structuredClone(variables);
  for (const [path, name] of Object.entries(fills)) {
    const values: unknown[] = memory.value[name] ?? [];
    const keys = path.split('.');
    const last = keys.pop()!;
    const parent = keys.reduce<any>((object, key) => object?.[key], result);
    const blank = parent?.[last] === '' || parent?.[last] === null;
    if (parent && values.length > 0 && (blank || values.includes(parent[last]))) {
      parent[last] = values.at(-1);
    }
  }
  return result;
}

/** The text of an example's variables, filled in. */
export const variablesText = ({ variables, fills }: Example): string => JSON.stringify(filled(variables, fills), null, 2);
