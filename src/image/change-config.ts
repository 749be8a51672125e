import { invalidArgument } from '../base/errors.ts';
import type { CommandLine, Instruction, KeyValue } from '../dockerfile/instruction.ts';
import { parseDockerfile } from '../dockerfile/parse-dockerfile.ts';
import type { ContainerConfig } from '../oci/image-config.ts';

const defaultShell = ['/bin/sh', '-c'];

/** Reads the texts of `--change`, each one instruction. Throws invalid-argument with every error. */
export function parseChanges(texts: readonly string[]): readonly Instruction[] {
  const { dockerfile, diagnostics } = parseDockerfile(['FROM scratch', ...texts].join('\n'));
  if (dockerfile) return dockerfile.stages.flatMap((stage) => stage.instructions);
  const errors = diagnostics.filter((each) => each.severity === 'error').map((each) => each.message);
  throw invalidArgument(`cannot change the image: ${errors.join('; ')}`);
}

/** Applies the instructions that `docker import --change` and `docker commit --change` allow, in order. */
export function applyChanges(config: ContainerConfig, changes: readonly Instruction[]): ContainerConfig {
  return changes.reduce(applyChange, config);
}

function applyChange(config: ContainerConfig, change: Instruction): ContainerConfig {
  switch (change.name) {
    case 'cmd':
      return { ...config, Cmd: wordsOf(change.command, config) };
    case 'entrypoint':
      return { ...config, Entrypoint: wordsOf(change.command, config) };
    case 'env':
      return { ...config, Env: withVariables(config.Env ?? [], change.variables) };
    case 'label':
      return {
        ...config,
        Labels: { ...config.Labels, ...Object.fromEntries(change.labels.map(({ key, value }) => [key, value])) },
      };
    case 'expose':
      return { ...config, ExposedPorts: { ...config.ExposedPorts, ...emptyObjects(change.ports.map(portOf)) } };
    case 'volume':
      return { ...config, Volumes: { ...config.Volumes, ...emptyObjects(change.volumes) } };
    case 'user':
      return { ...config, User: change.user };
    case 'workdir':
      return { ...config, WorkingDir: change.path };
    case 'stopsignal':
      return { ...config, StopSignal: change.signal };
    case 'onbuild':
      return { ...config, OnBuild: [...(config.OnBuild ?? []), change.trigger] };
    case 'shell':
      return { ...config, Shell: change.shell };
    case 'healthcheck':
      return {
        ...config,
        Healthcheck: {
          Test: change.test,
          ...given('Interval', change.interval),
          ...given('Timeout', change.timeout),
          ...given('StartPeriod', change.startPeriod),
          ...given('StartInterval', change.startInterval),
          ...given('Retries', change.retries),
        },
      };
    default:
      throw invalidArgument(
        `cannot change an image by ${change.name.toUpperCase()}: it is not an instruction about the config`,
        {
          hint: 'use CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR',
        },
      );
  }
}

function given<K extends string>(key: K, value: number): { [P in K]?: number } {
  return value === 0 ? {} : ({ [key]: value } as { [P in K]?: number });
}

function wordsOf(command: CommandLine, config: ContainerConfig): readonly string[] {
  return command.form === 'exec' ? command.args : [...(config.Shell ?? defaultShell), command.text];
}

function withVariables(env: readonly string[], variables: readonly KeyValue[]): readonly string[] {
  const values = new Map(env.map((each) => [each.split('=', 1)[0] ?? each, each]));
  for (const { key, value } of variables) values.set(key, `${key}=${value}`);
  return [...values.values()];
}

function portOf(port: string): string {
  return port.includes('/') ? port : `${port}/tcp`;
}

function emptyObjects(keys: readonly string[]): Record<string, object> {
  return Object.fromEntries(keys.map((key) => [key, {}]));
}
