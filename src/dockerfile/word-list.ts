/** Collects words: plain text is split at blanks, quoted text is not. A word without any character does not count. */
export class WordList {
  readonly #done: string[] = [];
  #current = '';

  add(text: string): void {
    for (const character of text) {
      if (!isBlank(character)) this.#current += character;
      else if (this.#current !== '') this.#endWord();
    }
  }

  addQuoted(text: string): void {
    this.#current += text;
  }

  end(): string[] {
    if (this.#current !== '') this.#endWord();
    return this.#done;
  }

  #endWord(): void {
    this.#done.push(this.#current);
    this.#current = '';
  }
}

export function isBlank(character: string): boolean {
  return character === ' ' || (character <= '\r' && character >= '\t') || (character > '~' && /^\s$/.test(character));
}
