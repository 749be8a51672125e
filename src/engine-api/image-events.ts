import type { EngineServices } from './engine-services.ts';

/** Tells `docker events` what happened to an image; `id` is its id, or the name where a registry took part. */
export function tellImage(
  { containers }: Pick<EngineServices, 'containers'>,
  action: 'delete' | 'import' | 'load' | 'pull' | 'push' | 'tag' | 'untag',
  id: string,
  name: string | undefined,
): void {
  containers.events.publish({ type: 'image', action, id, attributes: name === undefined ? {} : { name } });
}
