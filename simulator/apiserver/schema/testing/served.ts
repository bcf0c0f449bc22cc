import { type CompiledSchema, compileSchema } from '../index.ts';
import { isObject, type JsonObject } from '../json.ts';
import type { ValueCase } from './cases.ts';
import { buildDefinition, TEST_KINDS } from './definitions.ts';
import { judgeBySchema, readVerdict, type Verdict } from './verdict.ts';

/** What judges a write for real: `Rest` of the tests' control plane. */
export type Caller = {
  call(
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: unknown }>;
};

export const NAMESPACE = 't-schema';
const NAME = 'made';

/** One kind as a definition serves it. */
export type Served = {
  readonly kind: string;
  readonly apiVersion: string;
  readonly path: string;
  readonly schema: CompiledSchema;
  readonly hasStatus: boolean;
};

/** The verdicts under `fieldValidation=Ignore` and `Strict`. */
export type Verdicts = readonly [ignore: Verdict, strict: Verdict];

export function serveDefinition(definition: JsonObject): Served {
  const { group, names, versions } = JSON.parse(JSON.stringify(definition.spec));
  const [{ name: version, schema, subresources }] = versions;
  const apiVersion = `${group}/${version}`;
  return {
    kind: names.kind,
    apiVersion,
    path: `/apis/${apiVersion}/namespaces/${NAMESPACE}/${names.plural}`,
    schema: compileSchema(schema.openAPIV3Schema, { group, version, kind: names.kind, isNamespaced: true }),
    hasStatus: subresources?.status !== undefined,
  };
}

export function serveTestKinds(): ReadonlyMap<string, Served> {
  return new Map(TEST_KINDS.map((kind) => [kind.kind, serveDefinition(buildDefinition(kind))]));
}

export function buildObject(
  { kind, apiVersion }: Served,
  spec: unknown,
  more: Readonly<Record<string, unknown>> = {},
): JsonObject {
  const metadata = isObject(more.metadata) ? more.metadata : {};
  const stated = spec === undefined ? {} : { spec };
  return { apiVersion, kind, ...stated, ...more, metadata: { name: NAME, namespace: NAMESPACE, ...metadata } };
}

/** What an API server says; what a case stores first is removed again. */
export async function askServer(caller: Caller, served: Served, one: ValueCase): Promise<Verdicts> {
  if (one.old === undefined) return askBoth(caller, served, buildObject(served, one.spec, one.object));
  const { status, body } = await caller.call('POST', served.path, buildObject(served, one.old));
  if (status >= 300 || !isObject(body)) throw new Error(`${status}: ${JSON.stringify(body)}`);
  try {
    return await askBoth(caller, served, { ...buildObject(served, one.spec), metadata: body.metadata }, true);
  } finally {
    await caller.call('DELETE', `${served.path}/${NAME}`);
  }
}

export async function askBoth(caller: Caller, served: Served, object: JsonObject, isUpdate = false): Promise<Verdicts> {
  const ask = async (validation: string) => {
    const query = `?dryRun=All&fieldValidation=${validation}`;
    if (isUpdate) return readVerdict(await caller.call('PUT', `${served.path}/${NAME}${query}`, object));
    return readVerdict(await caller.call('POST', `${served.path}${query}`, object));
  };
  return [await ask('Ignore'), await ask('Strict')];
}

/** What the schema says. */
export function judgeCase(served: Served, one: ValueCase): Verdicts {
  if (one.old === undefined) return judgeBoth(served, buildObject(served, one.spec, one.object));
  const stored = judgeBySchema(served.schema, {
    object: buildObject(served, one.old),
    hasStatus: served.hasStatus,
    isStrict: true,
  });
  if (stored.code !== 200) throw new Error(JSON.stringify(stored));
  const old = { ...stored.object, metadata: { name: NAME, namespace: NAMESPACE, resourceVersion: '1' } };
  return judgeBoth(served, { ...buildObject(served, one.spec), metadata: { ...old.metadata } }, old);
}

export function judgeBoth({ schema, hasStatus }: Served, object: JsonObject, old?: JsonObject): Verdicts {
  const write = { object, hasStatus, ...(old === undefined ? {} : { old }) };
  return [judgeBySchema(schema, { ...write, isStrict: false }), judgeBySchema(schema, { ...write, isStrict: true })];
}

export function nameOf({ kind, spec, object, old }: ValueCase): string {
  const text = JSON.stringify({
    ...(old === undefined ? {} : { old }),
    ...(spec === undefined ? {} : { spec }),
    ...object,
  });
  return `${kind} ${text.length > 120 ? `${text.slice(0, 120)}...` : text}`;
}
