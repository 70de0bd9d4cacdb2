import { useId, useRef, type PointerEvent } from 'react';
import { reason, type Hidden } from '../explain/hidden';
import { LockIcon } from '../shell/icons';
import { openAt } from '../shell/place';

type Props = {
  hidden: Hidden;
  /** Who asked, if it was not you. */
  asker?: string;
  onRedact?: (() => void) | undefined;
};

/** Stands for a hidden value. Its reason opens on hover, on tap and with the keyboard. */
export function HiddenChip({ hidden, asker, onRedact }: Props) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const note = useRef<HTMLDivElement>(null);
  const open = () => openAt(button.current!, note.current!);
  const onHover = (then: () => void) => (event: PointerEvent) => event.pointerType === 'mouse' && then();
  return (
    <span className="hidden-value" onPointerEnter={onHover(open)} onPointerLeave={onHover(() => note.current!.hidePopover())}>
      <button ref={button} type="button" className="tap" aria-describedby={id} onClick={open}>
        <span className="chip hidden">
          <LockIcon /> hidden{hidden.audience ? `: ${hidden.audience.name} only` : ''}
        </span>
      </button>
      <div ref={note} id={id} popover="auto" className="note">
        <p>
          <strong>{hidden.name}</strong>
        </p>
        <p>{reason(hidden, asker)}</p>
        {onRedact && (
          <button type="button" className="button" onClick={onRedact}>
            Ask again with @redact
          </button>
        )}
      </div>
    </span>
  );
}
