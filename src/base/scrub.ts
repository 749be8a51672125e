const secretName = /pass|secret|token|credential|api_?key|private_?key|auth/i;

/** What is kept in place of a value whose name says that it is nobody else's business. */
export const hidden = '***';

export function hideSecret(name: string, value: string): string {
  return secretName.test(name) ? hidden : withoutLogins(value);
}

/** `https://user:password@host` keeps its host only. */
export function withoutLogins(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^/@\s]+@/gi, `$1${hidden}@`);
}

/** Options of a frontend or an exporter, fit to be kept and shown. */
export function scrubAttributes(attributes: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, hideSecret(name, value)]));
}

/** A URL with its user and password masked the way BuildKit's provenance has them. */
export function maskCredentials(text: string): string {
  return text.replace(
    /^([a-z][a-z0-9+.-]*:\/\/)([^/@:\s?#]*)(:[^/@\s?#]*)?@/i,
    (_all, scheme: string, user: string, password: string | undefined) =>
      `${scheme}${user === '' ? '' : 'xxxxx'}${password === undefined ? '' : ':xxxxx'}@`,
  );
}
