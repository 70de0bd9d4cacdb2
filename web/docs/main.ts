import 'swagger-ui-dist/swagger-ui.css';
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import { sessionOf, signIn, signOut, store, stored, type Session } from './session';

const form = document.querySelector<HTMLFormElement>('#sign-in')!;
const account = document.querySelector<HTMLElement>('#account')!;
const fault = document.querySelector<HTMLElement>('#fault')!;

const dark = matchMedia('(prefers-color-scheme: dark)');
const dress = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', dress);
dress();

let session = stored();

const ui = SwaggerUI({
  url: '../openapi.json',
  domNode: document.querySelector('#page'),
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null, // call no other hosts
  onComplete: () => become(session),
  responseInterceptor(response) {
    const begun = response.ok ? sessionOf(response.url, response.body, session) : undefined;
    if (begun) {
      become(begun);
    }
    return response;
  },
});

/** Shows who is signed in, and sends the token with every call. */
function become(next?: Session) {
  const authorized = session; // Swagger UI fails to sign out without a sign-in before
  session = next;
  store(next);
  form.hidden = Boolean(next);
  account.hidden = !next;
  account.querySelector('span')!.textContent = next?.email ? `Signed in as ${next.email}` : 'Signed in';
  fault.textContent = '';
  if (next) {
    ui.preauthorizeApiKey('bearer', next.access);
  } else if (authorized) {
    ui.authActions.logout(['bearer']);
  }
}

form.addEventListener('submit', async event => {
  event.preventDefault();
  const fields = new FormData(form);
  try {
    become(await signIn(String(fields.get('email')), String(fields.get('password'))));
    form.reset();
  } catch (error) {
    fault.textContent = (error as Error).message;
  }
});

account.querySelector('button')!.addEventListener('click', async () => {
  const ended = session;
  become(undefined);
  if (ended) {
    await signOut(ended).catch(() => undefined); // the session had ended already
  }
});
