import { buildInvalidStatus, type FieldError } from './schema/fielderror.ts';
import { renderQuoted } from './schema/gotext.ts';
import type { JsonObject } from './schema/json.ts';

/** `metav1.Status` of a failure, or the short form of a success. */
export type StatusObject = JsonObject & { readonly code: number; readonly message?: string };

/** A kind's plural and group, as errors name it: `tenants.sublet.dev`. */
export type GroupResource = { readonly group: string; readonly resource: string };

/** The API server refuses; `status` is the body of the answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: StatusObject;

  constructor(status: StatusObject) {
    super(String(status.message ?? ''));
    this.status = status;
  }

  get code(): number {
    return this.status.code;
  }

  get reason(): string {
    return String(this.status.reason ?? '');
  }
}

type Details = {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly causes?: readonly JsonObject[];
  readonly retryAfterSeconds?: number;
};

/** Any failure. Empty details are left out, as Go's encoder does. */
export function failure(
  code: number,
  reason: string,
  message: string,
  details?: Details,
  metadata: JsonObject = {},
): ApiError {
  const shown = details === undefined ? undefined : withoutEmpty(details);
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata,
    status: 'Failure',
    message,
    ...(reason === '' ? {} : { reason }),
    ...(shown === undefined ? {} : { details: shown }),
    code,
  });
}

function withoutEmpty(details: Details): JsonObject {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== '' && value !== 0));
}

export function qualify({ group, resource }: GroupResource): string {
  return group === '' ? resource : `${resource}.${group}`;
}

const detailsOf = ({ group, resource }: GroupResource, name = ''): Details => ({ name, group, kind: resource });

export function notFound(of: GroupResource, name: string): ApiError {
  return failure(404, 'NotFound', `${qualify(of)} ${renderQuoted(name)} not found`, detailsOf(of, name));
}

export function alreadyExists(of: GroupResource, name: string, deleting: boolean): ApiError {
  const message = `${qualify(of)} ${renderQuoted(name)} already exists`;
  return failure(409, 'AlreadyExists', deleting ? `object is being deleted: ${message}` : message, detailsOf(of, name));
}

/** The server made up a name, several times, and each was taken. */
export function generatedNameTaken(of: GroupResource, name: string): ApiError {
  const message = `${qualify(of)} ${renderQuoted(name)} already exists, the server was not able to generate a unique name for the object`;
  return failure(409, 'AlreadyExists', message, { ...detailsOf(of, name), retryAfterSeconds: 1 });
}

export function conflict(of: GroupResource, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualify(of)} ${renderQuoted(name)}: ${why}`;
  return failure(409, 'Conflict', message, detailsOf(of, name));
}

export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export function forbidden(of: GroupResource, name: string, why: string): ApiError {
  const what = name === '' ? qualify(of) : `${qualify(of)} ${renderQuoted(name)}`;
  return failure(403, 'Forbidden', `${what} is forbidden: ${why}`, detailsOf(of, name));
}

export function invalid(
  of: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiError {
  const status = buildInvalidStatus(of, name, errors) as unknown as StatusObject;
  if (of.kind !== '') return new ApiError(status);
  const { kind: _, ...details } = status.details as JsonObject;
  return new ApiError({ ...status, details });
}

export function badRequest(message: string): ApiError {
  return failure(400, 'BadRequest', message);
}

export function expired(message: string, metadata: JsonObject = {}): ApiError {
  return failure(410, 'Expired', message, undefined, metadata);
}

export function gone(message: string): ApiError {
  return failure(410, 'Gone', message);
}

export function methodNotSupported(of: GroupResource, action: string): ApiError {
  const message = `${action} is not supported on resources of kind ${renderQuoted(qualify(of))}`;
  return failure(405, 'MethodNotAllowed', message, detailsOf(of));
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const list = accepted.join(', ');
  const message = `the body of the request was in an unknown format - accepted media types include: ${list}`;
  return failure(415, 'UnsupportedMediaType', message);
}

export function notAcceptable(accepted: readonly string[]): ApiError {
  return failure(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);
}

export function tooLarge(message: string): ApiError {
  return failure(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
}

export function unauthorized(): ApiError {
  return failure(401, 'Unauthorized', 'Unauthorized');
}

export function internalError(message: string): ApiError {
  return failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

/** What was thrown, as the answer that the client gets; what is no refusal is a defect of this server. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  // Values are walked by recursion, and a client decides how deep they are.
  if (error instanceof RangeError && error.message.startsWith('Maximum call stack size')) {
    return badRequest('the object is nested too deeply: exceeded max depth');
  }
  return internalError(error instanceof Error ? error.message : String(error));
}
