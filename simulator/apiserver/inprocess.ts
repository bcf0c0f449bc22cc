import type { Clock, Random } from '../../kube/clock.ts';
import { RequestError, type StatusError } from '../../kube/errors.ts';
import type { ServerClock } from '../../kube/serverclock.ts';
import { parseStatusError } from '../../kube/status.ts';
import type { HttpCall } from '../../kube/transport.ts';
import type { CallFault, Interceptor } from './faults.ts';
import type { UserInfo } from './kinds.ts';
import type { ApiAnswer, ApiRequest } from './request.ts';
import { failure } from './status.ts';

export type InProcessDeps = {
  readonly server: { handle(request: ApiRequest): ApiAnswer | Promise<ApiAnswer> };
  readonly clock: Clock;
  readonly random: Random;
  /** As the transport over HTTP has it. */
  readonly observeDate?: ServerClock['observeDate'] | undefined;
};

export type InProcessOptions = {
  readonly user: UserInfo;
  readonly userAgent: string;
  /** How long each way of a call takes, and how long a watched change is on its way. Default: no time at all. */
  readonly latencyMs?: ((of: 'request' | 'answer' | 'event') => number) | undefined;
  readonly intercept?: Interceptor | undefined;
};

/** How one try ended: with an answer, whose error counts outside 2xx, or without. */
export type Tried = Answered | RequestError;
type Answered = {
  readonly status: number;
  readonly body: Buffer;
  readonly error: StatusError;
  readonly dateMs: number;
};

export type Striking = Extract<CallFault, { readonly when: unknown }>;

/** What the client sees of a fault; `mute` is nothing at all. */
export function strike({ call }: { readonly call: string }, fault: Striking): Tried | 'mute' {
  if (fault.type === 'stall') return 'mute';
  if (fault.type === 'reset') return new RequestError('reset', `${call}: the connection was reset`);
  return { status: fault.code, body: EMPTY, error: refusal(call, fault), dateMs: Number.NaN };
}

const EMPTY = Buffer.alloc(0);

function refusal(call: string, fault: Extract<CallFault, { readonly type: 'refuse' }>): StatusError {
  const { code, reason, message = `the server was told to refuse: ${fault.reason}`, retryAfterSeconds } = fault;
  const details = retryAfterSeconds === undefined ? undefined : { retryAfterSeconds };
  const body = Buffer.from(JSON.stringify(failure(code, reason, message, details).status));
  return parseStatusError(call, code, body, retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000);
}

/** A call of a client as the server is given it. */
export function buildRequest(
  call: Pick<HttpCall, 'path' | 'accept'> & Partial<HttpCall>,
  { user, userAgent }: InProcessOptions,
  atRevision?: number,
): ApiRequest {
  const { path, accept, body, contentType, method = 'GET' } = call;
  const headers = { accept, 'content-type': contentType, 'user-agent': userAgent };
  return { method, path, headers, body, user, isRendered: true, ...(atRevision === undefined ? {} : { atRevision }) };
}

/** The connection is lost with whatever went wrong behind it. */
export function asReset(call: string, cause: unknown): RequestError {
  return new RequestError('reset', `${call}: ${cause instanceof Error ? cause.message : cause}`, { cause });
}
