import { invalidArgument } from '../base/errors.ts';
import type { CompressionChoice } from '../image/materialize-layers.ts';
import { parseReference, type Reference, withDefaultTag } from '../oci/reference.ts';

/** Attributes of the image, oci and docker exporters (reference dockerfile.md §9), read once. */
export interface ImageAttrs {
  readonly names: readonly Reference[];
  readonly push: boolean;
  readonly oci: boolean;
  readonly compression: CompressionChoice;
  readonly annotations: Readonly<Record<string, string>>;
  readonly indexAnnotations: Readonly<Record<string, string>>;
  /** Files' times in layers of this build are at most the epoch. */
  readonly rewriteTimestamp: boolean;
  /** All layers of this build as one. */
  readonly squash: boolean;
  /** Attestations are artifacts that refer to their image (image-spec 1.1), else images of their own. */
  readonly ociArtifact: boolean;
  /** Attestations for images only count here. */
  readonly inlineAttestations: boolean;
}

const compressions: Readonly<Record<string, CompressionChoice['compression']>> = {
  uncompressed: 'none',
  gzip: 'gzip',
  zstd: 'zstd',
};

export function readImageAttrs(
  attrs: ReadonlyMap<string, string>,
  defaults: { readonly oci: boolean; readonly inlineAttestations?: boolean },
): ImageAttrs {
  const compression = attrs.get('compression') ?? 'gzip';
  const chosen = compressions[compression];
  if (chosen === undefined) {
    throw invalidArgument(`cannot export with compression ${JSON.stringify(compression)}`, {
      hint: 'want uncompressed, gzip or zstd',
    });
  }
  const level = attrs.get('compression-level');
  if (level !== undefined && !/^\d{1,2}$/.test(level))
    throw invalidArgument(`cannot use compression level ${JSON.stringify(level)}`, { hint: 'want a number' });
  const oci = flag(attrs, 'oci-mediatypes', defaults.oci);
  return {
    names: (attrs.get('name') ?? '')
      .split(',')
      .filter((name) => name.trim() !== '')
      .map((name) => withDefaultTag(parseReference(name.trim()))),
    push: flag(attrs, 'push', false),
    oci,
    compression: {
      compression: chosen,
      force: flag(attrs, 'force-compression', false),
      ...(level === undefined ? {} : { level: Number(level) }),
    },
    annotations: withPrefix(attrs, /^annotation(?:-manifest)?\./),
    indexAnnotations: withPrefix(attrs, /^annotation-index\./),
    rewriteTimestamp: flag(attrs, 'rewrite-timestamp', false),
    squash: flag(attrs, 'squash', false),
    ociArtifact: flag(attrs, 'oci-artifact', oci),
    inlineAttestations: flag(attrs, 'attestation-inline', defaults.inlineAttestations ?? false),
  };
}

/** The time that a result is to bear: the exporter's own `source-date-epoch`, else the frontend's. Seconds since 1970. */
export function epochOf(attrs: ReadonlyMap<string, string>, frontend: number | undefined): number | undefined {
  const text = attrs.get('source-date-epoch');
  if (text === undefined) return frontend;
  if (text === '') return undefined;
  if (!/^\d{1,12}$/.test(text))
    throw invalidArgument(`cannot use ${JSON.stringify(text)} for exporter attribute source-date-epoch`, {
      hint: 'want seconds since 1970',
    });
  return Number(text);
}

/** A boolean attribute; present without a value is true. */
export function flag(attrs: ReadonlyMap<string, string>, name: string, otherwise: boolean): boolean {
  const value = attrs.get(name);
  if (value === undefined) return otherwise;
  if (/^(|1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalidArgument(`cannot use ${JSON.stringify(value)} for exporter attribute ${name}`, {
    hint: 'want true or false',
  });
}

function withPrefix(attrs: ReadonlyMap<string, string>, prefix: RegExp): Record<string, string> {
  return Object.fromEntries(
    [...attrs].filter(([key]) => prefix.test(key)).map(([key, value]) => [key.replace(prefix, ''), value]),
  );
}
