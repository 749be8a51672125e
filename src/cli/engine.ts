import { EngineClient } from '../client/engine-client.ts';
import { ensureDaemon } from './ensure-daemon.ts';
import type { Locations } from './locations.ts';

/** A client of the daemon, which is started when it does not run. */
export async function openEngine(locations: Locations): Promise<EngineClient> {
  await ensureDaemon(locations);
  return new EngineClient(locations.host);
}

/** `--filter key=value` words as the API takes them. */
export function filterQuery(words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined;
  const filters: Record<string, string[]> = {};
  for (const word of words) {
    const match = /^([^=!]+!?)=(.*)$/s.exec(word);
    if (!match) throw new Error(`invalid filter ${JSON.stringify(word)}: want key=value`);
    const key = match[1] ?? '';
    filters[key] = [...(filters[key] ?? []), match[2] ?? ''];
  }
  return JSON.stringify(filters);
}
