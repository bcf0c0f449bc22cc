import { z } from 'zod';
import { buildPage } from '../pages/page.ts';
import { renderReader } from '../pages/reader.ts';
import { defineRoute, type Route } from '../route.ts';
import { buildOpenApi } from './build.ts';

/** The description of the routes, for programs and for people. */
export function buildDocumentRoutes(routes: readonly Route[]): readonly Route[] {
  const document = buildOpenApi(routes);
  const text = JSON.stringify(document);
  const page = buildPage(renderReader(routes));
  return [
    defineRoute({
      method: 'GET',
      url: '/openapi.json',
      operationId: 'get-openapi',
      summary: 'This description',
      tag: 'description',
      access: 'Public',
      answers: { 200: { description: 'OpenAPI 3.1.', schema: z.record(z.string(), z.unknown()) } },
      handle: () => ({ status: 200, type: 'application/json; charset=utf-8', body: text }),
    }),
    defineRoute({
      method: 'GET',
      url: '/docs',
      operationId: 'get-docs',
      summary: 'This description, for people',
      tag: 'description',
      access: 'Public',
      answers: { 200: { description: 'The page.', type: 'text/html; charset=utf-8', schema: z.string() } },
      handle: () => ({ status: 200, ...page }),
    }),
  ];
}
