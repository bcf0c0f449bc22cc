import { apply, get, jsonPatch, merge, post, put } from '../case.ts';
import { GADGETS, gadget, NAMESPACES, sublet, TENANTS, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

const ready = { type: 'Ready', status: 'True', lastTransitionTime: '2020-01-01T00:00:00Z' };

export const statuses: Subject = {
  subject: 'status subresource',
  cases: [
    {
      name: 'update changes the status only',
      steps: [
        post(WIDGETS, widget('a', { size: 2 })),
        put(`${WIDGETS}/a/status`, {
          ...widget('a', { size: 50, title: 'ignored' }, { labels: { set: 'no' }, annotations: { x: 'y' } }),
          status: { phase: 'Ready', conditions: [ready] },
        }),
        get(`${WIDGETS}/a`),
        get(`${WIDGETS}/a/status`),
      ],
    },
    {
      name: 'update of the object leaves the status',
      steps: [
        post(WIDGETS, widget('a')),
        merge(`${WIDGETS}/a/status`, { status: { phase: 'Ready' } }),
        put(`${WIDGETS}/a`, { ...widget('a', { size: 5 }), status: { phase: 'Other' } }),
        put(`${WIDGETS}/a`, widget('a', { size: 6 })),
        merge(`${WIDGETS}/a`, { status: { phase: 'Other' } }),
        jsonPatch(`${WIDGETS}/a`, [{ op: 'add', path: '/status', value: { phase: 'Other' } }]),
        jsonPatch(`${WIDGETS}/a`, [{ op: 'remove', path: '/status' }]),
      ],
    },
    {
      name: 'by each kind of patch',
      steps: [
        post(WIDGETS, widget('a')),
        merge(`${WIDGETS}/a/status`, { status: { observedGeneration: 1 }, spec: { size: 70 } }),
        jsonPatch(`${WIDGETS}/a/status`, [
          { op: 'replace', path: '/status/observedGeneration', value: 2 },
          { op: 'add', path: '/status/conditions', value: [ready] },
        ]),
        apply(`${WIDGETS}/a/status?fieldManager=operator`, {
          apiVersion: 'contract.sublet.dev/v1',
          kind: 'Widget',
          status: { conditions: [{ ...ready, type: 'Other' }] },
        }),
        apply(`${WIDGETS}/a/status?fieldManager=operator&force=true`, {
          apiVersion: 'contract.sublet.dev/v1',
          kind: 'Widget',
          spec: { size: 9 },
          status: { conditions: [{ ...ready, reason: 'Applied' }] },
        }),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'is validated',
      steps: [
        post(WIDGETS, widget('a')),
        merge(`${WIDGETS}/a/status`, { status: { observedGeneration: 'x' } }),
        merge(`${WIDGETS}/a/status`, { status: { conditions: [{ type: 'Ready', status: 'Maybe' }] } }),
        merge(`${WIDGETS}/a/status`, { status: { conditions: [{ status: 'True' }] } }),
        merge(`${WIDGETS}/a/status`, { status: { conditions: [ready, ready] } }),
        merge(`${WIDGETS}/a/status`, { status: { unknown: 1 } }),
        put(`${WIDGETS}/a/status`, { ...widget('a', { size: 1000 }), status: {} }),
        merge(`${WIDGETS}/a/status`, { status: null }),
      ],
    },
    {
      name: 'of what is not there',
      steps: [
        put(`${WIDGETS}/none/status`, widget('none')),
        merge(`${WIDGETS}/none/status`, { status: {} }),
        apply(`${WIDGETS}/none/status?fieldManager=m`, widget('none')),
        jsonPatch(`${WIDGETS}/none/status`, []),
        post(`${WIDGETS}/none/status`, widget('none')),
      ],
    },
    {
      name: 'with versions',
      steps: [
        post(WIDGETS, widget('a'), { name: 'made' }),
        merge(`${WIDGETS}/a`, { spec: { size: 5 } }),
        put(`${WIDGETS}/a/status`, {
          ...widget('a', {}, { resourceVersion: '<<made:metadata.resourceVersion>>' }),
          status: { phase: 'x' },
        }),
        merge(`${WIDGETS}/a/status`, {
          metadata: { resourceVersion: '<<made:metadata.resourceVersion>>' },
          status: { phase: 'x' },
        }),
        merge(`${WIDGETS}/a/status`, {
          metadata: { uid: '00000000-0000-4000-8000-000000000001' },
          status: { phase: 'x' },
        }),
      ],
    },
    {
      name: 'where a kind has none',
      steps: [
        post(GADGETS, gadget('g-{id}', { status: { kept: true } })),
        get(`${GADGETS}/g-{id}/status`),
        put(`${GADGETS}/g-{id}/status`, gadget('g-{id}')),
        get(`${GADGETS}/g-{id}/other`),
        get(`${WIDGETS}/a/scale`),
        get(`${WIDGETS}/a/status/more`),
      ],
    },
    {
      name: 'metadata through the status',
      steps: [
        post(WIDGETS, widget('a', {}, { labels: { a: '1' }, finalizers: ['example.com/hold'] })),
        merge(`${WIDGETS}/a/status`, {
          metadata: { labels: { a: '2', b: '3' }, annotations: { c: 'd' }, finalizers: null, ownerReferences: [] },
        }),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'of a Tenant, with the default that its schema gives',
      steps: [
        post(TENANTS, sublet('Tenant', 'acme', { id: 'acme-1', displayName: 'Acme', plan: 'team', type: 'Customer' })),
        apply(`${TENANTS}/acme/status?fieldManager=sublet-status&force=true`, {
          apiVersion: 'sublet.dev/v1alpha1',
          kind: 'Tenant',
          metadata: { name: 'acme', namespace: '{ns}' },
          status: {
            observedGeneration: 1,
            namespace: 't-acme',
            conditions: [{ ...ready, reason: 'Done', message: '' }],
          },
        }),
        get(`${TENANTS}/acme`),
      ],
    },
    {
      name: 'of a namespace',
      steps: [
        merge(`${NAMESPACES}/{ns}/status`, { status: { phase: 'Terminating' } }, { pick: () => null }),
        get(`${NAMESPACES}/{ns}/status`),
      ],
    },
  ],
};
