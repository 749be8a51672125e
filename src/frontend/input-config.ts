import { errorMessage, invalidArgument } from '../base/errors.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { parseImageConfig } from '../oci/parse-image-config.ts';

/** Another build's result brings its config along: `input-metadata:name` holds its metadata with values in base64. */
export function readInputConfig(raw: ReadonlyMap<string, string>, input: string): ImageConfig | undefined {
  const text = raw.get(`input-metadata:${input}`);
  if (text === undefined) return undefined;
  const config = configIn(text, input);
  if (config === undefined) return undefined;
  return parseImageConfig(Buffer.from(config, 'base64'));
}

function configIn(text: string, input: string): string | undefined {
  let metadata: unknown;
  try {
    metadata = JSON.parse(text);
  } catch (error) {
    throw invalidArgument(`failed to parse input metadata of ${JSON.stringify(input)}: ${errorMessage(error)}`);
  }
  if (typeof metadata !== 'object' || metadata === null || !('containerimage.config' in metadata)) return undefined;
  const config = metadata['containerimage.config'];
  if (typeof config === 'string') return config;
  throw invalidArgument(`failed to parse input metadata of ${JSON.stringify(input)}: its config is not in base64`);
}
