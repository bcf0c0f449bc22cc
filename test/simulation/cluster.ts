import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { CUSTOMRESOURCEDEFINITIONS, NAMESPACES, SERVICEACCOUNTS } from '../../kube/builtin.ts';
import type { Client } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import type { KubeObject } from '../../kube/object.ts';
import { DATASOURCES, DATAVOLUMES } from '../../kubevirt/index.ts';
import { EXTERNALARTIFACTS, GITREPOSITORIES, KUSTOMIZATIONS } from '../../model/flux.ts';
import { FLEET_NAMESPACE, IMAGES_NAMESPACE, ROOT_NAMESPACE, SYSTEM_NAMESPACE } from '../../model/names.ts';
import { installCrds as installFluxCrds } from '../../simulator/flux/crds.ts';
import { installCrds as installKubeVirtCrds } from '../../simulator/kubevirt/crds.ts';
import { REPOSITORY_URL } from './repository.ts';
import type { PlayedIntervals } from './settings.ts';

const MANAGER = { fieldManager: 'kubectl', force: true } as const;

/** What is on the cluster before anybody orders: definitions, namespaces, images, and what connects Flux to the repository. */
export async function installCluster(
  deps: { readonly admin: Client; readonly clock: Clock },
  options: { readonly images: readonly string[]; readonly flux: boolean; readonly played: PlayedIntervals },
): Promise<void> {
  const { admin, clock } = deps;
  for (const definition of readDefinitions()) await admin.create(CUSTOMRESOURCEDEFINITIONS, definition);
  await installKubeVirtCrds({ client: admin, clock });
  await installFluxCrds({ client: admin, clock });
  for (const name of [ROOT_NAMESPACE, SYSTEM_NAMESPACE, FLEET_NAMESPACE, IMAGES_NAMESPACE]) {
    await admin.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  for (const image of options.images) await installImage(admin, image);
  if (options.flux) await installFleet(admin, options.played);
}

async function installImage(admin: Client, name: string): Promise<void> {
  const metadata = { name, namespace: IMAGES_NAMESPACE };
  const apiVersion = 'cdi.kubevirt.io/v1beta1';
  const source = { http: { url: `https://images.example.com/${name}.img` } };
  const disk = { source, storage: { resources: { requests: { storage: '10Gi' } } } };
  await admin.create(DATAVOLUMES, object({ apiVersion, kind: 'DataVolume', metadata, spec: disk }));
  const annotations = { 'sublet.dev/os': 'Linux', 'sublet.dev/first-boot': 'CloudInit' };
  const spec = { source: { pvc: metadata } };
  await admin.create(
    DATASOURCES,
    object({ apiVersion, kind: 'DataSource', metadata: { ...metadata, annotations }, spec }),
  );
}

/** As `clusters/production/` has it, with the world's own repository. */
async function installFleet(admin: Client, played: PlayedIntervals): Promise<void> {
  const at = (name: string) => ({ name, namespace: FLEET_NAMESPACE });
  const repository = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: GITREPOSITORIES.kind,
    metadata: at('fleet'),
    spec: { interval: played.repository, url: REPOSITORY_URL, ref: { branch: 'main' } },
  };
  await admin.apply(GITREPOSITORIES, object(repository), MANAGER);
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: at(ROOT_NAMESPACE) };
  await admin.apply(SERVICEACCOUNTS, account, MANAGER);
  const kustomization = {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: KUSTOMIZATIONS.kind,
    metadata: at(ROOT_NAMESPACE),
    spec: {
      sourceRef: { kind: EXTERNALARTIFACTS.kind, name: ROOT_NAMESPACE },
      path: './',
      targetNamespace: ROOT_NAMESPACE,
      serviceAccountName: ROOT_NAMESPACE,
      interval: played.rootKustomization,
      retryInterval: '30s',
      timeout: '1m',
      prune: true,
      wait: false,
      deletionPolicy: 'Orphan',
    },
  };
  await admin.apply(KUSTOMIZATIONS, object(kustomization), MANAGER);
}

let definitions: readonly KubeObject[] | undefined;

/** Those that `npm run generate` wrote. */
function readDefinitions(): readonly KubeObject[] {
  const folder = path.resolve(import.meta.dirname, '../../crds');
  definitions ??= readdirSync(folder)
    .filter((name) => name.startsWith('sublet.dev_'))
    .sort()
    .flatMap((name) => parseAllDocuments(readFileSync(path.join(folder, name), 'utf8')))
    .map((document) => object(document.toJS()));
  return definitions;
}

function object(value: KubeObject & { readonly spec: unknown }): KubeObject {
  return value;
}
