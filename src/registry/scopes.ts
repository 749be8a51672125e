/** The scope to read a repository (distribution's token scopes: `repository:<path>:<actions>`). */
export function pullScope(path: string): string {
  return `repository:${path}:pull`;
}

/** The scope to write to a repository; writing needs reading to find what is there already. */
export function pushScope(path: string): string {
  return `repository:${path}:pull,push`;
}
