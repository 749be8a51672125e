import type { BuildHistoryRecord } from '../../../api/gen/control_pb.js';
import { predicateTypes } from '../../../attestation/predicate.ts';
import type { Digest } from '../../../base/digest.ts';
import type { Build } from '../build.ts';
import { recordedProvenance } from '../provenance.ts';

export interface RecordedAttestation {
  readonly platformId: string;
  readonly predicateType: string;
  readonly blob: { readonly digest: Digest; readonly size: number };
}

/** What went into each of a build's results, as blobs; whatever the client wanted to have with them. */
export function recordProvenance(
  build: Build,
  { FrontendAttrs }: BuildHistoryRecord,
  finishedAt: Date,
): RecordedAttestation[] {
  const { result } = build;
  if (!result) return [];
  const builderId = /(?:^|,)builder-id=([^,]*)/.exec(FrontendAttrs['attest:provenance'] ?? '')?.[1] ?? '';
  return [...result.refs].flatMap(([platformId, edge]): RecordedAttestation[] => {
    if (!edge) return [];
    const predicate = recordedProvenance({ build, result, platformId, edge }, builderId, finishedAt);
    const blob = build.engine.content.writeSmall(JSON.stringify(predicate, undefined, 2));
    return [{ platformId, predicateType: predicateTypes.v1, blob }];
  });
}
