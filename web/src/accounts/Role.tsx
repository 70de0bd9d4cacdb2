import type { Account } from './accounts';

/** What an account is, as a small label: its role, or its part in a demo. */
export function Role({ account: { role, part = role } }: { account: Account }) {
  return (
    <span className="role" data-role={role}>
      {part}
    </span>
  );
}
