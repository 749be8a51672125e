/** Passes output on with every secret value replaced. A value that is split between two chunks is not seen. */
export type SecretMask = (chunk: Uint8Array, emit: (bytes: Uint8Array) => void) => void;

/** Shorter values would blot out ordinary text without hiding anything. */
const shortestMasked = 4;
const replacement = Buffer.from('*****');

/** A mask for the given values; without any it costs nothing. */
export function createSecretMask(values: readonly Uint8Array[]): SecretMask {
  const secrets = values
    .map((value) =>
      Buffer.from(
        Buffer.from(value)
          .toString('latin1')
          .replace(/[\r\n]+$/, ''),
        'latin1',
      ),
    )
    .filter((value) => value.length >= shortestMasked)
    .toSorted((a, b) => b.length - a.length);
  if (secrets.length === 0) return (chunk, emit) => emit(chunk);
  return (chunk, emit) => emit(replaceAll(Buffer.from(chunk), secrets));
}

function replaceAll(bytes: Buffer, secrets: readonly Buffer[]): Buffer {
  let text = bytes;
  for (const secret of secrets) {
    const parts: Buffer[] = [];
    let from = 0;
    for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, from)) {
      parts.push(text.subarray(from, at), replacement);
      from = at + secret.length;
    }
    if (from > 0) text = Buffer.concat([...parts, text.subarray(from)]);
  }
  return text;
}
