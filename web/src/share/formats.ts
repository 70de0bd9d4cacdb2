import type { Request as Question } from '../graphql/send';
import { isMutation, oneOperation, onOneLine, relayOperation } from './operation';

/** What a text needs: the question, the address of the API, and the access token if the text should contain it. */
export type Source = { question: Question; endpoint: string; signedIn: boolean; token?: string | undefined };

export type Format = { name: string; hint: string; text(source: Source): string };

/** The formats of CopyAs, in their order. */
export const formats: Format[] = [
  { name: 'curl', hint: 'For a shell such as bash or zsh.', text: curl },
  { name: 'fetch', hint: 'For browsers and Node, without a library.', text: fetched },
  { name: 'Apollo', hint: 'npm install @apollo/client graphql rxjs', text: apollo },
  { name: 'urql', hint: 'npm install @urql/core graphql', text: urql },
  { name: 'Relay', hint: 'npm install relay-runtime; relay-compiler reads the document.', text: relay },
];

function curl({ question, endpoint, signedIn, token }: Source): string {
  const { query, variables, operationName } = question;
  const body = JSON.stringify({ query: onOneLine(query), ...some(variables), ...(operationName && { operationName }) });
  const authorization = token ? quoted(`Authorization: Bearer ${token}`) : '"Authorization: Bearer $TOKEN"';
  return [
    `curl -sS ${quoted(endpoint)}`,
    `-H 'Content-Type: application/json'`,
    ...(signedIn ? [`-H ${authorization}`] : []),
    `--data-raw ${quoted(body)}`,
  ].join(' \\\n  ');
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

function fetched(source: Source): string {
  const { query, variables, operationName } = source.question;
  const named = operationName ? `\n    operationName: ${literal(operationName)},` : '';
  const given = some(variables).variables ? `\n    variables: ${object(variables, 4)},` : '';
  return `${tokenLine(source)}const response = await fetch(${literal(source.endpoint)}, {
  method: 'POST',
  headers: {
    'Content-Type': 'application/json',${source.signedIn ? '\n    Authorization: `Bearer ${token}`,' : ''}
  },
  body: JSON.stringify({
    query: ${template(query, 6)},${given}${named}
  }),
});
const { data, errors } = await response.json();
`;
}

function apollo(source: Source): string {
  const { question } = source;
  const [call, name] = isMutation(question) ? ['mutate', 'mutation'] : ['query', 'query'];
  return `import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';

${tokenLine(source)}const client = new ApolloClient({
  link: new HttpLink({
    uri: ${literal(source.endpoint)},${headers(source, 4)}
  }),
  cache: new InMemoryCache(),
});

const { data, error } = await client.${call}({
  ${name}: gql${template(oneOperation(question), 4)},
  variables: ${object(question.variables, 2)},
  errorPolicy: 'all', // a hidden value is null with an error; the other data count
});
`;
}

function urql(source: Source): string {
  const { question } = source;
  return `import { Client, cacheExchange, fetchExchange, gql } from '@urql/core';

${tokenLine(source)}const client = new Client({
  url: ${literal(source.endpoint)},
  exchanges: [cacheExchange, fetchExchange],
  preferGetMethod: false, // variables do not belong in addresses${source.signedIn ? `\n  fetchOptions: {${headers(source, 4)}\n  },` : ''}
});

const { data, error } = await client.${isMutation(question) ? 'mutation' : 'query'}(
  gql${template(oneOperation(question), 4)},
  ${object(question.variables, 2)},
).toPromise();
`;
}

function relay(source: Source): string {
  const { question } = source;
  const mutation = isMutation(question);
  const { name, document } = relayOperation(question);
  const file = name.replace(/(Query|Mutation)$/, '');
  const imports = mutation ? 'commitMutation, graphql' : 'fetchQuery, graphql';
  const tagged = `graphql${template(document, mutation ? 6 : 4)}`;
  const call = mutation
    ? `const data = await new Promise((onCompleted, onError) => {
  commitMutation(environment, {
    mutation: ${tagged},
    variables: ${object(question.variables, 4)},
    onCompleted,
    onError,
  });
});`
    : `const data = await fetchQuery(
  environment,
  ${tagged},
  ${object(question.variables, 2)},
).toPromise();`;
  return `// ${file}.js: the name of the operation begins with the name of its file.
import { Environment, Network, RecordSource, Store, ${imports} } from 'relay-runtime';

${tokenLine(source)}const environment = new Environment({
  network: Network.create(async ({ text }, variables) => {
    const response = await fetch(${literal(source.endpoint)}, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json'${source.signedIn ? ', Authorization: `Bearer ${token}`' : ''} },
      body: JSON.stringify({ query: text, variables }),
    });
    return response.json();
  }),
  store: new Store(new RecordSource()),
});

${call}
`;
}

function tokenLine({ signedIn, token }: Source): string {
  const value = token ? `${literal(token)};` : "''; // an access token: the mutation login answers with one";
  return signedIn ? `const token = ${value}\n\n` : '';
}

const headers = ({ signedIn }: Source, indent: number) =>
  signedIn ? `\n${' '.repeat(indent)}headers: { Authorization: \`Bearer \${token}\` },` : '';

const some = (variables: Question['variables']) => (Object.keys(variables ?? {}).length > 0 ? { variables } : {});

const literal = (text: string) => `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

/** An object as JavaScript: JSON, indented as the lines around it. */
const object = (value: object | undefined, indent: number) => indented(JSON.stringify(value ?? {}, null, 2), indent).trimStart();

/** A document as a template literal. */
function template(document: string, indent: number): string {
  const text = document.trim().replace(/[\\`]|\$(?=\{)/g, '\\$&');
  return `\`\n${indented(text, indent)}\n${' '.repeat(indent - 2)}\``;
}

const indented = (text: string, indent: number) => text.replace(/^(?=.)/gm, ' '.repeat(indent));
