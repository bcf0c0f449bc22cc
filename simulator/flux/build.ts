import { compareWalk, type Tree } from './archive.ts';
import { isClusterScopedBuiltin } from './kinds.ts';
import { identityOf, type Manifest, renderSubject } from './manifest.ts';
import { parseDocuments } from './yaml.ts';

/**
 * The objects of a folder, as kustomize builds them: what the folder's kustomization lists, or every YAML file below it when it has none.
 * `targetNamespace` goes over whatever namespace is written. Throws with the file when one does not parse or is refused.
 */
export function buildManifests(tree: Tree, folder: string, targetNamespace: string | undefined): readonly Manifest[] {
  const own = findKustomization(tree, folder);
  const kustomization = own === undefined ? undefined : parseKustomization(tree, own);
  const manifests =
    kustomization === undefined
      ? scanFolder(tree, folder)
      : kustomization.resources.flatMap((resource) => readResource(tree, folder, resource, [folder]));
  const unique = refuseDuplicates(manifests);
  const namespace = targetNamespace ?? kustomization?.namespace;
  return namespace === undefined ? unique : refuseDuplicates(unique.map((one) => withNamespace(one, namespace)));
}

/** A folder inside the archive: `./a/../b` and `/b` are `b`; what leads out ends at the root. */
export function normalisePath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments.join('/');
}

const KUSTOMIZATION_FILES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
const KUSTOMIZATION_FIELDS = ['apiVersion', 'kind', 'resources', 'namespace', 'metadata'];

type KustomizationFile = { readonly resources: readonly string[]; readonly namespace: string | undefined };

function findKustomization({ files }: Tree, folder: string): string | undefined {
  return KUSTOMIZATION_FILES.map((name) => join(folder, name)).find((path) => files.has(path));
}

function parseKustomization(tree: Tree, path: string): KustomizationFile {
  const [content = {}] = parseFile(
    tree,
    path,
    (words) => `kustomize build failed: invalid Kustomization ${path}: ${words}`,
  );
  if (!isRecord(content)) throw new Error(`kustomize build failed: invalid Kustomization ${path}: it is no map`);
  const other = Object.keys(content).find((field) => !KUSTOMIZATION_FIELDS.includes(field));
  if (other !== undefined) {
    throw new Error(`kustomize build failed: ${path}: ${other} is not supported by the simulated Flux`);
  }
  const { resources = [], namespace } = content;
  if (!Array.isArray(resources) || !resources.every((resource) => typeof resource === 'string')) {
    throw new Error(`kustomize build failed: invalid Kustomization ${path}: resources is no list of paths`);
  }
  return { resources, namespace: typeof namespace === 'string' && namespace !== '' ? namespace : undefined };
}

/** Every YAML file below, in the order of a walk; a folder with a kustomization of its own is built by that. */
function scanFolder(tree: Tree, folder: string): readonly Manifest[] {
  const inside = (path: string) => folder === '' || path.startsWith(`${folder}/`);
  const built = [...tree.folders].filter((path) => path !== folder && inside(path) && findKustomization(tree, path));
  const top = built.filter((path) => !built.some((other) => path.startsWith(`${other}/`)));
  const files = [...tree.files.keys()].filter(
    (path) => inside(path) && /\.ya?ml$/.test(path) && !top.some((other) => path.startsWith(`${other}/`)),
  );
  return [...files, ...top]
    .sort(compareWalk)
    .flatMap((path) => (tree.files.has(path) ? readFile(tree, path) : buildManifests(tree, path, undefined)));
}

function readResource(tree: Tree, folder: string, resource: string, above: readonly string[]): readonly Manifest[] {
  if (/^[a-z+]+:\/\//.test(resource)) {
    throw new Error(`kustomize build failed: accumulating resources: '${resource}' is not in the archive`);
  }
  const path = normalisePath(`${folder}/${resource}`);
  if (tree.files.has(path)) return readFile(tree, path);
  const missing = `kustomize build failed: accumulating resources: accumulation err='accumulating resources from '${resource}': ${path} is not in the archive'`;
  if (!tree.folders.has(path)) throw new Error(missing);
  if (above.includes(path)) throw new Error(`kustomize build failed: accumulating resources: cycle detected: ${path}`);
  const own = findKustomization(tree, path);
  if (own === undefined) {
    throw new Error(
      `kustomize build failed: accumulating resources: unable to find one of ${KUSTOMIZATION_FILES.join(', ')} in ${path}`,
    );
  }
  const { resources, namespace } = parseKustomization(tree, own);
  const manifests = refuseDuplicates(resources.flatMap((one) => readResource(tree, path, one, [...above, path])));
  return namespace === undefined ? manifests : manifests.map((one) => withNamespace(one, namespace));
}

function readFile(tree: Tree, path: string): readonly Manifest[] {
  const explain = (words: string) => `failed to decode Kubernetes YAML from ${path}: ${words}`;
  return parseFile(tree, path, (words) => explain(`MalformedYAMLError: ${words}`)).flatMap((document) =>
    readObjects(document, (words) => explain(words)),
  );
}

/** The object of a document, or those of a list. */
function readObjects(document: unknown, explain: (words: string) => string): readonly Manifest[] {
  if (!isRecord(document)) throw new Error(explain('the document is no map'));
  const { apiVersion, kind, items } = document;
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) {
    return items.flatMap((item) => readObjects(item, explain));
  }
  if (isManifest(document)) return [document];
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    throw new Error(explain('missing Resource metadata'));
  }
  throw new Error(explain(`missing metadata.name in object {${apiVersion} ${kind}}`));
}

function parseFile(tree: Tree, path: string, explain: (words: string) => string): readonly unknown[] {
  try {
    return parseDocuments(tree.files.get(path)?.toString('utf8') ?? '');
  } catch (error) {
    throw new Error(explain(error instanceof Error ? error.message : String(error)));
  }
}

function refuseDuplicates(manifests: readonly Manifest[]): readonly Manifest[] {
  const seen = new Set<string>();
  for (const manifest of manifests) {
    const { group, ...identity } = identityOf(manifest);
    const id = `${group}/${renderSubject(identity)}`;
    if (seen.has(id)) {
      throw new Error(
        `kustomize build failed: accumulating resources: may not add resource with an already registered id: ${renderSubject(identity)}`,
      );
    }
    seen.add(id);
  }
  return manifests;
}

/** kustomize renames a Namespace too, and moves the account `default` of a binding. */
function withNamespace(manifest: Manifest, namespace: string): Manifest {
  const { group, kind } = identityOf(manifest);
  if (group === '' && kind === 'Namespace') return { ...manifest, metadata: { ...manifest.metadata, name: namespace } };
  const moved = isClusterScopedBuiltin(group, kind)
    ? manifest
    : { ...manifest, metadata: { ...manifest.metadata, namespace } };
  const { subjects } = manifest;
  if (group !== 'rbac.authorization.k8s.io' || !Array.isArray(subjects)) return moved;
  return {
    ...moved,
    subjects: subjects.map((subject) =>
      isRecord(subject) && subject.kind === 'ServiceAccount' && subject.name === 'default'
        ? { ...subject, namespace }
        : subject,
    ),
  };
}

function isManifest(value: Readonly<Record<string, unknown>>): value is Manifest {
  const { apiVersion, kind, metadata } = value;
  return (
    typeof apiVersion === 'string' &&
    apiVersion !== '' &&
    typeof kind === 'string' &&
    kind !== '' &&
    isRecord(metadata) &&
    typeof metadata.name === 'string' &&
    metadata.name !== ''
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
