import { verticesOf } from './definition.ts';
import type { Edge, Vertex } from './vertex.ts';
import { vertexName } from './vertex.ts';

/** A graph for people: a vertex with its digest, name and inputs by number, then what its op says beside the defaults. */
export function graphText(edge: Edge | undefined): string {
  if (!edge) return 'scratch\n';
  const vertices = verticesOf(edge.vertex);
  const numbers = new Map(vertices.map((vertex, index) => [vertex.digest, index + 1]));
  const blocks = vertices.map((vertex, index) => vertexText(vertex, index + 1, numbers));
  return `${blocks.join('')}result: ${edgeText(edge, numbers)}\n`;
}

function vertexText(vertex: Vertex, number: number, numbers: ReadonlyMap<string, number>): string {
  const { op, metadata, inputs, digest } = vertex;
  const from = inputs.length === 0 ? '' : ` from ${inputs.map((edge) => edgeText(edge, numbers)).join(', ')}`;
  const group = metadata.progressGroup;
  const marks = [
    ...(metadata.ignoreCache ? ['fresh'] : []),
    ...(group ? [`group ${group.name}${group.weak ? ' (weak)' : ''}`] : []),
  ];
  const value: unknown = withoutDefaults(op.op.value) ?? {};
  const lines = [
    `${number} ${digest.slice(7, 19)} ${op.op.case}${from}`,
    `  ${JSON.stringify(vertexName(vertex))}${marks.length === 0 ? '' : ` [${marks.join(', ')}]`}`,
    ...(op.platform ? [`  platform ${JSON.stringify(withoutDefaults(op.platform))}`] : []),
    ...Object.entries(value as object).flatMap(([key, field]) => fieldLines(key, field)),
  ];
  return `${lines.join('\n')}\n`;
}

function fieldLines(key: string, value: unknown): string[] {
  if (!Array.isArray(value)) return [`  ${key} ${JSON.stringify(value)}`];
  return value.map((each) => `  ${key} ${JSON.stringify(each)}`);
}

function edgeText({ vertex, index }: Edge, numbers: ReadonlyMap<string, number>): string {
  const number = numbers.get(vertex.digest);
  return index === 0 ? `${number}` : `${number}:${index}`;
}

/** What a reader can see: bytes as text, numbers as numbers, and nothing that is as it would be anyway. */
function withoutDefaults(value: unknown): unknown {
  if (typeof value === 'bigint') return value === 0n ? undefined : Number(value);
  if (value === '' || value === 0 || value === false || value === undefined) return undefined;
  if (value instanceof Uint8Array) return value.length === 0 ? undefined : Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((each) => withoutDefaults(each) ?? 0);
  if (typeof value !== 'object' || value === null) return value;
  if ('case' in value && 'value' in value) return { [`${value.case}`]: withoutDefaults(value.value) };
  const entries = Object.entries(value).filter(([key]) => key !== '$typeName');
  const shown = entries.map(([key, field]) => [key, withoutDefaults(field)]).filter(([, field]) => field !== undefined);
  return Object.fromEntries(shown);
}
