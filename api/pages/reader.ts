import { z } from 'zod';
import type { Route } from '../route.ts';
import { escapeHtml, type Page, renderText } from './page.ts';

/** A reader of the API's description: plain HTML, made once; nothing is fetched and nothing runs. */
export function renderReader(routes: readonly Route[]): Page {
  const tags = [...new Set(routes.map(({ tag }) => tag))];
  const sections = tags.map((tag) => {
    const own = routes.filter((route) => route.tag === tag).map(renderRoute);
    return `<h2>${escapeHtml(tag)}</h2>${own.join('')}`;
  });
  const intro =
    '<h1>Sublet API</h1><p>Send <code>Authorization: Bearer</code> with an ID token or an API key. A write answers 202 with a change; ' +
    '<code>GET /v1/changes/{id}?wait=Ready</code> waits for it. Programs read <a href="/openapi.json">openapi.json</a>.</p>';
  return { title: 'Sublet API', body: intro + sections.join('') };
}

function renderRoute(route: Route): string {
  const { method, url, operationId, summary, headers = {}, answers, access } = route;
  const parts = [
    renderSchema('Parameters', merge(route.params, route.query)),
    renderList(
      'Headers',
      Object.entries(headers).map(([name, { description = '' }]) => [name, description] as const),
    ),
    renderSchema('Body', route.body?.described ?? route.body?.schema),
    renderList(
      'Answers',
      Object.entries(answers).map(([status, { description }]) => [status, description] as const),
    ),
  ];
  const who = access === 'Public' ? ' For anybody, without a token.' : '';
  const id = escapeHtml(operationId);
  return (
    `<details id="${id}"><summary><span class="method">${method}</span> <code>${escapeHtml(url)}</code> ${renderText(summary)}</summary>` +
    `<div class="details"><p>Operation <a href="#${id}"><code>${id}</code></a>.${who}</p>${parts.join('')}</div></details>`
  );
}

function merge(params: z.ZodType | undefined, query: z.ZodType | undefined): z.ZodType | undefined {
  const shapes = [params, query].flatMap((schema) => (schema instanceof z.ZodObject ? [schema.shape] : []));
  return shapes.length === 0 ? undefined : z.strictObject(Object.assign({}, ...shapes));
}

function renderList(title: string, entries: readonly (readonly [string, string])[]): string {
  if (entries.length === 0) return '';
  const items = entries.map(([name, text]) => `<dt><code>${escapeHtml(name)}</code></dt><dd>${renderText(text)}</dd>`);
  return `<h3>${title}</h3><dl>${items.join('')}</dl>`;
}

function renderSchema(title: string, schema: z.ZodType | undefined): string {
  if (schema === undefined) return '';
  return renderList(title, listFields(schema, '', 0));
}

const MAX_LEVELS = 4;

function listFields(schema: z.core.$ZodType, prefix: string, level: number): readonly (readonly [string, string])[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray) return listFields(inner.element, `${prefix}[]`, level);
  if (!(inner instanceof z.ZodObject) || level === MAX_LEVELS) return [];
  return Object.entries<z.core.$ZodType>(inner.shape).flatMap(([name, member]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return [[path, describe(member)] as const, ...listFields(member, path, level + 1)];
  });
}

function describe(schema: z.core.$ZodType): string {
  const isOptional = schema instanceof z.ZodType && schema.safeParse(undefined).success;
  const inner = unwrap(schema);
  const description = textOf(schema) ?? textOf(inner) ?? '';
  const options = inner instanceof z.ZodEnum ? `One of ${inner.options.join(', ')}. ` : '';
  return `${isOptional ? 'Optional. ' : ''}${options}${description}`.trim();
}

function textOf(schema: z.core.$ZodType): string | undefined {
  return schema instanceof z.ZodType ? schema.description : undefined;
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault)
    inner = inner.unwrap();
  return inner;
}
