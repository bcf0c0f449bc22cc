/** What a folder held when it was last accepted. `resources` is absent when its archive is lost and only the count is known. */
export type AcceptedFolder = { readonly count: number; readonly resources?: readonly string[] | undefined };

export type Removal = { readonly removed: number; readonly of: number; readonly most: number };

/** A revision that takes away more than a person plausibly meant to. */
export type Shrink = { readonly emptied: boolean; readonly folders: Removal; readonly resources: Removal };

export type ShrinkRule = { readonly least: number; readonly percent: number };

/**
 * Compares a revision with what is accepted. `next` holds, for every folder of the tree, its resources, or `kept` when it stays at its
 * last good content. Undefined when the revision may be published without asking: it removes at most max(`least`, `percent` %) of the
 * folders and of their resources, and does not empty the tree while resources are accepted, or while tenants exist and nothing at all
 * is known of what was accepted.
 */
export function computeShrink(
  accepted: ReadonlyMap<string, AcceptedFolder>,
  next: ReadonlyMap<string, readonly string[] | 'kept'>,
  tenantsExist: boolean,
  rule: ShrinkRule,
): Shrink | undefined {
  const filled = [...accepted].filter(([, folder]) => folder.count > 0);
  const lost = filled.map(([name, folder]) => ({
    folder,
    left: next.get(name) ?? [],
    removed: countRemoved(folder, next.get(name) ?? []),
  }));
  const emptiedFolders = lost.filter(({ left }) => left !== 'kept' && left.length === 0).length;
  const total = filled.reduce((sum, [, folder]) => sum + folder.count, 0);
  const removed = lost.reduce((sum, one) => sum + one.removed, 0);
  const shrink = {
    emptied:
      (filled.length > 0 || (tenantsExist && accepted.size === 0)) &&
      [...next.values()].every((left) => left !== 'kept' && left.length === 0),
    folders: { removed: emptiedFolders, of: filled.length, most: computeMost(filled.length, rule) },
    resources: { removed, of: total, most: computeMost(total, rule) },
  };
  const isTooMuch = [shrink.folders, shrink.resources].some((removal) => removal.removed > removal.most);
  return shrink.emptied || isTooMuch ? shrink : undefined;
}

/** The largest whole number that is not above max(least, percent of `of`). */
function computeMost(of: number, { least, percent }: ShrinkRule): number {
  return Math.max(least, Math.floor((of * percent) / 100));
}

function countRemoved(folder: AcceptedFolder, left: readonly string[] | 'kept'): number {
  if (left === 'kept') return 0;
  if (folder.resources === undefined) return Math.max(0, folder.count - left.length);
  const stays = new Set(left);
  return folder.resources.filter((resource) => !stays.has(resource)).length;
}

/** Says what the revision would remove and the command by which a person confirms it. */
export function renderShrink(
  shrink: Shrink,
  revision: string,
  repository: { readonly namespace: string; readonly name: string; readonly annotation: string },
): string {
  const { folders, resources } = shrink;
  const what = shrink.emptied ? 'empties the tree' : 'removes more than may go without asking';
  const assignment = shellQuote(`${repository.annotation}=${revision}`);
  return [
    `revision ${revision} ${what}: it removes ${folders.removed} of ${folders.of} folders (without asking: ${folders.most})`,
    `and ${resources.removed} of ${resources.of} resources (without asking: ${resources.most}). Nothing of it is published.`,
    'If it is not meant, revert the commit; if it is, confirm it:',
    `kubectl annotate --overwrite -n ${repository.namespace} gitrepositories.source.toolkit.fluxcd.io ${repository.name} ${assignment}`,
  ].join(' ');
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
