import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readManifests } from './manifests.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sublet-manifests-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

it('reads the prerequisites with their label, definitions first', async () => {
  const objects = await readManifests(path.join(ROOT, 'deploy', 'prerequisites'));
  expect(objects[0]?.kind).toBe('CustomResourceDefinition');
  expect(objects.length).toBeGreaterThan(20);
  for (const { metadata } of objects) expect(metadata.labels?.['app.kubernetes.io/part-of']).toBe('sublet');
});

it('reads the images of both fleets', async () => {
  for (const environment of ['staging', 'production']) {
    const objects = await readManifests(path.join(ROOT, 'clusters', environment, 'images'));
    expect(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toContain('DataSource/ubuntu-24');
  }
});

it.each([
  ['a field that it does not know', 'resources: []\npatches: []\n', 'patches is not understood here'],
  ['a file that is not there', 'resources: [nothing.yaml]\n', 'nothing.yaml'],
  ['a kustomization that is none', 'just text\n', 'it is no kustomization'],
])('refuses %s', async (_, content, message) => {
  await writeFile(path.join(folder, 'kustomization.yaml'), content);
  await expect(readManifests(folder)).rejects.toThrow(message);
});

it.each([
  ['what is no object', 'apiVersion: v1\nkind: Secret\n', 'a document is no object'],
  ['broken YAML', 'a: [\n', 'broken.yaml'],
])('refuses %s', async (_, content, message) => {
  const file = path.join(folder, 'broken.yaml');
  await writeFile(file, content);
  await expect(readManifests(file)).rejects.toThrow(message);
});
