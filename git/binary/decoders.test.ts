import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createScrub, failureOf } from './failure.ts';
import { parseMarks } from './fastimport.ts';
import { parseChangedPaths, parseCommit } from './log.ts';
import { parsePush } from './push.ts';
import { parseListing, parseTree } from './trees.ts';

// Holds on a machine that is busy with much else.
vi.setConfig({ testTimeout: 200_000, hookTimeout: 120_000 });

const bytes = fc
  .oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({
      unit: fc.constantFrom(...'0af \n\t\0!:<>-', '100644 ', 'blob ', 'author ', 'remote: ', `${'a'.repeat(40)}`),
      maxLength: 60,
    }),
  )
  .map((value) => Buffer.from(value));
const scrub = createScrub(['secret'], ['/tmp/copy']);
const ID = 'a'.repeat(40);

it('decodes whatever a git may print, and throws at nothing', () => {
  fc.assert(
    fc.property(bytes, bytes, fc.constantFrom(0, 1, 128), (stdout, other, code) => {
      const stderr = other.toString('utf8');
      for (const entry of parseListing(stdout, 1000)) expect(entry.blob).toMatch(/^[0-9a-f]{40,64}$/);
      expect(parseMarks(stdout.toString('latin1'), 1)?.length ?? 1).toBe(1);
      expect(typeof parseCommit({ id: ID, type: 'commit', size: 0, content: stdout }, []).message).toBe('string');
      expect(parseChangedPaths(stdout, [ID]).size).toBeLessThan(2);
      expect(['pushed', 'rejected', 'unknown', undefined]).toContain(
        parsePush({ code, stdout, stderr }, 'refs/heads/main', scrub)?.type,
      );
      expect(failureOf('x', { code, stderr }, scrub).message.length).toBeLessThan(400);
    }),
    { numRuns: 500 },
  );
});

it('takes no push for done that was not', () => {
  const result = (stdout: string, stderr: string, code: number) =>
    parsePush({ code, stdout: Buffer.from(stdout), stderr }, 'refs/heads/main', scrub);
  const line = (flag: string, summary: string) => `To x\n${flag}\t${ID}:refs/heads/main\t${summary}\nDone\n`;
  expect(result(line(' ', 'a..b'), '', 0)).toEqual({ type: 'pushed' });
  expect(result(line('*', '[new branch]'), '', 0)).toEqual({ type: 'pushed' });
  expect(result(line('=', '[up to date]'), '', 0)).toEqual({ type: 'pushed' });
  expect(result(line(' ', 'a..b'), 'fatal: the remote end hung up unexpectedly', 128)).toMatchObject({
    type: 'unknown',
  });
  expect(result(line('!', '[rejected] (stale info)'), '', 1)).toMatchObject({ type: 'rejected', stale: true });
  expect(result(line('!', '[remote rejected] (pre-receive hook declined)'), 'remote: no', 1)).toMatchObject({
    type: 'rejected',
    stale: false,
  });
  expect(result(line('!', '[remote failure] (remote failed to report status)'), '', 1)).toMatchObject({
    type: 'unknown',
  });
  expect(result('', 'error: RPC failed; HTTP 503 curl 22', 128)).toMatchObject({ type: 'unknown' });
  expect(result('', 'fatal: unable to access: Could not resolve host', 128)).toBeUndefined();
});

it('shows no secret, folder or credential, and takes its time for nothing', () => {
  expect(scrub('https://user:pass@host/x secret /tmp/copy/x\u001b[31m')).toBe('https://***@host/x *** /x [31m');
  const before = process.threadCpuUsage();
  scrub('a'.repeat(1_000_000));
  failureOf('x', { code: 1, stderr: `remote: ${'a'.repeat(16_000)}` }, scrub);
  expect(process.threadCpuUsage(before).user).toBeLessThan(2_000_000);
});

describe('the author of a commit', () => {
  const parse = (line: string) =>
    parseCommit(
      { id: ID, type: 'commit', size: 0, content: Buffer.from(`tree ${ID}\n${line}\ncommitter x\n\nm\n`) },
      [],
    );

  it.each([
    ['author Anna <a@b.c> 60 +0100', 'Anna', 'a@b.c', 60_000],
    ['author <a@b.c> -1 +0000', '', 'a@b.c', -1_000],
    ['author  <> 0 -0000', '', '', 0],
    ['author A <b <c@d> e> 5 +0000', 'A', 'b <c@d> e', 5_000],
    ['author A <b> 99999999999999999999 +0000', '', '', 0],
    ['author A <b> 5', '', '', 0],
    ['author A b> 5 +0000', '', '', 0],
    ['authors A <b> 5 +0000', '', '', 0],
    ['mergetag author A <b> 5 +0000', '', '', 0],
  ])('of %j is read', (line, name, email, atMs) => {
    expect(parse(line)).toMatchObject({ author: { name, email }, atMs, message: 'm\n' });
  });

  it.each(['<', '>', '> 1', '<> ', ' <', '> 1 +0000', 'author '])('of a megabyte of %j takes no time', (piece) => {
    const startMs = performance.now();
    parse(`author ${piece.repeat(1_000_000 / piece.length)}`);
    // In square of the length it would be hours.
    expect(performance.now() - startMs).toBeLessThan(30_000);
  });
});

it('tells commits from files that are named as they are', () => {
  const [first, second] = ['b'.repeat(40), 'c'.repeat(40)];
  const output = `/${ID}\0\n${second}\0x/${first}\0a\nb\0/${first}\0/${second}\0\n\ny\0/${'d'.repeat(40)}\0\nz\0`;
  expect([...parseChangedPaths(Buffer.from(output), [ID, first, second])]).toEqual([
    [ID, [second, `x/${first}`, 'a\nb']],
    [first, []],
    [second, ['\ny']],
  ]);
});

describe('a tree object', () => {
  const id = 'ab'.repeat(20);
  const entry = (mode: string, name: string | Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(id, 'hex')]);

  it('is read to its end, with names that are no text marked', () => {
    const content = Buffer.concat([
      entry('100644', 'a b.yaml'),
      entry('40000', 'ü'),
      entry('120000', Buffer.from([0x61, 0xff])),
    ]);
    expect(parseTree(content, 20)).toEqual([
      { name: 'a b.yaml', isText: true, mode: '100644', id },
      { name: 'ü', isText: true, mode: '40000', id },
      { name: 'a\ufffd', isText: false, mode: '120000', id },
    ]);
    expect(parseTree(Buffer.alloc(0), 20)).toEqual([]);
  });

  it('is refused when it is cut short anywhere', () => {
    const content = Buffer.concat([entry('100644', 'a'), entry('100644', 'b')]);
    const whole = content.length / 2;
    for (let end = 1; end < content.length; end += 1) {
      if (end === whole) continue;
      expect(() => parseTree(content.subarray(0, end), 20)).toThrow('malformed tree');
    }
  });
});
