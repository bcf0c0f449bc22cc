import type { GitReader } from '../../git/binary/reader.ts';
import type { TreeItem } from '../../git/binary/trees.ts';
import { ArchiveRefusedError, type SourceLimits } from '../limits.ts';
import {
  buildFolder,
  buildFolderFile,
  buildSplit,
  buildStrayFile,
  buildStrayFolder,
  type Folder,
  type FolderFile,
  isRelevant,
  type Stray,
} from '../split.ts';
import type { Tree } from '../tree.ts';
import { type Budget, checkPath, createBudget, quote } from './bounds.ts';
import type { LeftOut } from './spec.ts';

/** `declined`: what source-controller would leave out of this revision is for source-controller to say. */
export type DirectTree = Tree | { readonly declined: string };

export type DirectTreeReader = {
  /** The folders of a commit. One whose tree is the one of the last call is the same object, and nothing of it is read. */
  read(objects: GitObjects, commit: string, leftOut: LeftOut): Promise<DirectTree>;
};

export type GitObjects = Pick<GitReader, 'root' | 'tree' | 'size' | 'content'>;

export type DirectTreeOptions = {
  readonly environment: string;
  readonly isNamespace: (name: string) => boolean;
  readonly limits: SourceLimits;
};

/**
 * Reads from Git what the artifact of the same commit would hold, within the same limits; they count what is below the environment, as nothing else
 * is read. Links and submodules are left out.
 */
export function createDirectTreeReader(options: DirectTreeOptions): DirectTreeReader {
  let known: Known = { leftOut: 'Nothing', tree: undefined, folders: new Map() };
  return {
    async read(objects, commit, leftOut) {
      try {
        const root = await objects.root(commit);
        const before = known.leftOut === leftOut ? known : { leftOut, tree: undefined, folders: new Map() };
        known = await readEnvironment({ ...options, objects, leftOut }, root, before);
        return { ok: true, split: buildSplit(...partsOf(options, known)) };
      } catch (error) {
        if (error instanceof ArchiveRefusedError) return { ok: false, message: `${error.limit}: ${error.message}` };
        if (error instanceof DeclinedError) return { declined: error.message };
        throw error;
      }
    },
  };
}

class DeclinedError extends Error {}

type Reading = DirectTreeOptions & { readonly objects: GitObjects; readonly leftOut: LeftOut };

/** The state of the last call that went through. */
type Known = {
  readonly leftOut: LeftOut;
  /** The environment's tree. */
  readonly tree: string | undefined;
  readonly folders: ReadonlyMap<string, KnownFolder>;
  readonly strays?: readonly Stray[];
};

type KnownFolder = {
  readonly tree: string;
  /** Absent: nothing is in it that an archive would hold, or it is no namespace's. */
  readonly folder: Folder | undefined;
  readonly isStray: boolean;
  /** By name, with the blobs that they were read from. */
  readonly files: ReadonlyMap<string, { readonly blob: string; readonly file: FolderFile }>;
  readonly entries: number;
  readonly bytes: number;
};

function partsOf({ environment }: DirectTreeOptions, known: Known): [readonly Folder[], readonly Stray[]] {
  const folders = [...known.folders.values()].flatMap(({ folder }) => folder ?? []);
  const strays = [...known.folders]
    .filter(([, { isStray }]) => isStray)
    .map(([name]) => buildStrayFolder(`tenants/${environment}/`, name));
  return [folders, [...strays, ...(known.strays ?? [])]];
}

async function readEnvironment(reading: Reading, root: string, before: Known): Promise<Known> {
  const { environment, leftOut, limits } = reading;
  const above = await enter(reading, root, 'tenants');
  const tree = above && (await enter(reading, above, environment));
  if (tree === undefined) return { leftOut, tree, folders: new Map() };
  if (tree === before.tree) return before;
  const path = `tenants/${environment}`;
  const budget = createBudget(limits);
  const items = await list(reading, path, tree);
  const folders = new Map<string, KnownFolder>();
  const changed: TreeItem[] = [];
  for (const item of items) {
    budget.addEntries(`${path}/${item.name}`, 1);
    if (kindOf(item) !== 'folder') continue;
    const same = before.folders.get(item.name);
    if (same?.tree !== item.id) {
      changed.push(item);
      continue;
    }
    budget.addEntries(`${path}/${item.name}`, same.entries);
    budget.addBytes(same.bytes);
    folders.set(item.name, same);
  }
  for (let at = 0; at < changed.length; at += FOLDERS_AT_ONCE) {
    const some = changed.slice(at, at + FOLDERS_AT_ONCE);
    const read = some.map(async (item) => {
      const folder = await readFolder(reading, budget, item, before.folders.get(item.name));
      folders.set(item.name, folder);
    });
    await Promise.all(read);
  }
  const strays = items
    .filter((item) => kindOf(item) === 'file' && isRelevant(item.name))
    .map((item) => buildStrayFile(`${path}/`, item.name));
  return { leftOut, tree, folders, strays };
}

const FOLDERS_AT_ONCE = 32;

/** The tree of a folder's folder; undefined when there is none. */
async function enter(reading: Reading, tree: string, name: string): Promise<string | undefined> {
  const items = await reading.objects.tree(tree);
  for (const item of items) declineIgnored(reading, item);
  const found = items.find((item) => item.name === name);
  return found !== undefined && kindOf(found) === 'folder' ? found.id : undefined;
}

/** One folder of the environment, a namespace's or not. */
async function readFolder(
  reading: Reading,
  budget: Budget,
  { name, id }: TreeItem,
  before: KnownFolder | undefined,
): Promise<KnownFolder> {
  const path = `tenants/${reading.environment}/${name}`;
  const found: ListedFile[] = [];
  const entries = await walk(reading, (count) => budget.addEntries(path, count), path, id, found);
  const isNamespace = reading.isNamespace(name);
  const wanted = isNamespace ? found.filter((file) => isRelevant(file.path)) : [];
  const sizes = await Promise.all(wanted.map(({ blob }) => reading.objects.size(blob)));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  budget.addBytes(bytes);
  const files = await Promise.all(
    wanted.map(async ({ path: full, isText, blob }) => {
      const relative = full.slice(path.length + 1);
      const same = before?.files.get(relative);
      if (same?.blob === blob && same.file.validName === isText) return same;
      return { blob, file: buildFolderFile(relative, isText, await reading.objects.content(blob)) };
    }),
  );
  return {
    tree: id,
    isStray: !isNamespace && found.length > 0,
    folder:
      isNamespace && found.length > 0
        ? buildFolder(
            name,
            files.map(({ file }) => file),
          )
        : undefined,
    files: new Map(files.map((one) => [one.file.name, one])),
    entries,
    bytes,
  };
}

type ListedFile = { readonly path: string; readonly isText: boolean; readonly blob: string };

/** Collects the regular files below a folder; gives the number of its entries. */
async function walk(
  reading: Reading,
  count: (entries: number) => void,
  path: string,
  tree: string,
  found: ListedFile[],
): Promise<number> {
  const items = await list(reading, path, tree);
  count(items.length);
  let entries = items.length;
  for (const item of items) {
    const full = `${path}/${item.name}`;
    if (kindOf(item) === 'folder') entries += await walk(reading, count, full, item.id, found);
    else found.push({ path: full, isText: item.isText, blob: item.id });
  }
  return entries;
}

/** What an archive would hold of a folder: files and folders, each by a path that is fit for one. */
async function list(reading: Reading, path: string, tree: string): Promise<readonly TreeItem[]> {
  const items = (await reading.objects.tree(tree)).filter(
    (item) => kindOf(item) !== undefined && !(reading.leftOut === 'Defaults' && GIT_FILES.has(item.name)),
  );
  const seen = new Set<string>();
  for (const item of items) {
    declineIgnored(reading, item);
    checkPath(path, item.name, reading.limits);
    if (seen.has(item.name))
      throw new ArchiveRefusedError(
        'duplicate',
        `the tree holds ${quote(`${path}/${item.name}`)} twice; no file system can hold two files of one path`,
      );
    seen.add(item.name);
  }
  return items;
}

/** Modes are octal, sometimes with zeros before them. Links, submodules and what nobody knows are neither. */
function kindOf({ mode }: TreeItem): 'file' | 'folder' | undefined {
  const type = Number.parseInt(mode, 8) >> 12;
  return type === 0o10 ? 'file' : type === 0o4 ? 'folder' : undefined;
}

const GIT_FILES: ReadonlySet<string> = new Set(['.gitignore', '.gitmodules', '.gitattributes']);

/** Where nothing else is stated, files named so decide what is left out, or are left out. */
function declineIgnored({ leftOut }: Reading, { name }: TreeItem): void {
  if (leftOut !== 'Defaults' || !IGNORABLE.test(name)) return;
  throw new DeclinedError(`${quote(name)}, which source-controller reads for what to leave out, or leaves out`);
}

/** The names of source-controller's `sourceignore` package. */
const IGNORABLE =
  /^\.sourceignore$|\.(jpg|jpeg|gif|png|wmv|flv|tar\.gz|zip)$|^\.(github|circleci|travis\.yml|gitlab-ci\.yml|drone\.yml|goreleaser\.yml|sops\.yaml|flux\.yaml)$|^(appveyor\.yml|cloudbuild\.yaml|codeship-services\.yml|codeship-steps\.yml)$/;
