import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useState } from 'react';
import { createPortal } from 'react-dom';
import { open } from '../examples/actors';
import { AccountPanel } from './AccountPanel';
import { activate, useAccounts, type Account } from './accounts';
import { setNotice, useNotice } from './notice';

/** The bar at the top, which chooses the account. It is placed above GraphiQL, but is a child of it to run operations. */
export function AccountBar() {
  const { list, active } = useAccounts();
  const [isOpen, setOpen] = useState(false);
  const notice = useNotice();
  const askAgain = useAskAgain();

  const switchTo = (id: string | null) => {
    activate(id);
    askAgain();
  };
  const addStranger = async () => {
    await open('stranger');
    askAgain();
  };

  return createPortal(
    <>
      <div className="bar">
        <h1>
          CareGraph <span>Playground</span>
        </h1>
        <div className="askers" role="group" aria-label="Ask as">
          <span className="label">Ask as</span>
          <Asker name="nobody" isActive={active === null} onChoose={() => switchTo(null)} />
          {list.map(account => (
            <Asker
              key={account.id}
              name={account.username}
              account={account}
              isActive={account.id === active}
              onChoose={() => switchTo(account.id)}
            />
          ))}
          <button type="button" className="add" onClick={addStranger} title="Registers a new account that owns nothing">
            + stranger
          </button>
        </div>
        <a className="schema" href="schema.graphqls" download="caregraph.graphqls" title="Download the schema's text">
          Schema
        </a>
        <button
          type="button"
          className="toggle"
          aria-expanded={isOpen}
          aria-controls="account-panel"
          onClick={() => setOpen(!isOpen)}
        >
          Accounts
        </button>
      </div>
      {notice && (
        <p className="notice" role="alert">
          {notice}
          <button type="button" aria-label="Close this notice" onClick={() => setNotice(null)}>
            ×
          </button>
        </p>
      )}
      {isOpen && <AccountPanel onSignedIn={askAgain} onClose={() => setOpen(false)} />}
    </>,
    document.getElementById('top')!,
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
      {account && (
        <span className="role" data-role={account.role}>
          {account.role}
        </span>
      )}
    </button>
  );
}

/** Runs the open query again if it was run before. It never repeats a mutation. */
function useAskAgain(): () => void {
  const { run } = useGraphiQLActions();
  const { wasRun, operation } = useGraphiQL(({ tabs, activeTabIndex, operations, operationName }) => ({
    wasRun: Boolean(tabs[activeTabIndex]?.response),
    operation: operations?.find(({ name }) => name?.value === operationName) ?? operations?.[0],
  }));
  return () => {
    if (wasRun && operation?.operation === 'query') {
      run();
    }
  };
}
