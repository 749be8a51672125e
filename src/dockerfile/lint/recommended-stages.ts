import type { CopyInstruction, Instruction } from '../instruction.ts';
import { isRemote } from './check-instruction.ts';
import type { RecommendedRule } from './recommended.ts';
import { commandsOf, type ShellCommand } from './shell-commands.ts';

const unusedStage: RecommendedRule = {
  name: 'UnusedStage',
  description: 'A stage that no other stage uses is not built',
  hint: 'remove it, or build it with --target',
  format: (stage) => `Stage '${stage}' is used by no other stage`,
  *find(node, { nodes, bases, sources }) {
    // What has a name may be a target of its own.
    const isNamed = node.stage.from.stageName !== undefined;
    if (node !== nodes.at(-1) && !isNamed && !bases.has(node) && !sources.has(node))
      yield [node.stage.from, `${node.index}`];
  },
};

const unusedArg: RecommendedRule = {
  name: 'UnusedArg',
  description: 'An argument that nothing uses makes every later RUN run again when its value changes',
  hint: 'remove it, or declare it just before it is used',
  format: (name) => `Argument '${name}' is not used after its declaration`,
  *find(node, { bases }) {
    if (bases.has(node)) return;
    const later = new LaterWords(node.stage.instructions);
    for (const [i, instruction] of node.stage.instructions.entries()) {
      if (instruction.name !== 'arg') continue;
      for (const { key } of instruction.args) if (!later.mention(key, i)) yield [instruction, key];
    }
  },
};

/** Where each word of the instructions is last seen. */
class LaterWords {
  readonly #last = new Map<string, number>();
  /** The last RUN whose program may look at any variable: one that calls something. */
  #lastRun = -1;

  constructor(instructions: readonly Instruction[]) {
    for (const [i, instruction] of instructions.entries()) {
      const bodies =
        instruction.name === 'run' && instruction.command.form === 'shell' ? instruction.command.heredocs : [];
      const text = [instruction.original, ...bodies.map(({ content }) => content)].join('\n');
      for (const [word] of text.matchAll(/\w+/g)) this.#last.set(word, i);
      if (
        instruction.name === 'run' &&
        /\.\/|\b(?:make|npm|yarn|pnpm|go|cargo|mvn|gradle|cmake|python3?|node|bash|sh)\b/.test(text)
      )
        this.#lastRun = i;
    }
  }

  mention(word: string, after: number): boolean {
    return (this.#last.get(word) ?? -1) > after || this.#lastRun > after;
  }
}

const addInsteadOfCopy: RecommendedRule = {
  name: 'CopyInsteadOfAdd',
  description: 'ADD also unpacks archives and fetches URLs; COPY only copies',
  hint: 'write COPY',
  format: (source) => `ADD only copies '${source}' here`,
  *find({ stage }) {
    for (const instruction of stage.instructions) {
      if (instruction.name !== 'add' || instruction.sources.length === 0) continue;
      const plain = instruction.sources.every(
        (source) => !isRemote(source) && !/\$|\.(?:t?[gx]z|tar|tar\.\w+|tbz2?|bz2|zst)$|\*/.test(source),
      );
      if (plain) yield [instruction, instruction.sources.join(' ')];
    }
  },
};

const installers: readonly (readonly [program: RegExp, words: RegExp])[] = [
  [/^(?:npm|pnpm)$/, /^(?:ci|install|i)$/],
  [/^yarn$/, /^(?:install)?$/],
  [/^pip3?$/, /^install$/],
  [/^(?:poetry|bundle|composer)$/, /^install$/],
  [/^go$/, /^mod$/],
  [/^cargo$/, /^fetch$/],
];

function installs({ words: [program = '', verb = ''] }: ShellCommand): boolean {
  return installers.some(([programs, verbs]) => programs.test(program) && verbs.test(verb));
}

function copiesEverything(instruction: Instruction): instruction is CopyInstruction {
  if (instruction.name !== 'copy' || instruction.from !== undefined) return false;
  return instruction.sources.some((source) => /^(?:\.|\.\/|\/)$/.test(source));
}

/** The order of instructions that the cache wants: what changes seldom comes first. */
const installBeforeCopy: RecommendedRule = {
  name: 'InstallBeforeCopy',
  description: 'Dependencies that are installed after the whole source was copied are installed again at every change',
  hint: 'copy the lock files first, install, then copy the rest',
  format: (command) => `'${command}' runs again whenever any file changes`,
  *find({ stage }) {
    let copied = false;
    for (const instruction of stage.instructions) {
      copied ||= copiesEverything(instruction);
      if (!copied || instruction.name !== 'run') continue;
      const command = commandsOf(instruction).find(installs);
      if (!command) continue;
      yield [instruction, command.words.slice(0, 3).join(' ')];
      return;
    }
  },
};

const chownInCopy: RecommendedRule = {
  name: 'ChownInCopy',
  description: 'A RUN chown of copied files keeps them twice in the image',
  hint: 'write COPY --chown=user:group',
  format: (path) => `chown -R changes '${path}' in a layer of its own`,
  *find({ stage }) {
    let copied = false;
    for (const instruction of stage.instructions) {
      copied ||= instruction.name === 'copy' || instruction.name === 'add';
      if (!copied || instruction.name !== 'run') continue;
      const [only, second] = commandsOf(instruction);
      if (second === undefined && only?.words[0] === 'chown' && only.words.some((word) => /^-\w*R/.test(word)))
        yield [instruction, only.words.at(-1) ?? ''];
    }
  },
};

const lastUserIsRoot: RecommendedRule = {
  name: 'LastUserIsRoot',
  description: 'The program should not run as root',
  hint: 'end the stage with another USER',
  format: (user) => `The last user of the image is ${user}`,
  *find(node, { nodes }) {
    if (node !== nodes.at(-1)) return;
    const last = node.stage.instructions.findLast((each) => each.name === 'user');
    if (last?.name === 'user' && /^(?:root|0)(?::|$)/.test(last.user)) yield [last, last.user];
  },
};

const validPort: RecommendedRule = {
  name: 'ValidPort',
  description: 'Ports are numbers from 0 to 65535',
  format: (port) => `Port ${port} does not exist`,
  *find({ stage }) {
    for (const instruction of stage.instructions) {
      if (instruction.name !== 'expose') continue;
      for (const port of instruction.ports) {
        const numbers = port.split('/', 1)[0]?.match(/\d+/g) ?? [];
        if (!port.includes(':') && numbers.some((number) => Number(number) > 65535)) yield [instruction, port];
      }
    }
  },
};

export const stageRules: readonly RecommendedRule[] = [
  unusedStage,
  unusedArg,
  addInsteadOfCopy,
  installBeforeCopy,
  chownInCopy,
  lastUserIsRoot,
  validPort,
];
