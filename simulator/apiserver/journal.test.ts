import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, createFakeRandom } from '../../kube/testing/fakeclock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import { type Journal, openJournal } from './journal.ts';
import { createApiServer } from './server.ts';

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';

let folder: string;
const open: Journal[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sublet-journal-'));
});

afterEach(() => {
  for (const journal of open.splice(0)) journal.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A server on the folder, as another process would have it: nobody closed the one before. */
function start(maxJournalBytes?: number) {
  const journal = openJournal({ folder, ...(maxJournalBytes === undefined ? {} : { maxJournalBytes }) });
  open.push(journal);
  const deps = { clock: createFakeClock(), random: createFakeRandom(open.length), log: createTestLog().log };
  const server = createApiServer(deps, { journal });
  return async (method: string, url: string, body?: unknown) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const user = { username: 'a', groups: [] };
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await server.handle({ method, path: url, headers: { 'content-type': type }, body: text, user });
    return { status: answer.status, body: JSON.parse(answer.body) };
  };
}

type Call = ReturnType<typeof start>;

const create = (call: Call, name: string) => call('POST', CONFIGMAPS, { metadata: { name }, data: { a: name } });

async function state(call: Call): Promise<unknown> {
  const lists = ['/api/v1/namespaces', '/api/v1/configmaps', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'];
  return Promise.all(lists.map(async (url) => (await call('GET', url)).body));
}

describe('a server that was killed', () => {
  it('goes on where it was, with the same objects, versions and identities', async () => {
    const first = start();
    for (const name of ['a', 'b', 'c']) await create(first, name);
    await first('PATCH', `${CONFIGMAPS}/b`, { data: { b: '2' } });
    await first('DELETE', `${CONFIGMAPS}/c`);
    const before = await state(first);
    const second = start();
    expect(await state(second)).toEqual(before);
    const { body } = await create(second, 'd');
    const last = Number((before as { metadata: { resourceVersion: string } }[])[1]?.metadata.resourceVersion);
    expect(Number(body.metadata.resourceVersion)).toBe(last + 1);
    expect((await create(start(), 'd')).status).toBe(409);
  });

  it('writes nothing by starting, however often', async () => {
    await create(start(), 'a');
    const before = await state(start());
    start();
    start();
    expect(await state(start())).toEqual(before);
  });

  it('serves custom kinds again', async () => {
    const names = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' };
    const schema = { openAPIV3Schema: { type: 'object' } };
    const versions = [{ name: 'v1', served: true, storage: true, schema }];
    const spec = { group: 'example.com', scope: 'Namespaced', names, versions };
    const first = start();
    await first('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'things.example.com' },
      spec,
    });
    const things = '/apis/example.com/v1/namespaces/default/things';
    const thing = { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a' } };
    expect((await first('POST', things, thing)).status).toBe(201);
    expect((await start()('GET', `${things}/a`)).body.metadata.name).toBe('a');
  });

  it('tells watches of before that their version is too old', async () => {
    const first = start();
    const { body } = await create(first, 'a');
    await create(first, 'b');
    const { resourceVersion } = body.metadata;
    const answer = await start()('GET', `${CONFIGMAPS}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`);
    expect(answer.status).toBe(410);
  });
});

describe('a file', () => {
  it('may end in the middle of a line', async () => {
    const first = start();
    await create(first, 'a');
    const before = await state(first);
    await create(first, 'b');
    const journal = path.join(folder, 'journal.jsonl');
    truncateSync(journal, statSync(journal).size - 10);
    expect(await state(start())).toEqual(before);
  });

  it('may hold again what is in the snapshot', async () => {
    const first = start();
    await create(first, 'a');
    await first('DELETE', `${CONFIGMAPS}/a`);
    await create(first, 'b');
    const journal = readFileSync(path.join(folder, 'journal.jsonl'));
    const before = await state(start());
    writeFileSync(path.join(folder, 'journal.jsonl'), journal);
    expect(await state(start())).toEqual(before);
  });

  it.each(['nonsense', '{}', '{"revision":5,"object":{}}', '[]', '{"revision":5,"object":{"metadata":{"name":"a"}}}'])(
    'is refused with its line where it holds %s',
    async (text) => {
      await create(start(), 'a');
      const journal = path.join(folder, 'journal.jsonl');
      const lines = readFileSync(journal, 'utf8').split('\n').length;
      appendFileSync(journal, `${text}\n`);
      expect(() => start()).toThrow(`${journal}:${lines}: this is no line of an API server's state`);
    },
  );

  it.each([
    ['cut in the middle', (snapshot: string) => truncateSync(snapshot, statSync(snapshot).size >> 1)],
    ['cut at the end of a line', (snapshot: string) => cutLastLine(snapshot)],
    ['emptied', (snapshot: string) => truncateSync(snapshot, 0)],
    ['removed', (snapshot: string) => rmSync(snapshot)],
  ])('is refused where the snapshot was %s, and nothing is written', async (_, damage) => {
    await create(start(), 'a');
    start();
    const [snapshot, journal] = [path.join(folder, 'snapshot.jsonl'), path.join(folder, 'journal.jsonl')];
    damage(snapshot);
    const before = statSync(journal).mtimeMs;
    expect(() => start()).toThrow(`${snapshot}: the end of an API server's state is missing`);
    expect(statSync(journal).mtimeMs).toBe(before);
  });

  it.skipIf(process.platform === 'win32')('that takes no more gets the whole state with the next change', () => {
    // A limit on the size of files is met as a full disk is: a write is cut short, and the next one is refused.
    const script = path.join(folder, 'fill.ts');
    writeFileSync(script, FILL);
    const args = ['-c', 'ulimit -f 32; exec "$@"', 'sh', process.execPath, script, path.join(folder, 'state'), JOURNAL];
    const { stdout, stderr } = spawnSync('/bin/sh', args, { encoding: 'utf8' });
    const { refused, atRefusal, last } = JSON.parse(stdout || stderr);
    expect(refused).toBeGreaterThan(0);
    // What was there when a change was refused could be read: not a piece of that change was left.
    expect(atRefusal).toBeGreaterThan(1);
    const journal = openJournal({ folder: path.join(folder, 'state') });
    open.push(journal);
    expect(journal.kept.revision).toBe(last);
    expect([...journal.kept.objects].map(({ object }) => object.data)).toEqual([{ a: `${last}`.padEnd(1_000) }]);
  });

  it('stays small: changes are folded into a snapshot', async () => {
    const call = start(4_000);
    await create(call, 'a');
    for (let round = 0; round < 200; round += 1) await call('PATCH', `${CONFIGMAPS}/a`, { data: { a: String(round) } });
    expect(statSync(path.join(folder, 'journal.jsonl')).size).toBeLessThan(6_000);
    expect((await start()('GET', `${CONFIGMAPS}/a`)).body.data.a).toBe('199');
  });
});

const JOURNAL = path.join(import.meta.dirname, 'journal.ts');

/** Notes sixty changes of a kilobyte each, and dies as by `kill -9`. */
const FILL = `
import { copyFileSync, mkdirSync } from 'node:fs';
const [folder, module] = process.argv.slice(2);
const { openJournal } = await import(module);
const journal = openJournal({ folder });
const collection = { group: '', plural: 'configmaps' };
let [refused, atRefusal, last] = [0, 0, 0];
for (let revision = 2; revision <= 61; revision += 1) {
  const metadata = { name: 'a', namespace: 'default', resourceVersion: String(revision) };
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: String(revision).padEnd(1_000) } };
  try {
    journal.note({ type: 'MODIFIED', collection, revision, current: { object } });
    last = revision;
  } catch {
    refused += 1;
    mkdirSync(folder + '-seen', { recursive: true });
    for (const file of ['snapshot.jsonl', 'journal.jsonl']) copyFileSync(folder + '/' + file, folder + '-seen/' + file);
    atRefusal = openJournal({ folder: folder + '-seen' }).kept.revision;
    if (atRefusal !== last) throw new Error('of ' + last + ' only ' + atRefusal + ' is left');
  }
}
console.log(JSON.stringify({ refused, atRefusal, last }));
process.kill(process.pid, 'SIGKILL');
`;

function cutLastLine(file: string): void {
  const lines = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, `${lines.slice(0, -2).join('\n')}\n`);
}
