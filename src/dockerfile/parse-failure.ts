const messageLimit = 500;

/** Something is wrong with the instruction at hand; the caller knows its place. */
export class ParseFailure extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message.length > messageLimit ? `${message.slice(0, messageLimit)}…` : message);
    this.name = 'ParseFailure';
    this.hint = hint;
  }
}
