import { Stored } from '../stored';
import { useShared } from '../useShared';

export type Tokens = {
  access: string;
  refresh: string;
  accessExpiresAt: string;
};

export type Account = {
  id: string;
  username: string;
  email: string | null;
  role: string;
  /** The part that it plays in a demo, shown in place of the role. */
  part?: string | undefined;
  tokens: Tokens;
  /** Registered by an example, not by the user. */
  made?: boolean | undefined;
};

type Accounts = {
  list: Account[];
  /** The account that sends the requests; null for none. */
  active: string | null;
  /** The user chose the active account: opening an example does not change it. */
  isChosen: boolean;
};

const accounts = new Stored<Accounts>('accounts', () => ({ list: [], active: null, isChosen: false }));

export const useAccounts = (): Accounts => useShared(accounts);

export function accountById(id: string | null): Account | undefined {
  return accounts.value.list.find(account => account.id === id);
}

export function activeAccount(): Account | undefined {
  return accountById(accounts.value.active);
}

/** Whether the user chose the active account by hand. */
export const isChosen = (): boolean => accounts.value.isChosen;

/** Activates the account that the user chose; null for none. */
export function choose(id: string | null): void {
  accounts.set({ ...accounts.value, active: id, isChosen: true });
}

/** Activates an account for an example. */
export function activate(id: string | null): void {
  accounts.set({ ...accounts.value, active: id, isChosen: false });
}

/** Adds an account, or replaces the session of a known one. */
export function keepAccount(account: Account): void {
  const { list } = accounts.value;
  const isKnown = list.some(({ id }) => id === account.id);
  accounts.set({
    ...accounts.value,
    list: isKnown ? list.map(old => (old.id === account.id ? account : old)) : [...list, account],
  });
}

/** Adds an account and makes it the active one. */
export function addAccount(account: Account): void {
  keepAccount(account);
  accounts.set({ ...accounts.value, active: account.id, isChosen: !account.made });
}

export function dropAccount(id: string): void {
  const { list, active, isChosen } = accounts.value;
  const rest = list.filter(account => account.id !== id);
  accounts.set(active === id ? { list: rest, active: null, isChosen: false } : { list: rest, active, isChosen });
}

export function setTokens(id: string, tokens: Tokens): void {
  const list = accounts.value.list.map(account => (account.id === id ? { ...account, tokens } : account));
  accounts.set({ ...accounts.value, list });
}

/** Which token of an account of this page the text is, if it is one. */
export function tokenKind(text: string): 'access' | 'refresh' | undefined {
  for (const { tokens } of accounts.value.list) {
    if (tokens.access === text || tokens.refresh === text) {
      return tokens.access === text ? 'access' : 'refresh';
    }
  }
  return undefined;
}

// A duplicated browser tab starts with the same tokens, and a refresh token that
// is used twice ends its session. So the tabs share renewed tokens.
const channel = new BroadcastChannel('caregraph.playground.renewals');

export function tellRenewed(used: string, tokens: Tokens): void {
  channel.postMessage({ used, tokens });
}

channel.onmessage = ({ data: { used, tokens } }) => {
  const account = accounts.value.list.find(({ tokens: { refresh } }) => refresh === used);
  if (account) {
    setTokens(account.id, tokens);
  }
};
