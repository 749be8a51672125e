import { readJsonForm } from './arguments.ts';
import type { FlagValues } from './flags.ts';
import type { HealthcheckInstruction, InstructionBase } from './instruction.ts';
import { ParseFailure } from './parse-failure.ts';

export const healthcheckFlags = {
  interval: 'text',
  timeout: 'text',
  'start-period': 'text',
  'start-interval': 'text',
  retries: 'text',
} as const;

export function parseHealthcheck(rest: string, flags: FlagValues, base: InstructionBase): HealthcheckInstruction {
  const match = /^(\S+)\s*([\s\S]*)$/.exec(rest);
  const kind = match?.[1]?.toUpperCase();
  const argument = match?.[2] ?? '';
  if (kind === undefined) throw new ParseFailure('HEALTHCHECK requires at least one argument');
  if (kind === 'NONE') {
    if (argument.trim() !== '') throw new ParseFailure('HEALTHCHECK NONE takes no arguments');
    return {
      ...base,
      name: 'healthcheck',
      test: ['NONE'],
      interval: 0,
      timeout: 0,
      startPeriod: 0,
      startInterval: 0,
      retries: 0,
    };
  }
  if (kind !== 'CMD') throw new ParseFailure(`Unknown type ${JSON.stringify(kind)} in HEALTHCHECK (try CMD)`);
  const exec = readJsonForm(argument);
  if (exec ? exec.length === 0 : argument.trim() === '')
    throw new ParseFailure('Missing command after HEALTHCHECK CMD');
  return {
    ...base,
    name: 'healthcheck',
    test: exec ? ['CMD', ...exec] : ['CMD-SHELL', argument.trim()],
    interval: durationOf(flags, 'interval'),
    timeout: durationOf(flags, 'timeout'),
    startPeriod: durationOf(flags, 'start-period'),
    startInterval: durationOf(flags, 'start-interval'),
    retries: retriesOf(flags.text('retries')),
  };
}

function retriesOf(value: string | undefined): number {
  if (value === undefined || value === '') return 0;
  if (!/^-?\d{1,9}$/.test(value)) throw new ParseFailure(`invalid --retries value ${JSON.stringify(value)}`);
  const retries = Number(value);
  if (retries < 0) throw new ParseFailure('--retries cannot be negative');
  return retries;
}

const millisecond = 1_000_000;

function durationOf(flags: FlagValues, name: string): number {
  const value = flags.text(name);
  if (value === undefined || value === '') return 0;
  const nanoseconds = parseDuration(value);
  if (nanoseconds === undefined)
    throw new ParseFailure(
      `invalid duration ${JSON.stringify(value)} for --${name}`,
      'want a number with a unit, such as 30s or 1m30s',
    );
  if (nanoseconds < 0 || (nanoseconds > 0 && nanoseconds < millisecond))
    throw new ParseFailure(`Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  return nanoseconds;
}

const units: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Go's time.ParseDuration, in nanoseconds. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = /^([-+]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.exec(text);
  if (!match) return undefined;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(count) * (units[unit ?? ''] ?? 0);
  return Math.round(match[1] === '-' ? -sum : sum);
}
