import { ApiError, type FieldProblem, UnreachableError, WaitTimeoutError } from '../../client/index.ts';
import { CliExit, EXIT } from '../exit.ts';

/** Runs a call and turns what goes wrong into words and an exit code. */
export async function call<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explain(error);
  }
}

function explain(error: unknown): unknown {
  if (error instanceof ApiError) return new CliExit(codeOf(error), renderApiError(error), { cause: error });
  if (error instanceof WaitTimeoutError) {
    return new CliExit(
      EXIT.later,
      `${error.message}. It goes on: sublet change wait ${error.change?.id ?? ''}`.trimEnd(),
      { cause: error },
    );
  }
  if (error instanceof UnreachableError) {
    const again =
      error.idempotencyKey === undefined
        ? ''
        : `; it may have been accepted: repeat the command with --idempotency-key ${error.idempotencyKey}`;
    return new CliExit(EXIT.later, `${error.message}${again}`, { cause: error });
  }
  return error;
}

function codeOf({ status }: ApiError) {
  return status === 429 || status >= 500 ? EXIT.later : EXIT.refused;
}

/** What is wrong, each field of it, what to do, and by what the server's people find it. */
function renderApiError(error: ApiError): string {
  const { errors, status, requestId, retryAfterMs } = error;
  const [only] = errors;
  const fields =
    errors.length === 1 && only !== undefined && error.message.includes(only.detail)
      ? []
      : errors.map((field) => `  ${renderField(field)}`);
  const hints = [
    ...(status === 401 ? ['sign in again, or set the token: sublet context set NAME --token-stdin'] : []),
    ...(retryAfterMs === undefined ? [] : [`try again in ${Math.ceil(retryAfterMs / 1_000)} s`]),
    ...(requestId === undefined || status < 500 ? [] : [`request id ${requestId}`]),
  ];
  return [error.message, ...fields, ...(hints.length === 0 ? [] : [hints.join('; ')])].join('\n');
}

function renderField({ pointer, parameter, header, detail }: FieldProblem): string {
  const where = pointer ?? parameter ?? header;
  return where === undefined ? detail : `${where}: ${detail}`;
}
