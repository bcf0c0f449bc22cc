import { apply, get, jsonPatch, merge, post, put } from '../case.ts';
import { at, isArray, type Json, type JsonObject } from '../json.ts';
import { CONFIGMAPS, configMap, SECRETS, SERVICES, secret, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

const A = `${WIDGETS}/a`;
const fields = (manager: string, f: JsonObject, rest: JsonObject = {}): JsonObject => ({
  manager,
  operation: 'Update',
  apiVersion: 'contract.sublet.dev/v1',
  fieldsType: 'FieldsV1',
  fieldsV1: f,
  time: '2020-01-01T00:00:00Z',
  ...rest,
});

export const managedFields: Subject = {
  subject: 'managedFields',
  cases: [
    {
      name: 'of every kind of write',
      steps: [
        post(
          `${WIDGETS}?fieldManager=m1`,
          widget('a', {
            title: 'one',
            tags: ['x', 'y'],
            ports: [{ port: 1 }],
            labels: { k: 'v' },
            args: ['a'],
            matrix: [[1], [2]],
            free: { a: { b: 1 }, c: [] },
            steps: [{ run: 'x' }],
          }),
        ),
        put(`${A}?fieldManager=m2`, widget('a', { title: 'two', tags: ['y'], ports: [{ port: 1, name: 'n' }] })),
        merge(`${A}?fieldManager=m3`, { spec: { labels: { 'x/y': 'z' } }, metadata: { annotations: { a: 'b' } } }),
        jsonPatch(`${A}?fieldManager=m4`, [{ op: 'add', path: '/metadata/labels', value: { l: 'm' } }]),
        apply(`${A}?fieldManager=m5`, widget('a', { code: 'AB1' })),
        merge(`${A}/status?fieldManager=m6`, { status: { phase: 'p' } }),
      ],
    },
    {
      name: 'by the user agent when no manager is named',
      steps: [
        post(WIDGETS, widget('a'), { headers: { 'user-agent': 'my-tool/v1.2 (linux) x/y' } }),
        merge(A, { spec: { size: 9 } }, { headers: { 'user-agent': 'plain' } }),
        merge(A, { spec: { size: 10 } }, { headers: { 'user-agent': '/odd' } }),
        merge(A, { spec: { size: 11 } }, { headers: { 'user-agent': `${'x'.repeat(200)}/1` } }),
      ],
    },
    {
      name: 'ownership moves to whoever changes a value',
      steps: [
        post(`${WIDGETS}?fieldManager=m1`, widget('a', { title: 'one', size: 5 })),
        merge(`${A}?fieldManager=m2`, { spec: { title: 'two' } }),
        merge(`${A}?fieldManager=m1`, { spec: { title: 'two' } }),
        merge(`${A}?fieldManager=m2`, { spec: { title: null } }),
        merge(`${A}?fieldManager=m2`, { spec: { size: 6 } }),
        get(A),
      ],
    },
    {
      name: 'cleared by an empty list or by one empty entry',
      steps: [
        post(`${WIDGETS}?fieldManager=m1`, widget('a', { title: 'one' })),
        merge(`${A}?fieldManager=m2`, { metadata: { managedFields: [] } }),
        merge(`${A}?fieldManager=m2`, { metadata: { managedFields: [{}] } }),
        merge(`${A}?fieldManager=m2`, { spec: { size: 8 } }),
        jsonPatch(`${A}?fieldManager=m3`, [{ op: 'replace', path: '/metadata/managedFields', value: [{}] }]),
        apply(`${A}?fieldManager=m4`, widget('a', { title: 'four' })),
      ],
    },
    {
      name: 'written by the client',
      steps: [
        post(`${WIDGETS}?fieldManager=m1`, widget('a', { title: 'one' })),
        merge(`${A}?fieldManager=m2`, {
          metadata: { managedFields: [fields('someone', { 'f:spec': { 'f:title': {} } })] },
        }),
        merge(`${A}?fieldManager=m2`, { metadata: { managedFields: [fields('x', {}, { operation: 'Other' })] } }),
        merge(`${A}?fieldManager=m2`, { metadata: { managedFields: [fields('x', {}, { fieldsType: 'V9' })] } }),
        merge(`${A}?fieldManager=m2`, { metadata: { managedFields: [fields('x', { 'bad:spec': {} })] } }),
        merge(`${A}?fieldManager=m2`, {
          metadata: { managedFields: [fields('x', {}, { apiVersion: 'other/v9' })] },
        }),
        get(A),
      ],
    },
    {
      name: 'in a new object',
      steps: [
        post(
          `${WIDGETS}?fieldManager=m1`,
          widget(
            'a',
            { title: 'one' },
            {
              managedFields: [fields('someone', { 'f:spec': { 'f:title': {} } })],
            },
          ),
        ),
        post(
          `${CONFIGMAPS}?fieldManager=m1`,
          configMap(
            'a',
            { k: 'v' },
            {
              managedFields: [fields('someone', { 'f:data': { 'f:k': {} } }, { apiVersion: 'v1' })],
            },
          ),
        ),
      ],
    },
    {
      name: 'left out of an update',
      steps: [
        post(`${WIDGETS}?fieldManager=m1`, widget('a', { title: 'one' })),
        put(`${A}?fieldManager=m1`, widget('a', { title: 'one' })),
        put(`${A}?fieldManager=m2`, widget('a', { title: 'two' }, { managedFields: null })),
      ],
    },
    {
      name: 'of built-in kinds',
      steps: [
        post(`${SECRETS}?fieldManager=m1`, secret('a', { stringData: { k: 'v' }, type: 'Opaque' })),
        merge(`${SECRETS}/a?fieldManager=m2`, { data: { l: 'dw==' } }),
        apply(`${SECRETS}/a?fieldManager=m3`, secret('a', { stringData: { s: 't' } })),
        post(`${SERVICES}?fieldManager=m1`, {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'a' },
          spec: { ports: [{ port: 80 }], selector: { a: 'b' } },
        }),
        merge(`${SERVICES}/a?fieldManager=m2`, { spec: { selector: { c: 'd' } } }),
      ],
    },
    {
      name: 'of more updaters than are kept apart',
      steps: [
        post(`${WIDGETS}?fieldManager=m0`, widget('a')),
        ...Array.from({ length: 13 }, (_, i) =>
          merge(`${A}?fieldManager=u${i}`, { metadata: { annotations: { [`a${i}`]: 'x' } } }, { pick: () => null }),
        ),
        get(A, { pick: countManagers }),
      ],
    },
    {
      name: 'of an object that is no longer changed by a manager',
      steps: [
        post(`${WIDGETS}?fieldManager=m1`, widget('a', { title: 'one' })),
        put(`${A}?fieldManager=m2`, widget('a', { title: 'two', size: 9, color: 'blue', nothingElse: 'x' })),
        get(A),
      ],
    },
  ],
};

/** Which of them are merged depends on the second in which each was written. */
function countManagers(body: Json): Json {
  const entries = at(body, 'metadata.managedFields');
  if (!isArray(entries)) return body;
  const managers = entries.map((entry) => at(entry, 'manager') ?? null);
  return { entries: managers.length, merged: managers.includes('ancient-changes') };
}
