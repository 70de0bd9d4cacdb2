import { OperationTypeNode } from 'graphql';
import { accountById, activeAccount } from '../accounts/accounts';
import { adoptSessions } from '../accounts/adopt';
import { actFor } from '../examples/actors';
import { exampleOf } from '../examples/examples';
import { remember } from '../examples/memory';
import { currentAccess } from '../accounts/renewal';
import { ask } from '../graphql/ask';
import { operationIn } from '../graphql/document';
import { subscribe } from '../graphql/live';
import { bearer, NOT_SENT, pageAnswer, type Request } from '../graphql/send';
import { show } from '../shell/look';
import { withoutTokens } from '../answer/tokens';
import { answerOf, begin, end, putAnswer, type Push } from './answers';
import { headersOf } from './headers';
import { keep } from './history';
import { tabById, type Tab } from './tabs';
import { markDone, start } from './tour';

/** Asks the question of a tab as the active account, and shows the answer. */
export async function run(tab: string, operationName?: string): Promise<void> {
  start();
  show('answer');
  const question = questionIn(tabById(tab)!, operationName);
  keep(question.query);
  let headers: Record<string, string>;
  try {
    parsed('variables', tabById(tab)!.variables);
    headers = parsed('headers', headersOf(tab)) as Record<string, string>;
  } catch (fault) {
    const asker = activeAccount();
    putAnswer(tab, { ...pageAnswer(NOT_SENT, (fault as Error).message), question, asker, owner: asker?.id ?? null });
    return;
  }
  const kind = operationIn(question.query, question.operationName)?.operation;
  await (kind === OperationTypeNode.SUBSCRIPTION ? follow : send)(tab, question, headers);
}

const keptPushes = 50;

/** Subscribes, and shows each push until it ends or is stopped. */
async function follow(tab: string, question: Request, headers: Record<string, string>): Promise<void> {
  const controller = begin(tab);
  const asker = activeAccount();
  const access = asker && (await currentAccess(asker.id));
  const { Authorization: authorization } = { ...bearer(access), ...headers };
  let pushes: Push[] = [];
  await subscribe(question, authorization, controller.signal, pushed => {
    const sent = { ...pushed, answer: withoutTokens(pushed.answer) };
    pushes = [{ ...sent, number: (pushes[0]?.number ?? 0) + 1, at: new Date() }, ...pushes].slice(0, keptPushes);
    putAnswer(tab, { ...sent, question, asker, owner: asker?.id ?? null, pushes });
  });
  end(tab, controller);
}

async function send(tab: string, question: Request, headers: Record<string, string>): Promise<void> {
  const controller = begin(tab);
  const example = exampleOf(question.operationName);
  await actFor(example);
  const id = activeAccount()?.id ?? null;
  const sent = await ask(id, question, headers, controller.signal);
  const adopted = adoptSessions(sent.answer);
  remember(example, sent.answer);
  if (example && sent.answer.data) {
    markDone(example.name);
  }
  if (end(tab, controller)) {
    const asker = accountById(id); // gone, if its session has ended
    putAnswer(tab, { ...sent, answer: withoutTokens(sent.answer), question, asker, owner: adopted?.id ?? asker?.id ?? null });
  }
}

/** Asks again as the account that is active now, if the tab has an answer. It never sends a mutation. */
export async function askAgain(tab: string): Promise<void> {
  const { query } = tabById(tab)!;
  const operation = operationIn(query, answerOf(tab)?.question.operationName);
  if (answerOf(tab) && operation?.operation === OperationTypeNode.QUERY) {
    await run(tab, operation.name?.value);
  }
}

/** The question in a tab's editors; its variables are empty while they are not JSON. */
export function questionIn({ query, variables }: Tab, operationName?: string): Request {
  const name = operationName ?? operationIn(query)?.name?.value;
  try {
    return { query, operationName: name, variables: parsed('variables', variables) };
  } catch {
    return { query, operationName: name };
  }
}

function parsed(name: string, text: string): Record<string, unknown> {
  try {
    return text.trim() === '' ? {} : JSON.parse(text);
  } catch (fault) {
    throw new Error(`The ${name} are not JSON: ${(fault as Error).message}`);
  }
}
