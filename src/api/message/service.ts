import type { Schema } from './schema.ts';

export type MethodKind = 'unary' | 'server_streaming' | 'client_streaming' | 'bidi_streaming';

export interface Method {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly methodKind: MethodKind;
  readonly input: Schema;
  readonly output: Schema;
}

/** How a schema says a method's types. */
export type MethodTypes = Readonly<Record<string, { methodKind: MethodKind; input: Schema; output: Schema }>>;

/** A gRPC service: its methods by their names in code. */
export interface Service<M extends MethodTypes = MethodTypes> {
  readonly typeName: string;
  readonly method: { readonly [K in keyof M]: M[K] & { readonly path: string } };
}

type MethodInit = Omit<Method, 'path'> & { readonly name: string };

export function service(typeName: string, methods: readonly (readonly [string, MethodInit])[]): Service {
  const named = methods.map(([key, { name, ...method }]) => [key, { ...method, path: `/${typeName}/${name}` }]);
  return { typeName, method: Object.fromEntries(named) };
}
