import { useId, useRef, useState } from 'react';
import type { Request as Question } from '../graphql/send';
import { copy } from './copy';
import { formats } from './formats';
import { shareLink } from './link';
import './share.css';

type Props = {
  question: Question;
  /** The account that asks; undefined for nobody. */
  account?: { username: string; tokens: { access: string } } | undefined;
  /** The address of the page, without a fragment. */
  url: string;
};

const names = [...formats.map(({ name }) => name), 'Link'];

const linkHint =
  'Opens this question on this page, for people who then ask as themselves. The question is in the part after #, which ' +
  'browsers do not send to servers. No account, token or header is in it; passwords and codes are left empty.';

function tokenHint(format: string, withToken: boolean): string {
  if (withToken) {
    return 'Everyone who has the text can act as this account until the token expires.';
  }
  return format === 'curl' ? 'Set TOKEN to an access token first.' : 'Enter an access token first.';
}

/** Shows the question as a command, as code for common clients or as a link, and copies it. */
export function CopyAs({ question, account, url }: Props) {
  const [chosen, setChosen] = useState(names[0]!);
  const [withToken, setWithToken] = useState(false);
  const [said, setSaid] = useState('');
  const group = useId();
  const shown = useRef<HTMLPreElement>(null);

  const format = formats.find(({ name }) => name === chosen);
  const source = {
    question,
    endpoint: new URL('graphql', url).href,
    signedIn: account !== undefined,
    token: withToken ? account?.tokens.access : undefined,
  };
  const text = format ? format.text(source) : shareLink(question, url);

  const copyText = async () => {
    const done = await copy(text, shown.current!);
    setSaid(done ? 'Copied.' : 'Your browser does not allow it. The text is selected: copy it with the keyboard.');
  };
  const choose = (name: string) => {
    setChosen(name);
    setSaid('');
  };

  return (
    <section className="copy-as" aria-label="Copy as">
      <div className="formats" role="radiogroup" aria-label="Format">
        {names.map(name => (
          <label key={name}>
            <input type="radio" name={group} value={name} checked={name === chosen} onChange={() => choose(name)} />
            <span>{name}</span>
          </label>
        ))}
      </div>
      <pre ref={shown} tabIndex={0} aria-label={`The question as ${chosen}`}>
        {text}
      </pre>
      <div className="copy-bar">
        <button type="button" className="button primary" onClick={copyText}>
          Copy
        </button>
        {format && account && (
          <label className="with-token">
            <input type="checkbox" checked={withToken} onChange={event => setWithToken(event.target.checked)} />
            <span>
              with the access token of <strong>{account.username}</strong>
            </span>
          </label>
        )}
        <p role="status">{said}</p>
      </div>
      <p className="hint">{format ? `${format.hint}${account ? ` ${tokenHint(chosen, withToken)}` : ''}` : linkHint}</p>
    </section>
  );
}
