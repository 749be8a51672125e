import { Auth } from '../api/gen/filesync_pb.js';
import type { Router } from '../api/grpc/router.ts';
import type { CredentialSource } from '../registry/credentials.ts';
import { dockerConfigCredentials } from '../registry/docker-config.ts';

/** Lets the daemon log in at registries as this user. Tokens are fetched by the daemon: `FetchToken` is not served. */
export function serveCredentials(router: Router, source: CredentialSource = dockerConfigCredentials()): void {
  router.add(Auth, {
    async credentials({ Host }) {
      const found = await source(Host);
      if (!found) return {};
      if ('username' in found) return { Username: found.username, Secret: found.secret };
      // A secret without a name is an identity token.
      return { Secret: 'token' in found ? found.token : found.registryToken };
    },
  });
}
