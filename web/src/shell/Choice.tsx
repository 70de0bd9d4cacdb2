type Props<Option extends string> = {
  label: string;
  options: readonly Option[];
  chosen: Option;
  onChoose: (option: Option) => void;
};

/** A row of buttons, of which one is pressed. */
export function Choice<Option extends string>({ label, options, chosen, onChoose }: Props<Option>) {
  return (
    <div className="choice" role="group" aria-label={label}>
      {options.map(option => (
        <button key={option} type="button" aria-pressed={option === chosen} onClick={() => onChoose(option)}>
          {option}
        </button>
      ))}
    </div>
  );
}
