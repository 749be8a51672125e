/** Names, in small letters, and values in their order; names may repeat. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

export function headerOf(headers: HeaderList, name: string): string | undefined {
  return headers.find(([each]) => each === name)?.[1];
}
