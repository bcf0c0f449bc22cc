/** One thing that is wrong with a request. `pointer` is a JSON pointer into the body (RFC 6901), or names a parameter or header. */
export type FieldProblem = {
  readonly pointer?: string | undefined;
  readonly parameter?: string | undefined;
  readonly header?: string | undefined;
  readonly rule?: string | undefined;
  readonly detail: string;
};

/** What is wrong, by the last part of its `type`; `TITLES` has one sentence for each. Closed: clients switch on them. */
export type ProblemCode = keyof typeof TITLES;

type Extra = {
  readonly errors?: readonly FieldProblem[] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

/** A refusal that the caller is told: RFC 9457. Everything else that is thrown becomes a 500 that says nothing. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly errors: readonly FieldProblem[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: ProblemCode, detail: string, extra: Extra = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.errors = extra.errors;
    this.headers = extra.headers ?? {};
  }
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

const TITLES = {
  'bad-request': 'The request cannot be understood',
  'bad-cursor': 'The cursor is not one of this list',
  unauthenticated: 'Who is asking is not known',
  forbidden: 'You may not do this',
  'not-found': 'There is nothing here, or nothing that you may see',
  'method-not-allowed': 'This cannot be done here',
  'not-acceptable': 'No form that you accept can be given',
  timeout: 'The request did not arrive in time',
  'already-exists': 'There is one of this name',
  conflict: 'This does not fit with how things are',
  gone: 'This was there and is not any more',
  'precondition-failed': 'It is not any more as you saw it',
  'precondition-required': 'Say which state you saw',
  'too-large': 'The request is too large',
  'unsupported-media-type': 'The body is in a form that is not taken',
  invalid: 'The resource breaks a rule',
  'key-reused': 'The idempotency key belongs to another request',
  'rate-limited': 'Too many requests',
  internal: 'Something is wrong on our side',
  unavailable: 'Not possible just now',
} as const;

/** The body of a refusal. `type` is an identifier, not an address: nothing is there to be fetched. */
export function renderProblem(problem: Problem, requestId: string): string {
  const { code, status, message, errors } = problem;
  return JSON.stringify({
    type: `urn:sublet:problem:${code}`,
    title: TITLES[code],
    status,
    detail: message,
    ...(errors === undefined ? {} : { errors }),
    requestId,
  });
}

/** All codes, for the description of the API. */
export const PROBLEM_CODES = Object.keys(TITLES) as readonly ProblemCode[];

/** The one answer to what does not exist and to what the caller may not see. Same words always, so that neither can be told from the other. */
export function notFound(): Problem {
  return new Problem(
    404,
    'not-found',
    'there is nothing here, or you have no right to see it; check the path and who you are',
  );
}

/** `['spec', 'allow', 0]` as RFC 6901 writes it: `/spec/allow/0`. */
export function renderPointer(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The first of them, and how many more there are. */
export function describeErrors(errors: readonly FieldProblem[]): string {
  const [first] = errors;
  const where = first?.pointer ?? first?.parameter ?? first?.header ?? '';
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return `${where === '' ? 'the body' : where} ${first?.detail ?? 'is not as it has to be'}${more}`;
}
