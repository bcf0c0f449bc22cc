import { type ArtifactRef, fetchArtifact, type OpenUrl } from './fetch.ts';
import { ArchiveRefusedError, type SourceLimits } from './limits.ts';
import { type Split, splitTree } from './split.ts';
import { parseTar } from './untar.ts';

/** A revision's folders, or why the archive that holds them is refused. */
export type Tree = { readonly ok: true; readonly split: Split } | { readonly ok: false; readonly message: string };

export type TreeLoader = {
  /** Fetches at most once for one digest. Rejects when the way to the artifact fails. */
  load(artifact: ArtifactRef, signal: AbortSignal): Promise<Tree>;
};

export function createTreeLoader(
  deps: { readonly openUrl: OpenUrl; readonly limits: SourceLimits },
  options: { readonly environment: string; readonly isNamespace: (name: string) => boolean },
): TreeLoader {
  let known: { readonly digest: string; readonly tree: Tree } | undefined;
  return {
    async load(artifact, signal) {
      if (known?.digest !== artifact.digest)
        known = { digest: artifact.digest, tree: await loadTree(artifact, signal) };
      return known.tree;
    },
  };

  async function loadTree(artifact: ArtifactRef, signal: AbortSignal): Promise<Tree> {
    try {
      const bytes = await fetchArtifact(deps.openUrl, artifact, deps.limits, signal);
      return { ok: true, split: splitTree(parseTar(bytes, deps.limits), options.environment, options.isNamespace) };
    } catch (error) {
      if (error instanceof ArchiveRefusedError) return { ok: false, message: `${error.limit}: ${error.message}` };
      throw error;
    }
  }
}
