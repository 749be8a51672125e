import { readFileSync } from 'node:fs';
import { parse, TomlError, type TomlTable } from 'smol-toml';
import { errorMessage, invalidArgument, SlipwayError } from '../../base/errors.ts';
import type { LogLevel } from '../../base/log.ts';
import type { TlsOptions } from '../../registry/http-transport.ts';
import type { RegistryHostSettings } from '../../registry/registry-hosts.ts';
import type { AllowedFrontends } from '../allowed-frontends.ts';
import { type Entitlement, parseEntitlement } from '../entitlements.ts';
import type { GcPolicy, GcSpace } from '../gc-policy.ts';
import { ConfigTable } from './config-table.ts';
import { readProvenanceEnvironment } from './provenance-environment.ts';
import { readPolicy, readSpace } from './read-gc.ts';

/** What a `buildkitd.toml` says. Absent fields: the file says nothing of it. */
export interface DaemonConfig {
  readonly root?: string | undefined;
  readonly addresses?: readonly string[] | undefined;
  readonly logLevel?: LogLevel | undefined;
  readonly entitlements?: readonly Entitlement[] | undefined;
  /** By domain, as in references. */
  readonly registries: Readonly<Record<string, RegistryHostSettings>>;
  readonly parallelism?: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly frontends?: AllowedFrontends | undefined;
  /** What provenance is to say of this builder, from the JSON files of `provenanceEnvDir`. */
  readonly provenanceEnvironment?: Readonly<Record<string, unknown>> | undefined;
  readonly gc?: boolean | undefined;
  readonly gcSpace?: GcSpace | undefined;
  readonly gcPolicies?: readonly GcPolicy[] | undefined;
  /** What the file asks for and does not get. */
  readonly warnings: readonly string[];
}

/** Throws not-found without the file, invalid-argument with the place of what is wrong in it. */
export function readDaemonConfigFile(path: string): DaemonConfig {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new SlipwayError(
      'not-found',
      `cannot read the configuration ${JSON.stringify(path)}: ${errorMessage(error)}`,
    );
  }
  try {
    return parseDaemonConfig(text);
  } catch (error) {
    throw invalidArgument(`cannot read the configuration ${JSON.stringify(path)}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** BuildKit's `docs/buildkitd.toml.md`. */
export function parseDaemonConfig(text: string): DaemonConfig {
  const file = new ConfigTable(parseToml(text));
  const grpc = file.table('grpc');
  const worker = file.table('worker');
  const oci = worker.table('oci');
  const policies = oci.tables('gcpolicy');
  const config = {
    root: file.text('root'),
    addresses: grpc.texts('address'),
    logLevel: readLogLevel(file),
    entitlements: file.texts('insecure-entitlements')?.map(parseEntitlement),
    registries: readRegistries(file.table('registry')),
    parallelism: oci.integer('max-parallelism') || undefined,
    labels: readLabels(oci.table('labels')),
    provenanceEnvironment: readProvenanceEnvironment(file.text('provenanceEnvDir')),
    frontends: readFrontends(file.table('frontend')),
    gc: oci.boolean('gc'),
    gcSpace: readSpace(oci),
    gcPolicies: policies.length === 0 ? undefined : policies.map(readPolicy),
  };
  if (oci.boolean('enabled') === false)
    throw invalidArgument('"worker.oci.enabled" is false, and there is no other worker');
  // Taken without a word: how BuildKit does things that are done in another way here, or for parts that are not here at all.
  file.ignore('otel', 'cdi', 'history', 'system', 'cache');
  oci.ignore('snapshotter', 'binary', 'cniPoolSize', 'noProcessSandbox', 'rootless', 'platforms', 'stargzSnapshotter');
  worker.ignore('containerd');
  grpc.ignore('debugAddress');
  return { ...config, warnings: file.unknownKeys().map((key) => `the configuration's ${key} has no effect here`) };
}

function parseToml(text: string): TomlTable {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ''] = error.message.split('\n', 1);
    throw invalidArgument(`line ${error.line}, column ${error.column}: ${what}\n${error.codeblock.trimEnd()}`);
  }
}

function readLogLevel(file: ConfigTable): LogLevel | undefined {
  const log = file.table('log');
  log.ignore('format');
  const level = log.text('level');
  if (file.boolean('debug') === true || file.boolean('trace') === true || level === 'trace') return 'debug';
  if (level === undefined || level === 'debug' || level === 'info' || level === 'warn' || level === 'error')
    return level;
  throw invalidArgument(`cannot use ${JSON.stringify(level)} as "log.level": want debug, info, warn or error`);
}

function readRegistries(registries: ConfigTable): Readonly<Record<string, RegistryHostSettings>> {
  return Object.fromEntries(
    registries.keys().map((domain) => {
      const table = registries.table(domain);
      const settings: RegistryHostSettings = {
        mirrors: table.texts('mirrors'),
        http: table.boolean('http'),
        insecure: table.boolean('insecure'),
        tls: readTls(table),
      };
      return [domain, settings];
    }),
  );
}

function readTls(registry: ConfigTable): TlsOptions | undefined {
  const authorities = registry.texts('ca') ?? [];
  const [pair] = registry.tables('keypair').map((table) => ({ key: table.text('key'), cert: table.text('cert') }));
  if (authorities.length === 0 && pair === undefined) return undefined;
  const read = (path: string) => readFileSync(path, 'utf8');
  return {
    ca: authorities.map(read),
    ...(pair?.key === undefined ? {} : { key: read(pair.key) }),
    ...(pair?.cert === undefined ? {} : { cert: read(pair.cert) }),
  };
}

function readFrontends(frontends: ConfigTable): AllowedFrontends {
  const gateway = frontends.table('gateway.v0');
  return {
    dockerfile: frontends.table('dockerfile.v0').boolean('enabled'),
    gateway: gateway.boolean('enabled'),
    repositories: gateway.texts('allowedRepositories'),
  };
}

function readLabels(labels: ConfigTable): Readonly<Record<string, string>> {
  return Object.fromEntries(labels.keys().map((key) => [key, labels.text(key) ?? '']));
}
