/** What the daemon asks of its helper that starts processes, over Node's IPC channel; one helper serves one daemon on one machine. */
export type SpawnerRequest =
  | {
      readonly type: 'run';
      readonly key: number;
      readonly argv: readonly string[];
      /** File descriptors of the daemon for the process; undefined is /dev/null. */
      readonly stdio: readonly (number | null)[];
      /** The command detaches after writing this file; what it names is waited for instead. */
      readonly detachedPidFile?: string | undefined;
      /** Run when the daemon is gone. */
      readonly cleanUp: readonly string[];
    }
  | { readonly type: 'command'; readonly key: number; readonly argv: readonly string[] };

export type SpawnerReport =
  | { readonly type: 'ready' }
  /** The daemon may close its own ends. */
  | { readonly type: 'spawned'; readonly key: number }
  /** `code` as a shell gives it. `failed` tells why nothing was started. */
  | { readonly type: 'exited'; readonly key: number; readonly code: number; readonly failed?: string | undefined }
  | { readonly type: 'commanded'; readonly key: number; readonly code: number; readonly output: string };
