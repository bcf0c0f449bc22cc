import { type Logger, pino } from 'pino';

/** A logger that keeps what it is told, for tests. */
export function createTestLog(): {
  readonly log: Logger;
  readonly lines: { readonly level: number; readonly msg: string }[];
} {
  const lines: { level: number; msg: string }[] = [];
  const log = pino({ level: 'debug' }, { write: (text: string) => lines.push(JSON.parse(text)) });
  return { log, lines };
}
