/** A place in the Dockerfile: 1-based lines, 0-based characters (as LLB's SourceInfo has them), end inclusive line. */
export interface SourceRange {
  readonly startLine: number;
  readonly startCharacter: number;
  readonly endLine: number;
  readonly endCharacter: number;
}

/** A heredoc of ADD, COPY or RUN: reference.md "Here-documents". */
export interface Heredoc {
  /** The delimiter without quotes; the file name for COPY and ADD. */
  readonly name: string;
  readonly content: string;
  /** False when any part of the delimiter was quoted. */
  readonly expand: boolean;
  /** `<<-`: leading tabs were stripped already. */
  readonly stripTabs: boolean;
  readonly fileDescriptor: number;
}

export interface InstructionBase {
  /** The instruction as it was written, continuation lines joined. */
  readonly original: string;
  readonly range: SourceRange;
  /** Comment lines directly above, without `#`. */
  readonly comments: readonly string[];
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** Written as `ENV key value`. */
  readonly legacy?: boolean;
}

/** A command line in shell form (one string) or exec form (words). */
export type CommandLine =
  | { readonly form: 'shell'; readonly text: string; readonly heredocs: readonly Heredoc[] }
  | { readonly form: 'exec'; readonly args: readonly string[] };

/** Values of `RUN --mount=`, unexpanded, checked for their grammar. See reference "RUN --mount". */
export interface RunMount {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
  readonly target?: string;
  readonly source?: string;
  readonly from?: string;
  readonly readonly?: boolean;
  readonly id?: string;
  readonly sharing?: 'shared' | 'private' | 'locked';
  readonly required?: boolean;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Bytes. */
  readonly size?: number;
  /** Environment variable that receives a secret. */
  readonly env?: string;
}

export interface FromInstruction extends InstructionBase {
  readonly name: 'from';
  readonly image: string;
  readonly platform?: string;
  /** Lower case. */
  readonly stageName?: string;
}
export interface ArgInstruction extends InstructionBase {
  readonly name: 'arg';
  readonly args: readonly { readonly key: string; readonly value?: string; readonly description?: string }[];
}
export interface EnvInstruction extends InstructionBase {
  readonly name: 'env';
  readonly variables: readonly KeyValue[];
}
export interface LabelInstruction extends InstructionBase {
  readonly name: 'label';
  readonly labels: readonly KeyValue[];
}
export interface MaintainerInstruction extends InstructionBase {
  readonly name: 'maintainer';
  readonly maintainer: string;
}
export interface RunInstruction extends InstructionBase {
  readonly name: 'run';
  readonly command: CommandLine;
  /** Values of each `--mount=` as written; `parseRunMount(text)` turns one into a RunMount after expansion. */
  readonly mounts: readonly string[];
  readonly network?: string;
  readonly security?: string;
  readonly devices: readonly string[];
}
export interface CmdInstruction extends InstructionBase {
  readonly name: 'cmd';
  readonly command: CommandLine;
}
export interface EntrypointInstruction extends InstructionBase {
  readonly name: 'entrypoint';
  readonly command: CommandLine;
}
interface CopyFields {
  readonly sources: readonly string[];
  readonly heredocs: readonly Heredoc[];
  readonly destination: string;
  readonly chown?: string;
  readonly chmod?: string;
  readonly link?: boolean;
  readonly exclude: readonly string[];
}
export interface CopyInstruction extends InstructionBase, CopyFields {
  readonly name: 'copy';
  readonly from?: string;
  readonly parents?: boolean;
}
export interface AddInstruction extends InstructionBase, CopyFields {
  readonly name: 'add';
  readonly checksum?: string;
  readonly keepGitDir?: boolean;
  readonly unpack?: boolean;
}
export interface WorkdirInstruction extends InstructionBase {
  readonly name: 'workdir';
  readonly path: string;
}
export interface UserInstruction extends InstructionBase {
  readonly name: 'user';
  readonly user: string;
}
export interface VolumeInstruction extends InstructionBase {
  readonly name: 'volume';
  readonly volumes: readonly string[];
}
export interface ExposeInstruction extends InstructionBase {
  readonly name: 'expose';
  readonly ports: readonly string[];
}
export interface HealthcheckInstruction extends InstructionBase {
  readonly name: 'healthcheck';
  /** `NONE`, or the image config's Test with its options; durations in nanoseconds, 0 meaning unset. */
  readonly test: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}
export interface ShellInstruction extends InstructionBase {
  readonly name: 'shell';
  readonly shell: readonly string[];
}
export interface StopsignalInstruction extends InstructionBase {
  readonly name: 'stopsignal';
  readonly signal: string;
}
export interface OnbuildInstruction extends InstructionBase {
  readonly name: 'onbuild';
  /** The text of the trigger, to be parsed again in the child's build (`parseTrigger`). */
  readonly trigger: string;
}

export type Instruction =
  | FromInstruction
  | ArgInstruction
  | EnvInstruction
  | LabelInstruction
  | MaintainerInstruction
  | RunInstruction
  | CmdInstruction
  | EntrypointInstruction
  | CopyInstruction
  | AddInstruction
  | WorkdirInstruction
  | UserInstruction
  | VolumeInstruction
  | ExposeInstruction
  | HealthcheckInstruction
  | ShellInstruction
  | StopsignalInstruction
  | OnbuildInstruction;

export interface Stage {
  readonly from: FromInstruction;
  readonly instructions: readonly Instruction[];
}

/** A Dockerfile after `parseDockerfile`: ARGs before the first FROM, then the stages in order. */
export interface Dockerfile {
  readonly escape: '\\' | '`';
  readonly syntax?: string;
  readonly check?: string;
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
}
