import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { APPLY, type Rest } from './rest.ts';
import { waitFor } from './wait.ts';

const PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const ESTABLISHED_TIMEOUT_MS = 120_000;

/** CustomResourceDefinitions as objects, or a folder whose YAML files hold one each; other kinds in it are passed over. */
export type CrdSource = string | readonly object[];

type Crd = {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

/** Applies the CRDs and returns when the API server serves all of them. */
export async function installCrds(admin: Rest, sources: readonly CrdSource[]): Promise<void> {
  const crds = (await Promise.all(sources.map(readCrds))).flat();
  await Promise.all(
    crds.map((crd) => admin.ask('PATCH', `${PATH}/${crd.metadata.name}?fieldManager=install&force=true`, crd, APPLY)),
  );
  await waitFor({ what: 'established CRDs', timeoutMs: ESTABLISHED_TIMEOUT_MS }, async () => {
    const { items } = (await admin.ask('GET', PATH)) as { readonly items: readonly Crd[] };
    const established = new Set(items.filter(isEstablished).map((crd) => crd.metadata.name));
    return crds.every((crd) => established.has(crd.metadata.name)) ? true : undefined;
  });
}

async function readCrds(source: CrdSource): Promise<readonly Crd[]> {
  if (typeof source !== 'string') return source.filter(isCrd);
  const files = (await readdir(source)).filter((file) => file.endsWith('.yaml'));
  const objects = await Promise.all(
    files.map(async (file): Promise<unknown> => parse(await readFile(path.join(source, file), 'utf8'))),
  );
  return objects.filter(isCrd);
}

function isCrd(object: unknown): object is Crd {
  return (
    typeof object === 'object' && object !== null && 'kind' in object && object.kind === 'CustomResourceDefinition'
  );
}

function isEstablished(crd: Crd): boolean {
  const conditions = crd.status?.conditions ?? [];
  return conditions.some((condition) => condition.type === 'Established' && condition.status === 'True');
}
