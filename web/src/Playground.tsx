import type { CSSProperties } from 'react';
import { AccountBar } from './accounts/AccountBar';
import { AnswerSide } from './answer/AnswerSide';
import { AskPanel } from './ask/AskPanel';
import { Docs } from './docs/Docs';
import { useSchema } from './schema/schema';
import { useIsPhone, useLook, useView } from './shell/look';
import { Splitter } from './shell/Splitter';
import { useShortcuts } from './shell/shortcuts';
import { Views } from './shell/Views';
import { TabRow } from './tabs/TabRow';
import { useFilledTab } from './tabs/fill';

export function Playground() {
  const { docs, split } = useLook();
  const view = useView();
  const schema = useSchema();
  useFilledTab();
  useShortcuts();
  const areDocsShown = useIsPhone() ? view === 'docs' : docs;
  return (
    <>
      <AccountBar />
      <TabRow />
      <main
        data-view={view}
        data-docs={docs}
        data-schema={schema ? 'loaded' : 'loading'}
        style={{ '--split': `${split}%` } as CSSProperties}
      >
        {areDocsShown && <Docs />}
        <AskPanel />
        <Splitter />
        <AnswerSide />
        <Views />
      </main>
    </>
  );
}
