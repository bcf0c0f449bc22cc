import path from 'node:path';
import { createApplier } from '../../kube/apply.ts';
import { realClock } from '../../kube/clock.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { objectPath } from '../../kube/requests.ts';
import { GROUP } from '../../model/group.ts';
import { installCrds as installFluxCrds } from '../../simulator/flux/crds.ts';
import { installCrds as installKubeVirtCrds } from '../../simulator/kubevirt/crds.ts';
import type { Access } from './access.ts';
import { readManifests } from './manifests.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Where it holds the hash of what was applied, nothing is written again. */
const ANNOTATION_HASH = `dev.${GROUP}/applied-hash`;
const SERVED_TIMEOUT_MS = 120_000;
const SERVED_POLL_MS = 100;

/**
 * Applies the definitions of KubeVirt and Flux as the simulators have them, `deploy/prerequisites`, and the rights of the simulated KubeVirt. Where
 * they are there already nothing is written. Rejects on a cluster with a real KubeVirt or Flux.
 */
export async function installPrerequisites(access: Access): Promise<void> {
  const deps = { client: access.admin, clock: realClock };
  await installKubeVirtCrds(deps);
  await installFluxCrds(deps);
  const apply = createInstaller(access);
  await apply(await readManifests(path.join(ROOT, 'deploy', 'prerequisites')));
  await apply(await readManifests(path.join(ROOT, 'simulator', 'kubevirt', 'rbac.yaml')));
}

/** Applies a fleet's entry point as its provider would, with this remote in place of the forge. */
export async function installFleet(
  access: Access,
  fleet: { readonly folder: string; readonly environment: string; readonly url: string },
): Promise<void> {
  const entry = path.join(fleet.folder, 'clusters', fleet.environment);
  const apply = createInstaller(access);
  for (const file of ['fleet.yaml', 'root.yaml', 'images']) {
    const objects = await readManifests(path.join(entry, file));
    await apply(objects.map((object) => (object.kind === 'GitRepository' ? follow(object, fleet.url) : object)));
  }
}

/** A repository on loopback asks for no key. */
function follow(repository: KubeObject, url: string): KubeObject {
  const { spec } = repository as { readonly spec?: Readonly<Record<string, unknown>> };
  const { secretRef: _, ...rest } = spec ?? {};
  return { ...repository, spec: { ...rest, url } } as KubeObject;
}

/** Applies objects one after the other where they differ; finds their resources by discovery, once a kind. */
function createInstaller(access: Access): (objects: readonly KubeObject[]) => Promise<void> {
  const applier = createApplier({ client: access.admin }, { fieldManager: 'kubectl', hashAnnotation: ANNOTATION_HASH });
  const known = new Map<string, Resource>();
  return async (objects) => {
    for (const object of objects) {
      const key = `${object.apiVersion} ${object.kind}`;
      const resource = known.get(key) ?? (await findResource(access, object));
      known.set(key, resource);
      const live = (await access.get(objectPath(resource, object.metadata))) as KubeObject | undefined;
      await applier.apply(resource, object, live);
    }
  };
}

/** Waits for a kind whose definition was just applied. */
async function findResource(access: Access, { apiVersion, kind }: KubeObject): Promise<Resource> {
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const deadline = realClock.monotonic() + SERVED_TIMEOUT_MS;
  do {
    const list = await access.get(group === '' ? `/api/${version}` : `/apis/${group}/${version}`);
    const { resources = [] } = (list ?? {}) as { readonly resources?: readonly Discovered[] };
    const found = resources.find((one) => one.kind === kind && !one.name.includes('/'));
    if (found !== undefined) return { group, version, kind, plural: found.name, namespaced: found.namespaced };
    await new Promise((resolve) => realClock.setTimeout(() => resolve(undefined), SERVED_POLL_MS));
  } while (realClock.monotonic() < deadline);
  throw new Error(`the cluster does not serve ${kind} in ${apiVersion}`);
}

type Discovered = { readonly name: string; readonly kind: string; readonly namespaced: boolean };
