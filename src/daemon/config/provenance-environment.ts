import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument } from '../../base/errors.ts';
import { parseJsonObject } from '../../oci/json.ts';

/** Fields that provenance has of itself. */
const builtin: ReadonlySet<string> = new Set(['platform', 'builderPlatform', 'buildConfig', 'dockerfileVersion']);

/** The objects in a directory's `.json` files as one; later files count more. Throws for a field that provenance has of itself. */
export function readProvenanceEnvironment(
  directory: string | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (directory === undefined) return undefined;
  const names = readdirSync(directory).filter((name) => name.endsWith('.json'));
  const fields = names.toSorted().flatMap((name) => {
    const path = join(directory, name);
    return Object.entries(parseJsonObject(readFileSync(path), JSON.stringify(path)));
  });
  const taken = fields.find(([key]) => builtin.has(key));
  if (taken)
    throw invalidArgument(
      `cannot use the key ${JSON.stringify(taken[0])} in provenanceEnvDir: provenance has it of itself`,
    );
  return Object.fromEntries(fields);
}
