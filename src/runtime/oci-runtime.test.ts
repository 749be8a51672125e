import { findRuntime, type RuntimeName } from './find-runtime.ts';
import { OciRuntime } from './oci-runtime.ts';
import { cannotRun, runtimeSuite } from './runtime.suite.ts';

function missing(only: RuntimeName): string | false {
  try {
    findRuntime({ only });
    return false;
  } catch {
    return `needs ${only}`;
  }
}

for (const only of ['crun', 'runc'] as const) {
  runtimeSuite(only, (runDirectory) => OciRuntime.open({ runDirectory, only }), cannotRun() || missing(only));
}
