import type { ProgressWarning } from '../progress/events.ts';

/** What `--metadata-file` holds: what the exporters answered, descriptors as objects, and how the build is called. */
export function buildMetadata(
  ref: string,
  response: Readonly<Record<string, string>>,
  warnings: readonly ProgressWarning[],
  environment: NodeJS.ProcessEnv = process.env,
): Record<string, unknown> {
  const answered = Object.entries(response).map(([key, value]): [string, unknown] => [key, decoded(key, value)]);
  return {
    'buildx.build.ref': `default/default/${ref}`,
    ...Object.fromEntries(answered),
    ...(/^(1|t|true)$/i.test(environment.BUILDX_METADATA_WARNINGS ?? '')
      ? { 'buildx.build.warnings': warnings.map(warningJson) }
      : {}),
  };
}

/** Some values are JSON in base64. */
function decoded(key: string, value: string): unknown {
  if (key !== 'containerimage.descriptor' && key !== 'containerimage.config' && !key.startsWith('buildx.build.'))
    return value;
  try {
    return JSON.parse(Buffer.from(value, 'base64').toString('utf8'));
  } catch {
    return value;
  }
}

function warningJson({ vertex, level, short, detail, url, source }: ProgressWarning): object {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return {
    vertex,
    level,
    short: base64(short),
    ...(detail.length > 0 ? { detail: detail.map(base64) } : {}),
    ...(url === '' ? {} : { url }),
    ...(source
      ? {
          sourceInfo: { filename: source.filename, data: base64(source.text) },
          range: source.ranges.map(({ startLine, endLine }) => ({
            start: { line: startLine },
            end: { line: endLine },
          })),
        }
      : {}),
  };
}
