import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of the files below a directory; a file with several names counts once. What vanishes meanwhile does not count. */
export async function directorySize(directory: string): Promise<number> {
  const seen = new Set<string>();
  let total = 0;
  const visit = async (path: string): Promise<void> => {
    for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
      const inside = join(path, entry.name);
      if (entry.isDirectory()) {
        await visit(inside);
        continue;
      }
      const stat = await lstat(inside).catch(() => undefined);
      if (!stat || (stat.nlink > 1 && seen.has(`${stat.dev}:${stat.ino}`))) continue;
      seen.add(`${stat.dev}:${stat.ino}`);
      total += stat.size;
    }
  };
  await visit(directory);
  return total;
}
