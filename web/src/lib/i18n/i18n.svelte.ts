import { de } from './de';
import { type Catalog, en } from './en';

export type Language = 'en' | 'de';

const KEY = 'loadcenter.language';
const CATALOGS: Record<Language, Catalog> = { en, de };
export const LANGUAGES = Object.keys(CATALOGS) as Language[];

class I18n {
  language = $state<Language>(first());
  readonly t = $derived(CATALOGS[this.language]);
  /** For Intl: the person's own region where it fits the language (en-GB writes dates unlike en-US). */
  readonly locale = $derived(navigator.languages.find((tag) => tag.startsWith(this.language)) ?? this.language);
  /** For texts that come from the server in English. */
  readonly serverLang = $derived(this.language === 'en' ? undefined : 'en');

  choose(language: Language): void {
    this.language = language;
    localStorage.setItem(KEY, language);
    this.apply();
  }

  apply(): void {
    document.documentElement.lang = this.language;
  }

  nameOf(language: Language): string {
    return CATALOGS[language].language;
  }
}

function first(): Language {
  const wanted = [localStorage.getItem(KEY), ...navigator.languages];
  const fits = wanted.map((tag) => LANGUAGES.find((language) => tag?.startsWith(language)));
  return fits.find((language) => language !== undefined) ?? 'en';
}

export const i18n = new I18n();
