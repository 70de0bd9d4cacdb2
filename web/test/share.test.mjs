// The texts of "copy as" and the share link.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { parse as parseGraphQL, visit } from 'graphql';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { parseAst } from 'vite';
import { load } from './modules.mjs';
import { startServer } from './server.mjs';

const run = promisify(execFile);
const { formats } = await load('src/share/formats.ts');
const { CopyAs } = await load('src/share/CopyAs.tsx');
const { shareLink, readShareLink } = await load('src/share/link.ts');

const jwt = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJl';
const endpoint = 'http://127.0.0.1:8080/graphql';

const questions = {
  named: { query: '# 5. Read it.\nquery Graph($patient: ID!) @redact {\n  patient(id: $patient) { name }\n}', variables: { patient: 'pat_1' }, operationName: 'Graph' },
  unnamed: { query: '{ me { id } }' },
  'without a name': { query: 'query ($search: String) { patients(search: $search) { totalCount } }', variables: { search: "O'Hara `${x}` \\ \"quoted\"\nनमस्ते" } },
  mutation: { query: 'mutation UpdateMe($input: UpdateMeInput!) { updateMe(input: $input) { user { id } } }', variables: { input: {} }, operationName: 'UpdateMe' },
  'one of two': { query: 'query A { me { ...F } } query B { doctors { totalCount } } fragment F on User { id }', operationName: 'B' },
  'a text with escapes': { query: 'query Q { patients(search: "a\\"b\\\\c`${d}") { totalCount } }' },
};

const scripts = formats.filter(({ name }) => name !== 'curl');
const textOf = (name, source) => formats.find(format => format.name === name).text({ endpoint, signedIn: true, ...source });

/** The template literals of a script, as JavaScript reads them. */
function templates(node, found = []) {
  if (node?.type === 'TemplateLiteral' && node.quasis.length === 1) {
    found.push(node.quasis[0].value.cooked);
  }
  for (const value of Object.values(node ?? {})) {
    if (value && typeof value === 'object') {
      templates(value, found);
    }
  }
  return found;
}

const withoutPlaces = document => JSON.stringify(visit(parseGraphQL(document, { noLocation: true }), {}));

for (const [title, question] of Object.entries(questions)) {
  for (const { name } of scripts) {
    test(`${name}: ${title} is JavaScript with the same document`, () => {
      for (const source of [{ question }, { question, signedIn: false }, { question, token: jwt }]) {
        const [document] = templates(parseAst(textOf(name, source)));
        const operations = parseGraphQL(document).definitions.filter(({ kind }) => kind === 'OperationDefinition');
        if (name === 'fetch') {
          assert.equal(withoutPlaces(document), withoutPlaces(question.query));
        } else {
          assert.equal(operations.length, 1);
          assert.ok(!question.operationName || operations[0].name.value.startsWith(question.operationName));
        }
        assert.equal(operations[0].operation, title === 'mutation' ? 'mutation' : 'query');
      }
    });
  }
}

test('Relay: the name of the operation ends as its compiler wants', () => {
  const names = Object.values(questions).map(question => parseGraphQL(templates(parseAst(textOf('Relay', { question })))[0]).definitions[0].name.value);
  assert.deepEqual(names, ['GraphQuery', 'CareGraphQuery', 'CareGraphQuery', 'UpdateMeMutation', 'BQuery', 'QQuery']);
});

test('a text has the token only if the user wants it, and the header only for an account', () => {
  for (const { name } of formats) {
    const question = questions.named;
    assert.ok(!textOf(name, { question }).includes(jwt), name);
    assert.match(textOf(name, { question }), /Authorization/, name);
    assert.ok(textOf(name, { question, token: jwt }).includes(jwt), name);
    assert.doesNotMatch(textOf(name, { question, signedIn: false }), /Authorization|token/, name);
  }
});

test('a document that is not valid is copied as it is', () => {
  for (const { name } of formats) {
    assert.ok(textOf(name, { question: { query: '{ me { id }' } }).includes('{ me { id }'), name);
  }
});

test('a link has the question in its fragment and gives it back', () => {
  for (const question of Object.values(questions)) {
    const link = new URL(shareLink(question, 'http://127.0.0.1:8080/below/?x=1#old'));
    assert.equal(link.origin + link.pathname + link.search, 'http://127.0.0.1:8080/below/?x=1');
    assert.deepEqual(readShareLink(link.hash), { variables: {}, ...question });
  }
});

test('a link never has a password, a code or a token', () => {
  const secrets = ['Morning-Rounds-7', '123456', 'lnk_secret', 'plain-refresh', jwt];
  const [password, code, linkCode, refresh] = secrets;
  const cases = [
    { query: 'mutation ($input: LoginInput!) { login(input: $input) { user { id } } }', variables: { input: { email: 'a@b.example', password, otp: code } } },
    { query: `mutation { login(input: {email: "a@b.example", password: "${password}"}) { user { id } } }` },
    { query: `mutation { confirmEmail(code:\n"""${code}""", password : "${password}") { user { id } } }` },
    { query: 'mutation ($r: String!) { refreshToken(refresh: $r) { user { id } } }', variables: { r: refresh } },
    { query: 'mutation ($id: ID!, $input: VerifyDoctorInput!) { verifyDoctor(id: $id, input: $input) { doctor { id } } }', variables: { id: 'doc_1', input: { linkCode, list: [{ newPassword: password }] } } },
    { query: `# ${jwt}\nquery ($text: String) { patients(search: $text) { totalCount } }`, variables: { text: `Bearer ${jwt}` } },
  ];
  for (const question of cases) {
    const link = decodeURIComponent(shareLink(question, 'http://127.0.0.1/'));
    secrets.forEach(secret => assert.ok(!link.includes(secret), `${secret} in ${link}`));
  }
});

test('a fragment without a question is none, and broken variables are left out', () => {
  assert.equal(readShareLink(''), null);
  assert.equal(readShareLink('#Patient.phone'), null);
  for (const broken of ['{"a":', '[1]', 'null', '7']) {
    assert.deepEqual(readShareLink(`#query=%7Bme%7D&variables=${encodeURIComponent(broken)}`), { query: '{me}', variables: {} });
  }
});

test('a format is chosen by radio buttons, and the token is offered for an account only', () => {
  const copyAs = account => renderToStaticMarkup(createElement(CopyAs, { question: questions.named, account, url: 'http://127.0.0.1:8080/' }));
  const names = [...copyAs().matchAll(/type="radio"[^>]*value="(\w+)"/g)].map(([, name]) => name);
  assert.deepEqual(names, ['curl', 'fetch', 'Apollo', 'urql', 'Relay', 'Link']);
  assert.doesNotMatch(copyAs(), /checkbox/);
  const signedIn = copyAs({ username: 'asha', tokens: { access: jwt } });
  assert.match(signedIn, /checkbox"[^>]*\/><span>with the access token of <strong>asha/);
  assert.ok(!signedIn.includes(jwt));
});

let server;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

const live = source => ({ endpoint: `${server.base}/graphql`, signedIn: false, ...source });

test('curl and fetch answer for real, with and without a token', async () => {
  const register = {
    query: 'mutation Register($input: RegisterInput!) {\n  register(input: $input) { tokens { access } userErrors { code } }\n}',
    variables: { input: { username: 'ohara', email: 'ohara@clinic.example', password: `It's "quiet" \\ $here नमस्ते`, role: 'PATIENT' } },
    operationName: 'Register',
  };
  const registered = JSON.parse((await run('sh', ['-c', textOf('curl', live({ question: register }))])).stdout);
  assert.deepEqual(registered.data.register.userErrors, []);
  const token = registered.data.register.tokens.access;

  const question = { query: '# who am I?\nquery A { me { username } } query B { __typename }', operationName: 'A' };
  const byVariable = await run('sh', ['-c', textOf('curl', live({ question, signedIn: true }))], { env: { ...process.env, TOKEN: token } });
  const byText = await run('sh', ['-c', textOf('curl', live({ question, signedIn: true, token }))]);
  const script = textOf('fetch', live({ question, signedIn: true, token })) + '\nconsole.log(JSON.stringify({ data, errors }));';
  const byFetch = await run(process.execPath, ['--input-type=module', '-e', script]);
  for (const { stdout } of [byVariable, byText, byFetch]) {
    assert.deepEqual(JSON.parse(stdout), { data: { me: { username: 'ohara' } } });
  }
  const nobody = JSON.parse((await run('sh', ['-c', textOf('curl', live({ question }))])).stdout);
  assert.equal(nobody.errors[0].extensions.code, 'UNAUTHENTICATED');
});
