import type { ContainerConfig as ImageContainerConfig } from '../oci/image-config.ts';
import type { ContainerConfig } from './container-record.ts';

/** A container's config over its image's: what the user gave wins; a given entrypoint drops the image's command. */
export function mergeConfig(own: ContainerConfig, image: ImageContainerConfig): ContainerConfig {
  const given = own.Entrypoint !== undefined && own.Entrypoint !== null && own.Entrypoint.length > 0;
  // `--entrypoint ""` resets it: docker sends one empty word.
  const entrypoint = given
    ? own.Entrypoint?.length === 1 && own.Entrypoint[0] === ''
      ? []
      : own.Entrypoint
    : image.Entrypoint;
  const command = own.Cmd && own.Cmd.length > 0 ? own.Cmd : given ? [] : image.Cmd;
  const user = own.User || image.User;
  const workdir = own.WorkingDir || image.WorkingDir;
  const stopSignal = own.StopSignal || image.StopSignal;
  return {
    ...own,
    Env: mergeEnvironment(image.Env ?? [], own.Env ?? []),
    Entrypoint: entrypoint ?? null,
    Cmd: command ?? null,
    Labels: { ...image.Labels, ...own.Labels },
    ExposedPorts: { ...image.ExposedPorts, ...own.ExposedPorts },
    Volumes: { ...image.Volumes, ...own.Volumes },
    ...(user ? { User: user } : {}),
    ...(workdir ? { WorkingDir: workdir } : {}),
    ...(stopSignal ? { StopSignal: stopSignal } : {}),
  };
}

/** Later entries replace earlier ones of the same name; a bare name removes it. */
function mergeEnvironment(base: readonly string[], own: readonly string[]): string[] {
  const merged = new Map<string, string>();
  for (const entry of [...base, ...own]) {
    const name = entry.split('=', 1)[0] ?? '';
    if (entry.includes('=')) merged.set(name, entry);
    else merged.delete(name);
  }
  return [...merged.values()];
}
