// Who is signed in. The tokens are kept for this tab, until it is closed.

export type Session = { email: string; access: string; refresh: string };

const KEY = 'caregraph.docs.session';

export function stored(): Session | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null') ?? undefined;
  } catch {
    return undefined; // storage is closed to us, or holds something else
  }
}

export function store(session?: Session) {
  try {
    if (session) {
      sessionStorage.setItem(KEY, JSON.stringify(session));
    } else {
      sessionStorage.removeItem(KEY);
    }
  } catch {
    // It lasts as long as the page, then.
  }
}

/** Signs in, or throws why not, in words for people. */
export async function signIn(email: string, password: string): Promise<Session> {
  const answer = await post('login', { email, password });
  return { email: answer.user.email, access: answer.access, refresh: answer.refresh };
}

/** Ends the session at the server, if it still knows it. */
export async function signOut({ access, refresh }: Session) {
  await post('logout', { refresh }, access);
}

/** The session that an answer to a tried call begins or goes on with. */
export function sessionOf(url: string, body: any, current?: Session): Session | undefined {
  if (!/\/api\/auth\/(register|login|token\/refresh|password\/change)\/$/.test(new URL(url, location.href).pathname)) {
    return undefined;
  }
  const tokens = body?.tokens ?? body;
  if (typeof tokens?.access !== 'string' || typeof tokens.refresh !== 'string') {
    return undefined;
  }
  return { email: body.user?.email ?? current?.email ?? '', access: tokens.access, refresh: tokens.refresh };
}

async function post(call: string, body: object, access?: string) {
  const headers = new Headers({ 'Content-Type': 'application/json', Accept: 'application/json' });
  if (access) {
    headers.set('Authorization', `Bearer ${access}`);
  }
  const response = await fetch(`../api/auth/${call}/`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    credentials: 'omit',
  });
  const answer = response.status === 204 ? {} : await response.json();
  if (!response.ok) {
    throw new Error(answer.detail ?? Object.values(answer).flat().join(' '));
  }
  return answer;
}
