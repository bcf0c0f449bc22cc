import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { arbitraryGarbage, arbitraryPart, arbitrarySpoilt, arbitraryValid, type JsonSchema } from './fuzzinput.ts';

/** What `openapi.json` says of one operation. */
export type Operation = {
  readonly method: string;
  readonly url: string;
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: JsonSchema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> }>
  >;
};

/** One request, as it goes on the wire. */
export type Sent = {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | undefined;
};

/** The description that is committed. */
export const document = JSON.parse(readFileSync(path.join(import.meta.dirname, '..', 'openapi.json'), 'utf8'));
const all: readonly Operation[] = Object.entries<Readonly<Record<string, object>>>(document.paths).flatMap(
  ([url, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) =>
        ({ parameters: [], ...operation, method: method.toUpperCase(), url }) as unknown as Operation,
    ),
);

/** Removals last, so that the others find something. */
export const OPERATIONS: readonly Operation[] = [
  ...all.filter(({ method }) => method !== 'DELETE'),
  ...all.filter(({ method }) => method === 'DELETE'),
];

/** Names of what is there, desktops and tenants; the test makes them. */
export const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;

/** Stands in `authorization` for a token that is good. */
export const SIGNED = 'Bearer ';

export function resolve(ref: string): JsonSchema {
  return document.components.schemas[ref.slice('#/components/schemas/'.length)];
}

/** Requests to an operation: most of them as described, others wrong in one place or in all. */
export function arbitraryRequest(operation: Operation): fc.Arbitrary<Sent> {
  const { parameters, url, method } = operation;
  const target = fc
    .tuple(
      fc.tuple(...[...url.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => arbitraryParameter(operation, name))),
      arbitraryQuery(parameters.filter((parameter) => parameter.in === 'query')),
    )
    .map(([parts, query]) => {
      let at = 0;
      return `${url.replaceAll(/\{\w+\}/g, () => parts[at++] ?? '')}${query}`;
    });
  const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'];
  return fc
    .tuple(
      fc.oneof({ weight: 15, arbitrary: fc.constant(method) }, { weight: 1, arbitrary: fc.constantFrom(...others) }),
      target,
      arbitraryHeaders(parameters.filter((parameter) => parameter.in === 'header')),
      arbitraryBody(operation),
    )
    .map(([verb, address, headers, { body, type }]) => ({
      method: verb,
      target: address,
      headers: { ...(body === undefined ? {} : { 'content-type': type }), ...headers },
      body,
    }));
}

/** What is there, a thing of the right form, or garbage. */
function arbitraryParameter({ parameters, url }: Operation, name: string): fc.Arbitrary<string> {
  const schema = parameters.find((one) => one.in === 'path' && one.name === name)?.schema ?? {};
  const valid = arbitraryValid(schema, resolve).map((value) => encodeURIComponent(String(value)) || 'a');
  const known = name === 'name' && url.includes('/plans/') ? PLANS : KNOWN[name];
  return fc.oneof(
    { weight: 6, arbitrary: known === undefined ? valid : fc.constantFrom(...known) },
    { weight: 2, arbitrary: valid },
    { weight: 2, arbitrary: arbitraryPart },
  );
}

const PLANS: readonly string[] = ['pro', 'team'];
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  path: [...NAMES.map(() => 'acme'), ...NAMES.map((name) => `acme--${name}`), '-'],
  name: NAMES,
  kind: ['User', 'Group'],
  member: ['oidc%3Aanna', 'oidc%3Aberta'],
};

function arbitraryQuery(parameters: Operation['parameters']): fc.Arbitrary<string> {
  const valid = fc.record(
    Object.fromEntries(parameters.map(({ name, schema }) => [name, arbitraryValid(schema, resolve)])),
    { requiredKeys: [] },
  );
  const render = (pairs: readonly (readonly [string, unknown])[]): string =>
    pairs.length === 0
      ? ''
      : `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value).toWellFormed())}`).join('&')}`;
  const names = fc.constantFrom(
    'limit',
    'cursor',
    'wait',
    'timeout',
    'state',
    'unknown',
    '__proto__',
    'constructor',
    'limit[]',
    'limit[a]',
    '',
  );
  return fc.oneof(
    { weight: 5, arbitrary: valid.map((query) => render(Object.entries(query))) },
    { weight: 3, arbitrary: fc.constant('') },
    { weight: 2, arbitrary: fc.array(fc.tuple(names, arbitraryPart), { maxLength: 4 }).map(render) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('?', '?%', '?&&&', '?=', '?a=%ff', '?limit=1&limit=2', `?a=${'b'.repeat(17_000)}`),
    },
  );
}

function arbitraryHeaders(parameters: Operation['parameters']): fc.Arbitrary<Readonly<Record<string, string>>> {
  const bearer = { authorization: SIGNED };
  const known = parameters
    .filter(({ name }) => name !== 'Accept')
    .map(({ name, schema }) => {
      const valid = arbitraryValid(schema, resolve).map(String);
      return [name.toLowerCase(), name === 'If-Match' ? fc.oneof(fc.constant('*'), valid) : valid] as const;
    });
  const junk = fc.stringMatching(/^[!-~][ -~]{0,60}$/);
  const strange = fc.dictionary(
    fc.constantFrom(
      'accept',
      'content-encoding',
      'content-type',
      'if-match',
      'if-none-match',
      'idempotency-key',
      'last-event-id',
      'request-id',
      'x-forwarded-for',
      'range',
      'cookie',
      'origin',
      'x-http-method-override',
    ),
    fc.oneof(junk, fc.constant('a'.repeat(20_000))),
    { maxKeys: 2 },
  );
  const signed = fc.oneof(
    { weight: 18, arbitrary: fc.constant(bearer) },
    { weight: 1, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.record({ authorization: junk }) },
  );
  return fc
    .tuple(
      signed,
      fc.record(Object.fromEntries(known), { requiredKeys: [] }),
      fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: strange }),
    )
    .map(([who, valid, odd]) => ({ ...who, ...valid, ...odd }));
}

function arbitraryBody({ requestBody }: Operation): fc.Arbitrary<{ readonly body?: Buffer; readonly type: string }> {
  const [[type, media] = []] = Object.entries(requestBody?.content ?? {});
  const none = fc.constant({ type: 'application/json' });
  const types = fc.constantFrom(
    'application/json',
    'application/merge-patch+json',
    'application/x-www-form-urlencoded',
    'text/plain',
    'application/yaml',
    'multipart/form-data; boundary=x',
    'application/json; charset=latin1',
    '/',
    'a',
  );
  const garbage = fc.record({ body: arbitraryGarbage, type: fc.oneof(fc.constant(type ?? 'application/json'), types) });
  if (type === undefined || media === undefined)
    return fc.oneof({ weight: 9, arbitrary: none }, { weight: 1, arbitrary: garbage });
  const valid = arbitraryValid(media.schema, resolve);
  const render = (value: unknown) => Buffer.from(JSON.stringify(value));
  return fc.oneof(
    { weight: 5, arbitrary: valid.map((value) => ({ body: render(value), type })) },
    { weight: 3, arbitrary: arbitrarySpoilt(valid).map((value) => ({ body: render(value), type })) },
    { weight: 2, arbitrary: garbage },
    { weight: 1, arbitrary: fc.record({ body: valid.map(render), type: types }) },
    { weight: 1, arbitrary: none },
  );
}
