import { useRef, useState } from 'react';
import { activeAccount, useAccounts } from '../accounts/accounts';
import type { Request } from '../graphql/send';
import { openAt } from '../shell/place';
import { CopyAs } from '../share/CopyAs';

/** The button that shows the question as code for clients, and as a link. */
export function CopyButton({ question }: { question: Request }) {
  const button = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  useAccounts();
  return (
    <>
      <button ref={button} type="button" className="button" popoverTarget="copy-as">
        Copy as
      </button>
      <div
        ref={box}
        id="copy-as"
        popover="auto"
        className="copy-box"
        onBeforeToggle={({ newState }) => setOpen(newState === 'open')}
        onToggle={({ newState }) => newState === 'open' && openAt(button.current!, box.current!)}
      >
        {isOpen && <CopyAs question={question} account={activeAccount()} url={location.href.replace(/#.*/, '')} />}
      </div>
    </>
  );
}
