import type { Client } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { isNotFound } from '../kube/errors.ts';
import type { Informer } from '../kube/informer.ts';
import { EXTERNALARTIFACTS } from '../model/flux.ts';
import { buildExternalArtifact, buildStatus, type ExternalArtifact, type FolderState } from './externalartifact.ts';

/** Who writes an ExternalArtifact, as `managedFields` shows it. */
export const FIELD_MANAGER = 'sublet-source';

export type ArtifactWriter = {
  /** Makes the folder's object say `state`; no call when it does already. Gives the number of writes. Rejects with `Conflict` when someone wrote in between. */
  apply(name: string, state: FolderState): Promise<number>;
  /** Deletes exactly the object that was observed. */
  remove(object: ExternalArtifact): Promise<number>;
};

export type ArtifactWriterDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly artifacts: Informer<ExternalArtifact>;
};

export function createArtifactWriter(
  deps: ArtifactWriterDeps,
  options: { readonly namespace: string; readonly repository: string },
): ArtifactWriter {
  const { client, artifacts } = deps;
  const write = { fieldManager: FIELD_MANAGER } as const;
  // Asked for each folder of a pass, which is over within a second.
  let time = { seconds: 0, text: renderTime(0) };
  const renderNow = (): string => {
    const seconds = Math.floor(deps.clock.now() / 1_000);
    if (seconds !== time.seconds) time = { seconds, text: renderTime(seconds * 1_000) };
    return time.text;
  };
  return {
    async apply(name, state) {
      const observed = artifacts.get(`${options.namespace}/${name}`);
      const object =
        observed ??
        (await client.create(
          EXTERNALARTIFACTS,
          buildExternalArtifact(options.namespace, name, options.repository),
          write,
        ));
      const status = buildStatus(object.status, object.metadata.generation ?? 1, state, renderNow());
      if (status === object.status) return 0;
      const body = { metadata: { resourceVersion: object.metadata.resourceVersion }, status };
      const key = { namespace: options.namespace, name };
      artifacts.observeWrite(
        await client.patch(EXTERNALARTIFACTS, key, { type: 'merge', body }, { ...write, subresource: 'status' }),
      );
      return observed === undefined ? 2 : 1;
    },
    async remove({ metadata }) {
      try {
        const preconditions = { uid: metadata.uid, resourceVersion: metadata.resourceVersion };
        await client.delete(
          EXTERNALARTIFACTS,
          { namespace: metadata.namespace, name: metadata.name },
          { preconditions },
        );
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return 1;
    },
  };
}

/** RFC 3339 with whole seconds, as `metav1.Time` has it. */
function renderTime(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
