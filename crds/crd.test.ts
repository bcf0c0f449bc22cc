import { describe, expect, it } from 'vitest';
import { buildCrd, buildKindSchema } from './crd.ts';
import { isRecord } from './rules/walk.ts';
import type { Structural } from './structural.ts';
import { KINDS } from './v1alpha1/resources.ts';

/** YAML 1.1, type bool. */
const YAML_BOOLEANS = /^(y|yes|n|no|true|false|on|off)$/i;

/** CEL's language definition, reserved identifiers and literals. */
const CEL_RESERVED = new Set([
  ...['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import'],
  ...['let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while'],
]);

/** Named by the product's design; no rule reads it, and Kubernetes lets rules escape it. */
const EXCEPTED = new Set(['Tenant.status.namespace']);

const nodes = KINDS.flatMap((definition) => listNodes(buildKindSchema(definition), definition.resource.kind));

describe('the schemas of all kinds', () => {
  /** The status of a condition is Kubernetes' own, and nobody writes it by hand. */
  it('have no enum value that YAML 1.1 reads as a boolean', () => {
    const ours = nodes.filter(({ path }) => !path.endsWith('.status.conditions[].status'));
    const values = ours.flatMap(({ schema }) => schema.enum ?? []);
    expect(values.length).toBeGreaterThan(20);
    expect(values.filter((value) => YAML_BOOLEANS.test(value))).toEqual([]);
  });

  it('have no field that is a reserved word of CEL', () => {
    const reserved = nodes.map(({ path }) => path).filter((path) => CEL_RESERVED.has(path.split('.').at(-1) ?? ''));
    expect(reserved.filter((path) => !EXCEPTED.has(path))).toEqual([]);
  });

  it('describe every field of every spec', () => {
    const silent = nodes.filter(
      ({ path, schema }) => /^\w+\.spec\.\w+$/.test(path) && schema.description === undefined,
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('apply the defaults of the design and no others', () => {
    const defaults = nodes.flatMap(({ path, schema }) =>
      schema.default === undefined ? [] : [[path, schema.default]],
    );
    expect(Object.fromEntries(defaults)).toEqual({
      'Tenant.spec.type': 'Customer',
      'Tenant.spec.source.repository.branch': 'main',
      'Tenant.spec.deletion': {},
      'Tenant.spec.deletion.policy': 'Retain',
      'Tenant.spec.deletion.graceDays': 7,
      'Tenant.status': { observedGeneration: -1 },
      'Plan.status': { observedGeneration: -1 },
      'Quota.status': { observedGeneration: -1 },
      'RDPInstance.spec.power': 'Running',
      'RDPInstance.spec.access': {},
      'RDPInstance.spec.access.type': 'LoadBalancer',
      'RDPInstance.spec.deletion': {},
      'RDPInstance.spec.deletion.policy': 'Retain',
      'RDPInstance.spec.deletion.graceDays': 7,
      'RDPInstance.status': { observedGeneration: -1 },
    });
  });

  it('make the lists that people edit maps or sets', () => {
    const lists = nodes.flatMap(({ path, schema }) =>
      schema.type === 'array' ? [[path, schema['x-kubernetes-list-map-keys'] ?? schema['x-kubernetes-list-type']]] : [],
    );
    expect(Object.fromEntries(lists)).toEqual({
      'Tenant.spec.members': ['kind', 'name'],
      'Tenant.spec.suspensions': ['reason'],
      'Tenant.spec.holds': ['tenant', 'reason'],
      'Plan.spec.price': ['name'],
      'Plan.spec.price[].metered.tiers': ['from'],
      'Plan.spec.desktop.images': 'set',
      'RDPInstance.spec.access.allow': 'set',
      ...Object.fromEntries(KINDS.map(({ resource }) => [`${resource.kind}.status.conditions`, ['type']])),
    });
  });

  it('keep identities, what is sold and its currency', () => {
    const fixed = nodes.filter(({ schema }) =>
      JSON.stringify(schema['x-kubernetes-validations'] ?? '').includes('oldSelf'),
    );
    expect(fixed.map(({ path }) => path)).toEqual([
      'Tenant.spec.id',
      'Plan.spec.offers',
      'Plan.spec.currency',
      'RDPInstance.spec.username',
    ]);
  });
});

describe('buildCrd', () => {
  it('names kinds, short names and the category', () => {
    expect(KINDS.map((definition) => buildCrd(definition).spec.names)).toEqual([
      {
        plural: 'tenants',
        singular: 'tenant',
        kind: 'Tenant',
        listKind: 'TenantList',
        shortNames: ['stenant'],
        categories: ['sublet'],
      },
      {
        plural: 'plans',
        singular: 'plan',
        kind: 'Plan',
        listKind: 'PlanList',
        shortNames: ['splan'],
        categories: ['sublet'],
      },
      {
        plural: 'quotas',
        singular: 'quota',
        kind: 'Quota',
        listKind: 'QuotaList',
        shortNames: ['squota'],
        categories: ['sublet'],
      },
      {
        plural: 'rdpinstances',
        singular: 'rdpinstance',
        kind: 'RDPInstance',
        listKind: 'RDPInstanceList',
        shortNames: ['rdp'],
        categories: ['sublet'],
      },
    ]);
  });

  it('shows the columns that apply', () => {
    const columns = KINDS.map((definition) =>
      buildCrd(definition).spec.versions[0]?.additionalPrinterColumns.map(({ name }) => name),
    );
    expect(columns).toEqual([
      ['Plan', 'Ready', 'Reason', 'Age'],
      ['Ready', 'Reason', 'Age'],
      ['Ready', 'Reason', 'Age'],
      ['Plan', 'Image', 'Power', 'Address', 'Ready', 'Reason', 'Age'],
    ]);
  });
});

type Node = { readonly path: string; readonly schema: Structural };

function listNodes(schema: Structural, path: string): readonly Node[] {
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, member]) =>
    listNodes(member, `${path}.${name}`),
  );
  const items = isRecord(schema.items) ? listNodes(schema.items, `${path}[]`) : [];
  return [{ path, schema }, ...members, ...items].filter((node) => !node.path.includes('.metadata'));
}
