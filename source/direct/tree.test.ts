import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type SourceLimits } from '../limits.ts';
import { type Split, splitTree } from '../split.ts';
import type { LeftOut } from './spec.ts';
import { createDirectTreeReader, type GitObjects } from './tree.ts';

type Mode = '100644' | '100755' | '120000' | '160000';
type Files = ReadonlyMap<string, { readonly mode: Mode; readonly text: string }>;
type Item = { readonly name: string; readonly isText: boolean; readonly mode: string; readonly id: string };

const isNamespace = (name: string): boolean => name === 'sublet-root' || name.startsWith('t-');
const ENV = 'tenants/production';

/** Objects as Git would have them, in memory; counts what is read. */
function createObjects() {
  const trees = new Map<string, readonly Item[]>();
  const blobs = new Map<string, Buffer>();
  const read: string[] = [];
  const idOf = (text: string): string => createHash('sha1').update(text).digest('hex');
  const addTree = (items: readonly Item[]): string => {
    const id = idOf(JSON.stringify(items));
    trees.set(id, items);
    return id;
  };
  const addBlob = (text: string): string => {
    const id = idOf(`blob ${text}`);
    blobs.set(id, Buffer.from(text));
    return id;
  };
  const addFiles = (files: Files, at = ''): string => {
    const names = new Set(
      [...files.keys()].filter((p) => p.startsWith(at)).map((p) => p.slice(at.length).split('/')[0]),
    );
    const items = [...names].map((name = '') => {
      const file = files.get(at + name);
      return file === undefined
        ? { name, isText: true, mode: '40000', id: addFiles(files, `${at}${name}/`) }
        : { name, isText: true, mode: file.mode, id: addBlob(file.text) };
    });
    return addTree(items);
  };
  const find = <T>(from: ReadonlyMap<string, T>, id: string): T => {
    read.push(id);
    const found = from.get(id);
    if (found === undefined) throw new Error(`there is no ${id}`);
    return found;
  };
  const objects: GitObjects = {
    root: async (commit) => commit,
    tree: async (id) => find(trees, id),
    size: async (id) => find(blobs, id).length,
    content: async (id) => find(blobs, id),
  };
  return { objects, addTree, addBlob, addFiles, read };
}

function filesOf(texts: Readonly<Record<string, string>>, modes: Readonly<Record<string, Mode>> = {}): Files {
  return new Map(Object.entries(texts).map(([path, text]) => [path, { text, mode: modes[path] ?? '100644' }]));
}

async function readDirect(files: Files, leftOut: LeftOut = 'Nothing', limits: SourceLimits = DEFAULT_LIMITS) {
  const { objects, addFiles } = createObjects();
  return createDirectTreeReader({ environment: 'production', isNamespace, limits }).read(
    objects,
    addFiles(files),
    leftOut,
  );
}

/** What the archive of these files gives: source-controller takes regular files only. */
function splitOf(files: Files): Split {
  const regular = [...files].filter(([, { mode }]) => mode.startsWith('100'));
  const listed = regular.map(([path, { text }]) => ({ path, validName: true, bytes: Buffer.from(text) }));
  return splitTree(listed, 'production', isNamespace);
}

/** A small generator; the same seed gives the same. */
function createDice(seed: number) {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const pick = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
  return { next, pick };
}

function generateFiles(dice: ReturnType<typeof createDice>): Files {
  const files = new Map<string, { mode: Mode; text: string }>();
  const heads = [
    'README.md',
    'tenants',
    'tenants/staging/t-a',
    ENV,
    `${ENV}/sublet-root`,
    `${ENV}/t-a`,
    `${ENV}/t-b`,
    `${ENV}/odd`,
  ];
  const tails = [
    'a.yaml',
    'b.yml',
    'README.md',
    'sub/a.yaml',
    'sub/deeper/kustomization.yaml',
    'Kustomization',
    'x.png',
    'ü.yaml',
    't-a',
  ];
  for (let count = Math.floor(dice.next() * 25); count > 0; count -= 1) {
    const path = `${dice.pick(heads)}/${dice.pick(tails)}`;
    const isBlocked = [...files.keys()].some((other) => other.startsWith(`${path}/`) || path.startsWith(`${other}/`));
    if (isBlocked) continue;
    const mode = dice.pick(['100644', '100644', '100644', '100755', '120000', '160000'] as const);
    files.set(path, { mode, text: `v: ${Math.floor(dice.next() * 3)}\n` });
  }
  return files;
}

describe('reading a commit', () => {
  it('gives what an archive of it gives, from any commit to any other', async () => {
    const { objects, addFiles } = createObjects();
    const reader = createDirectTreeReader({ environment: 'production', isNamespace, limits: DEFAULT_LIMITS });
    const dice = createDice(7);
    let folders = 0;
    for (let round = 0; round < 400; round += 1) {
      const files = generateFiles(dice);
      const expected = splitOf(files);
      folders += expected.folders.size;
      expect(await reader.read(objects, addFiles(files), 'Nothing')).toEqual({ ok: true, split: expected });
    }
    expect(folders).toBeGreaterThan(400);
  });

  it('reads nothing of folders that did not change, and of others the files that did', async () => {
    const store = createObjects();
    const reader = createDirectTreeReader({ environment: 'production', isNamespace, limits: DEFAULT_LIMITS });
    const before = filesOf(
      Object.fromEntries(
        ['a', 'b', 'c'].flatMap((name) =>
          ['one', 'two'].map((file) => [`${ENV}/t-${name}/${file}.yaml`, `${name} ${file}\n`]),
        ),
      ),
    );
    const first = await reader.read(store.objects, store.addFiles(before), 'Nothing');
    const after = new Map([...before, [`${ENV}/t-b/two.yaml`, { mode: '100644' as const, text: 'new\n' }]]);
    const root = store.addFiles(after);
    store.read.length = 0;
    const second = await reader.read(store.objects, root, 'Nothing');
    // The root, tenants, the environment, the folder; the size of its two files and the content of one.
    expect(store.read).toHaveLength(7);
    if (!('ok' in first && first.ok && 'ok' in second && second.ok)) throw new Error('one of them was not read');
    expect(second.split).toEqual(splitOf(after));
    expect(second.split.folders.get('t-a')).toBe(first.split.folders.get('t-a'));
    expect(second.split.folders.get('t-b')?.files[0]).toBe(first.split.folders.get('t-b')?.files[0]);
  });

  it('has no folders where the environment is absent or no folder', async () => {
    for (const files of [
      filesOf({ 'README.md': 'x' }),
      filesOf({ tenants: 'x' }),
      filesOf({ [ENV]: '../elsewhere' }, { [ENV]: '120000' }),
    ]) {
      expect(await readDirect(files)).toEqual({ ok: true, split: { folders: new Map(), strays: [] } });
    }
  });

  it.each<readonly [string, Readonly<Record<string, string>>, Partial<SourceLimits>, RegExp]>([
    [
      'too many entries',
      { [`${ENV}/t-a/a.yaml`]: '', [`${ENV}/t-a/b.yaml`]: '', [`${ENV}/t-b/b.yaml`]: '' },
      { entries: 4 },
      /^entries: .*more than 4/,
    ],
    [
      'too many bytes',
      { [`${ENV}/t-a/a.yaml`]: '12345', [`${ENV}/t-b/b.yaml`]: '123456' },
      { unpackedBytes: 10 },
      /^unpackedBytes: .*10 bytes/,
    ],
    [
      'a long path',
      { [`${ENV}/t-a/${'x'.repeat(60)}.yaml`]: '' },
      { pathBytes: 64 },
      /^pathBytes: a path has \d+ bytes/,
    ],
    ['a deep path', { [`${ENV}/t-a/b/c/d.yaml`]: '' }, { pathDepth: 5 }, /^pathDepth: .*6 levels deep/],
    ['a backslash', { [`${ENV}/t-a/..\\b.yaml`]: '' }, {}, /^path: /],
    ['a folder named ..', { [`${ENV}/t-a/../b.yaml`]: '' }, {}, /^path: /],
    ['a .git', { [`${ENV}/t-a/.GIT/config`]: '' }, {}, /^path: /],
  ])('refuses %s', async (_what, texts, limits, message) => {
    expect(await readDirect(filesOf(texts), 'Nothing', { ...DEFAULT_LIMITS, ...limits })).toEqual({
      ok: false,
      message: expect.stringMatching(message),
    });
  });

  it('refuses a name that stands twice, and a slash in a name', async () => {
    const { objects, addTree, addBlob } = createObjects();
    const file = (name: string): Item => ({ name, isText: true, mode: '100644', id: addBlob(name) });
    const folder = (name: string, items: readonly Item[]): Item => ({
      name,
      isText: true,
      mode: '40000',
      id: addTree(items),
    });
    const read = (items: readonly Item[]) => {
      const root = addTree([folder('tenants', [folder('production', [folder('t-a', items)])])]);
      const reader = createDirectTreeReader({ environment: 'production', isNamespace, limits: DEFAULT_LIMITS });
      return reader.read(objects, root, 'Nothing');
    };
    expect(await read([file('a.yaml'), file('a.yaml')])).toEqual({
      ok: false,
      message: expect.stringMatching(/^duplicate: /),
    });
    expect(await read([file('../t-b/a.yaml')])).toEqual({ ok: false, message: expect.stringMatching(/^path: /) });
  });

  it('stops at a tree that unfolds to more entries than there are objects', async () => {
    const { objects, addTree, addBlob } = createObjects();
    let items: readonly Item[] = [{ name: 'a.yaml', isText: true, mode: '100644', id: addBlob('') }];
    for (let depth = 0; depth < 10; depth += 1) {
      const id = addTree(items);
      items = Array.from({ length: 10 }, (_, index) => ({ name: `d${index}`, isText: true, mode: '40000', id }));
    }
    const production = addTree([{ name: 't-a', isText: true, mode: '40000', id: addTree(items) }]);
    const tenants = addTree([{ name: 'production', isText: true, mode: '40000', id: production }]);
    const root = addTree([{ name: 'tenants', isText: true, mode: '40000', id: tenants }]);
    const limits = { ...DEFAULT_LIMITS, entries: 1_000 };
    const reader = createDirectTreeReader({ environment: 'production', isNamespace, limits });
    expect(await reader.read(objects, root, 'Nothing')).toEqual({
      ok: false,
      message: expect.stringMatching(/^entries: /),
    });
  });

  it('keeps what it knew when a commit is refused, and rejects when an object is missing', async () => {
    const { objects, addFiles, read } = createObjects();
    const reader = createDirectTreeReader({ environment: 'production', isNamespace, limits: DEFAULT_LIMITS });
    const good = addFiles(filesOf({ [`${ENV}/t-a/a.yaml`]: 'a' }));
    await reader.read(objects, good, 'Nothing');
    expect(await reader.read(objects, addFiles(filesOf({ [`${ENV}/t-b/\\.yaml`]: 'a' })), 'Nothing')).toMatchObject({
      ok: false,
    });
    await expect(reader.read(objects, 'f'.repeat(40), 'Nothing')).rejects.toThrow('there is no');
    read.length = 0;
    expect(await reader.read(objects, good, 'Nothing')).toMatchObject({ ok: true });
    // The root and tenants; the environment's tree is the one that was read before.
    expect(read).toHaveLength(2);
  });
});

describe("source-controller's own rules of what is left out", () => {
  it.each([
    '.sourceignore',
    'tenants/.sourceignore',
    `${ENV}/.sourceignore`,
    `${ENV}/t-a/.sourceignore`,
    `${ENV}/t-a/cloudbuild.yaml`,
    `${ENV}/t-a/.github/a.yaml`,
    `${ENV}/t-a/screen.png`,
  ])('are asked for %s', async (path) => {
    const files = filesOf({ [`${ENV}/t-b/a.yaml`]: 'a', [path]: 'x' });
    expect(await readDirect(files, 'Defaults')).toEqual({ declined: expect.stringContaining('source-controller') });
    expect(await readDirect(files, 'Nothing')).toEqual({ ok: true, split: splitOf(files) });
  });

  it("leave out Git's own files, where nothing else is stated", async () => {
    const files = filesOf({ [`${ENV}/t-a/.gitattributes`]: 'x' });
    expect(await readDirect(files, 'Defaults')).toEqual({ ok: true, split: { folders: new Map(), strays: [] } });
    expect(await readDirect(files, 'Nothing')).toEqual({ ok: true, split: splitOf(files) });
    expect(splitOf(files).folders.has('t-a')).toBe(true);
  });
});
