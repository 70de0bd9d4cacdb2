/** The role of an account, as a small label. */
export function Role({ name }: { name: string }) {
  return (
    <span className="role" data-role={name}>
      {name}
    </span>
  );
}
