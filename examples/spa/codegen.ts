import type { CodegenConfig } from '@graphql-codegen/cli';

// Types for each document of the app. In a repository of your own, take the schema from a server: it is at
// http://127.0.0.1:8080/schema.graphqls.
const config: CodegenConfig = {
  schema: '../../schema.graphqls',
  documents: 'src/*.{ts,tsx}',
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: { defaultScalarType: 'string', enumsAsTypes: true, useTypeImports: true },
    },
  },
};

export default config;
