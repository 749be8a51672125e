import { randomBytes } from 'node:crypto';
import type {
  NewContainerRequest,
  Ref as RefMessage,
  Result as ResultMessage,
  ResultSchema,
  ReturnRequest,
  SolveRequest,
} from '../../api/gen/gateway_pb.js';
import type { Definition } from '../../api/gen/ops_pb.js';
import { errorOfStatus } from '../../api/grpc/status.ts';
import type { InitOf } from '../../api/message/schema.ts';
import { notFound, SlipwayError } from '../../base/errors.ts';
import type { FrontendRequest, FrontendResult } from '../../frontend/frontend.ts';
import { marshalDefinition, readDefinition, readDefinitions } from '../../graph/definition.ts';
import type { Edge } from '../../graph/vertex.ts';
import type { Build } from './build.ts';
import { buildError } from './build-error.ts';
import { BuildGateway } from './build-gateway.ts';
import { ExecContainer } from './exec-container.ts';
import type { RequestScope } from './request-scope.ts';

/** A frontend by its name, with what it is to work on. */
export interface FrontendCall extends FrontendRequest {
  readonly frontend: string;
}

export type RunFrontend = (build: Build, scope: RequestScope, call: FrontendCall) => Promise<FrontendResult>;

export interface ClientGatewayOptions {
  readonly scope: RequestScope;
  readonly done: PromiseWithResolvers<FrontendResult>;
  /** States that the frontend was given. */
  readonly inputs: FrontendRequest['inputs'];
  readonly runFrontend: RunFrontend;
}

/** A frontend outside of the daemon asks through this: it knows states by ids that it was given. */
export class ClientGateway {
  readonly build: Build;
  readonly gateway: BuildGateway;
  readonly #options: ClientGatewayOptions;
  readonly #refs = new Map<string, Edge | undefined>();
  readonly #containers = new Map<string, Promise<ExecContainer>>();
  #source: FrontendResult['source'];

  constructor(build: Build, options: ClientGatewayOptions) {
    this.build = build;
    this.gateway = new BuildGateway(build, options.scope);
    this.#options = options;
  }

  inputs(): Record<string, Definition> {
    return Object.fromEntries(
      Array.from(this.#options.inputs, ([name, edge]) => [name, marshalDefinition(edge)] as const),
    );
  }

  async solve(request: SolveRequest): Promise<InitOf<typeof ResultSchema>> {
    const result = await this.#frontend(request);
    for (const edge of result.refs.values()) this.#options.scope.addEdge(edge);
    try {
      if (request.Evaluate) await Promise.all([...result.refs.values()].map((edge) => edge && this.build.solve(edge)));
    } catch (error) {
      throw buildError(error, result);
    }
    this.#source = result.source ?? this.#source;
    const metadata = Object.fromEntries(result.metadata);
    const refs = [...result.refs];
    const [only] = refs;
    if (only && refs.length === 1 && only[0] === '')
      return { result: { case: 'ref', value: this.#refMessage(only[1], result) }, metadata };
    const map = Object.fromEntries(refs.map(([id, edge]) => [id, this.#refMessage(edge, result)]));
    return { result: { case: 'refs', value: { refs: map } }, metadata };
  }

  async #frontend(request: SolveRequest): Promise<FrontendResult> {
    if (request.Definition && request.Definition.def.length > 0)
      return { refs: new Map([['', readDefinition(request.Definition)]]), metadata: new Map() };
    if (request.Frontend === '') return { refs: new Map([['', undefined]]), metadata: new Map() };
    try {
      return await this.#options.runFrontend(this.build, this.#options.scope, {
        frontend: request.Frontend,
        options: new Map(Object.entries(request.FrontendOpt)),
        inputs: readDefinitions(request.FrontendInputs),
      });
    } catch (error) {
      throw buildError(error, undefined);
    }
  }

  /** The state behind an id that was handed out; the empty one is scratch. */
  edge(id: string): Edge | undefined {
    if (id === '') return undefined;
    if (!this.#refs.has(id)) throw notFound(`no such ref: ${id}`);
    return this.#refs.get(id);
  }

  async openContainer(request: NewContainerRequest): Promise<void> {
    const id = request.ContainerID;
    if (this.#containers.has(id)) throw new SlipwayError('already-exists', `Container ${id} already exists`);
    const opening = ExecContainer.open(this.build, request, (ref) => this.edge(ref));
    this.#containers.set(id, opening);
    try {
      await opening;
    } catch (error) {
      this.#containers.delete(id);
      throw error;
    }
  }

  /** Throws not-found when it was never opened or is released. */
  async container(id: string): Promise<ExecContainer> {
    const container = this.#containers.get(id);
    if (!container) throw notFound(`container "${id}" previously released or not created`);
    return container;
  }

  async releaseContainer(id: string): Promise<void> {
    const container = await this.container(id);
    this.#containers.delete(id);
    await container[Symbol.asyncDispose]();
  }

  /** Ends what the frontend left running. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#containers.keys()].map((id) => this.releaseContainer(id)));
  }

  /** The client's frontend is done. */
  return({ result, error }: ReturnRequest): void {
    if (error && error.code !== 0) this.#options.done.reject(errorOfStatus(error));
    else
      this.#options.done.resolve({
        refs: this.#refsOf(result),
        metadata: new Map(Object.entries(result?.metadata ?? {})),
        source: this.#source,
      });
  }

  #refsOf(result: ResultMessage | undefined): Map<string, Edge | undefined> {
    const found = (message: RefMessage | undefined): Edge | undefined => (message ? this.edge(message.id) : undefined);
    switch (result?.result.case) {
      case 'ref':
        return new Map([['', found(result.result.value)]]);
      case 'refs':
        return new Map(Object.entries(result.result.value.refs).map(([id, message]) => [id, found(message)]));
      case 'refDeprecated':
        return new Map([['', this.edge(result.result.value)]]);
      case 'refsDeprecated':
        return new Map(Object.entries(result.result.value.refs).map(([id, ref]) => [id, this.edge(ref)]));
      default:
        return new Map([['', undefined]]);
    }
  }

  #refMessage(edge: Edge | undefined, result: FrontendResult): { id: string; def: Definition } {
    const id = edge ? randomBytes(16).toString('hex') : '';
    if (edge) this.#refs.set(id, edge);
    return { id, def: marshalDefinition(edge, result.source) };
  }
}
