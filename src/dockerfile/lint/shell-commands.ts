import type { RunInstruction } from '../instruction.ts';

/** A simple command of a shell script. */
export interface ShellCommand {
  /** Without quotes, and without the variables set in front of it. */
  readonly words: readonly string[];
  /** What ends it: `&&`, `|`, `;` and so on; empty at the end of the script. */
  readonly operator: string;
}

/** The commands of a RUN, as far as they can be told without a shell. */
export function commandsOf({ command }: RunInstruction): readonly ShellCommand[] {
  if (command.form === 'exec') {
    const [shell = '', option = '', script] = command.args;
    if (/(?:^|\/)(?:ba|da|a|z)?sh$/.test(shell) && /^-\w*c$/.test(option) && script !== undefined)
      return readCommands(script);
    return [{ words: command.args, operator: '' }];
  }
  const [only] = command.heredocs;
  if (only && /^\d*<<-?\s*['"\w.-]+$/.test(command.text)) return readCommands(only.content);
  return readCommands(command.text);
}

/** Splits a script at its operators. Quotes and `$(…)` hold together; comments are left out. Linear. */
export function readCommands(script: string): readonly ShellCommand[] {
  return new ScriptReader(script).read();
}

class ScriptReader {
  readonly #script: string;
  readonly #commands: ShellCommand[] = [];
  #words: string[] = [];
  #word: string | undefined;
  #at = 0;

  constructor(script: string) {
    this.#script = script;
  }

  read(): readonly ShellCommand[] {
    while (this.#at < this.#script.length) this.#one(this.#script.charAt(this.#at));
    this.#endCommand('');
    return this.#commands;
  }

  #one(char: string): void {
    if (char === '\n' || ';&|()'.includes(char)) this.#operator(char);
    else if (/\s/.test(char)) this.#skip(() => this.#endWord());
    else if (char === '#' && this.#word === undefined) this.#comment();
    else if (char === "'" || char === '"') this.#quoted(char);
    else if (char === '\\') this.#escape();
    else if (char === '$' && this.#script.charAt(this.#at + 1) === '(') this.#substitution();
    else this.#skip(() => this.#add(char));
  }

  #operator(char: string): void {
    const doubled = char === '&' || char === '|' || char === ';' ? char + char : '';
    const operator = doubled !== '' && this.#script.startsWith(doubled, this.#at) ? doubled : char;
    this.#endCommand(operator);
    this.#at += operator.length;
  }

  #comment(): void {
    const end = this.#script.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#script.length : end;
  }

  #quoted(quote: string): void {
    const start = ++this.#at;
    while (this.#at < this.#script.length && this.#script.charAt(this.#at) !== quote)
      this.#at += quote === '"' && this.#script.charAt(this.#at) === '\\' ? 2 : 1;
    this.#add(this.#script.slice(start, this.#at++));
  }

  #escape(): void {
    const next = this.#script.charAt(this.#at + 1);
    if (next !== '\n') this.#add(next);
    this.#at += 2;
  }

  /** Its inside is somebody else's script. */
  #substitution(): void {
    const start = this.#at;
    let depth = 0;
    do {
      const char = this.#script.charAt(this.#at++);
      depth += char === '(' ? 1 : char === ')' ? -1 : 0;
    } while (this.#at < this.#script.length && (depth > 0 || this.#at < start + 2));
    this.#add(this.#script.slice(start, this.#at));
  }

  #skip(then: () => void): void {
    this.#at++;
    then();
  }

  #add(text: string): void {
    this.#word = (this.#word ?? '') + text;
  }

  #endWord(): void {
    const isAssignment = this.#words.length === 0 && /^\w+=/.test(this.#word ?? '');
    if (this.#word !== undefined && !isAssignment) this.#words.push(this.#word);
    this.#word = undefined;
  }

  #endCommand(operator: string): void {
    this.#endWord();
    if (this.#words.length > 0) this.#commands.push({ words: this.#words, operator });
    this.#words = [];
  }
}
