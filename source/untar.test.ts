import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decompress, fetchArtifact, gunzipInPool as gunzip } from './fetch.ts';
import { ArchiveRefusedError, DEFAULT_LIMITS } from './limits.ts';
import { buildRawTar, buildTarGz, paxRecord, type RawEntry } from './testing/tar.ts';
import { parseTar } from './untar.ts';

const file = (name: string, data = 'x'): RawEntry => ({ name, data });
const untar = (entries: readonly RawEntry[], limits = DEFAULT_LIMITS) => parseTar(buildRawTar(entries), limits);

function refusal(run: () => unknown): { readonly limit: string; readonly message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof ArchiveRefusedError) return { limit: error.limit, message: error.message };
    throw error;
  }
  throw new Error('the archive was taken');
}

test('reads what another writer wrote: ustar, long names, names beyond ASCII', async () => {
  const long = `tenants/production/t-acme/${'n'.repeat(120)}.yaml`;
  const split = `${'d'.repeat(90)}/${'e'.repeat(90)}`;
  const { bytes } = await buildTarGz({
    'a.yaml': 'one',
    [long]: 'two',
    'tenants/ü.yaml': 'three',
    [split]: 'four',
    empty: '',
  });
  const files = parseTar(await decompress(gunzip, bytes, DEFAULT_LIMITS), DEFAULT_LIMITS);
  expect(files.map(({ path, bytes: data }) => [path, Buffer.from(data).toString()])).toEqual([
    ['a.yaml', 'one'],
    [long, 'two'],
    ['tenants/ü.yaml', 'three'],
    [split, 'four'],
    ['empty', ''],
  ]);
});

test('reads GNU long names, ustar prefixes, a leading ./ and directories', () => {
  const long = `tenants/${'g'.repeat(150)}.yaml`;
  const entries = [
    { name: './', type: '5' },
    { name: './a/', type: '5' },
    file('./a/b.yaml'),
    { name: '././@LongLink', type: 'L', data: `${long}\0` },
    file('cut'),
    { name: 'c.yaml', prefix: 'p/q', data: 'y' },
  ];
  expect(untar(entries).map((one) => one.path)).toEqual(['a/b.yaml', long, 'p/q/c.yaml']);
});

test.each([
  ['../../etc/passwd', 'path'],
  ['a/../../b.yaml', 'path'],
  ['/etc/passwd', 'path'],
  ['a\\b.yaml', 'path'],
  ['a//b.yaml', 'path'],
  ['a/./b.yaml', 'path'],
  ['..', 'path'],
])('refuses the path %s', (name, limit) => {
  expect(refusal(() => untar([file(name)]))).toEqual({ limit, message: expect.stringContaining(JSON.stringify(name)) });
});

test('refuses a path that only pax or GNU headers make unsafe', () => {
  const pax = [{ name: 'x', type: 'x', data: paxRecord('path', '../evil.yaml') }, file('fine.yaml')];
  expect(refusal(() => untar(pax)).limit).toBe('path');
  const gnu = [{ name: '././@LongLink', type: 'L', data: '/evil.yaml\0' }, file('fine.yaml')];
  expect(refusal(() => untar(gnu)).limit).toBe('path');
});

test.each([
  ['1', 'a hard link'],
  ['2', 'a symbolic link'],
  ['3', 'a character device'],
  ['4', 'a block device'],
  ['6', 'a FIFO'],
  ['S', 'a sparse file'],
  ['Z', 'an entry of type "Z"'],
])('refuses entries of type %s', (type, what) => {
  const { limit, message } = refusal(() => untar([{ name: 'tenants/x', type, linkname: '/etc/passwd' }]));
  expect(limit).toBe('type');
  expect(message).toBe(`"tenants/x" is ${what}; only regular files and directories are taken`);
});

test('refuses sparse files written with pax headers, which hide the real name', () => {
  const entries = [{ name: 'x', type: 'x', data: paxRecord('GNU.sparse.name', 'evil.yaml') }, file('fine.yaml')];
  expect(refusal(() => untar(entries)).limit).toBe('type');
});

test('refuses one path twice, also as ./ and as directory and file', () => {
  expect(refusal(() => untar([file('a.yaml'), file('./a.yaml')])).message).toContain('holds "a.yaml" twice');
  expect(refusal(() => untar([{ name: 'a/', type: '5' }, file('a')])).limit).toBe('duplicate');
});

test('refuses more entries than the limit, and names the folder that has most of them', () => {
  const many = Array.from({ length: 100_000 }, (_, index) => file(`tenants/production/t-evil/${index}.yaml`, ''));
  const { limit, message } = refusal(() => untar([file('tenants/production/t-acme/a.yaml'), ...many]));
  expect(limit).toBe('entries');
  expect(message).toBe('the archive has more than 80000 entries; "tenants/production/t-evil" alone has 79999');
});

test('refuses a flood of headers without files', () => {
  const flood = Array.from({ length: 50 }, () => ({ name: 'x', type: 'g', data: paxRecord('comment', 'x') }));
  expect(refusal(() => untar(flood, { ...DEFAULT_LIMITS, entries: 10 })).limit).toBe('entries');
});

test('refuses paths that are too deep or too long, with both numbers', () => {
  expect(refusal(() => untar([file(`${'a/'.repeat(40)}b`)])).message).toContain(
    'is 41 levels deep, more than pathDepth 16',
  );
  const long = [{ name: 'x', type: 'x', data: paxRecord('path', 'p'.repeat(2_000)) }, file('short')];
  expect(refusal(() => untar(long)).message).toContain('a path has 2000 bytes, more than pathBytes 512');
});

test('marks names that are not UTF-8 and leaves the judgement to the folder', () => {
  const [found] = untar([{ name: Buffer.from([0x61, 0xff, 0x62]), data: '' }]);
  expect(found).toMatchObject({ path: 'a\ufffdb', validName: false });
});

test.each([
  ['a size past the end', buildRawTar([{ name: 'a', data: 'x', size: 9_999_999 }]), 'cut short'],
  ['garbage', Buffer.alloc(1024, 0x41), 'wrong header checksum'],
  ['a negative size', buildRawTar([{ name: 'a', data: 'x', size: 1 }]).fill(0xff, 124, 136), 'checksum'],
  [
    'a broken pax header',
    buildRawTar([{ name: 'x', type: 'x', data: '999 path=a\n' }, file('a')]),
    'broken pax header',
  ],
  [
    'a pax size that is no number',
    buildRawTar([{ name: 'x', type: 'x', data: paxRecord('size', '-1') }, file('a')]),
    'pax size',
  ],
])('refuses %s', (_what, bytes, message) => {
  expect(refusal(() => parseTar(bytes, DEFAULT_LIMITS)).message).toContain(message);
});

test('never throws anything but a refusal, whatever the bytes', () => {
  const whole = buildRawTar([file('a.yaml'), { name: 'x', type: 'x', data: paxRecord('path', 'b.yaml') }, file('c')]);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 64 }), (at, noise) => {
      const bytes = Buffer.from(whole);
      bytes.set(noise.subarray(0, bytes.length - at), at);
      try {
        parseTar(bytes, DEFAULT_LIMITS);
      } catch (error) {
        expect(error).toBeInstanceOf(ArchiveRefusedError);
      }
    }),
    { numRuns: 500 },
  );
});

test('refuses bombs by ratio and by size, naming limit and number', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 });
  await expect(decompress(gunzip, bomb, DEFAULT_LIMITS)).rejects.toMatchObject({
    limit: 'compressionRatio',
    message: expect.stringContaining('compressionRatio 200'),
  });
  const large = gzipSync(Buffer.alloc(3_000));
  await expect(decompress(gunzip, large, { ...DEFAULT_LIMITS, unpackedBytes: 2_000 })).rejects.toMatchObject({
    limit: 'unpackedBytes',
    message: 'the artifact unpacks to more than unpackedBytes 2000 bytes',
  });
  await expect(decompress(gunzip, Buffer.from('no gzip'), DEFAULT_LIMITS)).rejects.toMatchObject({ limit: 'format' });
  await expect(decompress(gunzip, large.subarray(0, 20), DEFAULT_LIMITS)).rejects.toMatchObject({ limit: 'format' });
});

test('fetches within the size limit and only the stated digest', async () => {
  const { bytes, digest } = await buildTarGz({ 'a.yaml': 'one' });
  const open = async () => [bytes.subarray(0, 10), bytes.subarray(10)].values();
  const openUrl = async () =>
    (async function* () {
      yield* await open();
    })();
  const signal = new AbortController().signal;
  await expect(
    fetchArtifact({ openUrl, gunzip }, { url: 'http://source/a.tar.gz', digest }, DEFAULT_LIMITS, signal),
  ).resolves.toHaveLength(2048);
  const small = { ...DEFAULT_LIMITS, archiveBytes: 50 };
  await expect(fetchArtifact({ openUrl, gunzip }, { url: 'u', digest }, small, signal)).rejects.toMatchObject({
    limit: 'archiveBytes',
    message: expect.stringContaining('50'),
  });
  await expect(
    fetchArtifact({ openUrl, gunzip }, { url: 'u', digest: `sha256:${'0'.repeat(64)}` }, DEFAULT_LIMITS, signal),
  ).rejects.toThrow(digest);
  await expect(
    fetchArtifact({ openUrl, gunzip }, { url: 'u', digest: 'md5:00' }, DEFAULT_LIMITS, signal),
  ).rejects.toMatchObject({
    limit: 'digest',
  });
});
