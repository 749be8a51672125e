import { isErrorCode, SlipwayError } from '../base/errors.ts';
import { parseManifest } from '../oci/manifest.ts';
import { parseReference, withDefaultTag } from '../oci/reference.ts';
import { checkLogin } from '../registry/check-login.ts';
import { fetchManifest } from '../registry/resolver.ts';
import type { EngineServices } from './engine-services.ts';
import { readJson, sendJson } from './http.ts';
import { credentialsFor, credentialsOf, domainOf } from './registry-auth.ts';
import type { EngineRouter } from './router.ts';

export function addRegistryRoutes(router: EngineRouter, { registryFor }: Pick<EngineServices, 'registryFor'>): void {
  router.add('POST', '/auth', async ({ message, signal }, response) => {
    const login = await readJson(message);
    const domain = domainOf(typeof login.serveraddress === 'string' ? login.serveraddress : '');
    try {
      await checkLogin(registryFor(credentialsFor(login, domain)), domain, signal);
    } catch (error) {
      // docker's client says this status itself.
      if (!isErrorCode(error, 'unauthenticated') && !isErrorCode(error, 'permission-denied')) throw error;
      throw new SlipwayError('unauthenticated', `unauthorized: incorrect username or password for ${domain}`);
    }
    sendJson(response, { Status: 'Login Succeeded', IdentityToken: '' });
  });
  router.add('GET', '/distribution/{name*}/json', async ({ message, parameters, signal }, response) => {
    const reference = withDefaultTag(parseReference(parameters.name ?? ''));
    const client = registryFor(credentialsOf(message, reference.domain));
    const { descriptor, bytes } = await fetchManifest(client, reference, { signal });
    const manifest = parseManifest(bytes, descriptor.mediaType);
    const platforms = manifest.kind === 'index' ? manifest.manifests.flatMap(({ platform }) => platform ?? []) : [];
    sendJson(response, { Descriptor: descriptor, Platforms: platforms });
  });
  router.add('GET', '/images/search', () => {
    throw new SlipwayError('unimplemented', 'searching registries is not supported', {
      hint: 'Docker Hub has a search page at https://hub.docker.com/search',
    });
  });
}
