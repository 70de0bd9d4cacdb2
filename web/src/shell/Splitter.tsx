import type { KeyboardEvent, PointerEvent } from 'react';
import { changeLook, useLook } from './look';

const narrowest = 25;
const widest = 60;
const step = 2;

/** Moves the border between question and answer, by mouse or by arrow keys. */
export function Splitter() {
  const { split } = useLook();
  const moveTo = (percent: number) => changeLook({ split: Math.round(Math.min(widest, Math.max(narrowest, percent))) });
  const onKeyDown = ({ key }: KeyboardEvent) => {
    if (key === 'ArrowLeft' || key === 'ArrowRight') {
      moveTo(split + (key === 'ArrowLeft' ? -step : step));
    }
  };
  const onPointerMove = ({ currentTarget, pointerId, clientX }: PointerEvent) => {
    if (currentTarget.hasPointerCapture(pointerId)) {
      const ask = currentTarget.previousElementSibling!.getBoundingClientRect();
      moveTo(split + ((clientX - ask.right) / ask.width) * split);
    }
  };
  return (
    <div
      className="splitter"
      role="separator"
      aria-label="Width of the question"
      aria-orientation="vertical"
      aria-valuenow={split}
      aria-valuemin={narrowest}
      aria-valuemax={widest}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onPointerDown={({ currentTarget, pointerId }) => currentTarget.setPointerCapture(pointerId)}
      onPointerMove={onPointerMove}
    />
  );
}
