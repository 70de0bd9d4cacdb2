import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type GraphQLType,
} from 'graphql';
import { ruleOf } from '../schema/rules';
import { RunIcon } from '../shell/icons';
import { show } from '../shell/look';
import { addQuestion } from '../tabs/tabs';
import { questionFor } from './askThis';
import { Markdown } from './Markdown';
import { visit } from './page';

type Props = { schema: GraphQLSchema; type: string; field?: string | undefined };
type AnyField = GraphQLField<unknown, unknown> | GraphQLInputField;

/** The page of a type, or of one of its fields. */
export function TypePage({ schema, type: name, field: fieldName }: Props) {
  const type = schema.getType(name);
  if (!type) {
    return <p className="nothing">There is no such type.</p>;
  }
  const field = fieldName === undefined ? undefined : fieldsOf(type).find(each => each.name === fieldName);
  return field ? <FieldPage schema={schema} type={type} field={field} /> : <WholeType schema={schema} type={type} marked={fieldName} />;
}

function WholeType({ schema, type, marked }: { schema: GraphQLSchema; type: GraphQLNamedType; marked: string | undefined }) {
  const fields = fieldsOf(type);
  return (
    <article>
      <h2>{type.name}</h2>
      {type.description && <Markdown text={type.description} />}
      {(isObjectType(type) || isInterfaceType(type)) && <Links title="Implements" types={type.getInterfaces()} />}
      {isInterfaceType(type) && <Links title="Implemented by" types={schema.getPossibleTypes(type)} />}
      {isUnionType(type) && <Links title="One of" types={type.getTypes()} />}
      {fields.length > 0 && (
        <>
          <h3>Fields</h3>
          <ul className="entries">
            {fields.map(field => (
              <FieldEntry key={field.name} schema={schema} type={type} field={field} />
            ))}
          </ul>
        </>
      )}
      {isEnumType(type) && (
        <dl className="values">
          {type.getValues().map(({ name, description }) => (
            <div key={name} data-marked={name === marked}>
              <dt>
                <code>{name}</code>
              </dt>
              <dd>{description && <Markdown text={description} />}</dd>
            </div>
          ))}
        </dl>
      )}
    </article>
  );
}

function FieldEntry({ schema, type, field }: { schema: GraphQLSchema; type: GraphQLNamedType; field: AnyField }) {
  const { read, access } = ruleOf(schema, field);
  const audience = read ?? access;
  return (
    <li>
      <button type="button" className="link" onClick={() => visit(type.name, field.name)}>
        {field.name}
      </button>
      <TypeLink type={field.type} />
      {audience && <span className="chip audience" title={audience.words}>{audience.name}</span>}
    </li>
  );
}

function FieldPage({ schema, type, field }: { schema: GraphQLSchema; type: GraphQLNamedType; field: AnyField }) {
  const isRoot = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].some(root => root === type);
  const ask = () => {
    addQuestion(questionFor(schema, type.name, field as GraphQLField<unknown, unknown>));
    show('ask');
  };
  return (
    <article>
      <p className="of">
        <button type="button" className="link" onClick={() => visit(type.name)}>
          {type.name}
        </button>
      </p>
      <h2>{field.name}</h2>
      <p>
        <TypeLink type={field.type} />
      </p>
      {isRoot && (
        <button type="button" className="button" onClick={ask}>
          <RunIcon /> Open as a question
        </button>
      )}
      {field.description && <Markdown text={field.description} />}
      {ruleOf(schema, field).read && (
        <p>
          <a className="link" href={`rights/#${type.name}.${field.name}`}>
            Who sees and sets it
          </a>
        </p>
      )}
      {field.deprecationReason && <p className="remark">Deprecated: {field.deprecationReason}</p>}
      {'args' in field && field.args.length > 0 && (
        <>
          <h3>Arguments</h3>
          {field.args.map(argument => (
            <Argument key={argument.name} argument={argument} />
          ))}
        </>
      )}
    </article>
  );
}

function Argument({ argument }: { argument: GraphQLArgument }) {
  return (
    <div className="argument">
      <p>
        <code>{argument.name}</code> <TypeLink type={argument.type} />
        {argument.defaultValue !== undefined && <span className="muted"> = {JSON.stringify(argument.defaultValue)}</span>}
      </p>
      {argument.description && <Markdown text={argument.description} />}
    </div>
  );
}

function TypeLink({ type }: { type: GraphQLType }) {
  return (
    <button type="button" className="link type" onClick={() => visit(getNamedType(type).name)}>
      {String(type)}
    </button>
  );
}

function Links({ title, types }: { title: string; types: readonly GraphQLNamedType[] }) {
  return types.length === 0 ? null : (
    <p>
      <span className="muted">{title}</span>{' '}
      {types.map(type => (
        <TypeLink key={type.name} type={type} />
      ))}
    </p>
  );
}

function fieldsOf(type: GraphQLNamedType): AnyField[] {
  return isObjectType(type) || isInterfaceType(type) || isInputObjectType(type) ? Object.values<AnyField>(type.getFields()) : [];
}
