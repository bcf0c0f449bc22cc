import { get, merge, post, put } from '../case.ts';
import type { Json } from '../json.ts';
import { WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

let counter = 0;
/** A widget with that spec, each under its own name. */
const make = (spec: Json) => post(WIDGETS, widget(`w${(counter++).toString(36)}`, spec));
const each = (name: string, ...specs: readonly Json[]) => ({ name, steps: specs.map(make) });

export const schemas: Subject = {
  subject: 'schema',
  cases: [
    each(
      'defaults at every depth',
      {},
      { inner: { name: 'n' } },
      { inner: { name: 'n', deep: {} } },
      {
        ports: [{ port: 1 }, { port: 2, protocol: 'UDP' }],
        steps: [{}, { weight: 5 }, { run: 'x' }],
      },
      { defaulted: { a: {}, b: { kept: false } } },
    ),
    each(
      'defaults instead of null',
      { size: null, color: null, nothingElse: null, nothing: null, notNull: null },
      {
        inner: { name: 'n', mode: null, deep: null },
      },
      { steps: [{ weight: null }] },
    ),
    {
      name: 'defaults of the root',
      steps: [
        post(WIDGETS, { apiVersion: 'contract.sublet.dev/v1', kind: 'Widget', metadata: { name: 'a' } }),
        post(WIDGETS, { apiVersion: 'contract.sublet.dev/v1', kind: 'Widget', metadata: { name: 'b' }, spec: null }),
      ],
    },
    each(
      'pruning',
      { unknown: 1, inner: { name: 'n', more: { deep: 1 } } },
      { ports: [{ port: 1, x: 2 }] },
      {
        labels: { any: 'x' },
        defaulted: { a: { kept: true, lost: 1 } },
      },
      { free: { anything: { goes: [1] } }, known: { a: { b: 'x', lost: 1 }, kept: 1 } },
    ),
    {
      name: 'pruning of the root and of metadata',
      steps: [
        post(WIDGETS, { ...widget('a'), extra: 1, status: { lost: 1 } }),
        post(WIDGETS, widget('b', {}, { unknown: 'x', labels: { a: 'b' } })),
        post(WIDGETS, {
          ...widget('c', {
            template: {
              apiVersion: 'v1',
              kind: 'ConfigMap',
              metadata: { name: 't', unknown: 1, labels: { a: 'b' } },
              data: { k: 'v' },
              anything: 1,
            },
          }),
        }),
      ],
    },
    each(
      'texts: length and pattern',
      { title: 'x' },
      { title: 'x'.repeat(11) },
      { title: 'äöüäöüäöüä' },
      { title: '😀😀' },
      { title: '😀' },
      {
        code: 'ab1',
      },
      { code: 'AB12' },
      { code: 'AB' },
      { code: '' },
      { title: '' },
    ),
    each(
      'wrong types',
      { title: 1 },
      { title: true },
      { title: {} },
      { title: [] },
      { size: '1' },
      { size: 1.5 },
      { size: true },
      {
        enabled: 'true',
      },
      { enabled: 0 },
      { inner: [] },
      { inner: 'x' },
      { tags: 'x' },
      { tags: {} },
      { tags: [1] },
      { ratio: 'x' },
      { labels: [] },
      {
        labels: { k: 1 },
      },
    ),
    each(
      'numbers: bounds',
      { size: 0 },
      { size: 1 },
      { size: 100 },
      { size: 101 },
      { ratio: 0 },
      { ratio: 0.5 },
      { ratio: 1 },
      {
        even: 3,
      },
      { even: 4 },
      { even: 0 },
      { small: 2147483648 },
      { small: -2147483649 },
      { small: 2147483647 },
      { ratio: -0.1 },
    ),
    each('enumerations', { color: 'red' }, { color: 'pink' }, { color: '' }, { color: 1 }),
    each(
      'formats',
      { since: '2020-01-01T00:00:00Z' },
      { since: 'yesterday' },
      { since: '2020-13-01T00:00:00Z' },
      {
        since: '2020-01-01T00:00:00+02:00',
      },
      { since: '2020-01-01' },
      { day: '2020-02-30' },
      { day: '2020-02-28' },
      { id: '123e4567-e89b-12d3-a456-426614174000' },
      {
        id: 'x',
      },
      { address: '1.2.3.4' },
      { address: '1.2.3' },
      { address: '::1' },
      { secret: 'YWJj' },
      { secret: '***' },
      {
        link: 'https://x.example/y',
      },
      { link: 'not a uri' },
      { took: '1h2m' },
      { took: 'long' },
      { host: 'a.b' },
      { host: '-x' },
      { mail: 'a@b.c' },
      { mail: 'x' },
      {
        range: '10.0.0.0/8',
      },
      { range: '10.0.0.0' },
    ),
    each(
      'null',
      { title: null },
      { nothing: null },
      { notNull: null },
      { inner: { name: null } },
      { tags: [null] },
      { labels: { k: null } },
      {
        ports: [null],
      },
    ),
    each('required', { inner: {} }, { inner: { name: '' } }, { ports: [{}] }, { ports: [{ protocol: 'UDP' }] }),
    each(
      'lists: number of items',
      { args: [] },
      { args: ['x'] },
      { tags: ['a', 'b', 'c', 'd', 'e'] },
      { tags: ['a', 'b', 'c', 'd'] },
      { tags: [] },
    ),
    each(
      'lists: sets and keys',
      { tags: ['a', 'a'] },
      { tags: ['a', 'b', 'a', 'b'] },
      {
        ports: [{ port: 1 }, { port: 1 }],
      },
      { ports: [{ port: 1 }, { port: 1, protocol: 'TCP' }, { port: 1, protocol: 'UDP' }] },
      { unique: [1, 1] },
    ),
    each(
      'maps: number of members and their values',
      { labels: { a: '1', b: '2', c: '3', d: '4' } },
      { labels: { a: 'too long' } },
      {
        atLeastOne: {},
      },
      { atLeastOne: { a: 1 } },
      { atLeastOne: { a: 'x', b: 1.5 } },
    ),
    each(
      'int or string',
      { port: 80 },
      { port: 'http' },
      { port: 1.5 },
      { port: true },
      { port: null },
      { amount: 5 },
      { amount: '5Mi' },
      {
        amount: 'five',
      },
      { amount: '123456789' },
      { amount: {} },
      { amount: 1234567890123 },
    ),
    each(
      'oneOf, anyOf, allOf, not',
      { either: {} },
      { either: { left: 'x' } },
      { either: { left: 'x', right: 'y' } },
      { any: {} },
      {
        any: { x: 1 },
      },
      { any: { y: 5 } },
      { any: { y: 15 } },
      { all: 'a' },
      { all: 'abc' },
      { all: 'abcde' },
      { all: 'bad' },
    ),
    each(
      'embedded resources',
      { template: {} },
      { template: { apiVersion: 'v1', kind: 'X' } },
      {
        template: { apiVersion: 'v1', kind: 'X', metadata: { name: 'Bad Name' } },
      },
      { template: { apiVersion: 'a/b/c', kind: 'X' } },
      { template: { apiVersion: 'v1', kind: 'X', metadata: { labels: { a: 1 } } } },
    ),
    each(
      'several errors at once',
      { title: 'x', size: 0, color: 'pink', inner: {}, tags: ['a', 'a'], code: 'x' },
      {
        ports: [{ port: 'x' }, { name: 1 }],
        matrix: [[1, 'x'], ['y']],
      },
    ),
    {
      name: 'errors of what is stored already are found at an update',
      steps: [
        post(WIDGETS, widget('a', { title: 'good', tags: ['x'] })),
        put(`${WIDGETS}/a`, widget('a', { title: 'x' })),
        merge(`${WIDGETS}/a`, { spec: { tags: ['x', 'x'] } }),
        merge(`${WIDGETS}/a`, { spec: { ports: [{ port: 1 }, { port: 1 }] } }),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'long names of fields and values in messages',
      steps: [
        make({ color: 'x'.repeat(500) }),
        make({ labels: { ['k'.repeat(300)]: 'long value' } }),
        make({ inner: { name: { deep: 'x'.repeat(300) } } }),
      ],
    },
  ],
};
