import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorMessage, isErrorCode } from '../base/errors.ts';
import { addContainerRoutes, attach } from './container-routes.ts';
import type { EngineServices } from './engine-services.ts';
import { addImageRoutes } from './image-routes.ts';
import { EngineRouter } from './router.ts';
import { addSystemRoutes } from './system-routes.ts';

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
  const router = new EngineRouter();
  addSystemRoutes(router, services);
  addContainerRoutes(router, services.containers);
  addImageRoutes(router, services);
  return {
    handle: (request, response) => void router.handle(request, response),
    upgrade: (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      try {
        const url = new URL(request.url ?? '/', 'http://daemon');
        const id = /^(?:\/v[\d.]+)?\/containers\/([^/]+)\/attach$/.exec(url.pathname)?.[1];
        if (id === undefined) refuse(socket, 404, 'page not found');
        else attach(services.containers, decodeURIComponent(id), url.searchParams, request, socket, head);
      } catch (error) {
        refuse(socket, isErrorCode(error, 'not-found') ? 404 : 500, errorMessage(error));
      }
    },
    busy: () => services.containers.anyRunning(),
    close: () => services.containers.close(),
  };
}

function refuse(socket: Socket, status: number, message: string): void {
  const body = `${JSON.stringify({ message })}\n`;
  socket.end(
    `HTTP/1.1 ${status} Error\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
