import { invalidArgument } from '../../base/errors.ts';
import { readDirective } from '../directives.ts';
import type { RuleHead } from './rule.ts';

/** What `# check=` or the build arg BUILDKIT_DOCKERFILE_CHECK asks for. */
export interface CheckOptions {
  readonly skip: 'all' | ReadonlySet<string>;
  readonly experimental: 'all' | ReadonlySet<string>;
  /** Any warning fails the build. */
  readonly error: boolean;
}

const none: CheckOptions = { skip: new Set(), experimental: new Set(), error: false };

/** `skip=A,B|all;error=true;experimental=C|all`. Throws invalid-argument. */
export function readCheckOptions(text: string): CheckOptions {
  if (text.trim() === '') return none;
  let options = none;
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    const key = (equals < 0 ? part : part.slice(0, equals)).trim();
    const value = equals < 0 ? '' : part.slice(equals + 1).trim();
    if (equals < 0) throw invalidOption(part);
    if (key === 'skip' || key === 'experimental') options = { ...options, [key]: readNames(value) };
    else if (key === 'error') options = { ...options, error: readBoolean(value, part) };
    else throw invalidOption(key);
  }
  return options;
}

/** A comment `check=skip=Rule` above an instruction counts for that instruction. What cannot be read counts for nothing. */
export function withComments(options: CheckOptions, comments: readonly string[]): CheckOptions {
  for (const comment of comments) {
    const directive = readDirective(comment, '');
    if (directive?.key !== 'check') continue;
    try {
      const local = readCheckOptions(directive.value.split(' ', 1)[0] ?? '');
      return {
        skip: union(options.skip, local.skip),
        experimental: union(options.experimental, local.experimental),
        error: options.error,
      };
    } catch {
      return options;
    }
  }
  return options;
}

export function isWanted({ skip, experimental }: CheckOptions, rule: RuleHead): boolean {
  if (rule.experimental) return experimental === 'all' || experimental.has(rule.name);
  return skip !== 'all' && !skip.has(rule.name);
}

function readNames(value: string): 'all' | ReadonlySet<string> {
  return value === 'all' ? 'all' : new Set(value.split(',').map((name) => name.trim()));
}

function readBoolean(value: string, part: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalidArgument(`failed to parse check options: failed to parse check option ${JSON.stringify(part)}`, {
    hint: 'want error=true or error=false',
  });
}

function invalidOption(text: string): Error {
  return invalidArgument(`failed to parse check options: invalid check option ${JSON.stringify(text)}`, {
    hint: 'want skip=Rule,…, error=true or experimental=Rule,…, parted by semicolons',
  });
}

function union(a: CheckOptions['skip'], b: CheckOptions['skip']): CheckOptions['skip'] {
  return a === 'all' || b === 'all' ? 'all' : new Set([...a, ...b]);
}
