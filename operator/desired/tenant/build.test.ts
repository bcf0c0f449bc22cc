import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { objectKey } from '../../../kube/object.ts';
import { LABEL_OWNER_KIND, LABEL_OWNER_NAME, LABEL_TENANT_ID } from '../../../model/labels.ts';
import { OperatorConfig } from '../../config.ts';
import type { Manifest } from '../manifest.ts';
import { buildTenant, type TenantInput } from './build.ts';

const TESTDATA = path.join(import.meta.dirname, 'testdata');

/** A behaviour: what is known of a Tenant, settings, and every child in order. A text names a child, a map is the child, whole. */
const Behaviour = z.strictObject({
  input: z.custom<TenantInput>((value) => typeof value === 'object'),
  settings: z.record(z.string(), z.unknown()).default({}),
  children: z.array(z.union([z.string(), z.record(z.string(), z.unknown())])).min(1),
});

describe('the children of a Tenant', () => {
  const files = readdirSync(TESTDATA).filter((file) => file.endsWith('.yaml'));

  it('are described by files', () => {
    expect(files.length).toBeGreaterThanOrEqual(12);
  });

  it.each(files)('%s', (file) => {
    const { input, settings, children } = Behaviour.parse(parse(readFileSync(path.join(TESTDATA, file), 'utf8')));
    const built = listChildren(input, settings);
    expect(built.map((child, at) => (typeof children[at] === 'string' ? renderName(child) : child))).toEqual(children);
  });
});

describe('every child of every Tenant', () => {
  const label = fc.stringMatching(/^[a-z0-9]{1,10}$/);
  const member = fc.record({
    kind: fc.constantFrom('User' as const, 'Group' as const),
    name: label,
    role: fc.constantFrom(
      'Owner' as const,
      'Admin' as const,
      'Developer' as const,
      'Viewer' as const,
      'Billing' as const,
    ),
  });
  const repository = fc.record({
    url: label.map((name) => `https://git.example.com/${name}`),
    branch: label,
    path: label,
    secretName: fc.option(
      label.map((name) => `git.${name}`),
      { nil: undefined },
    ),
    isAdmitted: fc.boolean(),
  });
  const input: fc.Arbitrary<TenantInput> = fc.record({
    name: label,
    uid: fc.uuid(),
    sellerNamespace: label.map((name) => `t-${name}`),
    namespace: label.map((name) => `t-x--${name}`),
    path: label,
    tenantId: label,
    parentId: label,
    type: fc.constantFrom('Customer' as const, 'Reseller' as const),
    members: fc.array(member, { maxLength: 8 }),
    source: fc.oneof(fc.constantFrom('Fleet' as const, undefined), repository),
  });

  it('is marked as its own, has a name of its own and binds no role but the fixed ones', () => {
    fc.assert(
      fc.property(input, (one) => {
        const children = listChildren(one, {});
        expect(new Set(children.map(renderName)).size).toBe(children.length);
        for (const child of children) {
          expect(child.metadata.labels).toMatchObject({
            [LABEL_TENANT_ID]: one.tenantId,
            [LABEL_OWNER_KIND]: 'Tenant',
            [LABEL_OWNER_NAME]: one.name,
          });
        }
        const bound = children
          .filter(({ kind }) => kind === 'RoleBinding')
          .map((child) => JSON.stringify(child.roleRef));
        for (const role of bound)
          expect(role).toMatch(
            /"name":"sublet-(owner|admin|developer|viewer|billing|fleet-(customer|reseller)|tenant-[a-z0-9]+|repository-(api|secret))"/,
          );
      }),
    );
  });

  it('that feeds the tenant stays in its namespace unless the fleet does, and deletes nothing by its own end', () => {
    fc.assert(
      fc.property(input, (one) => {
        const { rest, feed } = buildTenant(one, OperatorConfig.parse({}));
        const accounts = rest.filter(({ kind }) => kind === 'ServiceAccount');
        const home = one.source === 'Fleet' ? 'sublet-fleet' : one.namespace;
        for (const { metadata } of [...feed, ...accounts]) expect(metadata.namespace).toBe(home);
        for (const { kind, metadata, spec } of feed) {
          if (kind !== 'Kustomization') continue;
          const limits = { targetNamespace: one.namespace, deletionPolicy: 'Orphan', wait: false, prune: true };
          expect(spec).toMatchObject({ ...limits, serviceAccountName: metadata.name });
          expect(accounts.map((account) => account.metadata.name)).toEqual([metadata.name]);
          expect(spec).not.toHaveProperty('sourceRef.namespace');
        }
      }),
    );
  });

  it('refers to an owner only where both live in one namespace', () => {
    fc.assert(
      fc.property(input, (one) => {
        for (const { metadata } of listChildren(one, {})) {
          if (metadata.ownerReferences !== undefined) expect(metadata.namespace).toBe(one.sellerNamespace);
        }
      }),
    );
  });
});

function listChildren(input: TenantInput, settings: Readonly<Record<string, unknown>>): readonly Manifest[] {
  const { namespace, rest, feed } = buildTenant(input, OperatorConfig.parse(settings));
  return [namespace, ...rest, ...feed];
}

/** `Kind namespace/name`, as a behaviour's file names a child. */
function renderName(child: Manifest): string {
  return `${child.kind} ${objectKey(child)}`;
}
