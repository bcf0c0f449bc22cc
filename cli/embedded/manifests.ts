import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../kube/object.ts';

/**
 * The objects of a YAML file, or of a folder by its `kustomization.yaml`, in their order. Understands `resources` and `labels`, which is what
 * `deploy/` and the reference fleet use; throws an Error that names file and field on anything else.
 */
export async function readManifests(fileOrFolder: string): Promise<readonly KubeObject[]> {
  if ((await stat(fileOrFolder)).isDirectory()) return readKustomization(fileOrFolder);
  const documents = parseAllDocuments(await readFile(fileOrFolder, 'utf8'));
  const objects: KubeObject[] = [];
  for (const document of documents) {
    if (document.errors.length > 0) throw new Error(`${fileOrFolder}: ${document.errors[0]?.message}`);
    const object: unknown = document.toJS();
    if (object === null) continue;
    if (!isObject(object)) throw new Error(`${fileOrFolder}: a document is no object with apiVersion, kind and name`);
    objects.push(object);
  }
  return objects;
}

async function readKustomization(folder: string): Promise<readonly KubeObject[]> {
  const file = path.join(folder, 'kustomization.yaml');
  const [document] = parseAllDocuments(await readFile(file, 'utf8'));
  const kustomization: unknown = document?.toJS();
  if (typeof kustomization !== 'object' || kustomization === null) throw new Error(`${file}: it is no kustomization`);
  const unknown = Object.keys(kustomization).find((field) => !FIELDS.has(field));
  if (unknown !== undefined) throw new Error(`${file}: ${unknown} is not understood here, only resources and labels`);
  const { resources = [], labels = [] } = kustomization as Kustomization;
  const objects: KubeObject[] = [];
  for (const resource of resources) objects.push(...(await readManifests(path.join(folder, resource))));
  const pairs = Object.assign({}, ...labels.map((one) => one.pairs)) as Readonly<Record<string, string>>;
  return objects.map((object) => withLabels(object, pairs));
}

const FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'resources', 'labels']);

type Kustomization = {
  readonly resources?: readonly string[];
  readonly labels?: readonly { readonly pairs: Readonly<Record<string, string>> }[];
};

function withLabels(object: KubeObject, pairs: Readonly<Record<string, string>>): KubeObject {
  if (Object.keys(pairs).length === 0) return object;
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...pairs } } };
}

function isObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null || !('metadata' in value)) return false;
  const { apiVersion, kind, metadata } = value as Partial<KubeObject>;
  return typeof apiVersion === 'string' && typeof kind === 'string' && typeof metadata?.name === 'string';
}
