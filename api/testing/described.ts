import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { z } from 'zod';
import { ProblemSchema } from '../openapi/build.ts';
import { describeRoutes } from '../openapi/document.ts';

const ROUTES = describeRoutes().map((route) => ({
  ...route,
  pattern: new RegExp(`^${route.url.replaceAll(/[.]/g, '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

/** Throws when an answer is not as the description says: another status, another media type, another body. */
export function checkDescribed(request: InjectOptions, answer: LightMyRequestResponse): void {
  const method = request.method ?? 'GET';
  const path = String(request.url ?? request.path).split('?', 1)[0] ?? '';
  const route = ROUTES.find((one) => one.method === method && one.pattern.test(path));
  const described = route?.answers[answer.statusCode];
  const media = String(answer.headers['content-type'] ?? '').split(';', 1)[0];
  const where = `${method} ${path}: ${answer.statusCode} ${media}`;
  if (described === undefined) {
    if (media !== 'application/problem+json') throw new Error(`${where} is neither described nor a problem`);
    ProblemSchema.parse(answer.json());
    return;
  }
  const { schema, type = 'application/json' } = described;
  if (schema === undefined) {
    if (answer.body !== '') throw new Error(`${where} has a body and none is described`);
    return;
  }
  if (media === 'text/event-stream') return;
  if (media !== type.split(';', 1)[0]) throw new Error(`${where} is not ${type}`);
  const parsed = schema.safeParse(media === 'application/json' ? answer.json() : answer.body);
  if (!parsed.success)
    throw new Error(`${where} is not as described: ${z.prettifyError(parsed.error)}\n${answer.body}`);
}
