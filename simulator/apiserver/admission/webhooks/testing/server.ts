import { createServer } from 'node:https';
import { realClock } from '../../../../../kube/clock.ts';
import { createSelfSignedCertificate } from '../../../../rdp/certificate.ts';
import { isObject, type JsonObject } from '../../../schema/json.ts';

/** A webhook server for tests: HTTPS on loopback with a certificate of its own. */
export type WebhookServer = {
  readonly url: string;
  /** Its certificate, as `caBundle` takes it. */
  readonly caBundle: string;
  /** The reviews that it was sent, and to which paths with which query. */
  readonly asked: { readonly path: string; readonly review: JsonObject }[];
  stop(): Promise<void>;
};

/** `answer` gives the body of the answer: a text as it is, anything else as JSON; undefined never answers. */
export async function startWebhookServer(
  answer: (request: JsonObject, path: string) => unknown,
  status = 200,
): Promise<WebhookServer> {
  const { key, cert } = createSelfSignedCertificate('webhook', realClock.now(), ['127.0.0.1']);
  const asked: WebhookServer['asked'] = [];
  const server = createServer({ key, cert }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const review = JSON.parse(Buffer.concat(chunks).toString()) as JsonObject;
    asked.push({ path: request.url ?? '', review });
    const body = answer(isObject(review.request) ? review.request : {}, request.url ?? '');
    if (body === undefined) return;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `https://127.0.0.1:${port}`,
    caBundle: Buffer.from(cert).toString('base64'),
    asked,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** An `AdmissionReview` with this response. */
export function reviewOf(request: JsonObject, response: JsonObject): JsonObject {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: request.uid, allowed: true, ...response },
  };
}
