import type { Right } from '../src/schema/rights';
import type { Filter } from './filter';
import { labelOf } from './words';

type Props = { filter: Filter; relations: string[]; found: string; onChange: (filter: Filter) => void };

/** Chooses what the page shows. */
export function Controls({ filter, relations, found, onChange }: Props) {
  return (
    <form className="controls" role="search" onSubmit={event => event.preventDefault()}>
      <label>
        Find
        <input
          type="search"
          placeholder="phone, medical, CLINICAL …"
          value={filter.words}
          onChange={event => onChange({ ...filter, words: event.target.value })}
        />
      </label>
      <label>
        Who
        <select value={filter.relation} onChange={event => onChange({ ...filter, relation: event.target.value })}>
          <option value="">Everyone</option>
          {relations.map(relation => (
            <option key={relation} value={relation}>
              {labelOf(relation)}
            </option>
          ))}
        </select>
      </label>
      {filter.relation && (
        <label>
          May
          <select value={filter.right} onChange={event => onChange({ ...filter, right: event.target.value as Right })}>
            <option value="see">see</option>
            <option value="set">set</option>
          </select>
        </label>
      )}
      <p role="status">{found}</p>
      <button type="button" className="button" onClick={() => print()}>
        Print
      </button>
    </form>
  );
}
