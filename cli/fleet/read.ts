import type { SourceLimits } from '../../source/limits.ts';
import { checkFolderFiles, type ParsedDocument, type ParsedFile, parseFolder } from '../../source/parse.ts';
import type { Folder } from '../../source/split.ts';
import type { Violation } from '../../source/violation.ts';
import type { Breathe } from './breath.ts';
import type { FleetTree, TreeFile } from './tree.ts';

/** What a folder's files say, before anybody judges it. */
export type ReadFolder = {
  readonly documents: readonly ParsedDocument[];
  readonly isRead: boolean;
  readonly violations: readonly Violation[];
  readonly files: ReadonlyMap<string, ParsedFile>;
};

export type ReadContext = {
  readonly tree: FleetTree;
  /** `tenants/<environment>/`. */
  readonly prefix: string;
  /** Files by path. */
  readonly sizes: ReadonlyMap<string, TreeFile>;
  readonly limits: SourceLimits;
  readonly breathe: Breathe;
  /** Folders that were read before: files with the same digest are not read again. */
  readonly known: ReadonlyMap<string, Pick<ReadFolder, 'files'>> | undefined;
};

/** A folder with the violations of its names and sizes, and those of its files that may be read. */
type Listed = { readonly folder: Folder; readonly violations: readonly Violation[] };

const NOTHING = new Uint8Array();
/** Contents that are held at once; a folder has at most `folderBytes` of them. */
const BATCH_BYTES = 32 * 1024 * 1024;

/**
 * Reads the folders of an environment. Names and sizes come first: a folder that has too much is not read at all; of one in which single files have a wrong name or size the
 * others are read, so that what they declare is known, and the violations stay those of the names.
 */
export async function readFolders(
  context: ReadContext,
  folders: readonly Folder[],
): Promise<ReadonlyMap<string, ReadFolder>> {
  const read = new Map<string, ReadFolder>();
  let batch: Listed[] = [];
  let batchBytes = 0;
  const flush = async (): Promise<void> => {
    for (const [namespace, one] of await readBatch(context, batch)) read.set(namespace, one);
    batch = [];
    batchBytes = 0;
  };
  for (const folder of folders) {
    const found = folder.files.map(({ name, validName }) => ({
      name,
      validName,
      sizeBytes: sizeOf(context, folder, name),
    }));
    const violations = checkFolderFiles(found, context.limits);
    if (violations.some(({ file }) => file === '')) {
      read.set(folder.namespace, { documents: [], isRead: false, violations, files: new Map() });
      continue;
    }
    const bad = new Set(violations.map(({ file }) => file));
    const files = folder.files.filter(({ name }) => !bad.has(name));
    batch.push({ folder: { ...folder, files }, violations });
    batchBytes += files.reduce((sum, { name }) => sum + sizeOf(context, folder, name), 0);
    if (batchBytes >= BATCH_BYTES) await flush();
  }
  await flush();
  return read;
}

function sizeOf({ sizes, prefix }: ReadContext, { namespace }: Folder, name: string): number {
  return sizes.get(`${prefix}${namespace}/${name}`)?.sizeBytes ?? 0;
}

async function readBatch(
  context: ReadContext,
  batch: readonly Listed[],
): Promise<readonly (readonly [string, ReadFolder])[]> {
  const { tree, prefix, sizes, limits, known, breathe } = context;
  const described = batch.map(({ folder, violations }) => {
    const before = known?.get(folder.namespace)?.files;
    const files = folder.files.map((file) => {
      const path = `${prefix}${folder.namespace}/${file.name}`;
      const digest = sizes.get(path)?.digest;
      const isKnown = digest !== undefined && before?.get(file.name)?.digest === digest;
      return { ...file, path, digest: digest ?? '', isKnown };
    });
    return { folder, files, before, violations };
  });
  const wanted = described.flatMap(({ files }) => files.filter(({ isKnown }) => !isKnown).map(({ path }) => path));
  const contents = await tree.read(wanted);
  const read: (readonly [string, ReadFolder])[] = [];
  for (const { folder, files, before, violations } of described) {
    const loaded = files.map((file) => ({ ...file, bytes: contents.get(file.path) ?? NOTHING }));
    const reusable = files.some(({ isKnown }) => isKnown) ? before : undefined;
    const parsed = await parseFolder({ ...folder, files: loaded }, { limits, known: reusable, breathe });
    const isRead = violations.length + parsed.violations.length === 0;
    read.push([
      folder.namespace,
      { ...parsed, isRead, violations: violations.length > 0 ? violations : parsed.violations },
    ]);
  }
  return read;
}
