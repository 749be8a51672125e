import { createReadStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { invalidArgument } from '../base/errors.ts';
import type { ContainerConfig, ContainerRecord, HostConfig } from '../container/container-record.ts';
import type { Containers } from '../container/containers.ts';
import { statusText } from '../container/status-text.ts';
import { type Filters, flagOf, readFilters, readJson, sendJson, sendNothing } from './http.ts';
import { muxFrame } from './mux-frame.ts';
import type { EngineRouter } from './router.ts';

export function addContainerRoutes(router: EngineRouter, containers: Containers): void {
  router.add('POST', '/containers/create', async ({ message, query }, response) => {
    const { HostConfig: hostConfig = {}, NetworkingConfig: _, ...config } = await readJson(message);
    const record = await containers.create({
      name: query.get('name') || undefined,
      config: config as ContainerConfig,
      hostConfig: hostConfig as HostConfig,
    });
    sendJson(response, { Id: record.id, Warnings: [] }, 201);
  });
  router.add('GET', '/containers/json', ({ query }, response) => {
    const filters = readFilters(query);
    const all = flagOf(query, 'all') || filters.has('status') || filters.has('exited');
    const limit = Number(query.get('limit') ?? 0);
    const records = containers
      .list()
      .filter((record) => (all || limit > 0 || record.state.status === 'running') && matches(record, filters));
    sendJson(response, (limit > 0 ? records.slice(0, limit) : records).map(summary));
  });
  router.add('GET', '/containers/{id}/json', ({ parameters }, response) =>
    sendJson(response, inspect(containers.find(parameters.id ?? ''), containers)),
  );
  router.add('POST', '/containers/{id}/start', async ({ parameters }, response) =>
    sendNothing(response, (await containers.start(parameters.id ?? '')) ? 204 : 304),
  );
  router.add('POST', '/containers/{id}/wait', async ({ parameters, query }, response) => {
    const condition = query.get('condition') || 'not-running';
    if (condition !== 'not-running' && condition !== 'next-exit' && condition !== 'removed')
      throw invalidArgument(`invalid condition: "${condition}"`);
    const waiting = containers.wait(parameters.id ?? '', condition);
    // The client starts the container once it sees that somebody waits.
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const { exitCode, error } = await waiting;
    response.end(
      `${JSON.stringify({ StatusCode: exitCode, ...(error === '' ? {} : { Error: { Message: error } }) })}\n`,
    );
  });
  router.add('POST', '/containers/{id}/kill', async ({ parameters, query }, response) => {
    await containers.kill(parameters.id ?? '', query.get('signal') || 'SIGKILL');
    sendNothing(response);
  });
  router.add('POST', '/containers/{id}/stop', async ({ parameters, query }, response) => {
    const seconds = query.get('t');
    const stopped = await containers.stop(parameters.id ?? '', {
      seconds: seconds === null || seconds === '' ? undefined : Number(seconds),
      signal: query.get('signal') || undefined,
    });
    sendNothing(response, stopped ? 204 : 304);
  });
  router.add('POST', '/containers/{id}/restart', async ({ parameters, query }, response) => {
    const seconds = query.get('t');
    await containers.stop(parameters.id ?? '', {
      seconds: seconds ? Number(seconds) : undefined,
      signal: query.get('signal') || undefined,
    });
    await containers.start(parameters.id ?? '');
    sendNothing(response);
  });
  router.add('POST', '/containers/{id}/rename', ({ parameters, query }, response) => {
    containers.rename(parameters.id ?? '', query.get('name') ?? '');
    sendNothing(response);
  });
  router.add('POST', '/containers/prune', async ({ query }, response) => {
    const filters = readFilters(query);
    const stopped = containers.list().filter((record) => record.state.status !== 'running' && matches(record, filters));
    for (const { id } of stopped) await containers.remove(id);
    sendJson(response, { ContainersDeleted: stopped.map(({ id }) => id), SpaceReclaimed: 0 });
  });
  router.add('POST', '/containers/{id}/resize', ({ parameters, query }, response) => {
    containers.resize(parameters.id ?? '', Number(query.get('h') ?? 0), Number(query.get('w') ?? 0));
    sendNothing(response, 200);
  });
  router.add('DELETE', '/containers/{id}', async ({ parameters, query }, response) => {
    await containers.remove(parameters.id ?? '', { force: flagOf(query, 'force') });
    sendNothing(response);
  });
  router.add('GET', '/containers/{id}/logs', async ({ parameters, query }, response) => {
    const record = containers.find(parameters.id ?? '');
    response.writeHead(200, { 'content-type': 'application/vnd.docker.multiplexed-stream' });
    const tail = query.get('tail') ?? 'all';
    let lines: { log: string; stream: string; time: string }[] = [];
    for await (const line of logLines(containers.logPath(record.id))) lines.push(line);
    if (/^\d+$/.test(tail)) lines = Number(tail) === 0 ? [] : lines.slice(-Number(tail));
    for (const { log, stream, time } of lines) {
      if (!flagOf(query, stream)) continue;
      const bytes = Buffer.from(flagOf(query, 'timestamps') ? `${time} ${log}` : log);
      response.write(record.config.Tty ? bytes : muxFrame(stream === 'stderr' ? 2 : 1, bytes));
    }
    if (!flagOf(query, 'follow') || record.state.status !== 'running') {
      response.end();
      return;
    }
    const stop = containers.attach(
      record.id,
      (stream, bytes) => void response.write(record.config.Tty ? bytes : muxFrame(stream, bytes)),
      () => response.end(),
    );
    response.on('close', stop);
  });
}

async function* logLines(path: string): AsyncGenerator<{ log: string; stream: string; time: string }, void> {
  try {
    for await (const line of createInterface({ input: createReadStream(path) })) yield JSON.parse(line);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/** `POST /containers/{id}/attach`: the connection becomes the container's standard streams. */
export function attach(
  containers: Containers,
  id: string,
  query: URLSearchParams,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): void {
  const record = containers.find(id);
  const tty = record.config.Tty === true;
  const type = tty ? 'application/vnd.docker.raw-stream' : 'application/vnd.docker.multiplexed-stream';
  const upgrade = request.headers.upgrade !== undefined;
  socket.write(
    upgrade
      ? `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`
      : `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n\r\n`,
  );
  const wants = (stream: 1 | 2) => flagOf(query, stream === 1 ? 'stdout' : 'stderr');
  const stop = flagOf(query, 'stream')
    ? containers.attach(
        record.id,
        (stream, bytes) => {
          if (!wants(stream) || socket.destroyed) return undefined;
          if (socket.write(tty ? bytes : muxFrame(stream, bytes))) return undefined;
          return new Promise<void>((resolve) => {
            const go = () => {
              socket.off('drain', go);
              socket.off('close', go);
              resolve();
            };
            socket.on('drain', go);
            socket.on('close', go);
          });
        },
        () => socket.end(),
      )
    : () => socket.end();
  socket.on('close', stop);
  if (!flagOf(query, 'stdin')) {
    socket.resume();
    return;
  }
  const take = (bytes: Uint8Array) => {
    try {
      containers.writeStdin(record.id, bytes);
    } catch {
      // The container is gone; so is whoever would read this.
    }
  };
  if (head.length > 0) take(head);
  socket.on('data', take);
  socket.on('end', () => {
    try {
      containers.endStdin(record.id);
    } catch {
      // As above.
    }
  });
}

function matches({ id, name, state, config, image }: ContainerRecord, filters: Filters): boolean {
  const any = (key: string, test: (value: string) => boolean) =>
    !filters.has(key) || (filters.get(key) ?? []).some(test);
  const label = (text: string) => {
    const [key = '', value] = text.split('=', 2);
    return config.Labels?.[key] !== undefined && (value === undefined || config.Labels[key] === value);
  };
  return (
    any('id', (value) => id.startsWith(value)) &&
    any('name', (value) => name.includes(value.replace(/^\//, ''))) &&
    any('status', (value) => state.status === value) &&
    any('exited', (value) => state.status === 'exited' && `${state.exitCode}` === value) &&
    any('ancestor', (value) => image === value || image.startsWith(`${value}:`)) &&
    (filters.get('label') ?? []).every(label)
  );
}

function summary(record: ContainerRecord): object {
  const { id, name, image, imageId, config, hostConfig, state, created } = record;
  return {
    Id: id,
    Names: [`/${name}`],
    Image: image,
    ImageID: imageId,
    Command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].join(' '),
    Created: Math.floor(Date.parse(created) / 1000),
    Ports: [],
    Labels: config.Labels ?? {},
    State: state.status,
    Status: statusText(record),
    HostConfig: { NetworkMode: hostConfig.NetworkMode ?? 'default' },
    NetworkSettings: { Networks: {} },
    Mounts: [],
  };
}

function inspect(record: ContainerRecord, containers: Containers): object {
  const { id, name, created, config, hostConfig, state, imageId } = record;
  const [path = '', ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  return {
    Id: id,
    Created: created,
    Path: path,
    Args: args,
    State: {
      Status: state.status,
      Running: state.status === 'running',
      Paused: false,
      Restarting: false,
      OOMKilled: state.outOfMemory,
      Dead: false,
      Pid: state.pid,
      ExitCode: state.exitCode,
      Error: state.error,
      StartedAt: state.startedAt,
      FinishedAt: state.finishedAt,
    },
    Image: imageId,
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: containers.logPath(id),
    Name: `/${name}`,
    RestartCount: 0,
    Driver: 'overlayfs',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: { NetworkMode: 'default', ...hostConfig },
    GraphDriver: { Data: null, Name: 'overlayfs' },
    Mounts: (hostConfig.Binds ?? []).map((bind) => {
      const [Source, Destination, Mode = ''] = bind.split(':');
      return { Type: 'bind', Source, Destination, Mode, RW: !Mode.split(',').includes('ro'), Propagation: 'rprivate' };
    }),
    Config: { ...config, Hostname: config.Hostname || id.slice(0, 12) },
    NetworkSettings: { Ports: {}, Networks: {} },
  };
}
