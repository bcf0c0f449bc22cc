/**
 * Errors of API calls, and the three errors by which a reconciler says when to look again. Pure.
 */

/** `metav1.Status` as the API server sends it. */
export type Status = {
  readonly code?: number | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly details?: StatusDetails | undefined;
};

export type StatusDetails = {
  readonly name?: string | undefined;
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly causes?: readonly StatusCause[] | undefined;
};

export type StatusCause = {
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly field?: string | undefined;
};

/** The API server refused a call. `code` is the HTTP status, `reason` the API server's CamelCase word, `NotFound` and so on. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  /** How long the server asks to be left alone; from `Retry-After` or `details.retryAfterSeconds`. */
  readonly retryAfterMs: number | undefined;

  constructor(
    status: Status & { readonly code: number },
    options?: { retryAfterMs?: number | undefined; call?: string },
  ) {
    const message = status.message ?? `the API server answered ${status.code}`;
    super(options?.call === undefined ? message : `${options.call}: ${message}`);
    this.code = status.code;
    this.reason = status.reason ?? REASONS[status.code] ?? 'Unknown';
    this.details = status.details;
    const seconds = status.details?.retryAfterSeconds;
    this.retryAfterMs = options?.retryAfterMs ?? (seconds === undefined || seconds <= 0 ? undefined : seconds * 1000);
  }
}

/** What went wrong with a call that has no usable answer. Except for `connect`, the server may have carried it out. */
export type RequestFailure = 'connect' | 'reset' | 'timeout' | 'undecodable';

/** No answer of the API server arrived, or none that can be read. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly failure: RequestFailure;

  constructor(failure: RequestFailure, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.failure = failure;
  }
}

/** Try again with growing delays. What a reconciler throws that is none of the three is treated the same. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  /** At least this long until the next try. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options?: { cause?: unknown; retryAfterMs?: number | undefined }) {
    super(message, options);
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** The object that is worked on is not the newest version any more: whatever is bound to what was seen of it will be refused. */
export class ChangedError extends TransientError {}

/**
 * A call was not sent, because its object has failed too often lately; the message is that of the last failure. It says nothing about who wanted to call: the
 * key is looked at again after `retryAfterMs`, and its own back-off stays as it is.
 */
export class PausedError extends TransientError {
  override readonly retryAfterMs: number;

  constructor(message: string, options: { retryAfterMs: number; cause?: unknown }) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Nothing is wrong; something has to happen first. Looked at again after `retryAfterMs`, or earlier when a watch fires. */
export class WaitingError extends Error {
  override readonly name = 'WaitingError';
  readonly retryAfterMs: number;

  constructor(message: string, options: { retryAfterMs: number; cause?: unknown }) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Trying again is useless until the object, or something that it depends on, changes. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  /** CamelCase, fit for a condition. */
  readonly reason: string;

  constructor(reason: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}

export function isNotFound(error: unknown): error is StatusError {
  return hasCode(error, 404);
}

/** The object changed in between (`Conflict`); 409 with `AlreadyExists` is not one. */
export function isConflict(error: unknown): error is StatusError {
  return hasCode(error, 409) && error.reason !== 'AlreadyExists';
}

export function isAlreadyExists(error: unknown): error is StatusError {
  return hasCode(error, 409) && error.reason === 'AlreadyExists';
}

/** The resourceVersion or continue token is too old (`Gone`, `Expired`). */
export function isGone(error: unknown): error is StatusError {
  return hasCode(error, 410);
}

export function isInvalid(error: unknown): error is StatusError {
  return hasCode(error, 422);
}

export function isForbidden(error: unknown): error is StatusError {
  return hasCode(error, 403);
}

export function isUnauthorized(error: unknown): error is StatusError {
  return hasCode(error, 401);
}

export function isTooManyRequests(error: unknown): error is StatusError {
  return hasCode(error, 429);
}

/** True when the caller's own signal ended the call. */
export function isAborted(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** One line for a log or a condition, whatever was thrown. */
export function renderError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function hasCode(error: unknown, code: number): error is StatusError {
  return error instanceof StatusError && error.code === code;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};
