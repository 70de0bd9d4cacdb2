import 'swagger-ui-dist/swagger-ui.css';
import '../src/styles/theme.css';
import '../src/styles/page.css';
import './docs.css';
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import { followTheme } from '../src/theme';
import { demoOwner } from './demo';
import { sessionOf, signIn, signOut, store, stored, type Session } from './session';
import { newStory } from './steps';
import { tellStory } from './story';
import { accessible } from './swagger';

const form = document.querySelector<HTMLFormElement>('#sign-in')!;
const account = document.querySelector<HTMLElement>('#account')!;
const fault = document.querySelector<HTMLElement>('#fault')!;

followTheme(); // before Swagger UI, whose dark look is a class

let session = stored();

const owner = await demoOwner();
const updateStory = tellStory(document.querySelector<HTMLElement>('#story')!, newStory(owner), {
  access: () => session?.access,
  onAnswer: adopt,
});

const ui = SwaggerUI({
  url: '../openapi.json',
  domNode: document.querySelector('#page'),
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  layout: 'OperationsOnly',
  plugins: [accessible],
  tryItOutEnabled: true,
  validatorUrl: null, // call no other hosts
  onComplete: () => become(session),
  responseInterceptor(response) {
    if (response.ok) {
      adopt(response.url, response.body);
    }
    return response;
  },
});

/** Continues with the session that an answer starts, if it does. */
function adopt(url: string, body: unknown) {
  const begun = sessionOf(url, body, session);
  if (begun) {
    become(begun);
  }
}

/** Shows who is signed in, and sends the token with every call. */
function become(next?: Session) {
  const authorized = session; // Swagger UI fails to sign out without a sign-in before
  session = next;
  store(next);
  form.hidden = Boolean(next ?? owner); // the people of a demo have no password
  account.hidden = !next;
  account.querySelector('span')!.textContent = next?.email ? `Signed in as ${next.email}` : 'Signed in';
  fault.textContent = '';
  updateStory();
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
