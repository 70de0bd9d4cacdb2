import { useId, useRef, type ReactNode } from 'react';
import { showActor } from '../examples/actors';
import { nameIn } from '../graphql/document';
import { ClockIcon, CloseIcon, DownIcon, PlusIcon } from '../shell/icons';
import { show, useView } from '../shell/look';
import { openAt } from '../shell/place';
import { forget, useHistory } from './history';
import { addTab, closeTab, exampleIn, openQuestion, openTab, titleOf, useTabs, type Tab } from './tabs';
import { openStep, start, useTour } from './tour';

/** The open questions, and the list of examples. */
export function TabRow() {
  const { list, active } = useTabs();
  const view = useView();
  const open = (tab: Tab) => {
    openTab(tab.id);
    void showActor(exampleIn(tab));
    show('ask');
  };
  const add = () => {
    start();
    addTab();
    show('ask');
  };
  return (
    <nav className="tabs" aria-label="Questions" data-view={view}>
      <ul>
        {list.map(tab => (
          <li key={tab.id} data-open={tab.id === active} ref={tab.id === active ? intoView : null}>
            <button type="button" className="title" aria-current={tab.id === active} onClick={() => open(tab)}>
              {titleOf(tab)}
            </button>
            <button type="button" className="close" aria-label={`Close ${titleOf(tab)}`} onClick={() => closeTab(tab.id)}>
              <CloseIcon />
            </button>
          </li>
        ))}
      </ul>
      <button type="button" className="plain" aria-label="New question" title="New question" onClick={add}>
        <PlusIcon />
      </button>
      <Examples />
      <History />
    </nav>
  );
}

const intoView = (tab: HTMLElement | null) => tab?.scrollIntoView({ block: 'nearest', inline: 'nearest' });

function Examples() {
  const { steps } = useTour();
  return (
    <Menu name="Examples" look={<>Examples <DownIcon /></>}>
      {steps.map(({ name, title }, index) => (
        <button key={name} type="button" onClick={() => openStep(name)}>
          <span className="count">{index + 1}</span> {title}
        </button>
      ))}
    </Menu>
  );
}

/** The questions that were run before, also those whose tab is closed. */
function History() {
  const questions = useHistory();
  const open = (question: string) => {
    start();
    openQuestion(question);
    show('ask');
  };
  return (
    <Menu name="History" look={<ClockIcon />}>
      {questions.length === 0 && <p className="muted">The questions that you write and run appear here.</p>}
      {questions.map(question => (
        <button key={question} type="button" onClick={() => open(question)}>
          {nameIn(question) ?? <code>{question.replace(/\s+/g, ' ')}</code>}
        </button>
      ))}
      {questions.length > 0 && (
        <button type="button" className="last" onClick={forget}>
          Forget all
        </button>
      )}
    </Menu>
  );
}

/** A button that opens a list of buttons. A click on one of these closes it. */
function Menu({ name, look, children }: { name: string; look: ReactNode; children: ReactNode }) {
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const id = useId();
  return (
    <>
      <button ref={button} type="button" className="plain" aria-label={name} title={name} popoverTarget={id}>
        {look}
      </button>
      <div
        ref={menu}
        id={id}
        popover="auto"
        className="menu"
        role="group"
        aria-label={name}
        onClick={() => menu.current!.hidePopover()}
        onToggle={({ newState }) => newState === 'open' && openAt(button.current!, menu.current!)}
      >
        {children}
      </div>
    </>
  );
}
