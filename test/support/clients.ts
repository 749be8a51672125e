import { spawnSync } from 'node:child_process';
import type { Result, Sandbox } from './slipway.ts';

/** Why tests with the stock client cannot run here, or false. */
export const noDocker = spawnSync('docker', ['--version']).status === 0 ? false : 'there is no docker client';

export interface Client {
  readonly name: 'slipway' | 'docker';
  readonly skip: string | false;
  call(args: readonly string[], input?: string | Uint8Array): Promise<Result>;
}

/** Our own client and the stock one, over the same daemon. */
export function clientsOf(sandbox: Sandbox): readonly [Client, Client] {
  return [
    { name: 'slipway', skip: false, call: (args, input) => sandbox.run(args, input === undefined ? {} : { input }) },
    {
      name: 'docker',
      skip: noDocker,
      call: (args, input) =>
        sandbox.other('docker', ['-H', `unix://${sandbox.socket}`, ...args], input === undefined ? {} : { input }),
    },
  ];
}
