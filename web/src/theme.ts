import { Stored } from './stored';

export type Theme = 'system' | 'light' | 'dark';

export type Look = {
  theme: Theme;
  /** The docs are open next to the question, on a wide screen. */
  docs: boolean;
  /** The width of the question's panel, in percent. */
  split: number;
};

/** How the pages look in this browser. The playground changes it, and the pages next to it follow. */
export const look = new Stored<Look>('look', () => ({ theme: 'system', docs: false, split: 42 }), 'localStorage');

const dark = matchMedia('(prefers-color-scheme: dark)');

/** Lets the style sheets follow the chosen theme, or the system. Swagger UI has a class for its dark look. */
export function followTheme(): void {
  dark.addEventListener('change', dress);
  look.subscribe(dress);
  dress();
}

function dress(): void {
  const { theme } = look.value;
  document.documentElement.dataset.theme = theme;
  document.documentElement.classList.toggle('dark-mode', theme === 'dark' || (theme === 'system' && dark.matches));
}
