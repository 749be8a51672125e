import type { ServerResponse } from 'node:http';
import { hasLabel } from '../container/container-filters.ts';
import type { EngineEvent, EventBus } from '../container/event-bus.ts';
import { type Filters, type Request, readFilters } from './http.ts';
import { timeOf } from './image-filters.ts';
import type { EngineRouter } from './router.ts';

export function addEventRoutes(router: EngineRouter, events: EventBus): void {
  router.add('GET', '/events', (request, response) => sendEvents(events, request, response));
}

function sendEvents(events: EventBus, { query, signal }: Request, response: ServerResponse): void {
  const filters = readFilters(query);
  const since = query.get('since');
  const until = query.get('until');
  const end = until ? timeOf(until) : Number.POSITIVE_INFINITY;
  const send = (event: EngineEvent) => {
    if (event.time <= end && matchesEvent(event, filters)) response.write(`${JSON.stringify(eventJson(event))}\n`);
  };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  if (since) for (const event of events.past()) if (event.time >= timeOf(since)) send(event);
  if (end <= Date.now()) {
    response.end();
    return;
  }
  const stop = events.listen(send);
  const timer = until ? setTimeout(() => response.end(), Math.min(end - Date.now(), 2 ** 31 - 1)) : undefined;
  const close = () => {
    stop();
    clearTimeout(timer);
  };
  response.on('close', close);
  signal.addEventListener('abort', close);
}

function eventJson({ type, action, id, attributes, time }: EngineEvent): object {
  return {
    ...(type === 'volume' ? {} : { status: action, id }),
    ...(type === 'container' ? { from: attributes.image ?? '' } : {}),
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: 'local',
    time: Math.floor(time / 1000),
    timeNano: time * 1_000_000,
  };
}

export function matchesEvent({ type, action, id, attributes }: EngineEvent, filters: Filters): boolean {
  const any = (key: string, test: (value: string) => boolean) =>
    !filters.has(key) || (filters.get(key) ?? []).some(test);
  const actor = (kind: EngineEvent['type']) => (value: string) =>
    type === kind && (id === value || id.startsWith(value) || attributes.name === value);
  return (
    any('type', (value) => type === value) &&
    any('event', (value) => action === value) &&
    any('container', actor('container')) &&
    any('volume', actor('volume')) &&
    any('image', (value) => actor('image')(value) || attributes.image === value) &&
    any('scope', (value) => value === 'local') &&
    (filters.get('label') ?? []).every((text) => hasLabel(attributes, text))
  );
}
