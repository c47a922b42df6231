export type ThemeChoice = 'system' | 'light' | 'dark';

const KEY = 'loadcenter.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

class Theme {
  choice = $state<ThemeChoice>(stored());
  #systemDark = $state(dark.matches);
  readonly isDark = $derived(this.choice === 'system' ? this.#systemDark : this.choice === 'dark');

  constructor() {
    dark.addEventListener('change', ({ matches }) => {
      this.#systemDark = matches;
      this.apply();
    });
  }

  choose(choice: ThemeChoice): void {
    this.choice = choice;
    localStorage.setItem(KEY, choice);
    this.apply();
  }

  /** Puts the theme on the page; called before anything is drawn, so that charts read the right colours. */
  apply(): void {
    document.documentElement.dataset['theme'] = this.isDark ? 'dark' : 'light';
  }
}

function stored(): ThemeChoice {
  const choice = localStorage.getItem(KEY);
  return choice === 'light' || choice === 'dark' ? choice : 'system';
}

export const theme = new Theme();
