import { formatPlatform, normalizePlatform, type Platform } from '../oci/platform.ts';
import { familiarRepository, parseReference, withDefaultTag } from '../oci/reference.ts';

/** An image's name as a package URL (github.com/package-url/purl-spec): `pkg:docker/busybox@latest?platform=linux%2Famd64`. */
export function imagePurl(type: 'docker' | 'oci', reference: string, platform?: Platform): string {
  const named = withDefaultTag(parseReference(reference));
  const path = familiarRepository(named).split('/').map(escapePart).join('/');
  const version = named.tag === undefined ? '' : `@${escapePart(named.tag)}`;
  const qualifiers = [
    ...(named.digest === undefined ? [] : [`digest=${escapePart(named.digest)}`]),
    ...(platform ? [`platform=${escapePart(formatPlatform(normalizePlatform(platform)))}`] : []),
  ];
  return `pkg:${type}/${path}${version}${qualifiers.length > 0 ? `?${qualifiers.join('&')}` : ''}`;
}

/** As packageurl's Go library does it: colons stay. */
function escapePart(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':');
}
