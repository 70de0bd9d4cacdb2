import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL } from 'graphiql';
import { AccountBar } from './accounts/AccountBar';
import { ExampleTabs, exampleTabs, firstTab } from './examples/ExampleTabs';
import { Explanation } from './explain/Explanation';
import { fetcher } from './graphql/fetcher';
import { INTROSPECTION_NAME } from './schema/schema';
import { graphiqlStorage } from './stored';
import { EditorLook } from './editor/EditorLook';

const plugins = [explorerPlugin()]; // an explicit list excludes the history, which would store patient data

export function Playground() {
  return (
    <GraphiQL
      fetcher={fetcher}
      introspectionQueryName={INTROSPECTION_NAME}
      schemaDescription
      inputValueDeprecation
      plugins={plugins}
      storage={graphiqlStorage}
      shouldPersistHeaders={false}
      defaultTabs={exampleTabs}
      initialQuery={firstTab.query}
      initialVariables={firstTab.variables}
      defaultEditorToolsVisibility="variables"
    >
      <GraphiQL.Logo>{null}</GraphiQL.Logo>
      <GraphiQL.Footer>
        <Explanation />
      </GraphiQL.Footer>
      <AccountBar />
      <ExampleTabs />
      <EditorLook />
    </GraphiQL>
  );
}
