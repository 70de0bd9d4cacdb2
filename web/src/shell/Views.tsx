import { show, useView } from './look';

const views = { ask: 'Ask', answer: 'Answer', docs: 'Docs' } as const;

/** The three panels of a phone, of which one fills the screen. */
export function Views() {
  const view = useView();
  return (
    <nav className="views" aria-label="Panels">
      {Object.entries(views).map(([name, title]) => (
        <button key={name} type="button" aria-pressed={view === name} onClick={() => show(name as keyof typeof views)}>
          {title}
        </button>
      ))}
    </nav>
  );
}
