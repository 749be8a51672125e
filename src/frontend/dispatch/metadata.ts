import { posix } from 'node:path';
import { invalidArgument } from '../../base/errors.ts';
import type {
  ArgInstruction,
  CmdInstruction,
  EntrypointInstruction,
  EnvInstruction,
  ExposeInstruction,
  HealthcheckInstruction,
  LabelInstruction,
  StopsignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from '../../dockerfile/instruction.ts';
import { fileOp } from '../../graph/ops.ts';
import { displayOf, expand, expandList, optionsOf, type StageState, setVariable } from '../stage-state.ts';
import { ownerOf } from './owner.ts';
import { configCommand, quotedList } from './shell.ts';
import { isSignal } from './signals.ts';

export function dispatchEnv(stage: StageState, { variables }: EnvInstruction): void {
  // All values see the variables as they were before the instruction.
  const pairs = variables.map(({ key, value }) => [expand(stage, key), expand(stage, value)] as const);
  for (const [key, value] of pairs) {
    stage.image.environment.set(key, value);
    setVariable(stage, key, value);
  }
  stage.image.addHistory(`ENV ${pairs.map(([key, value]) => `${key}=${value}`).join(' ')}`, false);
}

export function dispatchLabel(stage: StageState, { labels }: LabelInstruction): void {
  const pairs = labels.map(({ key, value }) => [expand(stage, key), expand(stage, value)] as const);
  stage.image.config.Labels = Object.fromEntries([...Object.entries(stage.image.config.Labels ?? {}), ...pairs]);
  stage.image.addHistory(`LABEL ${pairs.map(([key, value]) => `${key}=${value}`).join(' ')}`, false);
}

/** A declared arg takes the client's value, else its default, else a global or predefined one. */
export function dispatchArg(
  stage: StageState,
  instruction: ArgInstruction,
  globals: ReadonlyMap<string, string>,
): void {
  const shown: string[] = [];
  for (const { key, value, description } of instruction.args) {
    const given = stage.options.buildArgs.get(key);
    const chosen = given ?? (value === undefined ? globals.get(key) : expand(stage, value));
    // A redeclared global arg is known from its first declaration.
    if (value !== undefined || given !== undefined || chosen === undefined)
      stage.outline.args.set(key, {
        key,
        value: chosen ?? '',
        description,
        range: instruction.range,
        uses: new Set(),
      });
    stage.outline.usedArgs.add(key);
    stage.declaredArgs.set(key, chosen);
    if (chosen !== undefined && !scannerArgs.has(key)) setVariable(stage, key, chosen);
    shown.push(chosen === undefined ? key : `${key}=${chosen}`);
  }
  stage.image.addHistory(`ARG ${shown.join(' ')}`, false);
}

/** They speak to the builder, not to processes. */
const scannerArgs = new Set(['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE']);

export function dispatchWorkdir(stage: StageState, instruction: WorkdirInstruction): void {
  const path = posix.resolve('/', stage.image.config.WorkingDir || '/', expand(stage, instruction.path));
  stage.image.config.WorkingDir = path;
  if (path !== '/') {
    const { User: user } = stage.image.config;
    const name = stage.names.next(displayOf(stage, instruction), stage.environment);
    const directory = {
      path,
      mode: 0o755,
      makeParents: true,
      timestamp: stage.epoch === undefined ? -1n : BigInt(stage.epoch) * 1_000_000_000n,
      ...(user ? { owner: ownerOf(user) } : {}),
    };
    stage.state = fileOp(
      stage.state,
      [{ action: { case: 'mkdir', value: directory } }],
      optionsOf(stage, instruction, name),
    );
  }
  stage.image.addHistory(`WORKDIR ${path}`, path !== '/');
}

export function dispatchUser(stage: StageState, instruction: UserInstruction): void {
  stage.image.config.User = expand(stage, instruction.user);
  stage.image.addHistory(`USER ${stage.image.config.User}`, false);
}

export function dispatchVolume(stage: StageState, instruction: VolumeInstruction): void {
  const volumes = instruction.volumes.map((volume) => expand(stage, volume));
  if (volumes.includes('')) throw invalidArgument('VOLUME specified can not be an empty string');
  stage.image.config.Volumes = Object.fromEntries([
    ...Object.entries(stage.image.config.Volumes ?? {}),
    ...volumes.map((volume) => [volume, {}]),
  ]);
  stage.image.addHistory(`VOLUME [${volumes.join(' ')}]`, false);
}

export function dispatchExpose(stage: StageState, instruction: ExposeInstruction): void {
  const ports = instruction.ports
    .toSorted()
    .flatMap((text) => expandList(stage, text))
    .flatMap(portsOf);
  stage.image.config.ExposedPorts = Object.fromEntries([
    ...Object.entries(stage.image.config.ExposedPorts ?? {}),
    ...ports.map((port) => [port, {}]),
  ]);
  stage.image.addHistory(`EXPOSE [${ports.join(' ')}]`, false);
}

/** `8000-8002/udp` → one entry a port. Host addresses and ports before a colon mean nothing here. */
function portsOf(text: string): string[] {
  const match = /^(?:.*:)?(\d{1,5})(?:-(\d{1,5}))?(?:\/([a-zA-Z]+))?$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  const protocol = match?.[3]?.toLowerCase() ?? 'tcp';
  if (!match || first > last || last > 65535 || !['tcp', 'udp', 'sctp'].includes(protocol)) {
    throw invalidArgument(`invalid containerPort: ${JSON.stringify(text)}`, {
      hint: 'want a port such as 80, 80/udp or 8000-8010',
    });
  }
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol}`);
}

export function dispatchCmd(stage: StageState, { command }: CmdInstruction): void {
  const words = configCommand(stage, command);
  stage.image.config.Cmd = words;
  stage.image.config.ArgsEscaped = true;
  stage.cmdSet = true;
  stage.image.addHistory(`CMD ${quotedList(words)}`, false);
}

/** A CMD that came with the base means nothing to another entrypoint. */
export function dispatchEntrypoint(stage: StageState, { command }: EntrypointInstruction): void {
  const words = configCommand(stage, command);
  stage.image.config.Entrypoint = words;
  if (!stage.cmdSet) stage.image.config.Cmd = null;
  stage.image.addHistory(`ENTRYPOINT ${quotedList(words)}`, false);
}

export function dispatchStopsignal(stage: StageState, instruction: StopsignalInstruction): void {
  const signal = expand(stage, instruction.signal);
  if (!isSignal(signal))
    throw invalidArgument(`invalid signal: ${JSON.stringify(signal)}`, {
      hint: 'want a name such as SIGTERM, or a number',
    });
  stage.image.config.StopSignal = signal;
  stage.image.addHistory(`STOPSIGNAL ${signal}`, false);
}

export function dispatchHealthcheck(stage: StageState, instruction: HealthcheckInstruction): void {
  const { test, interval, timeout, startPeriod, startInterval, retries } = instruction;
  stage.image.config.Healthcheck = {
    Test: test,
    ...(interval > 0 ? { Interval: interval } : {}),
    ...(timeout > 0 ? { Timeout: timeout } : {}),
    ...(startPeriod > 0 ? { StartPeriod: startPeriod } : {}),
    ...(startInterval > 0 ? { StartInterval: startInterval } : {}),
    ...(retries > 0 ? { Retries: retries } : {}),
  };
  const options = [
    ['Test', `[${test.join(' ')}]`],
    ['Interval', goDuration(interval)],
    ['Timeout', goDuration(timeout)],
    ['StartPeriod', goDuration(startPeriod)],
    ['StartInterval', goDuration(startInterval)],
    ['Retries', retries],
  ];
  stage.image.addHistory(`HEALTHCHECK {${options.map(([name, value]) => `${name}:${value}`).join(' ')}}`, false);
}

/** Nanoseconds as Go prints a duration: `1m30s`. */
function goDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  if (nanoseconds < 1e9) return `${nanoseconds / 1e6}ms`;
  const [hours, minutes, seconds] = [
    Math.floor(nanoseconds / 3600e9),
    Math.floor(nanoseconds / 60e9) % 60,
    (nanoseconds / 1e9) % 60,
  ];
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
}
