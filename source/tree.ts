import type { Clock } from '../kube/clock.ts';
import { TransientError } from '../kube/errors.ts';
import { type ArtifactRef, fetchArtifact, type Gunzip, type OpenUrl } from './fetch.ts';
import { ArchiveRefusedError, type SourceLimits } from './limits.ts';
import { type Split, splitTree } from './split.ts';
import { parseTar } from './untar.ts';

/** A revision's folders, or why the archive that holds them is refused. */
export type Tree = { readonly ok: true; readonly split: Split } | { readonly ok: false; readonly message: string };

export type TreeLoader = {
  /** Fetches at most once for one digest. Rejects when the way to the artifact fails. */
  load(artifact: ArtifactRef, signal: AbortSignal): Promise<Tree>;
};

export type TreeLoaderOptions = {
  readonly environment: string;
  readonly isNamespace: (name: string) => boolean;
  readonly limits: SourceLimits;
  /** For the whole download. */
  readonly fetchTimeoutMs: number;
};

export function createTreeLoader(
  deps: { readonly openUrl: OpenUrl; readonly gunzip: Gunzip; readonly clock: Clock },
  options: TreeLoaderOptions,
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
    const { limits, environment, isNamespace, fetchTimeoutMs } = options;
    const late = new AbortController();
    const message = `the artifact at ${artifact.url} took longer than fetchTimeoutMs ${fetchTimeoutMs}`;
    const timer = deps.clock.setTimeout(() => late.abort(new TransientError(message)), fetchTimeoutMs);
    try {
      const bytes = await fetchArtifact(deps, artifact, limits, AbortSignal.any([signal, late.signal]));
      return { ok: true, split: splitTree(parseTar(bytes, limits), environment, isNamespace) };
    } catch (error) {
      if (error instanceof ArchiveRefusedError) return { ok: false, message: `${error.limit}: ${error.message}` };
      throw error;
    } finally {
      deps.clock.clearTimeout(timer);
    }
  }
}
