// Sends operations, and renews the tokens when they have expired.

import { type Login, type Renewal, type UserError, login, renewal } from './documents.js';
import type { Store } from './store.js';

/** An answer with an error. All other errors mean that there was no answer. */
export class Refused extends Error {
  constructor(message: string, readonly code: string, readonly reason?: string, readonly retryAfter?: number) {
    super(message);
  }
}

export class Api {
  #renewing: Promise<void> | null = null;

  constructor(private readonly store: Store, readonly url: string, private readonly fetch = globalThis.fetch.bind(globalThis)) {}

  /** Sends an operation for the account. With a key, a change can be sent again. */
  async ask<Data>(query: string, variables: object, key?: string): Promise<Data> {
    const send = (): Promise<Data> =>
      this.#post(query, variables, { Authorization: `Bearer ${this.access()}`, ...(key && { 'Idempotency-Key': key }) });
    const used = this.access();
    return send().catch(async error => {
      if (error.code !== 'UNAUTHENTICATED') throw error;
      if (error.reason === 'TOKEN_EXPIRED') return this.renew(used).then(send);
      this.store.transaction(draft => (draft.tokens = null)); // records and outbox stay until someone signs in
      throw error;
    });
  }

  async #post<Data>(query: string, variables: object, headers = {}, timeout = 20_000): Promise<Data> {
    const response = await this.fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json', ...headers },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(timeout),
    });
    const { data, errors } = (await response.json()) as { data: Data; errors?: [{ message: string; extensions: Refused }] };
    if (!errors) return data;
    const [{ message, extensions }] = errors;
    throw new Refused(message, extensions.code, extensions.reason, extensions.retryAfter);
  }

  get isSignedIn(): boolean {
    return this.store.state.tokens !== null;
  }

  access(): string {
    const { tokens } = this.store.state;
    if (tokens) return tokens.access;
    throw new Refused('Sign in.', 'UNAUTHENTICATED', 'TOKEN_MISSING');
  }

  /** Renews the tokens, unless that was done since `used` was read. All who need new ones share one renewal. */
  async renew(used: string): Promise<void> {
    if (this.access() === used) await (this.#renewing ??= this.#exchange().finally(() => (this.#renewing = null)));
  }

  async #exchange(): Promise<void> {
    const refresh = this.store.state.tokens?.refresh;
    const post = (): Promise<Renewal> => this.#post(renewal, { refresh }, {}, 4_000);
    // A refresh token works once. If the answer was lost, it comes again within ten seconds.
    const { refreshToken } = await post().catch(error => (error instanceof Refused ? Promise.reject(error) : post()));
    if (this.store.state.tokens?.refresh !== refresh) return; // someone has signed in in the meantime
    this.store.transaction(draft => (draft.tokens = refreshToken.tokens)); // null: the session is over
  }

  /** Signs in, or returns why not. Another account than before starts with nothing. */
  async signIn(email: string, password: string, otp?: string): Promise<UserError[]> {
    const input = { email, password, otp, device: this.store.state.device, client: 'CareGraph example for phones' };
    const { user, tokens, device, userErrors } = (await this.#post<Login>(login, { input })).login;
    if (!user || !tokens) return userErrors;
    this.store.transaction(draft => {
      if (draft.account !== user.id) Object.assign(draft, { account: user.id, cursor: null, records: {}, outbox: [] });
      Object.assign(draft, { tokens, device });
    });
    return [];
  }
}
