import type { RunInstruction, Stage } from '../instruction.ts';
import type { Finding, RecommendedRule } from './recommended.ts';
import { commandsOf, type ShellCommand } from './shell-commands.ts';

interface Step {
  readonly run: RunInstruction;
  readonly commands: readonly ShellCommand[];
}

function stepsOf({ instructions }: Stage): readonly Step[] {
  return instructions.flatMap((run) => (run.name === 'run' ? { run, commands: commandsOf(run) } : []));
}

/** A rule about RUN: what is wrong with one, or undefined. */
function commandRule(
  name: string,
  texts: Pick<RecommendedRule, 'description' | 'hint' | 'format'>,
  find: (step: Step, stage: Stage) => string | undefined,
): RecommendedRule {
  return {
    name,
    ...texts,
    *find({ stage }): Iterable<Finding> {
      for (const step of stepsOf(stage)) {
        const found = find(step, stage);
        if (found !== undefined) yield [step.run, found];
      }
    },
  };
}

const isCall = ({ words: [first, second] }: ShellCommand, program: string, verb: string) =>
  first === program && second === verb;

/** `apt-get -y install x` names its verb after options. */
function verbOf({ words }: ShellCommand): string | undefined {
  return words.slice(1).find((word) => !word.startsWith('-'));
}

const calls = (commands: readonly ShellCommand[], program: string, verb: string) =>
  commands.filter((command) => command.words[0] === program && verbOf(command) === verb);

const hasOption = ({ words }: ShellCommand, short: RegExp, ...long: readonly string[]) =>
  words.some((word) => short.test(word) || long.includes(word));

const mountsOver = ({ run }: Step, path: string) =>
  run.mounts.some((mount) => /type=(?:cache|tmpfs)/.test(mount) && mount.includes(path));

const cleans = ({ commands }: Step, path: string) =>
  commands.some(({ words }) => words[0] === 'rm' && words.some((word) => word.startsWith(path)));

const aptUpdateAlone = commandRule(
  'AptUpdateAlone',
  {
    description: 'A package list that was cached on its own grows old under the install that follows',
    hint: 'write apt-get update && apt-get install in one RUN',
    format: () => 'apt-get update stands in a RUN of its own',
  },
  ({ commands }) => {
    const updates = calls(commands, 'apt-get', 'update').length > 0;
    const uses = ['install', 'upgrade', 'dist-upgrade', 'build-dep'].some(
      (verb) => calls(commands, 'apt-get', verb)[0],
    );
    return updates && !uses ? '' : undefined;
  },
);

const aptYes = commandRule(
  'AptAssumeYes',
  {
    description: 'Nobody can answer a question during a build',
    hint: 'add -y',
    format: () => 'apt-get install will ask',
  },
  ({ commands }) =>
    calls(commands, 'apt-get', 'install').some((command) => !hasOption(command, /^-\w*[yq]/, '--yes', '--assume-yes'))
      ? ''
      : undefined,
);

const aptRecommends = commandRule(
  'AptNoRecommends',
  {
    description: 'Recommended packages make the image larger',
    hint: 'add --no-install-recommends',
    format: () => 'apt-get install also installs what packages only recommend',
  },
  ({ commands }) =>
    calls(commands, 'apt-get', 'install').some(
      ({ words }) => !words.some((word) => /no-install-recommends|Install-Recommends=/.test(word)),
    )
      ? ''
      : undefined,
);

const aptLists = commandRule(
  'AptCleanLists',
  {
    description: 'Package lists stay in the layer',
    hint: 'end the RUN with && rm -rf /var/lib/apt/lists/*, or put a cache mount there',
    format: () => 'The lists of apt-get update stay in the image',
  },
  (step) =>
    calls(step.commands, 'apt-get', 'update').length > 0 &&
    !cleans(step, '/var/lib/apt') &&
    !mountsOver(step, '/var/lib/apt')
      ? ''
      : undefined,
);

const aptForPeople = commandRule(
  'AptGetInsteadOfApt',
  {
    description: 'The command apt is for people; its options and output may change',
    hint: 'write apt-get or apt-cache',
    format: () => 'apt is called in a script',
  },
  ({ commands }) => (commands.some(({ words }) => words[0] === 'apt') ? '' : undefined),
);

const noSudo = commandRule(
  'NoSudo',
  {
    description: 'RUN has the rights of USER; sudo only brings surprises',
    hint: 'change USER before and after',
    format: () => 'sudo is called',
  },
  ({ commands }) => (commands.some(({ words }) => words[0] === 'sudo') ? '' : undefined),
);

const cdInRun = commandRule(
  'WorkdirInsteadOfCd',
  {
    description: 'cd holds only to the end of its RUN',
    hint: 'write WORKDIR',
    format: (path) => `cd ${path} is forgotten after this RUN`,
  },
  ({ commands }) => {
    const [only, second] = commands;
    return only?.words[0] === 'cd' && second === undefined ? (only.words[1] ?? '') : undefined;
  },
);

const pipeFail = commandRule(
  'PipeFailure',
  {
    description: 'A pipe fails only when its last command does',
    hint: 'write SHELL ["/bin/bash", "-o", "pipefail", "-c"] before, or set -o pipefail',
    format: (command) => `When '${command}' fails, the step goes on`,
  },
  ({ run, commands }, { instructions }) => {
    if (run.command.form === 'exec') return undefined;
    const before = instructions.slice(0, instructions.indexOf(run));
    const shell = before.findLast((each) => each.name === 'shell');
    const isSet = (words: readonly string[]) => words.some((word) => word.includes('pipefail'));
    if ((shell?.name === 'shell' && isSet(shell.shell)) || commands.some(({ words }) => isSet(words))) return undefined;
    const fetching = commands.find(({ words, operator }) => operator === '|' && /^(?:curl|wget)$/.test(words[0] ?? ''));
    return fetching?.words[0];
  },
);

const pipCache = commandRule(
  'PipNoCache',
  {
    description: "pip's downloads stay in the layer",
    hint: 'add --no-cache-dir, or --mount=type=cache,target=/root/.cache/pip',
    format: () => 'pip install keeps its downloads',
  },
  (step) => {
    const installing = step.commands.filter(
      (each) => isCall(each, 'pip', 'install') || isCall(each, 'pip3', 'install'),
    );
    const bare = installing.some((command) => !hasOption(command, /^$/, '--no-cache-dir'));
    return bare && !mountsOver(step, 'pip') && !cleans(step, '/root/.cache') ? '' : undefined;
  },
);

const apkCache = commandRule(
  'ApkNoCache',
  {
    description: "apk's index stays in the layer",
    hint: 'write apk add --no-cache',
    format: () => 'apk add keeps its index',
  },
  (step) => {
    const bare = calls(step.commands, 'apk', 'add').some((command) => !hasOption(command, /^$/, '--no-cache'));
    return bare && !mountsOver(step, 'apk') && !cleans(step, '/var/cache/apk') ? '' : undefined;
  },
);

const npmCi = commandRule(
  'NpmCi',
  {
    description: 'npm install may change what the lock file says',
    hint: 'write npm ci',
    format: () => 'npm install without packages reads the lock file only loosely',
  },
  ({ commands }) =>
    commands.some((each) => isCall(each, 'npm', 'install') && each.words.slice(2).every((word) => word.startsWith('-')))
      ? ''
      : undefined,
);

const yumClean = commandRule(
  'YumClean',
  {
    description: 'The caches of yum, dnf and microdnf stay in the layer',
    hint: 'end the RUN with && dnf clean all, or put a cache mount there',
    format: (program) => `${program} install keeps its caches`,
  },
  (step) => {
    const program = ['yum', 'dnf', 'microdnf'].find((each) => calls(step.commands, each, 'install').length > 0);
    if (program === undefined) return undefined;
    const isClean = calls(step.commands, program, 'clean').length > 0 || cleans(step, '/var/cache');
    return isClean || mountsOver(step, '/var/cache') ? undefined : program;
  },
);

export const commandRules: readonly RecommendedRule[] = [
  aptUpdateAlone,
  aptYes,
  aptRecommends,
  aptLists,
  aptForPeople,
  noSudo,
  cdInRun,
  pipeFail,
  pipCache,
  apkCache,
  npmCi,
  yumClean,
];
