import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderArchive } from './archive.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { parseTar } from './untar.ts';
import { parseRendered, renderFile } from './values.ts';

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,60}\.yaml$/);
const files = fc.uniqueArray(fc.record({ name, text: fc.string({ unit: 'binary' }) }), {
  selector: (file) => file.name,
  maxLength: 8,
});

test('the same files give the same bytes in any order, and others give others', () => {
  fc.assert(
    fc.property(files, fc.infiniteStream(fc.nat()), (list, noise) => {
      const shuffled = list
        .map((file) => ({ file, at: noise.next().value }))
        .sort((a, b) => a.at - b.at)
        .map(({ file }) => file);
      const archive = renderArchive(list);
      expect(renderArchive(shuffled)).toEqual(archive);
      expect(archive.digest).toBe(`sha256:${createHash('sha256').update(archive.bytes).digest('hex')}`);
      expect(renderArchive([...list, { name: '0.yaml', text: 'more' }]).digest).not.toBe(archive.digest);
    }),
  );
});

test('what is packed comes back, through gunzip and our reader', () => {
  fc.assert(
    fc.property(files, (list) => {
      const read = parseTar(gunzipSync(renderArchive(list).bytes), DEFAULT_LIMITS);
      const sorted = [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
      expect(read.map((file) => [file.path, Buffer.from(file.bytes).toString()])).toEqual(
        sorted.map((file) => [file.name, Buffer.from(file.text).toString()]),
      );
    }),
  );
});

test('spans several gzip blocks, and the system tar reads it', () => {
  const large = { name: 'large.yaml', text: 'x'.repeat(200_000) };
  const { bytes } = renderArchive([large, { name: 'a.yaml', text: 'hello\n' }]);
  expect(
    execFileSync('tar', ['-tvzf', '-'], { input: bytes })
      .toString()
      .split('\n')
      .map((line) => line.split(/\s+/).at(-1)),
  ).toEqual(['a.yaml', 'large.yaml', '']);
  expect(execFileSync('tar', ['-xzOf', '-', 'a.yaml'], { input: bytes }).toString()).toBe('hello\n');
});

test('the digest of a known folder never changes: an upgrade must not move every tenant', () => {
  expect(renderArchive([]).digest).toBe('sha256:b08193cf43a91db41bab4fe3cb9221c8e3ab5ecc9c6ece59e4990c7da59a13fc');
  expect(renderArchive([renderFile('desk.yaml', [{ kind: 'RDPInstance', spec: { n: 1 } }])]).digest).toBe(
    'sha256:f120a265fec09d07887f3ad35f56eb011a5f8f389607d24f03d422d6210f6a89',
  );
});

test('refuses names that the format cannot hold', () => {
  expect(() => renderArchive([{ name: 'n'.repeat(101), text: '' }])).toThrow('1 to 100 printable ASCII characters');
  expect(() => renderArchive([{ name: 'ü.yaml', text: '' }])).toThrow(RangeError);
});

test('documents survive rendering exactly, and hold no character that YAML would not take', () => {
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.string(), fc.jsonValue({ noUnicodeString: false })), { maxLength: 4 }),
      (documents) => {
        const { text } = renderFile('a.yaml', documents);
        expect(parseRendered(text)).toEqual(JSON.parse(JSON.stringify(documents)));
        expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u2028\u2029\ufeff]/u);
      },
    ),
  );
});
