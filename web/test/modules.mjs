import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const web = fileURLToPath(new URL('..', import.meta.url));

/** Components import their style sheets, which are nothing outside a browser. */
const withoutStyles = {
  name: 'without-styles',
  enforce: 'pre',
  resolveId: source => (source.endsWith('.css') ? '\0styles' : null),
  load: id => (id === '\0styles' ? '' : null),
};

/** Loads a TypeScript module of the pages by its path below web. */
export async function load(path) {
  const { module } = await runnerImport(web + path, { root: web, configFile: false, logLevel: 'error', plugins: [withoutStyles] });
  return module;
}
