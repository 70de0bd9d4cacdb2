import { choose } from '../accounts/accounts';
import { accountOf, useDemo } from '../demo/demo';
import { nestedQuestion } from '../examples/examples';
import { useSchema } from '../schema/schema';
import type { DemoPerson } from '../start/Drawing';
import { Start } from '../start/Start';
import { run } from '../tabs/run';
import { openQuestion } from '../tabs/tabs';
import { goOn, useTour } from '../tabs/tour';

/** The start screen, in the place of the first answer. */
export function Welcome() {
  const schema = useSchema();
  const demo = useDemo();
  const tour = useTour();
  return (
    <div className="scroll welcome" tabIndex={0} role="group" aria-label="Start">
      <Start schema={schema} demo={demo} command="make demo" tour={tour} onContinue={person => void continueAs(person)} onTour={goOn} />
    </div>
  );
}

/** Signs in as someone of the demo, and asks the nested question at once. */
async function continueAs(person: DemoPerson): Promise<void> {
  const account = await accountOf(person);
  if (account) {
    choose(account.id);
    await run(openQuestion(nestedQuestion));
  }
}
