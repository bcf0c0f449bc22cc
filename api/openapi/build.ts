import { z } from 'zod';
import { EDITOR_PATTERN } from '../../crds/v1alpha1/schema.ts';
import { ChangeSchema } from '../change.ts';
import { COLLECTIONS } from '../collections.ts';
import { PROBLEM_CODES } from '../problem.ts';
import { representationSchema } from '../represent.ts';
import type { BodyKind, Route } from '../route.ts';

type Schema = Readonly<Record<string, unknown>>;

const MEDIA: Readonly<Record<BodyKind, string>> = {
  json: 'application/json',
  'merge-patch': 'application/merge-patch+json',
  form: 'application/x-www-form-urlencoded',
};

/** The description of all routes in OpenAPI 3.1, whose schemas are JSON Schema 2020-12. The same routes give the same text. */
export function buildOpenApi(routes: readonly Route[]): Schema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = paths[route.url] ?? {};
    paths[route.url] = path;
    path[route.method.toLowerCase()] = buildOperation(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sublet',
      version: 'v1',
      description:
        'Orders desktops by commit. A write answers 202 with a change, which can be followed until what was ordered is ready. Reads show what was accepted at once.',
    },
    paths,
    components: {
      schemas: {
        Problem: convert(ProblemSchema, 'output'),
        ...Object.fromEntries(NAMED.map(([name, schema, io]) => [name, convert(schema, io, true)])),
      },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An ID token of a configured OpenID Connect issuer, or an API key.',
        },
      },
    },
    security: [{ bearer: [] }],
  };
}

/** Schemas that stand in many places, by name; everywhere else they are referred to. */
const NAMED: readonly (readonly [name: string, schema: z.ZodType, io: 'input' | 'output'])[] = [
  ['Change', ChangeSchema, 'output'],
  ...COLLECTIONS.flatMap((collection) => {
    const name = collection.noun.charAt(0).toUpperCase() + collection.noun.slice(1);
    return [
      [name, representationSchema(collection), 'output'],
      [`${name}Spec`, collection.spec, 'input'],
      [`${name}Status`, collection.status, 'output'],
    ] as const;
  }),
];

/** By what a schema is made of, which it shares with its copies under another description. */
const NAMES = new Map<unknown, string>(NAMED.map(([name, schema]) => [schema._zod.def, name]));

/** RFC 9457. */
export const ProblemSchema = z.strictObject({
  type: z.enum(PROBLEM_CODES.map((code) => `urn:sublet:problem:${code}`)),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What is wrong and what to do.'),
  errors: z
    .array(
      z.strictObject({
        pointer: z.string().optional().describe('JSON pointer into the body.'),
        parameter: z.string().optional(),
        header: z.string().optional(),
        rule: z.string().optional(),
        detail: z.string(),
      }),
    )
    .optional(),
  requestId: z.string(),
});

function buildOperation(route: Route): Schema {
  const { operationId, summary, tag, access, body } = route;
  const parameters = [
    ...listParameters('path', route.params),
    ...listParameters('query', route.query),
    ...listParameters('header', route.headers === undefined ? undefined : z.object(route.headers).partial()),
  ];
  return {
    operationId,
    summary,
    tags: [tag],
    ...(access === 'Public' ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: buildBody(body) }),
    responses: buildResponses(route),
  };
}

function buildBody({ kind, schema, described, optional }: NonNullable<Route['body']>): Schema {
  return { required: optional !== true, content: { [MEDIA[kind]]: { schema: convert(described ?? schema, 'input') } } };
}

function buildResponses({ answers }: Route): Schema {
  const entries = Object.entries(answers).map(([status, { description, schema, type }]) => [
    status,
    {
      description,
      ...(schema === undefined
        ? {}
        : {
            content: { [(type ?? 'application/json').split(';', 1)[0] ?? '']: { schema: convert(schema, 'output') } },
          }),
    },
  ]);
  const problem = { $ref: '#/components/schemas/Problem' };
  return {
    ...Object.fromEntries(entries),
    default: { description: 'A refusal or a failure.', content: { 'application/problem+json': { schema: problem } } },
  };
}

function listParameters(place: 'path' | 'query' | 'header', schema: z.ZodType | undefined): readonly Schema[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = convert(schema, 'input') as {
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

/** `expand`: the schema itself is spelt out although it has a name. Our own keys of the schemas' metadata are for CRDs and say nothing here. */
function convert(schema: z.ZodType, io: 'input' | 'output', expand = false): Schema {
  const { $schema: _, ...converted } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      const isItself = expand && zodSchema._zod.def === schema._zod.def;
      const name = isItself ? undefined : NAMES.get(zodSchema._zod.def);
      if (name !== undefined) {
        for (const key of Object.keys(jsonSchema)) if (key !== 'description') Reflect.deleteProperty(jsonSchema, key);
        jsonSchema.$ref = `#/components/schemas/${name}`;
      }
      const { [EDITOR_PATTERN]: expression } = jsonSchema;
      if (typeof expression === 'string') jsonSchema.pattern = expression;
      for (const key of Object.keys(jsonSchema)) if (key.startsWith('x-')) Reflect.deleteProperty(jsonSchema, key);
    },
  });
  return converted;
}
