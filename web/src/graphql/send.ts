export type Request = {
  query: string;
  variables?: Record<string, unknown> | undefined;
  operationName?: string | null | undefined;
};

export type Path = readonly (string | number)[];

export type AnswerError = {
  message: string;
  path?: Path;
  extensions?: { code?: string; [key: string]: unknown };
};

export type Answer = {
  data?: Record<string, unknown> | null;
  errors?: AnswerError[];
  extensions?: { redacted?: Path[]; retryAfter?: number; [key: string]: unknown };
};

/** The code of a missing answer; the server has no such code. */
export const NO_ANSWER = 'NO_ANSWER';

function noAnswer(message: string): Answer {
  return { errors: [{ message, extensions: { code: NO_ANSWER } }] };
}

/**
 * Sends one operation. The given headers override ours. Errors of the connection
 * come back as an answer with errors.
 */
export async function send(request: Request, headers: Record<string, string> = {}): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch('graphql', {
      method: 'POST',
      headers: withHeaders(headers),
      body: JSON.stringify(request),
      credentials: 'same-origin',
    });
  } catch {
    return noAnswer('The server cannot be reached. Check that it is running and that the network works.');
  }
  try {
    return await response.json();
  } catch {
    return noAnswer(`The answer is not GraphQL (HTTP status ${response.status}). A proxy in front of the server may have sent it.`);
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
