import { type Digest, digestOf } from '../base/digest.ts';
import { lineRanges, marshalDefinition, type SourceFile, verticesOf } from '../graph/definition.ts';
import type { Edge } from '../graph/vertex.ts';
import { opJson } from './op-json.ts';

export interface BuildConfig {
  readonly llbDefinition?: readonly BuildStep[];
  readonly digestMapping?: Readonly<Record<string, string>>;
}

interface BuildStep {
  readonly id: string;
  readonly op: unknown;
  readonly inputs?: readonly string[];
}

/** The steps that make an edge, inputs first, each by a short name; the last one only says which output is wanted. */
export class NamedSteps {
  readonly #indexes = new Map<Digest, number>();
  readonly #edge: Edge;

  constructor(edge: Edge) {
    this.#edge = edge;
    for (const [index, { digest }] of verticesOf(edge.vertex).entries()) this.#indexes.set(digest, index);
  }

  /** `step3`; undefined for what is no step of the edge. */
  nameOf(digest: Digest): string | undefined {
    const index = this.#indexes.get(digest);
    return index === undefined ? undefined : `step${index}`;
  }

  config(): BuildConfig {
    const vertices = verticesOf(this.#edge.vertex);
    const inputName = ({ vertex, index }: Edge) => `${this.nameOf(vertex.digest)}:${index}`;
    const steps = vertices.map(({ op, inputs }, i): BuildStep => {
      const names = inputs.map(inputName);
      return { id: `step${i}`, op: opJson(op), ...(names.length > 0 ? { inputs: names } : {}) };
    });
    steps.push({ id: `step${vertices.length}`, op: { Op: {} }, inputs: [inputName(this.#edge)] });
    const last = digestOf(marshalDefinition(this.#edge).def.at(-1) ?? '');
    const mapping = [...this.#indexes].map(([digest, index]): [string, string] => [digest, `step${index}`]);
    mapping.push([last, `step${vertices.length}`]);
    return {
      llbDefinition: steps,
      digestMapping: Object.fromEntries(mapping.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    };
  }
}

/** The user's file, how it was come by, and which lines made which steps. */
export function sourceMetadata(edge: Edge, steps: NamedSteps, { filename, language, data, origin }: SourceFile) {
  const info = {
    filename,
    language,
    data: Buffer.from(data).toString('base64'),
    ...(origin ? new NamedSteps(origin).config() : {}),
  };
  const locations = verticesOf(edge.vertex).flatMap(({ digest, location }): [string, unknown][] => {
    const name = steps.nameOf(digest);
    return location && name !== undefined
      ? [[name, { locations: [{ ranges: lineRanges(location).map(bareRange) }] }]]
      : [];
  });
  return { locations: Object.fromEntries(locations), infos: [info] };
}

function bareRange({ start, end }: ReturnType<typeof lineRanges>[number]) {
  return { start: { line: start.line }, end: { line: end.line } };
}
