import '../src/styles/theme.css';
import '../src/styles/page.css';
import './rights.css';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { createRoot } from 'react-dom/client';
import { followTheme } from '../src/theme';
import { Rights } from './Rights';

followTheme();

const root = createRoot(document.getElementById('rights')!);

try {
  root.render(<Rights schema={await loadSchema()} onShown={goToFragment} />);
} catch (error) {
  root.render(<p role="alert">The schema cannot be loaded: {(error as Error).message}</p>);
}

async function loadSchema(): Promise<GraphQLSchema> {
  const response = await fetch('../schema.graphqls', { credentials: 'omit' });
  if (!response.ok) {
    throw new Error(`status ${response.status}.`);
  }
  return buildSchema(await response.text());
}

/** Goes to the field that the address names: it was not there when the browser looked for it. */
function goToFragment(): void {
  if (location.hash) {
    location.replace(location.href);
  }
}
