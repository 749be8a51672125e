import type { Router } from '../../api/grpc/router.ts';
import { invalidArgument } from '../../base/errors.ts';
import { addBridgeRoutes } from './bridge-routes.ts';
import type { Builds } from './builds.ts';
import { ClientGateway } from './client-gateway.ts';
import { runFrontend } from './run-frontend.ts';
import type { WorkerIdentity } from './worker-record.ts';

/** The bridge for frontends that run in the client; the build is named in the metadata. */
export function addBridgeService(router: Router, builds: Builds, worker: WorkerIdentity): void {
  addBridgeRoutes(
    router,
    (context) => {
      const [ref] = context.values('buildkit-controlapi-buildid');
      if (ref === undefined) throw invalidArgument('the call names no build (buildkit-controlapi-buildid)');
      return builds.gateway(
        ref,
        context.signal,
        (build, done) => new ClientGateway(build, { done, scope: build.scope, inputs: new Map(), runFrontend }),
      );
    },
    worker,
  );
}
