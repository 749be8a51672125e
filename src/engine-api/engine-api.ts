import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addArchiveRoutes } from './archive-routes.ts';
import { attachConnection } from './attach.ts';
import { addCommitRoutes } from './commit-routes.ts';
import { addContainerRoutes } from './container-routes.ts';
import type { EngineServices } from './engine-services.ts';
import { addEventRoutes } from './event-routes.ts';
import { addExecRoutes, execConnection } from './exec-routes.ts';
import { checkCaller, errorAnswer, pathOf } from './http.ts';
import { addImageRoutes } from './image-routes.ts';
import { addImageTransferRoutes } from './image-transfer-routes.ts';
import { addLogRoutes } from './log-routes.ts';
import { addRegistryRoutes } from './registry-routes.ts';
import { EngineRouter } from './router.ts';
import { addSystemRoutes } from './system-routes.ts';
import { addVolumeRoutes } from './volume-routes.ts';

export interface EngineApi {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** For requests whose connection becomes a stream. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
  /** Whether a container runs. */
  busy(): boolean;
  close(): Promise<void>;
}

/** The Docker Engine API over the daemon's parts. */
export function createEngineApi(services: EngineServices): EngineApi {
  const { containers } = services;
  const router = new EngineRouter();
  addSystemRoutes(router, services);
  // Routes are tried in order: before the images, one of which could be called `search`.
  addRegistryRoutes(router, services);
  addContainerRoutes(router, services);
  addArchiveRoutes(router, services);
  addCommitRoutes(router, services);
  addExecRoutes(router, services.execs);
  addLogRoutes(router, containers);
  addVolumeRoutes(router, containers);
  addEventRoutes(router, containers.events);
  addImageRoutes(router, services);
  addImageTransferRoutes(router, services);
  return {
    handle: (request, response) => void router.handle(request, response),
    upgrade: (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      try {
        checkCaller(request);
        const [, container, exec] = upgradable.exec(pathOf(request)) ?? [];
        if (container !== undefined) attachConnection(containers, decodeURIComponent(container), request, socket, head);
        else if (exec !== undefined)
          execConnection(services.execs, exec, request, socket, head).catch((error: unknown) =>
            refuse(socket, errorAnswer(error)),
          );
        else refuse(socket, { status: 404, message: 'page not found' });
      } catch (error) {
        refuse(socket, errorAnswer(error));
      }
    },
    busy: () => containers.anyRunning(),
    close: () => containers.close(),
  };
}

const upgradable = /^(?:\/v\d+\.\d+)?\/(?:containers\/([^/]+)\/attach|exec\/([^/]+)\/start)$/;

function refuse(socket: Socket, { status, message }: { readonly status: number; readonly message: string }): void {
  const body = `${JSON.stringify({ message })}\n`;
  socket.end(
    `HTTP/1.1 ${status} Error\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
