import type { GrpcChannel } from '../../../api/grpc/channel.ts';
import type { ExplainForm } from './explain-form.ts';
import { explainBuild } from './explain-steps.ts';
import { fetchBuilds } from './fetch-builds.ts';
import { explanationLines } from './print-explanation.ts';

/** Prints why the steps of a build ran: for people beside the progress, as JSON on stdout. */
export async function explain(channel: GrpcChannel, ref: string, form: ExplainForm): Promise<void> {
  const explanation = await explainBuild(await fetchBuilds(channel, ref));
  if (form === 'json') console.log(JSON.stringify(explanation, undefined, 2));
  else process.stderr.write(`\n${explanationLines(explanation).join('\n')}\n`);
}
