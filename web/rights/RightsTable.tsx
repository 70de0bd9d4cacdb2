import { rightsTo, type FieldRights, type TypeRights } from '../src/schema/rights';
import { firstSentence, labelOf, plain } from './words';

type Props = { type: TypeRights; relations: string[] };

/** The fields of one type: a row for each, a column for each relation. The roles keep it a table where CSS stacks it. */
export function RightsTable({ type, relations }: Props) {
  return (
    <section id={type.name} aria-labelledby={`title-${type.name}`}>
      <h2 id={`title-${type.name}`}>
        <a href={`#${type.name}`}>{type.name}</a>
      </h2>
      <p>{plain(type.words)}</p>
      <p className="exists">
        Exists for <code>{type.exists.name}</code>: {type.exists.words}
      </p>
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">
              Field
            </th>
            {relations.map(relation => (
              <th role="columnheader" scope="col" key={relation}>
                <a href={`#${relation}`}>{labelOf(relation)}</a>
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {type.fields.map(field => (
            <Row key={field.name} field={field} type={type} relations={relations} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ field, type, relations }: Props & { field: FieldRights }) {
  const id = `${type.name}.${field.name}`;
  return (
    <tr role="row" id={id}>
      <th role="rowheader" scope="row">
        <a href={`#${id}`}>{field.name}</a>
        <span>{firstSentence(field.words)}</span>
      </th>
      {relations.map(relation => {
        const rights = rightsTo(field, type, [relation]);
        return (
          <td role="cell" key={relation} data-who={labelOf(relation)} data-rights={rights.join(' ')}>
            {rights.join(', ') || '–'}
          </td>
        );
      })}
    </tr>
  );
}
