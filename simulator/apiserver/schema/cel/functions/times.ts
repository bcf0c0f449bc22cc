import { parseDuration, parseInstant, renderInstant, SECOND } from '../../time.ts';
import { EvaluationError } from '../errors.ts';
import type { Boxed } from '../values.ts';
import { declare, type Overload } from './overload.ts';
import { floorSeconds } from './standard.ts';

type Duration = Extract<Boxed, { type: 'duration' }>;
type Timestamp = Extract<Boxed, { type: 'timestamp' }>;

/** Durations and instants. Parts of an instant are those in UTC, or in a zone that is given as an offset such as `+02:00`. */
export const TIMES: readonly Overload[] = [
  declare('duration(duration): duration', (value: Duration) => value),
  declare('duration(int): duration', (value: bigint) => ({ type: 'duration', nanos: value })),
  declare('duration(string): duration', readDuration),
  declare('timestamp(timestamp): timestamp', (value: Timestamp) => value),
  declare('timestamp(int): timestamp', (seconds: bigint) => ({ type: 'timestamp', nanos: seconds * SECOND })),
  declare('timestamp(string): timestamp', readTimestamp),
  declare('string(duration): string', ({ nanos }: Duration) => renderSeconds(nanos)),
  declare('string(timestamp): string', ({ nanos }: Timestamp) => renderInstant(nanos)),
  declare('int(duration): int', ({ nanos }: Duration) => nanos),
  declare('duration.getHours(): int', ({ nanos }: Duration) => nanos / (3600n * SECOND)),
  declare('duration.getMinutes(): int', ({ nanos }: Duration) => nanos / (60n * SECOND)),
  declare('duration.getSeconds(): int', ({ nanos }: Duration) => nanos / SECOND),
  declare('duration.getMilliseconds(): int', ({ nanos }: Duration) => nanos / 1_000_000n),
  ...parts(),
];

function parts(): readonly Overload[] {
  const readers: Readonly<Record<string, (date: Date) => number>> = {
    getFullYear: (date) => date.getUTCFullYear(),
    getMonth: (date) => date.getUTCMonth(),
    getDate: (date) => date.getUTCDate(),
    getDayOfMonth: (date) => date.getUTCDate() - 1,
    getDayOfWeek: (date) => date.getUTCDay(),
    getDayOfYear: (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000),
    getHours: (date) => date.getUTCHours(),
    getMinutes: (date) => date.getUTCMinutes(),
    getSeconds: (date) => date.getUTCSeconds(),
    getMilliseconds: (date) => date.getUTCMilliseconds(),
  };
  return Object.entries(readers).flatMap(([name, read]) => [
    declare(`timestamp.${name}(): int`, ({ nanos }: Timestamp) => BigInt(read(dateOf(nanos)))),
    declare(`timestamp.${name}(string): int`, ({ nanos }: Timestamp, zone: string) =>
      BigInt(read(dateOf(nanos + readOffset(zone)))),
    ),
  ]);
}

function dateOf(nanos: bigint): Date {
  const seconds = floorSeconds(nanos);
  return new Date(Number(seconds) * 1000 + Number((nanos - seconds * SECOND) / 1_000_000n));
}

function readOffset(zone: string): bigint {
  if (zone === 'UTC' || zone === '') return 0n;
  const match = /^([+-]?)(\d{1,2}):(\d{2})$/.exec(zone);
  if (match === null) {
    throw new EvaluationError(`the embedded API server knows no time zone ${zone}: give an offset such as +02:00`);
  }
  const [, direction, hours = '', minutes = ''] = match;
  const span = (BigInt(hours) * 60n + BigInt(minutes)) * 60n * SECOND;
  return direction === '-' ? -span : span;
}

function readDuration(text: string): Duration {
  const nanos = parseDuration(text);
  if (nanos === undefined) throw new EvaluationError(`time: invalid duration ${JSON.stringify(text)}`);
  return { type: 'duration', nanos };
}

function readTimestamp(text: string): Timestamp {
  const nanos = parseInstant(text);
  if (nanos === undefined) {
    const why = `cannot parse ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00"`;
    throw new EvaluationError(`parsing time ${JSON.stringify(text)}: ${why}`);
  }
  return { type: 'timestamp', nanos };
}

function renderSeconds(nanos: bigint): string {
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = String(size % SECOND)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${nanos < 0n ? '-' : ''}${size / SECOND}${fraction === '' ? '' : `.${fraction}`}s`;
}
