/** The API's path of a container. */
export function containerPath(name: string): string {
  return `/containers/${encodeURIComponent(name)}`;
}
