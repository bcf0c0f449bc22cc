import { expect, it } from 'vitest';
import { parseResource } from '../../../crds/rules/index.ts';
import type { WatchLine } from '../../../kube/client.ts';
import { WatchDecoder } from '../../../kube/decode.ts';
import { buildFolder, buildRootFolder } from './fleetfiles.ts';
import { buildWatchLines, cutIntoChunks } from './watchbytes.ts';
import { buildChildren, buildPlan, buildTenantResource, CHILDREN_PER_TENANT, locate, tenantNames } from './workload.ts';

it('orders Tenants and a Plan that the schemas and rules accept', () => {
  for (const resource of [buildPlan(), buildTenantResource('b001-000000')]) {
    expect(parseResource(resource)).toMatchObject({ ok: true });
  }
});

it('gives every child a place of its own', () => {
  const places = buildChildren('b001-000000', 'uid')
    .flat()
    .map((child) => locate(child).item);
  expect(new Set(places).size).toBe(CHILDREN_PER_TENANT);
  expect(places).toContain('/api/v1/namespaces/t-b001-000000');
  expect(places).toContain('/apis/networking.k8s.io/v1/namespaces/t-b001-000000/networkpolicies/sublet-deny-all');
});

it('names tenants so that no run is a prefix of another', () => {
  expect(tenantNames('b001', 2)).toEqual(['b001-000000', 'b001-000001']);
});

it('sends watch lines that survive being cut anywhere', () => {
  const lines = buildWatchLines(3);
  const decoder = new WatchDecoder();
  const decoded: WatchLine[] = [];
  for (const chunk of cutIntoChunks(lines, 777)) decoder.push(chunk, (line) => decoded.push(line));
  decoder.end();
  expect(decoded.map(({ object }) => object.kind)).toEqual(
    lines.map((line) => JSON.parse(line.toString('utf8')).object.kind),
  );
  expect(lines.every((line) => line.includes('"managedFields":[{'))).toBe(true);
});

it('fills one folder a reseller, and the provider with the Tenants', () => {
  const root = buildRootFolder(['fleet-000000']);
  expect(Object.keys(root)).toEqual([
    'sublet-root/bench.yaml',
    'sublet-root/base.yaml',
    'sublet-root/fleet-000000.yaml',
  ]);
  const folder = buildFolder('fleet-000000', 7);
  expect(folder['t-fleet-000000/offer.yaml']).toContain('title: Offer of fleet-000000, version 7');
});
