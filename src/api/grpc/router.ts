import type { InitOf, Schema, ShapeOf } from '../message/schema.ts';
import type { Method, Service } from '../message/service.ts';

/** What a handler knows of its call. */
export interface CallContext {
  /** Headers by their names; those that repeat are joined by commas. */
  readonly metadata: Readonly<Record<string, string>>;
  /** All values of a header that may repeat; they may contain commas, so `metadata` cannot tell them apart. */
  values(name: string): string[];
  /** Fires when the caller cancels, goes away or its deadline passes. */
  readonly signal: AbortSignal;
  /** Whatever the server said of the connection: who is at the other end. */
  readonly peer: unknown;
  /** Sends the response's headers now, before the first message: some callers wait for them. */
  sendHeaders(): void;
}

type Shape<T> = T extends Schema ? ShapeOf<T> : never;
type Init<T> = T extends Schema ? InitOf<T> : never;

/** A handler's form follows from the method's kind in the schema. */
export type Handler<M> = M extends { methodKind: 'unary'; input: infer I; output: infer O }
  ? (request: Shape<I>, context: CallContext) => Promise<Init<O>> | Init<O>
  : M extends { methodKind: 'server_streaming'; input: infer I; output: infer O }
    ? (request: Shape<I>, context: CallContext) => AsyncIterable<Init<O>>
    : M extends { methodKind: 'client_streaming'; input: infer I; output: infer O }
      ? (requests: AsyncIterable<Shape<I>>, context: CallContext) => Promise<Init<O>>
      : M extends { methodKind: 'bidi_streaming'; input: infer I; output: infer O }
        ? (requests: AsyncIterable<Shape<I>>, context: CallContext) => AsyncIterable<Init<O>>
        : never;

export type Handlers<S extends Service> = { readonly [K in keyof S['method']]?: Handler<S['method'][K]> };

/** A bidi method whose messages its handler marshals itself. */
export type RawHandler = (messages: AsyncIterable<Uint8Array>, context: CallContext) => AsyncIterable<Uint8Array>;

export interface Route {
  readonly method: Method;
  /** Messages stay bytes both ways. */
  readonly raw?: boolean;
  // The schema's types end here: the server calls by the method's kind, which `add` has checked.
  readonly handler: (request: never, context: CallContext) => unknown;
}

/** The services that one side of a connection offers. */
export class Router {
  readonly #routes = new Map<string, Route>();

  /** Methods without a handler answer `unimplemented`. */
  add<S extends Service>(service: S, handlers: Handlers<S>): this {
    for (const [name, handler] of Object.entries(handlers)) {
      const method = service.method[name];
      if (method && typeof handler === 'function') {
        this.#routes.set(method.path, { method, handler: handler as Route['handler'] });
      }
    }
    return this;
  }

  /** For the one method whose messages are of another type than its schema says, depending on headers. */
  addRaw<S extends Service>(service: S, name: keyof S['method'] & string, handler: RawHandler): this {
    const method = service.method[name];
    if (method)
      this.#routes.set(method.path, {
        method,
        handler: handler as Route['handler'],
        raw: true,
      });
    return this;
  }

  find(path: string): Route | undefined {
    return this.#routes.get(path);
  }

  /** `/package.Service/Method` of everything offered, as the session's headers list it. */
  paths(): string[] {
    return [...this.#routes.keys()];
  }
}
