import { invalidArgument } from '../../base/errors.ts';
import { readFields } from './fields.ts';

export interface CacheOption {
  readonly Type: string;
  readonly Attrs: Record<string, string>;
}

/** `--cache-from` and `--cache-to`: `type=registry,ref=…`, or an image by its name alone. */
export function readCacheOptions(
  words: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): CacheOption[] {
  return words.map((word) => {
    if (!word.includes('=')) return { Type: 'registry', Attrs: { ref: word } };
    const { type, ...Attrs } = Object.fromEntries(readFields(word, 'true'));
    if (type === undefined || type === '')
      throw invalidArgument(`cannot use cache ${JSON.stringify(word)}: it says no type`, {
        hint: 'want type=registry,ref=… and the like',
      });
    return { Type: type, Attrs: { ...secretsOf(type, environment), ...Attrs } };
  });
}

/** What the surroundings of CI and cloud tools give, unless the flag does. */
function secretsOf(type: string, environment: NodeJS.ProcessEnv): Record<string, string> {
  const names: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    gha: { url: 'ACTIONS_CACHE_URL', url_v2: 'ACTIONS_RESULTS_URL', token: 'ACTIONS_RUNTIME_TOKEN' },
    s3: {
      access_key_id: 'AWS_ACCESS_KEY_ID',
      secret_access_key: 'AWS_SECRET_ACCESS_KEY',
      session_token: 'AWS_SESSION_TOKEN',
    },
  };
  const wanted = Object.hasOwn(names, type) ? Object.entries(names[type] ?? {}) : [];
  return Object.fromEntries(
    wanted.flatMap(([attribute, variable]) => {
      const value = environment[variable];
      return value ? [[attribute, value]] : [];
    }),
  );
}
