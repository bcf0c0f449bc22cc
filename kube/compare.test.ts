import { expect, test } from 'vitest';
import { compareIntent, hashValue, renderCanonical } from './compare.ts';

const same = (intent: unknown, live: unknown) => expect(compareIntent(intent, live)).toBeUndefined();
const differs = (intent: unknown, live: unknown, path: string) => expect(compareIntent(intent, live)?.path).toBe(path);

test('maps are a subset', () => {
  same({ a: 1 }, { a: 1, b: 2 });
  same({ a: { b: undefined } }, { a: {} });
  differs({ a: 1 }, { b: 1 }, 'a');
  differs({ spec: { a: { b: 1 } } }, { spec: { a: { b: 2 } } }, 'spec.a.b');
  differs({ a: { b: 1 } }, { a: null }, 'a');
});

test('empty maps and lists that the API server drops are no difference', () => {
  same({ ingress: [], x: {} }, {});
  differs({ emptyDir: { medium: 'Memory' } }, {}, 'emptyDir');
  differs({ ingress: [] }, { ingress: [{}] }, 'ingress');
});

test('a subject added to a RoleBinding is a difference, the defaulted apiGroup is not', () => {
  const intent = { subjects: [{ kind: 'User', name: 'a' }] };
  const a = { kind: 'User', name: 'a', apiGroup: 'rbac.authorization.k8s.io' };
  same(intent, { subjects: [a] });
  differs(intent, { subjects: [a, { ...a, name: 'evil' }] }, 'subjects');
  differs(intent, { subjects: [{ ...a, namespace: 'x' }] }, 'subjects[0].namespace');
});

test('inside an atomic list nothing may be added, not even in lists that are keyed elsewhere', () => {
  const intent = { ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 53 }] }] };
  same(intent, { ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 53, protocol: 'TCP' }] }] });
  differs(
    intent,
    { ingress: [{ from: [{ podSelector: {}, namespaceSelector: {} }], ports: [{ port: 53 }] }] },
    'ingress[0].from[0].namespaceSelector',
  );
  differs(
    intent,
    { ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 53 }, { port: 22 }] }] },
    'ingress[0].ports',
  );
});

test('keyed lists are a subset by key, in any order', () => {
  const intent = { ports: [{ port: 3389, targetPort: 3389 }] };
  same(intent, { ports: [{ port: 22 }, { port: 3389, protocol: 'TCP', targetPort: 3389, nodePort: 30_001 }] });
  differs(intent, { ports: [{ port: 3389, protocol: 'UDP', targetPort: 3389 }] }, 'ports[3389/TCP]');
  same(
    { containers: [{ name: 'a', env: [{ name: 'X', value: '1' }] }] },
    {
      containers: [{ name: 'injected' }, { name: 'a', env: [{ name: 'Y' }, { name: 'X', value: '1' }] }],
    },
  );
  same({ metadata: { finalizers: ['a'] } }, { metadata: { finalizers: ['b', 'a'] } });
  differs({ metadata: { finalizers: ['a'] } }, { metadata: { finalizers: ['b'] } }, 'metadata.finalizers');
});

test('order counts in atomic lists', () => {
  differs({ args: ['a', 'b'] }, { args: ['b', 'a'] }, 'args[0]');
});

test('quantities are compared as numbers, texts elsewhere are not', () => {
  same({ requests: { memory: '8Gi', cpu: 2 } }, { requests: { memory: '8192Mi', cpu: '2000m' } });
  differs({ requests: { memory: '8Gi' } }, { requests: { memory: '8G' } }, 'requests.memory');
  differs({ data: { a: '1' } }, { data: { a: '1.0' } }, 'data.a');
  differs({ metadata: { labels: { a: '1' } } }, { metadata: { labels: { a: '1.0' } } }, 'metadata.labels.a');
  differs(
    { containers: [{ name: 'a', args: ['1'] }] },
    { containers: [{ name: 'a', args: ['1.0'] }] },
    'containers[a].args[0]',
  );
});

test('names from Object.prototype are ordinary names', () => {
  const intent = JSON.parse('{"__proto__":{"a":1},"constructor":"x"}');
  expect(compareIntent(intent, {})).toBeDefined();
  same(intent, JSON.parse('{"constructor":"x","__proto__":{"a":1}}'));
  same({ list: [{ a: 1 }] }, { list: [{ a: 1 }] });
  differs({ list: [{ a: 1 }] }, { list: [{ a: 1, constructor: 2 }] }, 'list[0].constructor');
});

test('the hash depends on values only', () => {
  expect(hashValue({ a: 1, b: [1, { c: 2, d: undefined }] })).toBe(hashValue({ b: [1, { c: 2 }], a: 1 }));
  expect(hashValue({ a: 1 })).not.toBe(hashValue({ a: '1' }));
  expect(hashValue({ a: [1, 2] })).not.toBe(hashValue({ a: [2, 1] }));
  expect(hashValue({})).toMatch(/^[0-9a-f]{32}$/);
  expect(renderCanonical({ 10: 'a', b: 1, 9: 'c' })).toBe(renderCanonical({ b: 1, 9: 'c', 10: 'a' }));
  expect(renderCanonical([undefined, { a: undefined }])).toBe('[null,{}]');
  expect(renderCanonical(JSON.parse('{"b":1,"__proto__":2}'))).toBe('{"__proto__":2,"b":1}');
});
