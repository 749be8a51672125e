import { digestOf } from '../base/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { BlobUpload, type PushBlobOptions, type PushOutcome } from './blob-upload.ts';
import type { RegistryClient } from './registry-client.ts';
import { RegistryError } from './registry-error.ts';
import { retrying } from './retry.ts';
import { pushScope } from './scopes.ts';

/** Brings a blob into the reference's repository unless it is there (distribution-spec, "Pushing blobs"). */
export async function pushBlob(
  client: RegistryClient,
  reference: Reference,
  descriptor: Descriptor,
  options: PushBlobOptions,
): Promise<PushOutcome> {
  const upload = new BlobUpload(client, reference, descriptor, options);
  return retrying(() => upload.attempt(), {
    policy: client.retryPolicy,
    signal: options.signal,
    onRetry: client.onRetry,
  });
}

interface PushManifestOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Stores a manifest or index under the reference's tag, or by its digest when the reference has none. */
export async function pushManifest(
  client: RegistryClient,
  reference: Reference,
  manifest: { readonly mediaType: string; readonly bytes: Uint8Array },
  options: PushManifestOptions = {},
): Promise<Descriptor> {
  const digest = digestOf(manifest.bytes);
  const action = `push the manifest of "${formatReference(reference)}"`;
  const put = async () => {
    const response = await client.send(client.hosts.originFor(reference.domain), {
      method: 'PUT',
      path: `${reference.path}/manifests/${reference.tag ?? digest}`,
      headers: { 'content-type': manifest.mediaType, 'content-length': String(manifest.bytes.length) },
      body: () => manifest.bytes,
      scopes: [pushScope(reference.path)],
      accept: [200, 201, 202],
      action,
      signal: options.signal,
      attempts: 1,
    });
    response.discard();
    const stated = response.headers['docker-content-digest'];
    if (typeof stated === 'string' && stated.startsWith('sha256:') && stated !== digest) {
      throw new RegistryError(
        'data-loss',
        `cannot ${action}: the registry stored digest "${stated.slice(0, 80)}", expected "${digest}"`,
      );
    }
  };
  // A registry may need a moment until it sees the blobs that it has just taken.
  await retrying(() => put().catch(rethrowBlobUnknown), {
    policy: client.retryPolicy,
    signal: options.signal,
    onRetry: client.onRetry,
  });
  return { mediaType: manifest.mediaType, digest, size: manifest.bytes.length };
}

function rethrowBlobUnknown(error: unknown): never {
  const unknown =
    error instanceof RegistryError &&
    error.reasons.some((each) => each === 'MANIFEST_BLOB_UNKNOWN' || each === 'BLOB_UNKNOWN');
  if (!unknown) throw error;
  throw new RegistryError('unavailable', error.message, {
    transient: true,
    status: error.status,
    reasons: error.reasons,
    cause: error,
  });
}
