import { readFileSync, statSync } from 'node:fs';
import { Secrets } from '../api/gen/secrets_pb.js';
import type { Router } from '../api/grpc/router.ts';
import { secretLimit } from '../api/session/ask-client.ts';
import { invalidArgument, notFound, systemErrorCode } from '../base/errors.ts';

/** Where a secret comes from. It is read when a step asks for it, and never kept. */
export type SecretSource =
  | { readonly file: string }
  | { readonly environment: string }
  | { readonly value: Uint8Array };

export function serveSecrets(
  router: Router,
  secrets: ReadonlyMap<string, SecretSource>,
  environment: NodeJS.ProcessEnv = process.env,
): void {
  router.add(Secrets, {
    getSecret({ ID }) {
      const source = secrets.get(ID);
      if (!source) throw notFound(`secret "${ID}" not found`);
      const data = readSecret(ID, source, environment);
      if (data.length > secretLimit) {
        throw invalidArgument(`cannot use secret "${ID}": it is larger than ${secretLimit} bytes`);
      }
      return { data };
    },
  });
}

function readSecret(id: string, source: SecretSource, environment: NodeJS.ProcessEnv): Uint8Array {
  if ('value' in source) return source.value;
  if ('environment' in source) {
    const value = environment[source.environment];
    if (value === undefined) throw notFound(`secret "${id}": the variable ${source.environment} is not set`);
    return Buffer.from(value);
  }
  try {
    // Reading a whole disk only to refuse it would take long.
    if (statSync(source.file).size > secretLimit) return new Uint8Array(secretLimit + 1);
    return readFileSync(source.file);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') throw notFound(`secret "${id}": there is no file "${source.file}"`);
    throw error;
  }
}
