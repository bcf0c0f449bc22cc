import type { ExternalArtifact } from './externalartifact.ts';
import { RESOURCE_COUNT } from './externalartifact.ts';
import { decompress, type Gunzip } from './fetch.ts';
import { resourceId } from './gate.ts';
import type { SourceLimits } from './limits.ts';
import type { AcceptedArtifact, FolderVerdict } from './plan.ts';
import type { ArchiveStore } from './store.ts';
import { parseTar } from './untar.ts';
import { parseRendered } from './values.ts';

export type AcceptedReader = {
  /** What the cluster states as accepted, with the resources of those folders that are about to change. */
  observe(
    artifacts: readonly ExternalArtifact[],
    verdicts: ReadonlyMap<string, FolderVerdict>,
  ): Promise<ReadonlyMap<string, AcceptedArtifact>>;
};

/**
 * Reads the accepted state off the ExternalArtifacts, which outlive this process and its volume. Which resources an accepted folder has
 * is read from its archive, and only when the folder differs from what is accepted; without the archive the stated count has to do.
 */
export function createAcceptedReader(deps: {
  readonly store: ArchiveStore;
  readonly gunzip: Gunzip;
  readonly limits: SourceLimits;
}): AcceptedReader {
  const { store } = deps;
  return {
    async observe(artifacts, verdicts) {
      const accepted = new Map<string, AcceptedArtifact>();
      for (const { metadata, status } of artifacts) {
        const digest = status?.artifact?.digest;
        if (digest === undefined) {
          accepted.set(metadata.name, { count: 0, isStored: false });
          continue;
        }
        const resources = await readResources(metadata.name, digest, verdicts.get(metadata.name));
        const isStored = store.find(metadata.name, digest) !== undefined;
        accepted.set(metadata.name, {
          digest,
          resources,
          isStored,
          count: resources?.length ?? parseCount(status?.artifact?.metadata?.[RESOURCE_COUNT]),
        });
      }
      return accepted;
    },
  };

  async function readResources(
    name: string,
    digest: string,
    verdict: FolderVerdict | undefined,
  ): Promise<readonly string[] | undefined> {
    if (verdict?.ok === true && verdict.digest === digest) return verdict.resources;
    if (verdict?.ok === false || store.find(name, digest) === undefined) return undefined;
    try {
      const bytes = await decompress(deps.gunzip, await store.read(name, digest), deps.limits);
      const files = parseTar(bytes, deps.limits);
      const documents = files.flatMap((file) => parseRendered(Buffer.from(file.bytes).toString('utf8')));
      return documents.flatMap((document) => resourceId(document) ?? []);
    } catch {
      return undefined;
    }
  }
}

function parseCount(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : 0;
}
