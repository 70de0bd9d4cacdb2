import { shareLink } from '../src/share/link';
import { nested, type Call, type Made, type Step } from './steps';

type Host = {
  /** The access token of the signed-in account. */
  access(): string | undefined;
  onAnswer(url: string, body: unknown): void;
};

/** Shows the steps of a story in a list. The result updates what can be run. */
export function tellStory(list: HTMLElement, story: Step[], host: Host): () => void {
  let made: Made = {};
  const steps = story.map(step => ({ step, ...stepElements(step) }));

  const update = () => {
    for (const { step, request, button } of steps) {
      const call = step.call(made);
      button.disabled = !call || (step.needsToken && !host.access());
      request.textContent = call ? requestText(call) : 'Run the steps above first.';
    }
  };
  for (const { step, button, answer } of steps) {
    button.addEventListener('click', async () => {
      const call = step.call(made)!;
      button.setAttribute('aria-busy', 'true');
      const { status, isOK, body } = await send(call, step.needsToken ? host.access() : undefined);
      button.removeAttribute('aria-busy');
      answer.replaceChildren(...answerElements(status, isOK, body));
      if (isOK) {
        made = { ...made, ...step.makes?.(body) };
        host.onAnswer(call.path, body);
        if (call.method === 'GET') {
          answer.append(playgroundLink(made.patient!));
        }
      }
      update();
    });
  }
  list.replaceChildren(...steps.map(({ item }) => item));
  update();
  return update;
}

function stepElements({ title, words }: Step) {
  const request = element('pre', { tabIndex: 0 });
  request.setAttribute('aria-label', `Request: ${title}`);
  const button = element('button', { type: 'button', className: 'button primary', textContent: 'Run' });
  button.setAttribute('aria-label', `Run: ${title}`);
  const answer = element('div', { className: 'answer' });
  answer.setAttribute('role', 'status');
  const item = element('li', {}, element('h3', { textContent: title }), element('p', { textContent: words }), request, button, answer);
  return { item, request, button, answer };
}

function answerElements(status: string, isOK: boolean, body: unknown): HTMLElement[] {
  const text = element('pre', { textContent: JSON.stringify(body, withoutTokens, 2), tabIndex: 0 });
  text.setAttribute('aria-label', 'Answer');
  return [element('p', { className: isOK ? 'status' : 'status failed', textContent: status }), text];
}

/** A token in the answer is not shown: people share screens. */
const withoutTokens = (key: string, value: unknown) => (key === 'access' || key === 'refresh' ? '(not shown)' : value);

function playgroundLink(patient: number): HTMLElement {
  const href = shareLink(nested(patient), new URL('../', location.href).href);
  return element('p', {}, element('a', { className: 'onward', href, textContent: 'Ask the same in the playground, as several people' }));
}

const requestText = ({ method, path, body }: Call) => `${method} ${path}${body ? `\n\n${JSON.stringify(body, null, 2)}` : ''}`;

async function send({ method, path, body }: Call, access: string | undefined) {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json', ...(access && { Authorization: `Bearer ${access}` }) };
  try {
    const response = await fetch(`..${path}`, { method, headers, credentials: 'omit', body: body ? JSON.stringify(body) : null });
    return { status: `${response.status} ${response.statusText}`.trim(), isOK: response.ok, body: await response.json() };
  } catch {
    return { status: 'No answer', isOK: false, body: { detail: 'The server cannot be reached, or the answer is not JSON.' } };
  }
}

function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]>,
  ...children: Node[]
): HTMLElementTagNameMap[Name] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
