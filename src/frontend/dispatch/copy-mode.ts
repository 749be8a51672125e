import { invalidArgument } from '../../base/errors.ts';

/** `--chmod`: octal, or what chmod(1) takes. -1 leaves modes as they are; where there is a text it counts, not the number. */
export interface CopyMode {
  readonly mode: number;
  readonly modeStr: string;
}

const symbolic = /^[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+(?:,[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+)*$/;

export function parseCopyMode(text: string | undefined): CopyMode {
  if (text === undefined || text === '') return { mode: -1, modeStr: '' };
  if (/^[0-7]+$/.test(text) && Number.parseInt(text, 8) <= 0o7777)
    return { mode: Number.parseInt(text, 8), modeStr: '' };
  if (/^\d/.test(text) || !symbolic.test(text))
    throw invalidArgument(`invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`, {
      hint: 'or symbolic, such as u=rwX,go=rX',
    });
  return { mode: 0, modeStr: text };
}
