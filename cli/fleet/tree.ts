/** A regular file below `tenants/`. `path` is relative to the root of the repository, with `/`. */
export type TreeFile = {
  readonly path: string;
  /** False when the path is not valid UTF-8; it then shows U+FFFD. */
  readonly validName: boolean;
  readonly sizeBytes: number;
  /** Two files with one digest have the same content; absent where the content has to be read to know. */
  readonly digest?: string | undefined;
};

/** What source-controller leaves out when it packs a repository, so that its author should hear of it. */
export type LeftOut = { readonly path: string; readonly what: string };

/** What a fleet repository has below `tenants/`: in a checkout, or in a commit. Sizes come before contents, so that nothing large is read to be refused. */
export type FleetTree = {
  readonly files: readonly TreeFile[];
  readonly leftOut: readonly LeftOut[];
  /** Contents by path. Rejects when one of them cannot be read. */
  read(paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>;
};

/** Where the tenants' folders are. */
export const TENANTS_FOLDER = 'tenants';

/** More entries than any fleet has, and few enough to be listed in seconds. */
export const MOST_ENTRIES = 1_000_000;

/** Names of the environments: the folders below `tenants/`, sorted. */
export function listEnvironments(tree: FleetTree): readonly string[] {
  const names = [...tree.files, ...tree.leftOut].flatMap(({ path }) => {
    const [, name = '', ...rest] = path.split('/');
    return rest.length > 0 ? [name] : [];
  });
  return [...new Set(names)].sort();
}
