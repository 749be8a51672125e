import { invalidArgument } from '../base/errors.ts';

export interface ProvenanceOptions {
  readonly mode: 'min' | 'max';
  readonly version: 'v1' | 'v0.2';
  readonly builderId: string;
  readonly filename: string;
  readonly reproducible: boolean;
  /** Only in images, never beside exported files. */
  readonly inlineOnly: boolean;
  readonly completeMaterials: boolean;
}

export interface SbomOptions {
  /** An image that scans; the scanner that is built in when absent. */
  readonly generator: string | undefined;
  /** For the generator's environment, as `BUILDKIT_SCAN_…`. */
  readonly parameters: ReadonlyMap<string, string>;
}

export interface AttestationOptions {
  readonly provenance: ProvenanceOptions | undefined;
  readonly sbom: SbomOptions | undefined;
}

/** `attest:provenance=mode=max,version=v0.2`, or as the build argument `BUILDKIT_ATTEST_PROVENANCE`. */
export function readAttestationOptions(options: Iterable<readonly [string, string]>): AttestationOptions {
  const wanted = new Map<string, Map<string, string>>();
  for (const [name, value] of options) {
    const type = /^(?:attest:|build-arg:BUILDKIT_ATTEST_)(.*)$/.exec(name)?.[1]?.toLowerCase();
    if (type === undefined) continue;
    if (type !== 'sbom' && type !== 'provenance')
      throw invalidArgument(`unknown attestation type ${JSON.stringify(type)}`, { hint: 'want sbom or provenance' });
    wanted.set(type, readFields(value));
  }
  const [provenance, sbom] = [wanted.get('provenance'), wanted.get('sbom')];
  return {
    provenance: provenance && !isOff(provenance) ? readProvenance(provenance) : undefined,
    sbom: sbom && !isOff(sbom) ? readSbom(sbom) : undefined,
  };
}

function readProvenance(fields: ReadonlyMap<string, string>): ProvenanceOptions {
  const mode = fields.get('mode') ?? 'max';
  if (mode !== 'min' && mode !== 'max' && mode !== 'full')
    throw invalidArgument(`invalid mode ${JSON.stringify(mode)} for provenance`, { hint: 'want min or max' });
  const version = fields.get('version') ?? 'v1';
  if (version !== 'v1' && version !== 'v0.2')
    throw invalidArgument(`invalid provenance SLSA version: ${JSON.stringify(version)}`, { hint: 'want v1 or v0.2' });
  return {
    mode: mode === 'min' ? 'min' : 'max',
    version,
    builderId: fields.get('builder-id') ?? '',
    filename: checkFilename(fields.get('filename') ?? 'provenance.json'),
    reproducible: isSet(fields, 'reproducible'),
    inlineOnly: isSet(fields, 'inline-only'),
    completeMaterials: isSet(fields, 'complete-materials'),
  };
}

function readSbom(fields: ReadonlyMap<string, string>): SbomOptions {
  const generator = fields.get('generator');
  if (generator === '') throw invalidArgument('sbom generator cannot be empty');
  return {
    generator,
    parameters: new Map([...fields].filter(([name]) => name !== 'generator' && name !== 'disabled')),
  };
}

function checkFilename(name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
    throw invalidArgument(`cannot use ${JSON.stringify(name)} as the file name of an attestation`);
  return name;
}

function isOff(fields: ReadonlyMap<string, string>): boolean {
  return isSet(fields, 'disabled');
}

function isSet(fields: ReadonlyMap<string, string>, name: string): boolean {
  const value = fields.get(name);
  if (value === undefined || /^(0|f|false)$/i.test(value)) return false;
  if (/^(|1|t|true)$/i.test(value)) return true;
  throw invalidArgument(`cannot use ${JSON.stringify(value)} for attestation attribute ${name}`, {
    hint: 'want true or false',
  });
}

/** One line of CSV: `a=b,"c=d,e"`. */
function readFields(text: string): Map<string, string> {
  const words = text.match(/"(?:[^"]|"")*"|[^,]+/g) ?? [];
  return new Map(
    words.map((word) => {
      const field = word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word;
      const equals = field.indexOf('=');
      return equals < 0 ? [field.trim(), ''] : [field.slice(0, equals).trim(), field.slice(equals + 1)];
    }),
  );
}
