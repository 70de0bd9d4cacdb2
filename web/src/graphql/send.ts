export type Request = {
  query: string;
  variables?: Record<string, unknown> | undefined;
  operationName?: string | null | undefined;
};

export type Path = readonly (string | number)[];

export type AnswerError = {
  message: string;
  path?: Path;
  locations?: { line: number; column: number }[];
  extensions?: { code?: string; [key: string]: unknown };
};

export type Answer = {
  data?: Record<string, unknown> | null;
  errors?: AnswerError[];
  extensions?: { redacted?: Path[]; cost?: { requested?: number; limit?: number }; [key: string]: unknown };
};

/** An answer, and what it took. */
export type Sent = {
  answer: Answer;
  bytes: number;
  milliseconds: number;
  /** The header Server-Timing. */
  timing: string;
};

/** The codes of faults before the server; it has no such codes. */
export const NO_ANSWER = 'NO_ANSWER';
export const NOT_SENT = 'NOT_SENT';

/** An answer of the page itself. */
export function pageAnswer(code: string, message: string): Sent {
  return { answer: { errors: [{ message, extensions: { code } }] }, bytes: 0, milliseconds: 0, timing: '' };
}

/**
 * Sends one operation. The given headers override ours. Errors of the connection
 * come back as an answer with errors.
 */
export async function send(request: Request, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Sent> {
  const start = performance.now();
  let response: Response;
  let text: string;
  try {
    response = await fetch('graphql', {
      method: 'POST',
      headers: withHeaders(headers),
      body: JSON.stringify(request),
      credentials: 'same-origin',
      signal: signal ?? null,
    });
    text = await response.text();
  } catch {
    const reason = 'The server cannot be reached. Check that it is running and that the network works.';
    return pageAnswer(NO_ANSWER, signal?.aborted ? 'You stopped the request before the answer arrived.' : reason);
  }
  const milliseconds = performance.now() - start;
  try {
    const bytes = new TextEncoder().encode(text).length;
    return { answer: JSON.parse(text), bytes, milliseconds, timing: response.headers.get('Server-Timing') ?? '' };
  } catch {
    const { status } = response;
    return pageAnswer(NO_ANSWER, `The answer is not GraphQL (HTTP status ${status}). A proxy in front of the server may have sent it.`);
  }
}

function withHeaders(given: Record<string, string>): Headers {
  const headers = new Headers({
    'Content-Type': 'application/json',
    Accept: 'application/graphql-response+json',
  });
  for (const [name, value] of Object.entries(given)) {
    headers.set(name, value);
  }
  return headers;
}

export function bearer(access: string | undefined): Record<string, string> {
  return access === undefined ? {} : { Authorization: `Bearer ${access}` };
}
