import { SlipwayError } from '../../base/errors.ts';
import type { FrontendResult } from '../../frontend/frontend.ts';
import { isBuiltinFrontend } from '../../frontend/frontend-image.ts';
import { solveDockerfile } from '../../frontend/solve-dockerfile.ts';
import { checkBuiltinFrontend, checkFrontendImage } from '../allowed-frontends.ts';
import type { Build } from './build.ts';
import { BuildGateway } from './build-gateway.ts';
import type { FrontendCall, RunFrontend } from './client-gateway.ts';
import { runFrontendContainer } from './frontend-container.ts';
import type { RequestScope } from './request-scope.ts';

/** A frontend may ask for another one, but not without end. */
const depthLimit = 8;

/** The frontend that a client or another frontend asks for; `depth` says how many have asked for one another on the way. */
export async function runFrontend(
  build: Build,
  outer: RequestScope,
  call: FrontendCall,
  depth = 0,
): Promise<FrontendResult> {
  const scope = outer.enter(call);
  const result = await dispatch(build, scope, call, depth);
  for (const edge of result.refs.values()) scope.addEdge(edge);
  return result;
}

async function dispatch(
  build: Build,
  scope: RequestScope,
  { frontend, options, inputs }: FrontendCall,
  depth: number,
): Promise<FrontendResult> {
  if (depth > depthLimit)
    throw new SlipwayError('failed-precondition', `frontends ask for each other more than ${depthLimit} deep`);
  const source = options.get('source') ?? '';
  if (frontend === 'dockerfile.v0' || (frontend === 'gateway.v0' && isBuiltinFrontend(source))) {
    checkBuiltinFrontend(build.engine.frontends);
    const gateway = new BuildGateway(build, scope);
    const forward = (image: string, more: ReadonlyMap<string, string>) => {
      const forwarded = new Map([...options, ...more, ['source', image]]);
      return runFrontend(build, scope, { frontend: 'gateway.v0', options: forwarded, inputs }, depth + 1);
    };
    return solveDockerfile(gateway, { options, inputs }, forward);
  }
  if (frontend !== 'gateway.v0')
    throw new SlipwayError('unimplemented', `cannot run the frontend ${JSON.stringify(frontend)}`, {
      hint: 'dockerfile.v0 is built in, gateway.v0 runs one from an image',
    });
  if (source === '') throw new SlipwayError('invalid-argument', 'no source specified for gateway');
  checkFrontendImage(build.engine.frontends, source);
  const run: RunFrontend = (each, from, next) => runFrontend(each, from, next, depth + 1);
  return runFrontendContainer(build, scope, { options, inputs }, source, run);
}
