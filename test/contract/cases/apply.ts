import { apply, call, del, get, merge, post, put } from '../case.ts';
import type { Json, JsonObject } from '../json.ts';
import {
  CONFIGMAPS,
  configMap,
  GADGETS,
  gadget,
  LEASES,
  NAMESPACES,
  NETWORKPOLICIES,
  RDPINSTANCES,
  SERVICES,
  sublet,
  TENANTS,
  WIDGETS,
  widget,
} from '../resources.ts';
import type { Subject } from '../suite.ts';

const A = `${WIDGETS}/a`;
const by = (manager: string, spec: Json, metadata: JsonObject = {}) =>
  apply(`${A}?fieldManager=${manager}`, widget('a', spec, metadata));
const force = (manager: string, spec: Json, metadata: JsonObject = {}) =>
  apply(`${A}?fieldManager=${manager}&force=true`, widget('a', spec, metadata));

export const applies: Subject = {
  subject: 'server-side apply',
  cases: [
    {
      name: 'creates',
      steps: [
        by('one', { title: 'new' }),
        get(A),
        apply(`${CONFIGMAPS}/a?fieldManager=one`, configMap('a')),
        apply(`${GADGETS}/g-{id}?fieldManager=one`, gadget('g-{id}', { a: { b: [1, { c: 2 }] } })),
      ],
    },
    { name: 'the same again changes nothing', steps: [by('one', { title: 'new' }), by('one', { title: 'new' })] },
    {
      name: 'changes and removes its own fields',
      steps: [
        by('one', { title: 'new', args: ['x'], inner: { name: 'n' } }),
        by('one', { title: 'other' }),
        by('one', {}),
        get(A),
      ],
    },
    {
      name: 'states metadata with nothing in it, and the next write changes nothing',
      steps: [
        by('one', { title: 'new' }),
        by('one', { title: 'other' }, { labels: {}, finalizers: [] }),
        get(A),
        merge(`${A}?fieldManager=two`, { spec: {} }),
      ],
    },
    {
      name: 'needs a field manager',
      steps: [
        apply(A, widget('a')),
        apply(`${A}?fieldManager=`, widget('a')),
        apply(`${A}?fieldManager=${'x'.repeat(129)}`, widget('a')),
        apply(`${A}?fieldManager=tab%09here`, widget('a')),
      ],
    },
    {
      name: 'conflicts with another manager, and forces',
      steps: [
        by('one', { title: 'mine', size: 5 }),
        by('two', { title: 'yours', size: 6 }),
        force('two', { title: 'yours', size: 6 }),
        by('one', { title: 'mine' }),
        by('one', { title: 'yours' }),
        get(A),
      ],
    },
    {
      name: 'shares a field that both give the same value',
      steps: [
        by('one', { title: 'same' }),
        by('two', { title: 'same' }),
        by('one', {}),
        by('two', { title: 'then' }),
        by('two', {}),
        get(A),
      ],
    },
    {
      name: 'conflicts with an update',
      steps: [
        post(`${WIDGETS}?fieldManager=creator`, widget('a', { title: 'one', size: 4 })),
        by('two', { title: 'two', size: 4 }),
        merge(`${A}?fieldManager=patcher`, { spec: { size: 9 } }),
        by('two', { size: 10 }),
        force('two', { title: 'two', size: 10 }),
        put(`${A}?fieldManager=creator`, widget('a', { title: 'three', size: 10 })),
        by('two', { title: 'two' }),
      ],
    },
    {
      name: 'several conflicts with several managers',
      steps: [
        by('one', { title: 'a1', size: 5, tags: ['x'] }),
        by('two', { code: 'AB1', labels: { k: 'v' } }),
        merge(`${A}?fieldManager=three`, { spec: { enabled: true } }),
        by('four', { title: 'b1', size: 6, code: 'AB2', labels: { k: 'w', l: 'm' }, enabled: false, tags: ['x', 'y'] }),
      ],
    },
    {
      name: 'lists that are maps by key',
      steps: [
        by('one', { ports: [{ port: 1, name: 'a' }, { port: 2 }] }),
        by('two', {
          ports: [
            { port: 2, name: 'b' },
            { port: 3, protocol: 'UDP' },
          ],
        }),
        by('two', { ports: [{ port: 1, name: 'other' }] }),
        by('one', { ports: [{ port: 2 }] }),
        by('two', {}),
        get(A),
      ],
    },
    {
      name: 'the order of lists that are maps by key',
      steps: [
        by('one', { ports: [{ port: 1 }, { port: 3 }, { port: 5 }] }),
        by('two', { ports: [{ port: 4 }, { port: 3 }, { port: 2 }] }),
        by('three', { ports: [{ port: 6 }, { port: 1 }] }),
        by('one', { ports: [{ port: 5 }, { port: 1 }] }),
      ],
    },
    {
      name: 'duplicate and missing keys in lists that are maps',
      steps: [
        by('one', { ports: [{ port: 1 }, { port: 1 }] }),
        by('one', { ports: [{ name: 'no key' }] }),
        by('one', { ports: [{ port: 1, protocol: 'TCP' }, { port: 1 }] }),
        by('one', { ports: [{ port: 'x' }] }),
        by('one', { ports: {} }),
        by('one', { ports: ['x'] }),
      ],
    },
    {
      name: 'lists that are sets',
      steps: [
        by('one', { tags: ['a', 'b'] }),
        by('two', { tags: ['b', 'c'] }),
        by('one', { tags: ['b'] }),
        by('one', {}),
        by('two', { tags: ['c', 'c'] }),
        by('two', { tags: [] }),
        by('one', { tags: [1] }),
        get(A),
      ],
    },
    {
      name: 'the order of sets',
      steps: [by('one', { tags: ['c', 'a'] }), by('two', { tags: ['b', 'a', 'd'] }), by('one', { tags: ['a', 'c'] })],
    },
    {
      name: 'atomic lists and maps',
      steps: [
        by('one', { args: ['a', 'b'], atomic: { k: 'v' }, unique: [1] }),
        by('two', { args: ['a', 'b'] }),
        by('two', { args: ['a'] }),
        by('two', { atomic: { l: 'w' } }),
        force('two', { atomic: { l: 'w' }, args: ['c'] }),
        by('one', { unique: [2, 1] }),
        by('one', {}),
        get(A),
      ],
    },
    {
      name: 'sets inside lists that are maps',
      steps: [
        by('one', { ports: [{ port: 1, hosts: ['a'] }] }),
        by('two', { ports: [{ port: 1, hosts: ['b'] }] }),
        by('one', { ports: [{ port: 1 }] }),
        get(A),
      ],
    },
    {
      name: 'maps and nested objects',
      steps: [
        by('one', { labels: { a: '1' }, inner: { name: 'n', deep: { level: 2 } } }),
        by('two', { labels: { b: '2' }, inner: { name: 'n', deep: { more: 3 } } }),
        by('one', { inner: { name: 'n' } }),
        by('one', { labels: {} }),
        by('two', { labels: { b: null } }),
        get(A),
      ],
    },
    {
      name: 'free form',
      steps: [
        by('one', { free: { a: [1, 2], b: { c: 'd' } }, known: { a: { b: 'x' }, other: [1] } }),
        by('two', { free: { b: { e: 'f' } }, known: { other: [2] } }),
        force('two', { free: { a: [2] }, known: { other: { now: 'a map' } } }),
        by('one', {}),
        get(A),
      ],
    },
    {
      name: 'null and empty values',
      steps: [
        by('one', { nothing: null, title: 'a1', inner: null, tags: null, labels: null }),
        by('one', { nothing: null, tags: [], labels: {}, atomic: {} }),
        by('one', { title: null }),
        by('one', { size: null }),
        apply(`${A}?fieldManager=one`, widget('a', null)),
        get(A),
      ],
    },
    {
      name: 'defaults belong to nobody',
      steps: [
        by('one', { inner: { name: 'n' } }),
        by('two', { inner: { name: 'n', mode: 'slow' }, size: 9 }),
        by('two', {}),
        get(A),
      ],
    },
    {
      name: 'what was deleted meanwhile',
      steps: [by('one', { title: 'a1' }), del(A), by('one', { size: 4 }), get(A)],
    },
    {
      name: 'with versions and uids',
      steps: [
        by('one', {}, { resourceVersion: '5' }),
        by('one', {}, { uid: '00000000-0000-4000-8000-000000000001' }),
        get(A, { name: 'made' }),
        by('one', { title: 'a1' }, { resourceVersion: '<<made:metadata.resourceVersion>>' }),
        by('one', { title: 'a2' }, { resourceVersion: '<<made:metadata.resourceVersion>>' }),
        by('one', { title: 'a3' }, { uid: '00000000-0000-4000-8000-000000000001' }),
        by('one', { title: 'a4' }, { uid: '<<made:metadata.uid>>' }),
      ],
    },
    {
      name: 'with managedFields in the body',
      steps: [by('one', {}, { managedFields: [] }), by('one', {}, { managedFields: [{ manager: 'x' }] }), get(A)],
    },
    {
      name: 'with another name, namespace, kind or version',
      steps: [
        apply(`${A}?fieldManager=one`, widget('b')),
        apply(`${A}?fieldManager=one`, widget('a', {}, { namespace: '{ns2}' })),
        apply(`${A}?fieldManager=one`, { ...widget('a'), kind: 'Gadget' }),
        apply(`${A}?fieldManager=one`, { ...widget('a'), apiVersion: 'contract.sublet.dev/v2' }),
        apply(`${A}?fieldManager=one`, { ...widget('a'), apiVersion: 'v1' }),
        apply(`${A}?fieldManager=one`, { spec: { title: 'a1' } }),
        apply(`${A}?fieldManager=one`, { apiVersion: 'contract.sublet.dev/v1', kind: 'Widget', spec: {} }),
        apply(`${CONFIGMAPS}/a?fieldManager=one`, { apiVersion: 'v1', kind: 'ConfigMap' }),
        apply(`${CONFIGMAPS}/a?fieldManager=one`, configMap('b')),
        apply(`${CONFIGMAPS}/a?fieldManager=one`, { data: {} }),
      ],
    },
    {
      name: 'invalid values',
      steps: [
        by('one', { size: 1000 }),
        by('one', { size: 'x' }),
        by('one', { unknown: 1 }),
        by('one', { inner: {} }),
        apply(`${A}?fieldManager=one`, widget('a', 'text')),
        apply(`${CONFIGMAPS}/a?fieldManager=one`, configMap('a', { n: 1 })),
        apply(`${CONFIGMAPS}/a?fieldManager=one`, { ...configMap('a'), unknown: 1 }),
        get(A),
      ],
    },
    {
      name: 'malformed bodies',
      steps: [
        apply(`${A}?fieldManager=one`, '{'),
        apply(`${A}?fieldManager=one`, ''),
        apply(`${A}?fieldManager=one`, '[]'),
        apply(`${A}?fieldManager=one`, 'text'),
        apply(`${A}?fieldManager=one`, 'a: b: c'),
        apply(`${A}?fieldManager=one`, 'null'),
        apply(`${A}?fieldManager=one`, '---\na: 1\n---\nb: 2\n'),
        apply(`${CONFIGMAPS}/a?fieldManager=one`, '{'),
      ],
    },
    {
      name: 'YAML',
      steps: [
        apply(
          `${A}?fieldManager=one`,
          `apiVersion: contract.sublet.dev/v1\nkind: Widget\nmetadata:\n  name: a\nspec:\n  title: yes-so   # a comment\n  size: 0x10\n  enabled: yes\n  labels: {a: "on"}\n  args:\n  - |\n    block\n  - 'it''s'\n`,
        ),
        apply(
          `${CONFIGMAPS}/a?fieldManager=one`,
          'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: &x "1"\n  y: *x\n',
        ),
        apply(
          `${A}?fieldManager=one`,
          'apiVersion: contract.sublet.dev/v1\nkind: Widget\nmetadata: {name: a}\nspec: {title: on}\n',
        ),
        apply(
          `${A}?fieldManager=one`,
          'apiVersion: contract.sublet.dev/v1\nkind: Widget\nmetadata: {name: a}\nspec: {title: aa, title: bb}\n',
        ),
      ],
    },
    {
      name: 'parameters that only some patches have',
      steps: [
        post(WIDGETS, widget('a')),
        apply(`${A}?fieldManager=one&force=false`, widget('a', { title: 'a1' })),
        apply(`${A}?fieldManager=one&force=maybe`, widget('a', { title: 'a1' })),
        call('PATCH', `${A}?fieldManager=one&force=true`, [], 'application/json-patch+json'),
        call('PATCH', `${A}?fieldManager=one`, {}, 'application/apply-patch+json'),
        call('PATCH', `${A}?fieldManager=one`, widget('a'), 'application/apply-patch+yaml;charset=utf-8'),
      ],
    },
    {
      name: 'labels, annotations, finalizers and owners of several managers',
      steps: [
        // The collector removes what names owners that are not there.
        post(CONFIGMAPS, configMap('u1'), { name: 'u1' }),
        post(CONFIGMAPS, configMap('u2'), { name: 'u2' }),
        by('one', {}, { labels: { a: '1', b: '2' }, annotations: { x: 'y' }, finalizers: ['example.com/one'] }),
        by('two', {}, { labels: { b: '2', c: '3' }, finalizers: ['example.com/two'] }),
        by('one', {}, { labels: { a: '1' }, ownerReferences: [owner('u1')] }),
        by('two', {}, { ownerReferences: [owner('u2')] }),
        by('one', {}),
        get(A),
      ],
    },
    {
      name: 'to a namespace that is not there',
      steps: [
        apply('/api/v1/namespaces/none-{id}/configmaps/a?fieldManager=one', configMap('a')),
        apply('/apis/contract.sublet.dev/v1/namespaces/none-{id}/widgets/a?fieldManager=one', widget('a')),
      ],
    },
    {
      name: 'takes over from client-side apply',
      steps: [
        post(
          `${WIDGETS}?fieldManager=kubectl-client-side-apply`,
          widget('a', { title: 'one', size: 5 }, lastApplied()),
        ),
        apply(`${A}?fieldManager=kubectl&force=false`, widget('a', { title: 'two', size: 5 })),
        apply(`${A}?fieldManager=kubectl&force=true`, widget('a', { title: 'two', size: 5 })),
        apply(`${A}?fieldManager=kubectl`, widget('a', { title: 'three' })),
        get(A),
      ],
    },
    {
      name: 'keeps the annotation of client-side apply up to date',
      steps: [
        post(
          `${CONFIGMAPS}?fieldManager=kubectl-client-side-apply`,
          configMap(
            'a',
            { k: 'v' },
            {
              annotations: {
                'kubectl.kubernetes.io/last-applied-configuration':
                  '{"apiVersion":"v1","data":{"k":"v"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"a"}}\n',
              },
            },
          ),
        ),
        apply(`${CONFIGMAPS}/a?fieldManager=kubectl`, configMap('a', { k: 'w' })),
        apply(`${CONFIGMAPS}/a?fieldManager=kubectl&force=true`, configMap('a', { k: 'w' })),
      ],
    },
    {
      name: 'what update managers own is kept apart from apply managers of the same name',
      steps: [
        post(`${WIDGETS}?fieldManager=same`, widget('a', { title: 'one', size: 8 })),
        by('same', { title: 'one' }),
        by('same', {}),
        put(`${A}?fieldManager=same`, widget('a', { title: 'two', size: 8 })),
      ],
    },
    {
      name: 'updates take fields away from appliers',
      steps: [
        by('one', { title: 'one', labels: { a: '1' }, tags: ['x'] }),
        put(`${A}?fieldManager=two`, widget('a', { title: 'two', labels: { a: '1' } })),
        by('one', { title: 'one', labels: { a: '1' }, tags: ['x'] }),
        merge(`${A}?fieldManager=two`, { spec: { labels: null } }),
        by('one', { labels: { a: '2' } }),
      ],
    },
    {
      name: 'a Service, a NetworkPolicy, a Lease',
      steps: [
        apply(`${SERVICES}/a?fieldManager=one`, {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'a' },
          spec: { ports: [{ port: 80, name: 'http' }], selector: { app: 'x' } },
        }),
        apply(`${SERVICES}/a?fieldManager=two`, {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'a' },
          spec: { ports: [{ port: 443, name: 'https' }] },
        }),
        apply(`${SERVICES}/a?fieldManager=one`, {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'a' },
          spec: { selector: { app: 'x' } },
        }),
        apply(`${NETWORKPOLICIES}/a?fieldManager=one`, {
          apiVersion: 'networking.k8s.io/v1',
          kind: 'NetworkPolicy',
          metadata: { name: 'a' },
          spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }], policyTypes: ['Ingress'] },
        }),
        apply(`${LEASES}/a?fieldManager=one`, {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: 'a' },
          spec: { holderIdentity: 'x' },
        }),
      ],
    },
    {
      name: 'a namespace, as the operator does',
      steps: [
        apply(`${NAMESPACES}/{ns}?fieldManager=one&force=true`, {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: '{ns}', labels: { a: 'b' }, annotations: { 'sublet.dev/tenant-id': 'x' } },
        }),
        apply(`${NAMESPACES}/{ns}?fieldManager=one`, {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: '{ns}' },
        }),
      ],
    },
    {
      name: "Sublet's kinds, as Flux does",
      steps: [
        apply(
          `${TENANTS}/acme?fieldManager=kustomize-controller&force=true&dryRun=All`,
          sublet('Tenant', 'acme', tenant(['anna'])),
        ),
        apply(
          `${TENANTS}/acme?fieldManager=kustomize-controller&force=true`,
          sublet('Tenant', 'acme', tenant(['anna']), { labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' } }),
        ),
        apply(
          `${TENANTS}/acme?fieldManager=kustomize-controller&force=true`,
          sublet('Tenant', 'acme', tenant(['anna', 'bob'])),
        ),
        apply(`${TENANTS}/acme?fieldManager=other`, sublet('Tenant', 'acme', tenant(['carl']))),
        apply(
          `${RDPINSTANCES}/desk?fieldManager=kustomize-controller&force=true`,
          sublet('RDPInstance', 'desk', { plan: 'pro', image: 'ubuntu-24', username: 'anna' }),
        ),
      ],
    },
  ],
};

function owner(name: string): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', name, uid: `<<${name}:metadata.uid>>` };
}

function lastApplied(): JsonObject {
  return {
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration':
        '{"apiVersion":"contract.sublet.dev/v1","kind":"Widget","metadata":{"annotations":{},"name":"a"},"spec":{"size":5,"title":"one"}}\n',
    },
  };
}

function tenant(members: readonly string[]): JsonObject {
  return {
    id: 'acme-1',
    displayName: 'Acme',
    plan: 'team',
    type: 'Customer',
    members: members.map((name) => ({ kind: 'User', name: `oidc:${name}`, role: 'Owner' })),
  };
}
