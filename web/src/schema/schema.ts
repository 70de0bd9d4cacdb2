import { buildSchema, introspectionFromSchema, type GraphQLSchema } from 'graphql';
import { describeRules } from './describe';

/** The name by which GraphiQL asks for the schema. */
export const INTROSPECTION_NAME = 'PlaygroundSchema';

let current: GraphQLSchema | undefined;

/** The schema as built from its text, with its directives; nothing before it has been loaded. */
export const loadedSchema = (): GraphQLSchema | undefined => current;

/** Loads the schema's text and answers with it like an introspection, rules in the descriptions. */
export async function introspection() {
  current = buildSchema(await schemaText());
  return { data: introspectionFromSchema(describeRules(current)) };
}

async function schemaText(): Promise<string> {
  const response = await fetch('schema.graphqls');
  if (!response.ok) {
    throw new Error(`The schema's text cannot be had (HTTP status ${response.status}).`);
  }
  return response.text();
}
