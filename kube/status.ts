import { RequestError, type Status, StatusError } from './errors.ts';

/** The error that an answer outside 2xx stands for. Bodies that are no `Status` (proxies, load balancers) give their first words. */
export function parseStatusError(
  call: string,
  code: number,
  body: Buffer,
  retryAfterMs: number | undefined,
): StatusError {
  const text = body.toString('utf8');
  const status = parseStatus(text) ?? { message: `HTTP ${code}${text === '' ? '' : `: ${text.slice(0, 200).trim()}`}` };
  return new StatusError({ ...status, code }, { call, retryAfterMs });
}

/** The error that an ERROR line of a watch stands for. */
export function parseStatusObject(call: string, object: unknown): StatusError {
  const status = isStatus(object) ? object : { message: 'the watch reported an error without a status' };
  return new StatusError({ ...status, code: status.code ?? 500 }, { call });
}

/** Milliseconds to wait, from seconds or an HTTP date; undefined when absent or unreadable. Bounded by a day. */
export function parseRetryAfterMs(header: string | readonly string[] | undefined, nowMs: number): number | undefined {
  const value = (typeof header === 'string' ? header : header?.[0])?.trim();
  if (value === undefined || value === '') return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), 86_400_000);
}

/** The JSON of a successful answer. */
export function parseBody(call: string, body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new RequestError('undecodable', `${call}: the answer of ${body.length} bytes is not JSON`, { cause });
  }
}

function parseStatus(text: string): Status | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isStatus(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is Status {
  if (typeof value !== 'object' || value === null || !('kind' in value) || value.kind !== 'Status') return false;
  return !('message' in value) || typeof value.message === 'string';
}
