import type { EditorView } from '@codemirror/view';
import { updateSchema } from 'cm6-graphql';
import { useEffect, useRef, useState } from 'react';
import { CodeEditor } from '../editor/CodeEditor';
import { question, writtenJson } from '../editor/languages';
import { variablesLint } from '../editor/variablesLint';
import { prettified } from '../editor/prettify';
import { operationsIn } from '../graphql/document';
import { openDocs } from '../docs/page';
import { useSchema } from '../schema/schema';
import { Choice } from '../shell/Choice';
import { RunIcon, StopIcon } from '../shell/icons';
import { stop, useIsRunning } from '../tabs/answers';
import { setHeaders, useHeaders } from '../tabs/headers';
import { questionIn, run } from '../tabs/run';
import { changeTab, tabById, useTabs, type Tab } from '../tabs/tabs';
import { ActorHint } from './ActorHint';
import { CopyButton } from './CopyButton';

/** The left half of the page: the question with its variables and headers. */
export function AskPanel() {
  const { list, active } = useTabs();
  const tab = list.find(({ id }) => id === active)!;
  return (
    <section id="ask" className="panel ask" aria-label="Question">
      <Toolbar key={`${active} bar`} tab={tab} />
      <ActorHint tab={tab} />
      <QuestionEditor key={active} tab={tab} />
      <Extras key={`${active} extras`} tab={tab} />
    </section>
  );
}

function Toolbar({ tab }: { tab: Tab }) {
  const isRunning = useIsRunning(tab.id);
  const [chosen, setChosen] = useState<string>();
  const names = operationsIn(tab.query).flatMap(({ name }) => name?.value ?? []);
  const name = names.find(each => each === chosen) ?? names[0];
  const prettify = async () => changeTab(tab.id, await prettified(tab));
  return (
    <header className="row">
      {isRunning ? (
        <button type="button" className="button primary run" onClick={() => stop(tab.id)}>
          <StopIcon /> Stop
        </button>
      ) : (
        <button type="button" className="button primary run" aria-keyshortcuts="Control+Enter" title="Ctrl-Enter" onClick={() => void run(tab.id, name)}>
          <RunIcon /> Run
        </button>
      )}
      {names.length > 1 && (
        <select aria-label="Operation to run" value={name} onChange={event => setChosen(event.target.value)}>
          {names.map(each => (
            <option key={each}>{each}</option>
          ))}
        </select>
      )}
      <button type="button" className="button" aria-keyshortcuts="Control+Shift+P" title="Ctrl-Shift-P" onClick={prettify}>
        Prettify
      </button>
      <CopyButton question={questionIn(tab, name)} />
    </header>
  );
}

function QuestionEditor({ tab }: { tab: Tab }) {
  const schema = useSchema();
  const [view, setView] = useState<EditorView>();
  const extensions = useRef(question(openDocs));
  useEffect(() => view && updateSchema(view, schema), [view, schema]);
  return (
    <CodeEditor
      label="Question"
      value={tab.query}
      onChange={query => changeTab(tab.id, { query })}
      extensions={extensions.current}
      onReady={setView}
    />
  );
}

function Extras({ tab }: { tab: Tab }) {
  const [shown, setShown] = useState<'Variables' | 'Headers'>('Variables');
  const headers = useHeaders(tab.id);
  return (
    <div className="extras">
      <header className="row">
        <Choice label="Next to the question" options={['Variables', 'Headers']} chosen={shown} onChoose={setShown} />
        <p className="muted">{shown === 'Variables' ? 'as JSON' : 'as JSON, kept until the page closes'}</p>
      </header>
      {shown === 'Variables' ? (
        <CodeEditor
          key="variables"
          label="Variables"
          value={tab.variables}
          onChange={variables => changeTab(tab.id, { variables })}
          extensions={[writtenJson(), variablesLint(() => tabById(tab.id)!.query)]}
        />
      ) : (
        <CodeEditor
          key="headers"
          label="Headers"
          value={headers}
          onChange={text => setHeaders(tab.id, text)}
          extensions={writtenJson()}
        />
      )}
    </div>
  );
}
