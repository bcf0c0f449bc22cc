/** One thing that is wrong with a request: where (a JSON pointer into the body, a parameter or a header) and what to do. */
export type FieldProblem = {
  readonly pointer?: string | undefined;
  readonly parameter?: string | undefined;
  readonly header?: string | undefined;
  readonly rule?: string | undefined;
  readonly detail: string;
};

/** The server answered, and the answer is no (RFC 9457 problem+json). Trying the same again gives the same, but after `retryAfterMs` where that is there. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** The last part of the problem's `type`, such as `not-found`; `unknown` when the answer was no problem+json. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly FieldProblem[];
  /** For whoever runs the server: finds its log lines. */
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    problem: Pick<ApiError, 'status' | 'code' | 'title' | 'detail' | 'errors' | 'requestId' | 'retryAfterMs'>,
  ) {
    super(problem.detail === '' ? problem.title : problem.detail);
    this.status = problem.status;
    this.code = problem.code;
    this.title = problem.title;
    this.detail = problem.detail;
    this.errors = problem.errors;
    this.requestId = problem.requestId;
    this.retryAfterMs = problem.retryAfterMs;
  }
}

/** No usable answer came, after all attempts. A write may have been accepted all the same: repeating it with the same `idempotencyKey` settles that. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly idempotencyKey: string | undefined;

  constructor(
    message: string,
    options: { readonly cause?: unknown; readonly idempotencyKey?: string | undefined } = {},
  ) {
    super(message, { cause: options.cause });
    this.idempotencyKey = options.idempotencyKey;
  }
}

const MOST_ERRORS = 100;
const MOST_TEXT = 4_000;

/** The error of an answer that is not 2xx. Takes any body: what is no problem+json becomes `unknown` with the status alone. */
export function parseProblem(
  status: number,
  body: string,
  extra: { readonly requestId: string | undefined; readonly retryAfterMs: number | undefined },
): ApiError {
  const problem = parseObject(body);
  const title = text(problem?.title) ?? `the server answered ${status}`;
  return new ApiError({
    status,
    code: text(problem?.type)?.split(/[:/]/).at(-1) ?? 'unknown',
    title,
    detail: text(problem?.detail) ?? '',
    errors: Array.isArray(problem?.errors) ? problem.errors.slice(0, MOST_ERRORS).flatMap(parseField) : [],
    requestId: text(problem?.requestId) ?? extra.requestId,
    retryAfterMs: extra.retryAfterMs,
  });
}

function parseField(value: unknown): readonly FieldProblem[] {
  if (!isRecord(value)) return [];
  const detail = text(value.detail);
  if (detail === undefined) return [];
  return [
    {
      detail,
      pointer: text(value.pointer),
      parameter: text(value.parameter),
      header: text(value.header),
      rule: text(value.rule),
    },
  ];
}

function parseObject(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, MOST_TEXT) : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
