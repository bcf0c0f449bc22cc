import type { SeededRandom } from '../../../random.ts';
import { cloneJson, isObject, type JsonObject } from '../../schema/json.ts';
import type { SchemaNode } from '../../schema/node.ts';
import { type Content, someMeta } from './content.ts';

/** A kind of objects to write. */
export type TestKind = {
  readonly kind: string;
  readonly apiVersion: string;
  readonly plural: string;
  readonly node: SchemaNode;
  readonly isCustom: boolean;
  readonly content: Content;
  /** Undefined where there is no status that is written on its own. */
  readonly status: Content | undefined;
  readonly resetFields: readonly (readonly string[])[];
};

export type WriteVerb = 'create' | 'apply' | 'update' | 'merge' | 'json';

export type TestRequest = {
  readonly verb: WriteVerb;
  readonly subresource: 'status' | undefined;
  readonly manager: string;
  readonly force: boolean;
  readonly body: unknown;
};

/** A write to an object, drawn from `random`: fitting most of the time, and now and then not. */
export function drawRequest(
  kind: TestKind,
  name: string,
  live: JsonObject | undefined,
  random: SeededRandom,
): TestRequest {
  const isStatus = live !== undefined && kind.status !== undefined && random.chance(0.2);
  const content = isStatus ? (kind.status ?? kind.content) : kind.content;
  const verb: WriteVerb =
    live === undefined
      ? random.pick(['create', 'apply', 'apply'])
      : random.pick(['apply', 'apply', 'apply', 'update', 'merge', 'json']);
  const manager = random.pick(
    verb === 'apply' ? ['one', 'two', 'three', 'kubectl'] : ['one', 'four', 'kubectl-client-side-apply'],
  );
  const draw = { kind, name, live: live ?? {}, content, random, isStatus };
  return {
    verb,
    subresource: isStatus ? 'status' : undefined,
    manager,
    force: verb === 'apply' && random.chance(0.3),
    body: DRAW[verb](draw),
  };
}

type Draw = {
  readonly kind: TestKind;
  readonly name: string;
  readonly live: JsonObject;
  readonly content: Content;
  readonly random: SeededRandom;
  readonly isStatus: boolean;
};

const DRAW: Readonly<Record<WriteVerb, (draw: Draw) => unknown>> = {
  create: (draw) => drawObject(draw, 0.4),
  apply: drawApplied,
  update: drawUpdated,
  merge: drawMergePatch,
  json: drawJsonPatch,
};

function drawObject({ kind, name, content, random }: Draw, density: number): JsonObject {
  const { apiVersion, kind: word } = kind;
  return { apiVersion, kind: word, metadata: { name, ...someMeta(random) }, ...content(random, density) };
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

function drawApplied(draw: Draw): JsonObject {
  const { random, kind } = draw;
  const object = drawObject(draw, 0.25);
  if (!random.chance(0.12)) return object;
  const metadata = object.metadata as JsonObject;
  const spec = isObject(object.spec) ? object.spec : {};
  const misfits: readonly (() => JsonObject)[] = [
    () => ({ ...object, apiVersion: 'v7' }),
    () => ({ ...object, metadata: { ...metadata, managedFields: [] } }),
    () => ({ ...object, metadata: { ...metadata, labels: null } }),
    () => ({
      ...object,
      metadata: { ...metadata, annotations: { [LAST_APPLIED]: JSON.stringify(drawObject(draw, 0.3)) } },
    }),
    ...(kind.isCustom
      ? [
          () => ({ ...object, spec: { ...spec, number: 'seven' } }),
          () => ({
            ...object,
            spec: { ...spec, text: random.pick<unknown>([7, 1.5, true, ['a', 1], { a: 1, b: 'x' }]) },
          }),
          () => ({ ...object, spec: { ...spec, flag: random.pick<unknown>(['x', 1]) } }),
          () => ({ ...object, spec: { ...spec, struct: random.pick<unknown>(['x', [1, { a: 'b' }]]) } }),
          () => ({ ...object, spec: { ...spec, list: 'x' } }),
          () => ({ ...object, spec: { ...spec, unknown: 1 } }),
          () => ({ ...object, spec: { ...spec, set: ['a', 'a'] } }),
          () => ({ ...object, spec: { ...spec, set: [{ a: 1 }] } }),
          () => ({ ...object, spec: { ...spec, items: [{ name: 'x' }, { name: 'y' }, { name: 'x' }] } }),
          () => ({ ...object, spec: { ...spec, items: [{ value: 'x' }] } }),
          () => ({ ...object, spec: { ...spec, items: ['x'] } }),
          () => ({ ...object, spec: { ...spec, pairs: [{ port: 1 }, { port: 1, protocol: 'TCP' }] } }),
          () => ({ ...object, spec: { ...spec, [random.pick(Object.keys(NULLABLE))]: null } }),
          () => ({ ...object, spec: null }),
        ]
      : []),
  ];
  return random.pick(misfits)();
}

const NULLABLE = {
  text: 1,
  nullable: 1,
  defaulted: 1,
  set: 1,
  items: 1,
  granular: 1,
  struct: 1,
  open: 1,
  any: 1,
  atomic: 1,
  list: 1,
};

/** The object as it is, with some of its content replaced, and something done to its `managedFields`. */
function drawUpdated(draw: Draw): JsonObject {
  const { live, content, random } = draw;
  const next = cloneJson(live);
  const drawn = content(random, 0.3);
  for (const [member, value] of Object.entries(drawn)) {
    next[member] =
      isObject(value) && isObject(next[member]) && random.chance(0.8) ? exchange(next[member], value, random) : value;
  }
  const metadata = next.metadata as JsonObject;
  if (random.chance(0.2)) Object.assign(metadata, someMeta(random));
  if (random.chance(0.15)) metadata.finalizers = random.pick([['x.test/a'], ['x.test/a', 'x.test/b'], []]);
  draftManagedFields(metadata, random);
  return next;
}

/** Takes some members over and drops others. */
function exchange(old: JsonObject, drawn: JsonObject, random: SeededRandom): JsonObject {
  const kept = Object.entries(old).filter(() => random.chance(0.85));
  return { ...Object.fromEntries(kept), ...drawn };
}

function draftManagedFields(metadata: JsonObject, random: SeededRandom): void {
  const entries = (metadata.managedFields ?? []) as readonly JsonObject[];
  const [first, ...others] = entries;
  const drafts: readonly (() => unknown)[] = [
    () => entries,
    () => entries,
    () => undefined,
    () => undefined,
    () => undefined,
    ...(random.chance(0.4)
      ? [
          () => [],
          () => [{}],
          () => [{ manager: 'x' }],
          () => others,
          () =>
            first === undefined
              ? []
              : [{ ...first, fieldsV1: { 'f:spec': { 'f:text': {}, '.': {}, 'k:{"b":1,"a":2}': {} } } }, ...others],
          () => [
            { manager: 'mine', operation: 'Update', apiVersion: 'v9', fieldsType: 'FieldsV1', fieldsV1: { 'f:a': {} } },
            ...entries,
          ],
        ]
      : []),
  ];
  const drafted = random.pick(drafts)();
  if (drafted === undefined) delete metadata.managedFields;
  else metadata.managedFields = drafted;
}

function drawMergePatch({ live, content, random }: Draw): JsonObject {
  const patch = content(random, 0.2);
  for (const [member, value] of Object.entries(patch)) {
    if (isObject(value)) patch[member] = { ...value, ...dropSome(live[member], random) };
  }
  if (random.chance(0.3))
    patch.metadata = {
      ...someMeta(random),
      ...(random.chance(0.2) ? { managedFields: random.pick([[{}], null]) } : {}),
    };
  return patch;
}

function dropSome(old: unknown, random: SeededRandom): JsonObject {
  const dropped = isObject(old) ? Object.keys(old).filter(() => random.chance(0.12)) : [];
  return Object.fromEntries(dropped.map((name) => [name, null]));
}

function drawJsonPatch({ live, content, random, isStatus }: Draw): readonly JsonObject[] {
  const drawn = content(random, 0.2);
  const [member] = Object.keys(drawn);
  const operations: JsonObject[] = random.chance(0.15)
    ? [{ op: 'test', path: '/metadata/name', value: random.pick(['no', (live.metadata as JsonObject).name]) }]
    : [];
  if (member === undefined) return operations;
  const [old, value] = [live[member], drawn[member]];
  if (!isObject(old) || !isObject(value)) return [...operations, { op: 'add', path: `/${member}`, value }];
  for (const [name, sub] of Object.entries(value)) {
    operations.push({
      op: random.pick(['add', 'replace']),
      path: `/${member}/${name.replaceAll('/', '~1')}`,
      value: sub,
    });
  }
  for (const [name, sub] of Object.entries(old)) {
    const path = `/${member}/${name.replaceAll('/', '~1')}`;
    if (name in value) continue;
    if (random.chance(0.06)) operations.push({ op: 'remove', path: random.chance(0.8) ? path : `${path}x` });
    else if (Array.isArray(sub) && sub.length > 0 && random.chance(0.1))
      operations.push({ op: 'remove', path: `${path}/${sub.length - 1}` });
    else if (random.chance(0.03) && !isStatus)
      operations.push({ op: 'copy', from: path, path: '/metadata/annotations/copied' });
  }
  return operations;
}
