import type { Plugin, System } from 'swagger-ui-dist/swagger-ui-es-bundle.js';

type Properties = Record<string, unknown>;

/** Swagger UI without its title and landmarks, which the page has, and with names for the controls that lack them. */
export const accessible: Plugin = ({ React: { createElement: h } }) => ({
  components: {
    OperationsOnly: ({ getComponent, specSelectors }: System) =>
      h(
        'div',
        { className: 'swagger-ui' },
        h(getComponent('SvgAssets')),
        h(getComponent('errors', true)),
        h(getComponent('Markdown', true), { source: specSelectors.info().get('description') }),
        h(getComponent('operations', true)),
        h(getComponent('Models', true)),
      ),
  },
  wrapComponents: {
    // The title of an operation is a button already: a link in it cannot be reached.
    DeepLink: () => (properties: Properties) => h('span', null, properties.text),
    TextArea: (Original: unknown) => (properties: Properties) => h(Original, { 'aria-label': 'Value', ...properties }),
    ExamplesSelect: (Original: unknown) => (properties: Properties) => h('label', null, 'Example ', h(Original, properties)),
  },
});
