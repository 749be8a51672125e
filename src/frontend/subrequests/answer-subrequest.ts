import { invalidArgument } from '../../base/errors.ts';
import { convertTarget, convertTargets } from '../convert-targets.ts';
import type { FrontendResult } from '../frontend.ts';
import { lintBuild } from '../lint-build.ts';
import { dockerfileOf, type PreparedBuild } from '../prepare-build.ts';
import type { LoadedStages } from '../stage-loader.ts';
import { lintResult } from './lint-results.ts';
import { outlineTarget } from './outline.ts';
import { describeRequests } from './requests.ts';
import { listTargets } from './targets.ts';

/** What the option `requestid` asks for. Throws invalid-argument for what this frontend does not know. */
export async function answerSubrequest(requestId: string, build: PreparedBuild): Promise<FrontendResult> {
  switch (requestId) {
    case 'frontend.subrequests.describe':
      return describeRequests();
    case 'frontend.targets':
      return listTargets(dockerfileOf(build), build.source.data);
    case 'frontend.outline':
      return outline(build);
    case 'frontend.lint':
      return lint(build);
    default:
      throw invalidArgument(`unsupported request ${requestId}`, {
        hint: 'frontend.lint, frontend.outline, frontend.targets and frontend.subrequests.describe are there',
      });
  }
}

async function outline(build: PreparedBuild): Promise<FrontendResult> {
  const [target] = await convertTargets(build);
  if (!target) throw new Error('nothing was converted');
  return outlineTarget(target, build.source.data);
}

/** Without a target all stages are looked into. What the build would fail with is part of the answer. */
async function lint(build: PreparedBuild): Promise<FrontendResult> {
  let loaded: LoadedStages | undefined;
  const [outcome] = await Promise.allSettled([
    convertTarget(build, build.options.platforms[0], {
      allStages: build.options.target === undefined,
      onLoaded: (stages) => {
        loaded = stages;
      },
    }),
  ]);
  const { warnings, failure } = lintBuild(build, loaded);
  const error = outcome.status === 'rejected' ? outcome.reason : failure && invalidArgument(failure);
  return lintResult(build.source, warnings, error);
}
