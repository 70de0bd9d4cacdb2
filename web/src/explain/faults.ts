import { NO_ANSWER, NOT_SENT, type AnswerError } from '../graphql/send';

type Advice = (fault: AnswerError) => string;

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);

const place = ({ locations }: AnswerError) => (locations?.[0] ? ` in line ${locations[0].line}` : '');

const said: Advice = ({ message }) => sentence(message);

// What happened, and what to change. In this order, the first code that an answer has is explained.
const advice: Record<string, Advice> = {
  [NO_ANSWER]: said,
  [NOT_SENT]: fault => `Nothing was sent. ${said(fault)}`,
  GRAPHQL_PARSE_FAILED: fault => `Syntax error${place(fault)}: ${said(fault)} Correct the question there, and run it again.`,
  GRAPHQL_VALIDATION_FAILED: fault => `The schema does not allow this${place(fault)}: ${said(fault)} Ctrl-Space lists what is allowed there.`,
  UNAUTHENTICATED: () => 'You are not signed in: choose an account above, sign in, or run the example Register.',
  FORBIDDEN: () => 'This account may not call this: the docs of the field say who may.',
  BAD_USER_INPUT: fault => `A value cannot be used. ${said(fault)} ${valueOf(fault)}`,
  INVALID_CURSOR: () => 'The cursor is of another list or order. Start again without a cursor: set it to null.',
  LIMIT_EXCEEDED: fault => `The question is too large. ${said(fault)} Ask for smaller pages, such as first: 5, fewer fields or fewer levels.`,
  RATE_LIMITED: fault => `Too many requests. Wait ${wait(fault)}, then run the same question again. ${said(fault)}`,
  UNAVAILABLE: fault => `The server cannot work at the moment. Run a query again as it is; look first whether a change took effect. ${said(fault)}`,
  INTERNAL: fault => `The server failed. Its log has the reason${request(fault)}.`,
};

function valueOf({ extensions = {} }: AnswerError): string {
  const { variable, argument } = extensions;
  if (variable) {
    return `Change the variable ${String(variable)}.`;
  }
  return argument ? `Change the argument ${String(argument)}.` : '';
}

function wait({ extensions }: AnswerError): string {
  const seconds = Number(extensions?.retryAfter ?? 1);
  return seconds === 1 ? '1 second' : `${seconds} seconds`;
}

function request({ extensions }: AnswerError): string {
  return extensions?.requestId ? ` under the request id ${String(extensions.requestId)}` : '';
}

/** The errors of an answer that are not about hidden values. */
export const faultsIn = (errors: AnswerError[] = []): AnswerError[] =>
  errors.filter(({ extensions }) => extensions?.code !== 'FORBIDDEN_FIELD');

/** Says what went wrong and what to change; undefined without a fault. */
export function explainFaults(errors: AnswerError[] | undefined): string | undefined {
  const faults = faultsIn(errors);
  for (const [code, words] of Object.entries(advice)) {
    const fault = faults.find(({ extensions }) => extensions?.code === code);
    if (fault) {
      return words(fault).trim();
    }
  }
  return faults[0] && said(faults[0]);
}
