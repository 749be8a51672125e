import type { SourceRange } from '../dockerfile/instruction.ts';

/** A build arg as it was declared, for `--call outline`. */
export interface OutlineArg {
  readonly key: string;
  readonly value: string;
  readonly description: string | undefined;
  readonly range: SourceRange;
  /** Args whose values this one's default is made of. */
  readonly uses: ReadonlySet<string>;
}

export interface OutlineNeed {
  readonly required: boolean;
  readonly range: SourceRange;
}

/** What a stage can be given: args, secrets, agents. */
export class StageOutline {
  readonly args: Map<string, OutlineArg>;
  readonly usedArgs: Set<string>;
  readonly secrets = new Map<string, OutlineNeed>();
  readonly ssh = new Map<string, OutlineNeed>();

  /** The args that are known from outside of the stage, and those that its FROM uses. */
  constructor(args: ReadonlyMap<string, OutlineArg>, usedArgs: ReadonlySet<string>) {
    this.args = new Map(args);
    this.usedArgs = new Set(usedArgs);
  }

  /** The first mount of it tells. */
  addSecret(id: string, need: OutlineNeed): void {
    if (!this.secrets.has(id)) this.secrets.set(id, need);
  }

  addSsh(id: string, need: OutlineNeed): void {
    if (!this.ssh.has(id)) this.ssh.set(id, need);
  }

  /** The args that were used, also by the defaults of others. */
  used(): OutlineArg[] {
    const seen = new Set<string>();
    const pending = [...this.usedArgs];
    for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
      if (seen.has(key)) continue;
      seen.add(key);
      pending.push(...(this.args.get(key)?.uses ?? []));
    }
    return [...seen].flatMap((key) => this.args.get(key) ?? []);
  }
}
