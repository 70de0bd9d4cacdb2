const dark = matchMedia('(prefers-color-scheme: dark)');

/** Lets a page next to the playground follow the theme that was chosen there, or the system. */
export function followTheme(): void {
  const theme = chosenTheme();
  const dress = () => document.documentElement.classList.toggle('dark-mode', theme === 'dark' || (theme !== 'light' && dark.matches));
  document.documentElement.dataset.theme = theme ?? 'system';
  dark.addEventListener('change', dress);
  dress();
}

function chosenTheme(): string | undefined {
  try {
    return JSON.parse(localStorage.getItem('caregraph.playground.look') ?? '{}').theme;
  } catch {
    return undefined; // the storage is not available, or its content is invalid
  }
}
