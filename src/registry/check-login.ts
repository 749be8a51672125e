import type { RegistryClient } from './registry-client.ts';

/**
 * Proves the client's credentials to a registry (`docker login`): asks for the API's root, which a registry answers only to those who may
 * use it. Throws unauthenticated when they are refused.
 */
export async function checkLogin(client: RegistryClient, domain: string, signal?: AbortSignal): Promise<void> {
  const response = await client.send(client.hosts.originFor(domain), {
    method: 'GET',
    path: '',
    scopes: [],
    accept: [200],
    action: `log in to registry "${domain}"`,
    signal,
  });
  response.discard();
}
