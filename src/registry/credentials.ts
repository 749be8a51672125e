/**
 * What proves who we are to one registry: a name and a password; an identity token, which a token server changes for access
 * tokens; or a ready-made bearer token.
 */
export type RegistryCredentials =
  | { readonly username: string; readonly secret: string }
  | { readonly token: string }
  | { readonly registryToken: string };

/**
 * Answers with the credentials for a registry host (with its port; Docker Hub is `registry-1.docker.io`), or undefined for an
 * anonymous request. Asked once per login that a registry wants; the answer goes to that registry and its token server only.
 */
export type CredentialSource = (host: string) => Promise<RegistryCredentials | undefined>;

export const anonymous: CredentialSource = async () => undefined;
