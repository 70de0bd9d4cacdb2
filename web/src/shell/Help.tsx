import { useRef } from 'react';
import { Choice } from './Choice';
import { CloseIcon, HelpIcon } from './icons';
import { changeLook, useLook } from './look';
import { shortcuts } from './shortcuts';

/** The button and the dialog with the theme, the keys, and what the page keeps. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const { theme } = useLook();
  return (
    <>
      <button type="button" className="plain" aria-label="Help and settings" title="Help and settings" onClick={() => dialog.current!.showModal()}>
        <HelpIcon />
      </button>
      <dialog
        ref={dialog}
        className="dialog"
        aria-labelledby="help-title"
        onClick={({ target }) => target === dialog.current && dialog.current.close()}
      >
        <header className="row">
          <h2 id="help-title">Help and settings</h2>
          <button type="button" className="plain push" aria-label="Close" onClick={() => dialog.current!.close()}>
            <CloseIcon />
          </button>
        </header>
        <div className="body">
          <h3>Theme</h3>
          <div>
            <Choice label="Theme" options={['system', 'light', 'dark'] as const} chosen={theme} onChoose={next => changeLook({ theme: next })} />
          </div>
          <h3>Keys</h3>
          <table>
            <tbody>
              {shortcuts.map(([keys, effect]) => (
                <tr key={effect}>
                  <td>
                    {keys.map(key => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </td>
                  <td>{effect}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <h3>What this page keeps</h3>
          <p>
            Accounts and questions last until you close this browser tab. Answers and headers last until you leave the page. Two
            things stay in this browser: the look of the page, and the latest questions without variables and texts, until you
            sign out.
          </p>
        </div>
      </dialog>
    </>
  );
}
