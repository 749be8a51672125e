import type { ChownOptSchema, UserOptSchema } from '../../api/gen/ops_pb.js';
import type { InitOf } from '../../api/message/schema.ts';

/** `user[:group]`, names or numbers; names are looked up in the state that the action writes on. */
export function ownerOf(text: string): InitOf<typeof ChownOptSchema> {
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  const group = colon < 0 ? undefined : text.slice(colon + 1);
  return {
    user: wordOf(user),
    ...(group === undefined || group === '' ? {} : { group: wordOf(group) }),
  };
}

function wordOf(word: string): InitOf<typeof UserOptSchema> {
  if (word === 'root') return { user: { case: 'byID', value: 0 } };
  if (/^\d{1,10}$/.test(word)) return { user: { case: 'byID', value: Number(word) } };
  return { user: { case: 'byName', value: { name: word, input: 0n } } };
}
