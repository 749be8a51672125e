import { existsSync } from 'node:fs';
import { formatPlatform, hostPlatform, type Platform, rankPlatform } from '../oci/platform.ts';

/** As qemu's user emulators are called, where that is not the platform's own word. */
const emulatorNames: Readonly<Record<string, string>> = { amd64: 'x86_64', '386': 'i386', arm64: 'aarch64' };

/** What to say of a step that failed and is for another platform than this machine's; undefined when it is not. */
export function foreignPlatformHint(platform: Platform, host: Platform = hostPlatform()): string | undefined {
  if (platform.os === host.os && rankPlatform(host, platform) !== undefined) return undefined;
  const what = `the step is for ${formatPlatform(platform)} and this machine is ${formatPlatform(host)}`;
  const emulator = `qemu-${emulatorNames[platform.architecture] ?? platform.architecture}`;
  if (existsSync(`/proc/sys/fs/binfmt_misc/${emulator}`)) return `${what}: it ran under ${emulator}`;
  return `${what}, where no emulator is registered (binfmt_misc): build it on such a machine, register ${emulator}, or compile for it with FROM --platform=$BUILDPLATFORM`;
}
