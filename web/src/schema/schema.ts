import { buildSchema, introspectionFromSchema, type GraphQLSchema } from 'graphql';
import { describeRules } from './describe';
import { describeLimits } from './limits';

/** The operation name of GraphiQL's introspection query. */
export const INTROSPECTION_NAME = 'PlaygroundSchema';

let current: GraphQLSchema | undefined;

/** The schema built from its text, with its directives; undefined until it is loaded. */
export const loadedSchema = (): GraphQLSchema | undefined => current;

/** Loads the schema's text and returns an introspection result, with the rules and limits in the descriptions. */
export async function introspection() {
  current = buildSchema(await schemaText());
  return { data: introspectionFromSchema(describeRules(describeLimits(current))) };
}

async function schemaText(): Promise<string> {
  const response = await fetch('schema.graphqls');
  if (!response.ok) {
    throw new Error(`The schema's text cannot be loaded (HTTP status ${response.status}).`);
  }
  return response.text();
}
