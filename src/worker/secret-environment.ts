import type { ExecOp } from '../api/gen/ops_pb.js';
import { isErrorCode, SlipwayError } from '../base/errors.ts';
import type { OpContext } from '../solver/op.ts';
import type { WorkerServices } from './worker-services.ts';

/** `RUN --mount=type=secret,env=NAME`: the variables, and the bare values for masking. */
export async function secretEnvironment(
  exec: ExecOp,
  services: WorkerServices,
  context: OpContext,
): Promise<{ readonly variables: readonly string[]; readonly values: readonly Uint8Array[] }> {
  const variables: string[] = [];
  const values: Uint8Array[] = [];
  for (const { ID, name, optional } of exec.secretenv) {
    const value = await secretOrMissing(ID, optional, services, context);
    if (!value) continue;
    values.push(value);
    variables.push(`${name}=${Buffer.from(value).toString()}`);
  }
  return { variables, values };
}

/** The secret, or undefined when no client has it and the step can do without. */
export async function secretOrMissing(
  id: string,
  optional: boolean,
  services: WorkerServices,
  context: OpContext,
): Promise<Uint8Array | undefined> {
  try {
    return await services.sessions.secret(context.sessions(), id, context.signal);
  } catch (error) {
    if (!isErrorCode(error, 'not-found')) throw error;
    if (optional) return undefined;
    throw new SlipwayError('not-found', `secret ${id}: not found`, {
      hint: `the step requires it: give it with --secret id=${id},src=FILE or --secret id=${id},env=VARIABLE`,
      cause: error,
    });
  }
}
