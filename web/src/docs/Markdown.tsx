import type { ReactNode } from 'react';

/** A description of the schema: paragraphs, lists, `code`, *emphasis* and **strong** words. */
export function Markdown({ text }: { text: string }) {
  return <>{text.trim().split(/\n\s*\n/).map((block, index) => <Block key={index} text={block} />)}</>;
}

function Block({ text }: { text: string }) {
  const lines = text.split('\n');
  if (lines.every(line => /^(- |\s)/.test(line))) {
    const items = text.split(/^- /m).filter(Boolean);
    return (
      <ul>
        {items.map((item, index) => (
          <li key={index}>{inline(item)}</li>
        ))}
      </ul>
    );
  }
  return <p>{inline(text)}</p>;
}

// Two spaces at the end of a line break it.
function inline(text: string): ReactNode[] {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*| {2}\n)/).map((part, index) => {
    if (part.startsWith('`')) {
      return <code key={index}>{part.slice(1, -1)}</code>;
    }
    if (part.startsWith('**')) {
      return <strong key={index}>{part.slice(2, -2)}</strong>;
    }
    if (part.startsWith('*') && part.length > 2) {
      return <em key={index}>{part.slice(1, -1)}</em>;
    }
    return part === '  \n' ? <br key={index} /> : part;
  });
}
