/** Where the daemon's own remarks go: one line each, with the time, to stderr (which the launcher points at the log file). */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

const levels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof levels)[number];

export function createLogger(
  minimum: LogLevel = 'info',
  write: (line: string) => void = (line) => process.stderr.write(line),
): Logger {
  const at = (level: LogLevel) =>
    levels.indexOf(level) < levels.indexOf(minimum)
      ? () => {}
      : (message: string) => write(`${new Date().toISOString()} ${level} ${message}\n`);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
