import './styles/theme.css';
import './styles/shell.css';
import './styles/accounts.css';
import './styles/answer.css';
import './styles/docs.css';
import { createRoot } from 'react-dom/client';
import { Playground } from './Playground';
import { loadSchema } from './schema/schema';
import { applyTheme } from './shell/look';

applyTheme();
void loadSchema();
createRoot(document.getElementById('playground')!).render(<Playground />);
