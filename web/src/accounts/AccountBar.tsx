import { useState } from 'react';
import { accountOf, useDemo } from '../demo/demo';
import { open } from '../examples/actors';
import { Help } from '../shell/Help';
import { BookIcon, CloseIcon, PersonIcon } from '../shell/icons';
import { changeLook, useLook } from '../shell/look';
import type { DemoPerson } from '../start/Drawing';
import { askAgain } from '../tabs/run';
import { activeTab } from '../tabs/tabs';
import icon from '../icon.svg';
import { AccountPanel } from './AccountPanel';
import { AskerRow } from './AskerRow';
import { accountById, activeAccount, choose, useAccounts, type Account } from './accounts';
import { setNotice, useNotice } from './notice';
import { Role } from './Role';

/** The bar at the top, which chooses the account that asks. */
export function AccountBar() {
  const [isOpen, setOpen] = useState(false);
  const notice = useNotice();
  return (
    <header>
      <div className="bar">
        <h1>
          <img src={icon} alt="" width="26" height="26" /> CareGraph <span>Playground</span>
        </h1>
        <Askers />
        <Links />
        <button type="button" className="button" aria-expanded={isOpen} aria-controls="account-panel" onClick={() => setOpen(!isOpen)}>
          <PersonIcon /> Accounts
        </button>
        <Help />
      </div>
      {notice && (
        <p className="notice" role="alert">
          {notice}
          <button type="button" className="plain" aria-label="Close this notice" onClick={() => setNotice(null)}>
            <CloseIcon />
          </button>
        </p>
      )}
      {isOpen && <AccountPanel onSignedIn={again} onClose={() => setOpen(false)} />}
    </header>
  );
}

const again = () => void askAgain(activeTab().id);

function Askers() {
  const { list, active } = useAccounts();
  const switchTo = (id: string | null) => {
    choose(id);
    again();
  };
  const demo = useDemo();
  const signIn = async (person: DemoPerson) => {
    const account = await accountOf(person);
    if (account) {
      switchTo(account.id);
    }
  };
  const addStranger = async () => {
    await open('stranger');
    switchTo(activeAccount()?.id ?? null);
  };
  const askerOf = (account: Account) => (
    <Asker
      key={account.id}
      name={account.username}
      account={account}
      isActive={account.id === active}
      onChoose={() => switchTo(account.id)}
    />
  );
  // The people of a demo keep their places when they are signed in.
  const personOf = (person: DemoPerson) => {
    const account = accountById(person.id);
    return account ? (
      askerOf(account)
    ) : (
      <button key={person.id} type="button" className="asker add" title={person.about} onClick={() => void signIn(person)}>
        {person.name}
      </button>
    );
  };
  return (
    <div className="askers" role="group" aria-label="Ask as">
      <span className="label">Ask as</span>
      <AskerRow>
        <Asker name="nobody" isActive={active === null} onChoose={() => switchTo(null)} />
        {list.filter(({ id }) => !demo?.some(person => person.id === id)).map(askerOf)}
        {demo?.map(personOf) ?? (
          <button type="button" className="asker add" onClick={addStranger} title="Registers a new account that owns nothing">
            + stranger
          </button>
        )}
      </AskerRow>
    </div>
  );
}

function Links() {
  const { docs } = useLook();
  return (
    <>
      <button type="button" className="plain wide-only" aria-pressed={docs} onClick={() => changeLook({ docs: !docs })}>
        <BookIcon /> Docs
      </button>
      <a className="plain roomy" href="schema.graphqls" download="caregraph.graphqls" title="Download the schema's text">
        Schema
      </a>
      <a className="plain roomy" href="rights/" title="Who sees and sets which field">
        Rights
      </a>
      <a className="plain roomy" href="docs/" title="The REST addresses">
        REST
      </a>
    </>
  );
}

type AskerProps = { name: string; account?: Account; isActive: boolean; onChoose: () => void };

function Asker({ name, account, isActive, onChoose }: AskerProps) {
  const title = account ? `${account.email ?? name}, ${account.id}` : 'Send no access token';
  return (
    <button
      type="button"
      className="asker"
      aria-pressed={isActive}
      title={title}
      onClick={onChoose}
      ref={button => {
        if (isActive) {
          button?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        }
      }}
    >
      {name}
      {account && <Role account={account} />}
    </button>
  );
}
