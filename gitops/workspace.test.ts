import { beforeEach, describe, expect, it } from 'vitest';
import type { MadeCommit } from '../git/memory/objects.ts';
import { createMemoryRemote, type MemoryRemote } from '../git/memory/remote.ts';
import { openMemoryRepository } from '../git/memory/repository.ts';
import type { FieldEdit, Intent, JsonMap } from './intent.ts';
import { createWorkspace, type Planned, type Workspace } from './workspace.ts';

const FOLDER = 'tenants/production/t-acme';
const SOMEBODY = { name: 'Somebody', email: 'somebody@example.com' };

const resource = (kind: string, name: string, spec: JsonMap): JsonMap => ({
  apiVersion: 'sublet.dev/v1alpha1',
  kind,
  metadata: { name },
  spec,
});
const yaml = (kind: string, name: string, title: string) =>
  `apiVersion: sublet.dev/v1alpha1\nkind: ${kind}\nmetadata:\n  name: ${name}\nspec:\n  title: ${title} # for people\n`;
const target = (kind: string, name: string) => ({ kind, namespace: 't-acme', name });
const create = (kind: string, name: string, spec: JsonMap): Intent => ({
  type: 'Create',
  target: target(kind, name),
  object: resource(kind, name, spec),
});
const edit = (name: string, ...edits: readonly FieldEdit[]): Intent => ({
  type: 'Edit',
  target: target('Plan', name),
  edits,
});
const retitle = (name: string, from: string, to: string) => edit(name, { path: ['spec', 'title'], from, to });

const PAD = `# ${'x'.repeat(60_000)}\n`;

describe('a workspace', () => {
  let remote: MemoryRemote;
  beforeEach(() => {
    remote = createMemoryRemote();
  });

  const commit = (files: Readonly<Record<string, string | MadeCommitFile>>): Workspace => {
    const entries = Object.entries(files).map(([name, file]) => [`${FOLDER}/${name}`, file] as const);
    const made = { author: SOMEBODY, committer: SOMEBODY, atMs: 0, message: 'x', files: new Map(entries) };
    const base = remote.write('main', made);
    return createWorkspace(base, { repository: openMemoryRepository(remote, { branch: 'main' }) });
  };
  const take = async (workspace: Workspace, intent: Intent): Promise<Planned> => {
    const planned = await workspace.plan(FOLDER, intent);
    if (planned.type === 'changed') planned.take();
    return planned;
  };
  const filesOf = (planned: Planned) => (planned.type === 'changed' ? Object.fromEntries(planned.files) : planned.type);

  it('makes a file for a new resource, on a repository that has nothing, too', async () => {
    const workspace = createWorkspace(undefined, { repository: openMemoryRepository(remote, { branch: 'main' }) });
    const intent = create('Plan', 'pro', { title: 'Pro' });
    const planned = await take(workspace, intent);
    expect(planned).toMatchObject({
      type: 'changed',
      object: resource('Plan', 'pro', { title: 'Pro' }),
      before: undefined,
    });
    expect(filesOf(planned)).toEqual({
      [`${FOLDER}/plan-pro.yaml`]:
        'apiVersion: sublet.dev/v1alpha1\nkind: Plan\nmetadata:\n  name: pro\nspec:\n  title: Pro\n',
    });
    expect(await take(workspace, intent)).toMatchObject({ type: 'unchanged' });
    expect(await workspace.read(FOLDER, target('Plan', 'pro'))).toMatchObject({
      type: 'declared',
      path: `${FOLDER}/plan-pro.yaml`,
      line: 1,
    });
  });

  it('calls it a conflict when somebody made another of that name', async () => {
    const workspace = commit({ 'prices.yaml': yaml('Plan', 'pro', 'Theirs') });
    expect(await take(workspace, create('Plan', 'pro', { title: 'Ours' }))).toEqual({
      type: 'conflict',
      message: `Plan pro exists already, in ${FOLDER}/prices.yaml`,
      differences: [{ path: 'spec.title', wanted: 'Ours', found: 'Theirs' }],
    });
  });

  it('lets both win who change two fields of one file, and one of two who change one field', async () => {
    const workspace = commit({ 'a.yml': `${yaml('Plan', 'pro', 'Pro')}---\n${yaml('Plan', 'max', 'Max')}` });
    expect((await take(workspace, retitle('pro', 'Pro', 'New'))).type).toBe('changed');
    expect((await take(workspace, retitle('max', 'Max', 'Newer'))).type).toBe('changed');
    const both = await take(workspace, edit('pro', { path: ['spec', 'currency'], to: 'USD' }));
    expect(filesOf(both)).toEqual({
      [`${FOLDER}/a.yml`]: `${yaml('Plan', 'pro', 'New')}  currency: USD\n---\n${yaml('Plan', 'max', 'Newer')}`,
    });
    expect(await take(workspace, retitle('pro', 'Pro', 'Other'))).toMatchObject({
      type: 'conflict',
      message: 'spec.title of Plan pro changed meanwhile',
      differences: [{ path: 'spec.title', seen: 'Pro', wanted: 'Other', found: 'New' }],
    });
    expect((await take(workspace, retitle('pro', 'Pro', 'New'))).type).toBe('unchanged');
  });

  it('removes documents, and the file with the last', async () => {
    const workspace = commit({ 'a.yaml': `${yaml('Plan', 'pro', 'Pro')}---\n${yaml('Plan', 'max', 'Max')}` });
    const remove = (name: string, seen?: JsonMap): Intent => ({
      type: 'Delete',
      target: target('Plan', name),
      ...(seen ? { seen } : {}),
    });
    expect(await take(workspace, remove('pro', { title: 'Other' }))).toMatchObject({
      type: 'conflict',
      differences: [{ path: 'spec', seen: { title: 'Other' }, found: { title: 'Pro' } }],
    });
    expect(filesOf(await take(workspace, remove('pro', { title: 'Pro' })))).toEqual({
      [`${FOLDER}/a.yaml`]: `---\n${yaml('Plan', 'max', 'Max')}`,
    });
    expect(filesOf(await take(workspace, remove('max')))).toEqual({ [`${FOLDER}/a.yaml`]: null });
    expect((await take(workspace, remove('max'))).type).toBe('unchanged');
    expect(await take(workspace, retitle('max', 'Max', 'x'))).toMatchObject({
      type: 'conflict',
      message: 'Plan max is not there any more',
      differences: [{ path: 'spec.title', seen: 'Max', wanted: 'x' }],
    });
    expect(filesOf(await take(workspace, create('Plan', 'max', { title: 'Back' })))).toHaveProperty([
      `${FOLDER}/plan-max.yaml`,
    ]);
  });

  it('refuses what stands twice, with file and line', async () => {
    const workspace = commit({ 'a.yaml': yaml('Plan', 'pro', 'A'), 'b/c.yaml': `# x\n${yaml('Plan', 'pro', 'B')}` });
    expect(await take(workspace, retitle('pro', 'A', 'x'))).toEqual({
      type: 'refused',
      reason: 'Ambiguous',
      message: `Plan pro stands in ${FOLDER}/a.yaml:1 and ${FOLDER}/b/c.yaml:2; keep one`,
    });
  });

  it('works beside a file that cannot be read, but makes nothing that could be in it', async () => {
    const workspace = commit({ 'bad.yaml': 'a: 1\nb: [\n', 'good.yaml': yaml('Plan', 'pro', 'A') });
    expect((await take(workspace, retitle('pro', 'A', 'B'))).type).toBe('changed');
    const refused = await take(workspace, create('Plan', 'max', {}));
    expect(refused).toMatchObject({ type: 'refused', reason: 'Unreadable' });
    expect(refused).toHaveProperty(
      'message',
      expect.stringMatching(/bad\.yaml:\d+: .*; Plan max could be in that file, so mend it first$/),
    );
  });

  it.each<readonly [string, string | MadeCommitFile, string]>([
    ['binary', { bytes: Buffer.from([0xff, 0xfe, 0]), mode: 'file' }, 'not valid UTF-8'],
    ['huge', `# ${'x'.repeat(200_000)}\n`, 'the file has 200003 bytes, more than fileBytes 131072'],
    [
      'a bomb',
      `a: &a [${'x,'.repeat(20)}]\n${Array.from({ length: 20 }, (_, n) => `b${n}: *a`).join('\n')}\n`,
      'more than yamlAliases 16',
    ],
    ['deep', `${'['.repeat(1000)}${']'.repeat(1000)}\n`, 'nests more than yamlDepth 32'],
    ['with a tag', 'a: !!js/function x\n', 'tag'],
    ['ambiguous', `${yaml('Plan', 'pro', 'yes')}`, 'a boolean to some YAML readers'],
    ['with a key twice', 'a: 1\na: 2\n', 'stands in the map twice'],
    ['with a merge', 'a: &a {}\nb: {<<: *a}\n', 'merge keys'],
  ])('refuses to guess about a file that is %s', async (_what, file, message) => {
    const workspace = commit({ 'x.yaml': file });
    const refused = await take(workspace, create('Plan', 'max', {}));
    expect(refused).toMatchObject({ type: 'refused', reason: 'Unreadable', message: expect.stringContaining(message) });
  });

  const dense = (name: string, marks: number) =>
    `apiVersion: sublet.dev/v1alpha1\nkind: Plan\nmetadata: {name: ${name}}\nspec:\n  a: [${'[],'.repeat(marks / 3)}]\n`;

  it('reads no file that is nothing but structure, and works beside it', async () => {
    const workspace = commit({ 'dense.yaml': dense('dense', 40_000), 'good.yaml': yaml('Plan', 'pro', 'A') });
    expect((await take(workspace, retitle('pro', 'A', 'B'))).type).toBe('changed');
    expect(await take(workspace, create('Plan', 'new', {}))).toMatchObject({
      type: 'refused',
      reason: 'Unreadable',
      message: expect.stringMatching(/dense\.yaml:0: the file has 4001\d .*, more than fileMarks 32768; split it/),
    });
  });

  it('refuses a folder that would fill the memory', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`p${i}.yaml`, dense(`p${i}`, 30_000)] as const),
    );
    expect(await take(commit(files), retitle('p0', 'A', 'B'))).toMatchObject({
      type: 'refused',
      reason: 'TooLarge',
      message: expect.stringMatching(/^tenants\/production\/t-acme has 5\d{5} .*, more than folderMarks 524288/),
    });
  });

  it('gives others a turn after each large file', async () => {
    const files = Array.from({ length: 8 }, (_, i) => [`p${i}.yaml`, `${yaml('Plan', `p${i}`, 'x')}${PAD}`] as const);
    const workspace = commit(Object.fromEntries(files));
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    await workspace.load([FOLDER]);
    isOver = true;
    expect(turns).toBeGreaterThanOrEqual(7);
  });

  it('refuses folders that are none or are built by kustomize, and files that differ in case only', async () => {
    const link = { bytes: Buffer.from('/etc'), mode: 'symlink' } as const;
    const linked = commit({ nested: link });
    expect(await linked.plan(`${FOLDER}/nested`, create('Plan', 'pro', {}))).toMatchObject({ reason: 'NoFolder' });
    const built = commit({ 'Kustomization.yml': 'x: 1\n' });
    expect(await take(built, create('Plan', 'pro', {}))).toMatchObject({ reason: 'Kustomization' });
    remote = createMemoryRemote();
    const twins = commit({ 'a.yaml': yaml('Plan', 'pro', 'A'), 'A.yaml': yaml('Plan', 'max', 'A') });
    expect(await take(twins, retitle('pro', 'A', 'B'))).toMatchObject({
      reason: 'Ambiguous',
      message: expect.stringContaining('letter case'),
    });
  });

  it.each([
    ['too many files', 5_001, 10, 'has 5001 YAML files, more than folderFiles 5000'],
    [
      'files that are too large together',
      40,
      120_000,
      'has YAML files of 4800080 bytes, more than folderBytes 4194304',
    ],
  ])('refuses a folder of %s before it reads one', async (_what, count, size, message) => {
    const text = (n: number) => `# ${'x'.repeat(size - `${n}`.length)}${n}\n`.slice(0, size + 2);
    const files = Array.from({ length: count }, (_, n) => [`${FOLDER}/f${n}.yaml`, text(n)] as const);
    const base = remote.write('main', {
      author: SOMEBODY,
      committer: SOMEBODY,
      atMs: 0,
      message: 'x',
      files: new Map([...files, ['tenants/production/t-bob/plan.yaml', yaml('Plan', 'pro', 'A')]]),
    });
    const repository = openMemoryRepository(remote, { branch: 'main' });
    const read: string[] = [];
    const workspace = createWorkspace(base, {
      repository: {
        list: repository.list,
        read: async (blobs, signal) => {
          read.push(...blobs);
          return repository.read(blobs, signal);
        },
      },
    });
    await workspace.load([FOLDER, 'tenants/production/t-bob']);
    expect(read).toHaveLength(1);
    expect(await take(workspace, create('Plan', 'max', {}))).toEqual({
      type: 'refused',
      reason: 'TooLarge',
      message: `${FOLDER} ${message}`,
    });
    expect(await workspace.plan('tenants/production/t-bob', retitle('pro', 'A', 'B'))).toMatchObject({
      type: 'changed',
    });
  });

  it('reads no link, whatever it is called', async () => {
    const workspace = commit({ 'plan-pro.yaml': { bytes: Buffer.from('../../../etc/passwd'), mode: 'symlink' } });
    expect(filesOf(await take(workspace, create('Plan', 'pro', {})))).toHaveProperty([`${FOLDER}/plan-pro.2.yaml`]);
  });

  it('refuses to write to a name that not every system takes', async () => {
    const workspace = commit({ 'a:b.yaml': yaml('Plan', 'pro', 'A') });
    expect(await take(workspace, retitle('pro', 'A', 'B'))).toMatchObject({
      reason: 'Unwritable',
      message: expect.stringContaining('a:b.yaml'),
    });
  });

  it('refuses an intent that no repository can hold', async () => {
    const workspace = commit({ 'a.yaml': yaml('Plan', 'pro', 'A') });
    expect(await take(workspace, edit('pro', { path: ['metadata', 'name'], to: 'x' }))).toMatchObject({
      reason: 'Invalid',
    });
  });

  it('takes a plan only on the state that it was made for', async () => {
    const workspace = commit({ 'a.yaml': yaml('Plan', 'pro', 'A') });
    const first = await workspace.plan(FOLDER, retitle('pro', 'A', 'B'));
    const second = await workspace.plan(FOLDER, edit('pro', { path: ['spec', 'currency'], to: 'USD' }));
    if (first.type !== 'changed' || second.type !== 'changed') throw new Error('both change something');
    first.take();
    expect(() => second.take()).toThrow('plan again');
    expect(await workspace.read(FOLDER, target('Plan', 'pro'))).toMatchObject({ object: { spec: { title: 'B' } } });
  });

  it('reads many folders in two calls', async () => {
    const files = Array.from(
      { length: 50 },
      (_, n) => [`tenants/production/t-${n}/plan.yaml`, yaml('Plan', 'pro', `${n}`)] as const,
    );
    const base = remote.write('main', {
      author: SOMEBODY,
      committer: SOMEBODY,
      atMs: 0,
      message: 'x',
      files: new Map(files),
    });
    const repository = openMemoryRepository(remote, { branch: 'main' });
    const calls: string[] = [];
    const workspace = createWorkspace(base, {
      repository: {
        list: async (commitId, folder) => {
          calls.push(`list ${folder}`);
          return repository.list(commitId, folder);
        },
        read: async (blobs) => {
          calls.push(`read ${blobs.length}`);
          return repository.read(blobs);
        },
      },
    });
    await workspace.load(files.map(([,], n) => `tenants/production/t-${n}`));
    expect(await workspace.read('tenants/production/t-7', target('Plan', 'pro'))).toMatchObject({
      type: 'declared',
      object: { spec: { title: 7 } },
    });
    expect(calls).toEqual(['list tenants/production', 'read 50']);
  });

  it('asks again after a call that failed', async () => {
    const base = remote.write('main', {
      author: SOMEBODY,
      committer: SOMEBODY,
      atMs: 0,
      message: 'x',
      files: new Map([[`${FOLDER}/a.yaml`, yaml('Plan', 'pro', 'A')]]),
    });
    const repository = openMemoryRepository(remote, { branch: 'main' });
    let failures = 1;
    const workspace = createWorkspace(base, {
      repository: {
        ...repository,
        list: async (commitId, folder) => {
          if (failures-- > 0) throw new Error('the disk is full');
          return repository.list(commitId, folder);
        },
      },
    });
    await expect(workspace.read(FOLDER, target('Plan', 'pro'))).rejects.toThrow('the disk is full');
    expect(await workspace.read(FOLDER, target('Plan', 'pro'))).toMatchObject({ type: 'declared' });
  });
});

type MadeCommitFile = Exclude<MadeCommit['files'] extends ReadonlyMap<string, infer F> ? F : never, string | null>;
