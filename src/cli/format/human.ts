import { humanSpan } from '../../base/human-span.ts';

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** docker's sizes (docker/go-units HumanSize): decimal units and so many significant digits, such as `1.234MB`. */
export function humanSize(bytes: number, digits = 4): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`;
}

/** `2 minutes ago`, or `N/A` for docker's zero times. */
export function humanAge(created: Date, now: Date = new Date()): string {
  const time = created.getTime();
  return Number.isNaN(time) || time <= 0 ? 'N/A' : `${humanSpan(Math.max(0, now.getTime() - time))} ago`;
}

/** As Go prints a time, `2026-01-02 15:04:05 +0000 UTC`, in UTC. */
export function goTime(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

/** RFC 3339 in whole seconds. */
export function isoSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

/** Cut to so many characters, the last of them an ellipsis. */
export function ellipsis(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}
