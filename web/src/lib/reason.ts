import { ApiError } from './api';
import { i18n } from './i18n/i18n.svelte';

/** Why a request failed, in words for a person. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  return error.status === 0 ? i18n.t.unreachable : codeText(error.code, error.message);
}

/** The server's own sentence where it fits the language, else the catalog's for its code. */
export function codeText(code: string, message: string): string {
  const known = i18n.t.resultCodes[code];
  const text = i18n.language === 'en' ? message || known || code : (known ?? (message || code));
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
