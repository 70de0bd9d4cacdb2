import { linter, type Diagnostic } from '@codemirror/lint';
import type { Extension } from '@codemirror/state';
import { getVariableValues } from 'graphql';
import { operationIn } from '../graphql/document';
import { loadedSchema } from '../schema/schema';

/** Marks variables that the question does not declare, and values that do not fit its types. */
export function variablesLint(query: () => string): Extension {
  return linter(view => {
    const text = view.state.doc.toString();
    return faults(query(), text).map(({ name, message }): Diagnostic => {
      const from = Math.max(0, text.indexOf(`"${name}"`));
      return { from, to: Math.min(text.length, from + name.length + 2), severity: 'error', message };
    });
  });
}

function faults(query: string, text: string): { name: string; message: string }[] {
  const schema = loadedSchema();
  const operation = operationIn(query);
  const values = parsed(text);
  if (!schema || !operation || !values) {
    return [];
  }
  const declared = operation.variableDefinitions ?? [];
  const names = declared.map(({ variable }) => variable.name.value);
  const { errors = [] } = getVariableValues(schema, declared, values);
  return [
    ...Object.keys(values)
      .filter(name => !names.includes(name))
      .map(name => ({ name, message: `The question declares no variable $${name}.` })),
    ...errors.map(({ message }) => ({ name: placeIn(message), message })),
  ];
}

// The message names the variable, and for a part of it the path: Variable "$input" got invalid value 1 at "input.name"; ...
function placeIn(message: string): string {
  const [, variable, path] = /^Variable "\$(\w+)"(?:.* at "([\w.]+)")?/.exec(message) ?? [];
  return path?.split('.').at(-1) ?? variable ?? '';
}

// Text that is not JSON is marked by the language.
function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
