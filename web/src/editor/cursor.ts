import type { EditorState } from '@codemirror/state';
import { getSchema } from 'cm6-graphql';
import { getTokenAtPosition, getTypeInfo, Position } from 'graphql-language-service';

/** The field at the cursor with its type, or the type alone; undefined elsewhere. */
export function fieldAtCursor(state: EditorState): { type: string; field?: string } | undefined {
  const schema = getSchema(state);
  if (!schema) {
    return undefined;
  }
  const { head } = state.selection.main;
  const line = state.doc.lineAt(head);
  const token = getTokenAtPosition(state.doc.toString(), new Position(line.number - 1, head - line.from));
  const { fieldDef, parentType } = getTypeInfo(schema, token.state);
  return parentType ? { type: String(parentType).replace(/[[\]!]/g, ''), ...(fieldDef && { field: fieldDef.name }) } : undefined;
}
