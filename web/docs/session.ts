// The signed-in session. The tokens are stored for this tab until it is closed.

export type Session = { email: string; access: string; refresh: string };

const KEY = 'caregraph.docs.session';

export function stored(): Session | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null') ?? undefined;
  } catch {
    return undefined; // the storage is not available, or its content is invalid
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
    // Then the session lasts as long as the page.
  }
}

/** Signs in, or throws an error with a message for people. */
export async function signIn(email: string, password: string): Promise<Session> {
  const answer = await post('login', { email, password });
  return { email: answer.user.email, access: answer.access, refresh: answer.refresh };
}

/** Ends the session on the server, if it is still open. */
export async function signOut({ access, refresh }: Session) {
  await post('logout', { refresh }, access);
}

/** The session that the answer to a call starts or continues. */
export function sessionOf(url: string, body: any, current?: Session): Session | undefined {
  if (!/\/(api\/auth\/(register|login|token\/refresh|password\/change)\/|demo\/continue)$/.test(new URL(url, location.href).pathname)) {
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
