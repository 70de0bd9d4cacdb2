import { useEffect, useRef, useState, type ReactNode } from 'react';
import { LeftIcon, RightIcon } from '../shell/icons';

const page = 200;

/** A row that scrolls: it fades at the side where it goes on, and has a button there. */
export function AskerRow({ children }: { children: ReactNode }) {
  const row = useRef<HTMLDivElement>(null);
  const [more, setMore] = useState({ left: false, right: false });
  const measure = () => {
    const { scrollLeft, scrollWidth, clientWidth } = row.current!;
    const next = { left: scrollLeft > 1, right: scrollLeft + clientWidth < scrollWidth - 1 };
    setMore(last => (last.left === next.left && last.right === next.right ? last : next));
  };
  useEffect(measure);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(row.current!);
    return () => observer.disconnect();
  }, []);
  const scroll = (by: number) => row.current!.scrollBy({ left: by, behavior: 'smooth' });
  const sides = more.left && more.right ? 'both' : more.left ? 'left' : more.right ? 'right' : 'none';
  return (
    <>
      {more.left && (
        <button type="button" className="plain" aria-label="Earlier accounts" onClick={() => scroll(-page)}>
          <LeftIcon />
        </button>
      )}
      <div ref={row} className="list" data-more={sides} onScroll={measure}>
        {children}
      </div>
      {more.right && (
        <button type="button" className="plain" aria-label="More accounts" onClick={() => scroll(page)}>
          <RightIcon />
        </button>
      )}
    </>
  );
}
