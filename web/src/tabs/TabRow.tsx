import { useRef } from 'react';
import { showActor } from '../examples/actors';
import { CloseIcon, DownIcon, PlusIcon } from '../shell/icons';
import { show, useView } from '../shell/look';
import { openAt } from '../shell/place';
import { addTab, closeTab, exampleIn, openTab, titleOf, useTabs, type Tab } from './tabs';
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
    </nav>
  );
}

const intoView = (tab: HTMLElement | null) => tab?.scrollIntoView({ block: 'nearest', inline: 'nearest' });

function Examples() {
  const { steps } = useTour();
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const open = (name: string) => {
    menu.current!.hidePopover();
    openStep(name);
  };
  return (
    <>
      <button ref={button} type="button" className="plain" popoverTarget="examples">
        Examples <DownIcon />
      </button>
      <div
        ref={menu}
        id="examples"
        popover="auto"
        className="menu"
        role="group"
        aria-label="Examples"
        onToggle={({ newState }) => newState === 'open' && openAt(button.current!, menu.current!)}
      >
        {steps.map(({ name, title }, index) => (
          <button key={name} type="button" onClick={() => open(name)}>
            <span className="count">{index + 1}</span> {title}
          </button>
        ))}
      </div>
    </>
  );
}
