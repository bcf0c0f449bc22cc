import type { Socket } from 'node:net';
import { PROBLEM_TYPE, Problem, type ProblemCode, renderProblem } from '../problem.ts';

/** Answers what is no request of HTTP, or none that arrives in time, as everything else is refused; then the connection ends. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, phrase, code, detail] = REFUSALS.get(error.code ?? '') ?? MALFORMED;
  const body = renderProblem(new Problem(status, code, detail), requestId);
  const head = [
    `HTTP/1.1 ${status} ${phrase}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `request-id: ${requestId}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

type Refusal = readonly [status: number, phrase: string, code: ProblemCode, detail: string];

const MALFORMED: Refusal = [400, 'Bad Request', 'bad-request', 'this is no request of HTTP/1.1'];

const REFUSALS: ReadonlyMap<string, Refusal> = new Map([
  [
    'HPE_HEADER_OVERFLOW',
    [431, 'Request Header Fields Too Large', 'too-large', 'the address and headers together are larger than 16 KiB'],
  ],
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'Request Timeout', 'timeout', 'the request did not arrive within 15 s']],
]);
