import type { Stage } from '../instruction.ts';
import { type GlobalScope, tryExpand } from './scope.ts';

/** A stage and what it stands on. */
export interface StageNode {
  readonly stage: Stage;
  readonly index: number;
  /** FROM's name with the variables filled in; as written when that fails. */
  readonly baseName: string;
  /** The stage that it is built on, if it is not an image. */
  readonly base: StageNode | undefined;
}

export class StageGraph {
  readonly nodes: readonly StageNode[];
  /** Stages that others are built on. */
  readonly bases: ReadonlySet<StageNode>;
  /** Stages that others take files from. */
  readonly sources: ReadonlySet<StageNode>;
  readonly #byName = new Map<string, StageNode>();

  constructor(stages: readonly Stage[], globals: GlobalScope) {
    this.nodes = stages.map((stage, index) => this.#add(stage, index, globals));
    this.bases = new Set(this.nodes.flatMap(({ base }) => base ?? []));
    this.sources = new Set(this.nodes.flatMap((node) => this.sourcesOf(node)));
  }

  get stageNames(): Iterable<string> {
    return this.#byName.keys();
  }

  /** The stage that `--target`, `COPY --from` or a mount's `from` names, by its name or its index. */
  find(name: string): StageNode | undefined {
    return this.#byName.get(name.toLowerCase()) ?? (/^\d{1,6}$/.test(name) ? this.nodes[Number(name)] : undefined);
  }

  /** The stages that the target's build needs; all of them without a target, or when there is none of this name. */
  needed(target: string | undefined): ReadonlySet<StageNode> {
    const found = target === undefined || target === '' ? undefined : this.find(target);
    if (!found) return new Set(this.nodes);
    const needed = new Set<StageNode>();
    const waiting = [found];
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      if (needed.has(node)) continue;
      needed.add(node);
      if (node.base) waiting.push(node.base);
      waiting.push(...this.sourcesOf(node));
    }
    return needed;
  }

  /** The stages that a stage takes files from. */
  sourcesOf({ stage }: StageNode): readonly StageNode[] {
    return [...namesOf(stage)].flatMap((name) => this.find(name) ?? []);
  }

  #add(stage: Stage, index: number, globals: GlobalScope): StageNode {
    const { image, stageName } = stage.from;
    const baseName = tryExpand(image, globals.variables, { escape: globals.escape })?.result || image;
    const node = { stage, index, baseName, base: this.#byName.get(baseName.toLowerCase()) };
    if (stageName !== undefined) this.#byName.set(stageName, node);
    return node;
  }
}

/** Every stage or image that the instructions take files from. */
function namesOf({ instructions }: Stage): ReadonlySet<string> {
  const names = new Set<string>();
  for (const instruction of instructions) {
    if (instruction.name === 'copy' && instruction.from !== undefined) names.add(instruction.from);
    else if (instruction.name === 'run') for (const mount of instruction.mounts) names.add(mountSource(mount));
  }
  return names;
}

function mountSource(mount: string): string {
  return /(?:^|,)from=([^,]*)/i.exec(mount)?.[1] ?? '';
}
