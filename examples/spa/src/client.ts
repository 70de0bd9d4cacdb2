// Apollo Client for one account. A new sign-in makes a new one, so that no record of one account is shown to the next.

import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { RetryLink } from '@apollo/client/link/retry';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { from, mergeMap, throwError } from 'rxjs';
import { keep, renew, session } from './session';
import { connect } from './socket';

// #region links
/** With a key, a change whose answer was lost can be sent again: the server makes it once. */
const key = new SetContextLink(({ headers }, { operationType }) =>
  operationType === OperationTypeNode.MUTATION ? { headers: { ...headers, 'Idempotency-Key': crypto.randomUUID() } } : {},
);

const codeOf = (error: unknown) => (CombinedGraphQLErrors.is(error) ? error.errors[0]?.extensions : undefined);
const isBusy = (error: unknown) => ['UNAVAILABLE', 'REQUEST_IN_PROGRESS'].includes(String(codeOf(error)?.code));

/** Sends a request again when there was no answer, or when the server says that it can be sent again. */
const retry = new RetryLink({ attempts: { max: 4, retryIf: error => !CombinedGraphQLErrors.is(error) || isBusy(error) } });

const renewal = new ErrorLink(({ error, operation, forward }) => {
  const { code, reason } = codeOf(error) ?? {};
  const { access } = operation.getContext();
  if (isBusy(error)) return throwError(() => error); // for the link before
  if (reason === 'TOKEN_EXPIRED') return from(renew(access)).pipe(mergeMap(() => forward(operation)));
  if (code === 'UNAUTHENTICATED' && access === session()?.access) keep(null); // the session is over
});

const token = new SetContextLink(({ headers }) => {
  const access = session()?.access;
  return { access, headers: { ...headers, authorization: `Bearer ${access}` } };
});

export function createApollo() {
  const socket = connect();
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket),
      ApolloLink.from([key, retry, renewal, token, new HttpLink({ uri: '/graphql' })]),
    ),
  });
  return { client, close: () => void socket.dispose() };
}
// #endregion
