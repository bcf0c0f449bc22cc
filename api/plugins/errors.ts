import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { RequestError, renderError, StatusError } from '../../kube/errors.ts';
import { notFound, PROBLEM_TYPE, Problem, renderProblem } from '../problem.ts';

/** Every refusal and failure leaves as problem+json; what went wrong inside goes to the log and to nobody else. */
export function addErrors(app: FastifyInstance, log: Logger): void {
  app.setNotFoundHandler((request, reply) => sendProblem(reply, request.id, notFound()));
  app.setErrorHandler((error: FastifyError, request, reply) => {
    sendProblem(reply, request.id, explain(error, request, log));
  });
}

export function sendProblem(reply: FastifyReply, requestId: string, problem: Problem): void {
  void reply.status(problem.status).headers(problem.headers).type(PROBLEM_TYPE).send(renderProblem(problem, requestId));
}

function explain(error: FastifyError, request: FastifyRequest, log: Logger): Problem {
  if (error instanceof Problem) return error;
  const known = FRAMEWORK.get(error.code);
  if (known !== undefined) return known;
  const failure = { err: renderError(error), requestId: request.id, route: request.routeOptions.config?.operationId };
  if (isPassing(error)) {
    log.warn(failure, 'a request failed on something that may pass');
    return new Problem(503, 'unavailable', 'a part that this needs does not answer just now; try again', {
      headers: { 'retry-after': '2' },
    });
  }
  if (typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500) {
    log.info(failure, 'the framework refused a request');
    return new Problem(400, 'bad-request', 'the request cannot be understood');
  }
  log.error({ ...failure, stack: error.stack }, 'a request failed');
  return new Problem(500, 'internal', 'something is wrong on our side; say the request id when you ask about it');
}

/** Refusals of the framework, in our words. */
const FRAMEWORK: ReadonlyMap<string, Problem> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', new Problem(413, 'too-large', 'the body is larger than 256 KiB')],
  [
    'FST_ERR_CTP_INVALID_MEDIA_TYPE',
    new Problem(415, 'unsupported-media-type', 'send application/json, or application/merge-patch+json to PATCH'),
  ],
  [
    'FST_ERR_CTP_INVALID_CONTENT_LENGTH',
    new Problem(400, 'bad-request', 'the body is not as long as Content-Length says'),
  ],
  ['FST_ERR_BAD_URL', new Problem(400, 'bad-request', 'the address cannot be decoded')],
  ['FST_ERR_ASYNC_CONSTRAINT', new Problem(400, 'bad-request', 'the request cannot be understood')],
]);

/** Connection refused or reset, time-outs, a pool without a free connection, an API server that is not there: worth another try. */
function isPassing(error: unknown): boolean {
  if (error instanceof RequestError) return true;
  if (error instanceof StatusError) return error.code === 429 || error.code >= 500;
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return PASSING_CODES.has(code) || SQLSTATE_PASSING.test(code) || /timeout|terminated|Connection/.test(error.message);
}

const PASSING_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EMFILE',
]);
/** SQLSTATE classes: connection (08), resources (53), shutdown and cancel (57), serialization and deadlock (40). */
const SQLSTATE_PASSING = /^(08|53|57|40)[0-9A-Z]{3}$/;
