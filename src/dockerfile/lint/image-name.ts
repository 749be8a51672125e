/** Whether a text can name an image: the grammar of the distribution project's references, `[host/]path[:tag][@digest]`. */
export function isImageName(text: string): boolean {
  if (text === '' || text.length > 1024) return false;
  const at = text.indexOf('@');
  if (at >= 0 && !/^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/.test(text.slice(at + 1)))
    return false;
  const name = at < 0 ? text : text.slice(0, at);
  const colon = name.lastIndexOf(':');
  const hasTag = colon > name.lastIndexOf('/');
  if (hasTag && !/^\w[\w.-]{0,127}$/.test(name.slice(colon + 1))) return false;
  const [first = '', ...rest] = (hasTag ? name.slice(0, colon) : name).split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost' || /[A-Z]/.test(first));
  if (isHost && !/^(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d+)?$/.test(first)) return false;
  const path = isHost ? rest : [first, ...rest];
  return path.every((part) => /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/.test(part));
}

/** Whether the name leaves the tag open, which then is `latest`. */
export function hasTagOrDigest(text: string): boolean {
  return text.includes('@') || text.lastIndexOf(':') > text.lastIndexOf('/');
}
