import { buildSchema, type GraphQLSchema } from 'graphql';
import { setNotice } from '../accounts/notice';
import { Shared } from '../stored';
import { describeRules } from './describe';
import { describeLimits } from './limits';
import { useShared } from '../useShared';

const schema = new Shared<GraphQLSchema | undefined>(undefined);

/** The schema built from its text, with the rules and limits in the descriptions; undefined until it is loaded. */
export const useSchema = (): GraphQLSchema | undefined => useShared(schema);

export const loadedSchema = (): GraphQLSchema | undefined => schema.value;

/** Loads the schema's text: introspection does not contain the ownership rules. Returns whether the server has a demo. */
export async function loadSchema(): Promise<boolean> {
  try {
    const response = await schemaText();
    schema.set(describeRules(describeLimits(buildSchema(await response.text()))));
    return response.headers.has('X-CareGraph-Demo');
  } catch (fault) {
    setNotice(`${(fault as Error).message} There is no completion, and there are no docs. Reload the page to try again.`);
    return false;
  }
}

async function schemaText(): Promise<Response> {
  const response = await fetch('schema.graphqls', { cache: 'no-cache' });
  if (!response.ok) {
    throw new Error(`The schema's text cannot be loaded (HTTP status ${response.status}).`);
  }
  return response;
}
