import type { Sent } from '../graphql/send';

/** What an answer took: bytes and time as the page sees them, cost and statements as the server reports them. */
export function Cost({ sent }: { sent: Sent }) {
  const { cost } = sent.answer.extensions ?? {};
  const figures: [string, string | undefined][] = [
    ['Size', bytes(sent.bytes)],
    ['Time', time(sent.milliseconds)],
    ['Cost', cost?.requested === undefined ? undefined : `${count(cost.requested)} of ${count(cost.limit)}`],
    ...serverTiming(sent.timing),
  ];
  return (
    <dl className="took" aria-label="What the answer took">
      {figures.map(
        ([name, figure]) =>
          figure && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{figure}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

const count = (number = 0) => number.toLocaleString('en-US');

export const bytes = (number: number) => (number < 1000 ? `${number} B` : `${(number / 1000).toFixed(1)} kB`);

const time = (milliseconds: number) => `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;

const metrics: Record<string, string> = { total: 'Server', db: 'Database', statements: 'Statements' };

/** The entries of the header Server-Timing, such as total;dur=1.9, db;dur=1.1, statements;desc="3". */
function serverTiming(header: string): [string, string][] {
  return header.split(',').flatMap(entry => {
    const [name = '', ...parameters] = entry.split(';').map(part => part.trim());
    const value = (key: string) => parameters.find(part => part.startsWith(`${key}=`))?.slice(key.length + 1).replaceAll('"', '');
    const duration = value('dur');
    const figure = value('desc') ?? (duration && time(Number(duration)));
    return figure ? [[metrics[name] ?? name, figure]] : [];
  });
}
