// The signed-in accounts. Their tokens are in the sessionStorage of this tab and
// end with it.

import { ask, codes, payload } from "./api.js";

const KEY = "caregraph.accounts";

const TOKENS = "tokens { access refresh } userErrors { message }";
const REGISTER = `mutation ($input: RegisterInput!) { register(input: $input) { ${TOKENS} } }`;
const LOGIN = `mutation ($input: LoginInput!) { login(input: $input) { ${TOKENS} } }`;
const REFRESH = `mutation ($refresh: String!) { refreshToken(refresh: $refresh) { ${TOKENS} } }`;
const LOGOUT = "mutation { logout { userErrors { message } } }";
const ME = "{ me { id username role } }";

// Accounts dispatches the event "change" after every change.
export class Accounts extends EventTarget {
  #list = [];
  #chosen = null;
  #renewals = new Map();
  #tabs = new BroadcastChannel(KEY);

  constructor() {
    super();
    const { list = [], chosen = null } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    this.#list = list;
    this.#chosen = chosen;
    // A duplicated tab has the same tokens, and each refresh token works only once.
    this.#tabs.onmessage = ({ data: { from, tokens } }) => {
      const account = this.#list.find((a) => a.tokens.refresh === from);
      if (account) this.#keep(account, tokens);
    };
  }

  get list() {
    return this.#list;
  }

  // current is the account that sends the requests, or null for none.
  get current() {
    return this.#list.find((account) => account.id === this.#chosen) ?? null;
  }

  choose(id) {
    this.#chosen = id;
    this.#changed();
  }

  // register and login add an account and choose it. They throw the errors of the mutation.
  async register(input, part) {
    return this.add(payload(await ask({ query: REGISTER, variables: { input } })).tokens, part);
  }

  async login(input) {
    return this.add(payload(await ask({ query: LOGIN, variables: { input } })).tokens);
  }

  // add signs in with tokens. part is the role of the account in the tour.
  async add(tokens, part) {
    const { me } = (await ask({ query: ME }, tokens.access)).answer.data;
    this.#list = [...this.#list.filter((account) => account.id !== me.id), { ...me, part, tokens }];
    this.choose(me.id);
  }

  async signOut() {
    const account = this.current;
    try {
      await this.ask({ query: LOGOUT });
    } finally {
      this.#forget(account);
    }
  }

  // ask sends an operation as the current account. It renews expired tokens.
  async ask(request) {
    const account = this.current;
    const own = Object.keys(request.headers ?? {}).some((name) => name.toLowerCase() === "authorization");
    if (!account || own) return ask(request);
    const { access } = account.tokens;
    const reply = await ask(request, access);
    if (!refused(reply.answer)) return reply;
    if (account.tokens.access === access) await this.#renew(account);
    return this.#list.includes(account) ? ask(request, account.tokens.access) : reply;
  }

  // #renew runs once at a time for each account: a refresh token that is used twice ends its session.
  #renew(account) {
    if (!this.#renewals.has(account.id)) {
      this.#renewals.set(account.id, this.#exchange(account).finally(() => this.#renewals.delete(account.id)));
    }
    return this.#renewals.get(account.id);
  }

  async #exchange(account) {
    const from = account.tokens.refresh;
    const { answer } = await ask({ query: REFRESH, variables: { refresh: from } });
    const tokens = answer.data?.refreshToken?.tokens;
    if (tokens) {
      this.#keep(account, tokens);
      this.#tabs.postMessage({ from, tokens });
    } else if (answer.data?.refreshToken) {
      this.#forget(account); // the session has ended
    }
  }

  #keep(account, tokens) {
    account.tokens = tokens;
    this.#changed();
  }

  #forget(account) {
    this.#list = this.#list.filter((other) => other !== account);
    this.#changed();
  }

  #changed() {
    sessionStorage.setItem(KEY, JSON.stringify({ list: this.#list, chosen: this.#chosen }));
    this.dispatchEvent(new Event("change"));
  }
}

// refused reports whether the server did nothing because the token is invalid.
function refused(answer) {
  const nothing = Object.values(answer.data ?? {}).every((value) => value === null);
  return nothing && codes(answer).includes("UNAUTHENTICATED");
}
