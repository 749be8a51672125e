/** RFC 7541 Appendix B: how many bits each byte's code has. The code is canonical, so the lengths say it all. */
// biome-ignore format: a table of numbers
const codeLengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];
/** The end-of-string symbol, of which texts may only be padded with the first bits. */
const endLength = 30;

/** A node of the code's tree: what follows a 0 and a 1, each another node or a byte. */
interface Node {
  readonly next: [Node | number | undefined, Node | number | undefined];
}

let root: Node | undefined;

function buildTree(): Node {
  const tree: Node = { next: [undefined, undefined] };
  const symbols = [...codeLengths.entries(), [256, endLength] as const].toSorted(
    ([a, lengthA], [b, lengthB]) => lengthA - lengthB || a - b,
  );
  let code = 0;
  let length = 0;
  for (const [symbol, bits] of symbols) {
    code *= 2 ** (bits - length);
    length = bits;
    insert(tree, symbol, code++, bits);
  }
  return tree;
}

function insert(tree: Node, symbol: number, code: number, bits: number): void {
  let node = tree;
  for (let i = bits - 1; i > 0; i--) {
    const bit = (code >>> i) & 1;
    const next = node.next[bit as 0 | 1] ?? { next: [undefined, undefined] };
    if (typeof next === 'number') throw new Error('unreachable: a code begins with another one');
    node.next[bit as 0 | 1] = next;
    node = next;
  }
  node.next[(code & 1) as 0 | 1] = symbol;
}

/** The text that was coded, as bytes; undefined when the code is broken. */
export function decodeHuffman(coded: Uint8Array): Buffer | undefined {
  root ??= buildTree();
  const bytes = Buffer.allocUnsafe(Math.ceil((coded.length * 8) / 5));
  let size = 0;
  let node = root;
  let pendingBits = 0;
  let onlyOnes = true;
  for (const byte of coded) {
    for (let i = 7; i >= 0; i--) {
      const bit = ((byte >>> i) & 1) as 0 | 1;
      const next = node.next[bit];
      if (next === undefined || next === 256) return undefined;
      pendingBits++;
      onlyOnes &&= bit === 1;
      if (typeof next === 'object') {
        node = next;
        continue;
      }
      bytes[size++] = next;
      node = root;
      pendingBits = 0;
      onlyOnes = true;
    }
  }
  // What is left must be padding: the beginning of the end-of-string symbol, less than a byte of it.
  return pendingBits < 8 && onlyOnes ? bytes.subarray(0, size) : undefined;
}
