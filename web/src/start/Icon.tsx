const head = 'M12 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z';
const shoulders = 'M5 20c0-4 3-6.5 7-6.5s7 2.5 7 6.5';

const paths: Record<string, string[]> = {
  owner: ['M8 4h8v3H8z', 'M8 5.5H5.5V20h13V5.5H16', 'M9 12h6M9 16h4'],
  colleague: ['M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z', 'M3 19c0-3.5 2.6-5.5 6-5.5s6 2 6 5.5', 'M15.5 5.3a3 3 0 0 1 0 5.4', 'M17.5 14c2.2.7 3.5 2.5 3.5 5'],
  doctor: ['M6 4v5a4 4 0 0 0 8 0V4', 'M10 13v2.5a4.5 4.5 0 0 0 9 0V13', 'M19 13a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6Z'],
  patient: [head, shoulders],
  administrator: ['M12 3.5 19 6v5.5c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6z', 'm9 11.8 2.2 2.2 4-4.2'],
  stranger: ['M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4', 'M12 17.5v.1'],
};

/** The sign of a figure; its title is the text next to it. */
export function Icon({ name }: { name: string }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      {paths[name]?.map(path => (
        <path key={path} d={path} />
      ))}
    </svg>
  );
}
