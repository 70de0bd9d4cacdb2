import './styles/theme.css';
import './styles/shell.css';
import './styles/accounts.css';
import './styles/answer.css';
import './styles/docs.css';
import { createRoot } from 'react-dom/client';
import { loadDemo } from './demo/demo';
import { Playground } from './Playground';
import { loadSchema } from './schema/schema';
import { openShared } from './tabs/shared';
import { followTheme } from './theme';

followTheme();
openShared();
addEventListener('hashchange', openShared);
void loadSchema().then(isDemo => (isDemo ? loadDemo() : undefined));
createRoot(document.getElementById('playground')!).render(<Playground />);
