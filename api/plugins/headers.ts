import type { FastifyInstance, FastifyReply } from 'fastify';

/** On every answer. Pages set their own content security policy before. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** Who asks is named in every answer, and nothing of it is to be framed, sniffed or kept by what is in between. */
export function addHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    setHeaders(reply, request.id);
    done();
  });
}

/** For answers that are given before any hook runs. */
export function setHeaders(reply: FastifyReply, requestId: string): void {
  void reply.headers(HEADERS).header('request-id', requestId);
}
