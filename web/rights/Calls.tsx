import type { Call } from '../src/schema/rights';
import { firstSentence } from './words';

/** The queries or mutations, with those who may call them. */
export function Calls({ title, calls }: { title: string; calls: Call[] }) {
  if (calls.length === 0) {
    return null;
  }
  return (
    <section id={title} className="calls" aria-labelledby={`title-${title}`}>
      <h2 id={`title-${title}`}>
        <a href={`#${title}`}>{title}</a>
      </h2>
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">
              Field
            </th>
            <th role="columnheader" scope="col">
              Who may call it
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {calls.map(({ name, words, access }) => (
            <tr role="row" key={name} id={`${title}.${name}`}>
              <th role="rowheader" scope="row">
                <a href={`#${title}.${name}`}>{name}</a>
                <span>{firstSentence(words)}</span>
              </th>
              <td role="cell">{access.words}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
