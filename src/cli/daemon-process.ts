import { type RunDaemonOptions, reenterInMountNamespace, runDaemon } from '../daemon/run-daemon.ts';
import { reportError } from './report-error.ts';

/** The daemon as a process: a bundle of its own, so what goes wrong in it is told here and only the exit code leaves. */
export async function runDaemonProcess(options: RunDaemonOptions): Promise<number> {
  try {
    return (await reenterInMountNamespace()) ?? (await runDaemon(options));
  } catch (error) {
    return reportError(error);
  }
}
