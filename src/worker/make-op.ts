import { SlipwayError } from '../base/errors.ts';
import { type Vertex, vertexName } from '../graph/vertex.ts';
import type { Op } from '../solver/op.ts';
import { createExecOp } from './exec-op.ts';
import { createFileOp } from './file-op.ts';
import { createDiffOp, createMergeOp } from './merge-op.ts';
import type { Ref } from './ref.ts';
import { createGitSource } from './source-git.ts';
import { createHttpSource } from './source-http.ts';
import { createImageSource, platformOf } from './source-image.ts';
import { createLocalSource } from './source-local.ts';
import type { WorkerServices } from './worker-services.ts';

/** The work behind a vertex of LLB. */
export function makeOp(vertex: Vertex, services: WorkerServices): Op<Ref> {
  const { op, metadata } = vertex;
  switch (op.op.case) {
    case 'exec': {
      const limits = metadata.linuxResources;
      return createExecOp(op.op.value, services, {
        limits: limits && { resources: resourcesOf(limits) },
        platform: op.platform && platformOf(op.platform),
      });
    }
    case 'file':
      return createFileOp(op.op.value, vertex.inputs.length, services);
    case 'merge':
      return createMergeOp(op.op.value, services);
    case 'diff':
      return createDiffOp(op.op.value, services);
    case 'source': {
      const source = op.op.value;
      const scheme = /^([a-z+-]+):\/\//.exec(source.identifier)?.[1];
      if (scheme === 'docker-image' || scheme === 'oci-layout') return createImageSource(source, op.platform, services);
      if (scheme === 'local') return createLocalSource(source, services);
      if (scheme === 'http' || scheme === 'https') return createHttpSource(source, services);
      if (scheme === 'git') return createGitSource(source, services);
      throw new SlipwayError(
        'unimplemented',
        `cannot run ${JSON.stringify(vertexName(vertex))}: unknown source ${JSON.stringify(source.identifier.slice(0, 100))}`,
      );
    }
    default:
      throw new SlipwayError(
        'unimplemented',
        `cannot run ${JSON.stringify(vertexName(vertex))}: op ${JSON.stringify(op.op.case ?? 'without a kind')} is not supported`,
      );
  }
}

function resourcesOf(limits: NonNullable<Vertex['metadata']['linuxResources']>) {
  const some = (key: string, value: bigint) => (value > 0n ? { [key]: Number(value) } : {});
  return {
    ...some('memory', limits.memory),
    ...some('memorySwap', limits.memorySwap),
    ...some('cpuShares', limits.cpuShares),
    ...some('cpuPeriod', limits.cpuPeriod),
    ...some('cpuQuota', limits.cpuQuota),
    ...(limits.cpusetCpus === '' ? {} : { cpusetCpus: limits.cpusetCpus }),
    ...(limits.cpusetMems === '' ? {} : { cpusetMems: limits.cpusetMems }),
  };
}
