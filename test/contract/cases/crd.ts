import { apply, del, get, merge, post, put, status, type Until, watch } from '../case.ts';
import { at, type Json, type JsonObject, mapJson } from '../json.ts';
import { conditionOf, errorOnly, member, nothing, withoutSpec, withoutStatus } from '../picks.ts';
import { CRDS } from '../resources.ts';
import type { Subject } from '../suite.ts';

const GROUP = '{id}.contract.sublet.dev';
const NAME = `things.${GROUP}`;
const THINGS = `/apis/${GROUP}/v1/namespaces/{ns}/things`;
const NAMES = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' };
const SIZE: JsonObject = {
  type: 'object',
  properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
};

const TEXT: JsonObject = {
  type: 'object',
  properties: {
    text: { type: 'string', minLength: 2 },
    size: { type: 'integer' },
    extra: { type: 'string', default: 'd' },
  },
};

const established: Until = ({ body }) => conditionOf(body, 'Established') === 'True';
const served = get(THINGS, { until: status(200) });
/** A changed schema counts a moment after it was written. */
const isKept: Until = ({ body }) => at(body, 'spec.text') === 'kept';

export const crds: Subject = {
  subject: 'CustomResourceDefinition',
  cases: [
    {
      name: 'is created, established, served, and deleted with its objects',
      steps: [
        post(CRDS, crd(SIZE), { pick: withoutStatus }),
        get(`${CRDS}/${NAME}`, { until: established }),
        served,
        post(THINGS, thing('a')),
        post(THINGS, thing('b')),
        del(`${CRDS}/${NAME}`, undefined, { pick: withoutStatus }),
        get(`${CRDS}/${NAME}`, { until: status(404) }),
        get(THINGS, { until: status(404) }),
        post(THINGS, thing('c')),
      ],
    },
    {
      name: 'is deleted when the last finalizer of its objects is gone',
      steps: [
        post(CRDS, crd(SIZE), { pick: nothing }),
        served,
        post(THINGS, thing('a', {}, { finalizers: ['example.com/hold'] })),
        del(`${CRDS}/${NAME}`, undefined, { pick: nothing }),
        get(`${CRDS}/${NAME}`, { until: ({ body }) => conditionOf(body, 'Terminating') === 'True', pick: nothing }),
        post(THINGS, thing('b')),
        get(`${THINGS}/a`, { until: ({ body }) => at(body, 'metadata.deletionTimestamp') !== undefined }),
        merge(`${THINGS}/a`, { metadata: { finalizers: null } }),
        get(`${CRDS}/${NAME}`, { until: status(404) }),
      ],
    },
    {
      name: 'can be made again after it was deleted',
      steps: [
        post(CRDS, crd(SIZE), { pick: nothing }),
        served,
        post(THINGS, thing('a')),
        del(`${CRDS}/${NAME}`, undefined, { pick: nothing }),
        get(`${CRDS}/${NAME}`, { until: status(404) }),
        post(CRDS, crd(SIZE), { pick: nothing }),
        get(THINGS, { until: ({ body }) => at(body, 'items') !== undefined, pick: nothing }),
        get(THINGS, { until: ({ body }) => at(body, 'items.0') === undefined }),
      ],
    },
    {
      name: 'gets another schema',
      steps: [
        post(CRDS, crd(SIZE), { pick: nothing }),
        served,
        post(THINGS, thing('a', { size: 1, text: 'pruned' })),
        get(`${CRDS}/${NAME}`, { until: established, pick: nothing }),
        merge(
          `${CRDS}/${NAME}`,
          { spec: { versions: [version({ spec: TEXT })] } },
          { pick: member('metadata.generation') },
        ),
        post(`${THINGS}?dryRun=All`, thing('b', { text: 'kept' }), { until: isKept, pick: nothing }),
        post(THINGS, thing('b', { size: 1, text: 'kept' })),
        get(`${THINGS}/a`),
        merge(`${THINGS}/a`, { spec: { text: 'x' } }),
        merge(`${THINGS}/a`, { spec: { text: 'xy' } }),
      ],
    },
    {
      name: 'gets a rule, which holds for what changes only',
      steps: [
        post(CRDS, crd(SIZE), { pick: nothing }),
        served,
        post(THINGS, thing('a', { size: 50 })),
        get(`${CRDS}/${NAME}`, { until: established, pick: nothing }),
        merge(
          `${CRDS}/${NAME}`,
          {
            spec: {
              versions: [version({ spec: { type: 'object', properties: { size: { type: 'integer', maximum: 10 } } } })],
            },
          },
          { pick: member('metadata.generation') },
        ),
        post(`${THINGS}?dryRun=All`, thing('b', { size: 50 }), { until: status(422), pick: nothing }),
        post(THINGS, thing('b', { size: 50 })),
        merge(`${THINGS}/a`, { metadata: { labels: { still: 'writable' } } }),
        merge(`${THINGS}/a`, { spec: { size: 49 } }),
        merge(`${THINGS}/a`, { spec: { size: 9 } }),
      ],
    },
    {
      name: 'appears in discovery and leaves it',
      steps: [
        post(CRDS, crd(SIZE), { pick: nothing }),
        served,
        get(`/apis/${GROUP}`, { until: status(200) }),
        get(`/apis/${GROUP}/v1`, { until: status(200), pick: withoutHashes }),
        del(`${CRDS}/${NAME}`, undefined, { pick: nothing }),
        get(`/apis/${GROUP}/v1`, { until: status(404) }),
        get(`/apis/${GROUP}`, { until: status(404) }),
      ],
    },
    {
      name: 'status is for the server',
      steps: [
        post(CRDS, { ...crd(SIZE), status: { storedVersions: ['v9'], conditions: [] } }, { pick: withoutStatus }),
        get(`${CRDS}/${NAME}`, { until: established }),
        get(`${CRDS}/${NAME}/status`),
      ],
    },
    {
      name: 'with names that are taken',
      steps: [
        post(CRDS, crd(SIZE), { pick: nothing }),
        get(`${CRDS}/${NAME}`, { until: established, pick: nothing }),
        post(
          CRDS,
          {
            ...crd(SIZE),
            metadata: { name: `others.${GROUP}` },
            spec: {
              ...(spec(SIZE) as object),
              names: { plural: 'others', singular: 'thing', kind: 'Other', shortNames: ['things'] },
            },
          },
          { pick: nothing },
        ),
        get(`${CRDS}/others.${GROUP}`, { until: ({ body }) => conditionOf(body, 'NamesAccepted') === 'False' }),
      ],
    },
    {
      name: 'whose name does not fit',
      steps: [
        post(CRDS, { ...crd(SIZE), metadata: { name: 'wrong' } }),
        post(CRDS, { ...crd(SIZE), spec: { ...spec(SIZE), group: 'nodots' }, metadata: { name: 'things.nodots' } }),
        post(CRDS, { ...crd(SIZE), spec: { ...spec(SIZE), names: { ...NAMES, kind: 'lower case' } } }),
        post(CRDS, { ...crd(SIZE), spec: { ...spec(SIZE), names: { plural: 'things' } } }),
        post(CRDS, { ...crd(SIZE), spec: { ...spec(SIZE), names: { ...NAMES, shortNames: ['Bad Name'] } } }),
      ],
    },
    {
      name: 'without what is required',
      steps: [
        post(CRDS, { ...crd(SIZE), spec: {} }),
        post(CRDS, {
          apiVersion: 'apiextensions.k8s.io/v1',
          kind: 'CustomResourceDefinition',
          metadata: { name: NAME },
        }),
        post(CRDS, { ...crd(SIZE), spec: { ...spec(SIZE), versions: [] } }),
        post(CRDS, { ...crd(SIZE), spec: { ...spec(SIZE), scope: 'Galaxy' } }),
        post(CRDS, withVersions({ name: 'v1', served: true, storage: true })),
        post(CRDS, withVersions({ name: 'v1', served: true, storage: true, schema: {} })),
        post(CRDS, withVersions({ ...version(), storage: false })),
        post(CRDS, withVersions(version(), version())),
        post(CRDS, withVersions(version(), { ...version(), name: 'v2' })),
        post(CRDS, withVersions({ ...version(), name: 'Bad_Version' })),
        post(CRDS, { ...crd(SIZE), spec: { ...spec(SIZE), preserveUnknownFields: true } }),
      ],
    },
    {
      name: 'with a schema that is not structural',
      steps: [
        { type: 'object', properties: { spec: {} } },
        { type: 'array', items: { type: 'string' } },
        { type: 'object', properties: { a: { type: 'array' } } },
        {
          type: 'object',
          properties: { a: { type: 'object', properties: {}, additionalProperties: { type: 'string' } } },
        },
        { type: 'object', additionalProperties: false },
        { type: 'object', properties: { a: { type: 'string', anyOf: [{ type: 'string' }] } } },
        { type: 'object', properties: { a: { type: 'string', oneOf: [{ description: 'x' }] } } },
        { type: 'object', properties: { a: { $ref: '#/x' } } },
        { type: 'object', properties: { a: { type: 'text' } } },
        { type: 'object', properties: { a: { type: 'string', pattern: '(' } } },
        { type: 'object', properties: { a: { type: 'array', items: [{ type: 'string' }] } } },
        { type: 'object', properties: { a: { type: 'array', uniqueItems: true, items: { type: 'string' } } } },
        { type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } },
        { type: 'object', anyOf: [{ properties: { b: { minimum: 1 } } }] },
      ].map((schema) => post(CRDS, crd(schema as JsonObject))),
    },
    {
      name: 'with extensions that do not fit',
      steps: [
        { type: 'string', 'x-kubernetes-preserve-unknown-fields': false },
        { type: 'string', 'x-kubernetes-int-or-string': true },
        { type: 'object', 'x-kubernetes-embedded-resource': true },
        { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'map' },
        {
          type: 'array',
          items: { type: 'object', properties: { k: { type: 'string' } } },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
        },
        {
          type: 'array',
          items: { type: 'object', properties: {}, required: ['x'] },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['x'],
        },
        { type: 'array', items: { type: 'array', items: { type: 'string' } }, 'x-kubernetes-list-type': 'set' },
        { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'bag' },
        { type: 'string', 'x-kubernetes-list-type': 'set' },
        { type: 'object', 'x-kubernetes-map-type': 'other' },
        { type: 'string', nullable: true, default: 5 },
        { type: 'integer', minimum: 5, default: 1 },
        { type: 'object', default: { unknown: 1 }, properties: { a: { type: 'string' } } },
        { type: 'string', enum: [] },
        { type: 'string', maxLength: -1 },
      ].map((schema) => post(CRDS, crd({ type: 'object', properties: { a: schema as JsonObject } }))),
    },
    {
      name: 'with CEL rules that do not compile or cost too much',
      steps: [
        { rule: 'self.missing == 1' },
        { rule: 'self.size ==' },
        { rule: 'self.size' },
        { rule: '' },
        { rule: 'true', message: '' },
        { rule: 'true', message: 'a\nb' },
        { rule: 'true', reason: 'Wrong' },
        { rule: 'true', fieldPath: '.missing' },
        { rule: 'true', fieldPath: 'size' },
        { rule: 'true', messageExpression: 'self.size' },
        { rule: 'self.names.all(x, self.names.all(y, x != y))' },
      ].map((rule) =>
        post(
          CRDS,
          crd({
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: { size: { type: 'integer' }, names: { type: 'array', items: { type: 'string' } } },
                'x-kubernetes-validations': [rule as JsonObject],
              },
            },
          }),
        ),
      ),
    },
    {
      name: 'with columns, good and bad',
      steps: [
        { name: 'A', type: 'string', jsonPath: '.spec.a' },
        { name: 'A', type: 'text', jsonPath: '.spec.a' },
        { name: 'A', type: 'string', jsonPath: 'spec.a' },
        { name: 'A', type: 'string', jsonPath: '.spec[' },
        { name: 'A', type: 'string' },
        { name: '', type: 'string', jsonPath: '.x' },
        { name: 'A', type: 'integer', format: 'wrong', jsonPath: '.x' },
      ].map((column) =>
        post(`${CRDS}?dryRun=All`, withVersions({ ...version(), additionalPrinterColumns: [column] }), {
          pick: errorOnly,
        }),
      ),
    },
    {
      name: 'changes that are refused',
      steps: [
        post(CRDS, crd(SIZE), { pick: nothing }),
        get(`${CRDS}/${NAME}`, { until: established, pick: nothing }),
        merge(`${CRDS}/${NAME}`, { spec: { scope: 'Cluster' } }),
        merge(`${CRDS}/${NAME}`, { spec: { group: 'other.example' } }),
        merge(`${CRDS}/${NAME}`, { spec: { names: { kind: 'Other' } } }),
        merge(`${CRDS}/${NAME}`, { spec: { versions: [{ ...version(), name: 'v2' }] } }),
        merge(`${CRDS}/${NAME}`, { spec: { versions: [] } }),
        merge(`${CRDS}/${NAME}`, { status: { storedVersions: [] } }, { pick: errorOnly }),
      ],
    },
    {
      name: 'with two versions',
      steps: [
        post(
          CRDS,
          withVersions(
            version(),
            { ...version(), name: 'v1beta1', storage: false, deprecated: true },
            {
              ...version(),
              name: 'v2',
              storage: false,
              served: false,
            },
          ),
          { pick: nothing },
        ),
        get(`${CRDS}/${NAME}`, { until: established, pick: withoutSpec }),
        served,
        post(THINGS, thing('a', { size: 1 })),
        get(`/apis/${GROUP}/v1beta1/namespaces/{ns}/things`, { until: status(200) }),
        merge(`/apis/${GROUP}/v1beta1/namespaces/{ns}/things/a?fieldManager=other`, { spec: { size: 2 } }),
        get(`${THINGS}/a`),
        get(`/apis/${GROUP}/v2/namespaces/{ns}/things`),
        get(`/apis/${GROUP}`),
      ],
    },
    {
      name: 'is applied, as Flux does, and applied again',
      steps: [
        apply(`${CRDS}/${NAME}?fieldManager=flux&force=true`, crd(SIZE), { pick: withoutStatus }),
        get(`${CRDS}/${NAME}`, { until: established, pick: nothing }),
        apply(`${CRDS}/${NAME}?fieldManager=flux&force=true`, crd(SIZE), { pick: withoutStatus }),
        put(`${CRDS}/${NAME}`, crd(SIZE)),
      ],
    },
    {
      name: 'a watch ends when the kind goes',
      steps: [
        post(CRDS, crd(SIZE), { pick: nothing }),
        served,
        post(THINGS, thing('a'), { name: 'made' }),
        watch(`${THINGS}?watch=true&resourceVersion=<<made:metadata.resourceVersion>>`, {
          during: [del(`${CRDS}/${NAME}`, undefined, { pick: nothing })],
        }),
      ],
    },
    {
      name: 'generates its defaults for names',
      steps: [
        post(
          CRDS,
          { ...crd(SIZE), spec: { ...spec(SIZE), names: { plural: 'things', kind: 'Thing' } } },
          { pick: withoutStatus },
        ),
        get(`${CRDS}/${NAME}`, { until: established }),
      ],
    },
    {
      name: "reads Sublet's definitions",
      steps: ['plans', 'quotas', 'rdpinstances', 'tenants'].map((plural) =>
        get(`${CRDS}/${plural}.sublet.dev`, { pick: withoutManagers }),
      ),
    },
  ],
};

function version(properties: JsonObject = {}): JsonObject {
  return {
    name: 'v1',
    served: true,
    storage: true,
    schema: { openAPIV3Schema: { ...SIZE, properties: { ...(SIZE.properties as JsonObject), ...properties } } },
  };
}

function spec(schema: JsonObject): JsonObject {
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }];
  return { group: GROUP, scope: 'Namespaced', names: NAMES, versions };
}

function crd(schema: JsonObject): JsonObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: NAME },
    spec: spec(schema),
  };
}

function withVersions(...versions: readonly JsonObject[]): JsonObject {
  return { ...crd(SIZE), spec: { ...spec(SIZE), versions } };
}

function thing(name: string, rest: JsonObject = { size: 1 }, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: `${GROUP}/v1`, kind: 'Thing', metadata: { name, ...metadata }, spec: rest };
}

function withoutManagers(body: Json): Json {
  const metadata = at(body, 'metadata') as JsonObject;
  return { ...(body as JsonObject), metadata: { ...metadata, managedFields: null, resourceVersion: null } };
}

/** A hash of a name that only this run has. */
function withoutHashes(body: Json): Json {
  return mapJson(
    body,
    (text) => text,
    (name) => (name === 'storageVersionHash' ? '<hash>' : undefined),
  );
}
