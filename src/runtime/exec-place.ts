import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where one further process of a container keeps what the runtime needs: `process.json log.json pid console`. */
export class ExecPlace {
  readonly path: string;

  constructor(path: string, process: object) {
    this.path = path;
    mkdirSync(path, { recursive: true, mode: 0o700 });
    writeFileSync(this.processFile, JSON.stringify(process), { mode: 0o600 });
  }

  get processFile(): string {
    return join(this.path, 'process.json');
  }

  get pidFile(): string {
    return join(this.path, 'pid');
  }

  get logFile(): string {
    return join(this.path, 'log.json');
  }

  get consoleSocket(): string {
    return join(this.path, 'console');
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
