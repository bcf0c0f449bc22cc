import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { describeIntent, indexChanges, listChangeIds, parseTrailers, renderMessage } from './message.ts';

// Holds on a machine that is busy with much else.
vi.setConfig({ testTimeout: 200_000, hookTimeout: 120_000 });

const ID = `I${'0123456789'.repeat(4)}`;
const change = { changeId: ID, requestedBy: 'oidc:anna', requestId: 'req-1' };

function interpretTrailers(message: string): string {
  return execFileSync('git', ['interpret-trailers', '--parse', '--no-divider'], { input: message, encoding: 'utf8' });
}

describe('a commit message', () => {
  it('has a subject, a body and trailers that git reads', () => {
    const text = renderMessage({ ...change, subject: 'Change anna-desk in t-acme--bob', body: '- spec.plan' });
    expect(text).toBe(
      `Change anna-desk in t-acme--bob\n\n- spec.plan\n\nChange-Id: ${ID}\nRequested-By: oidc:anna\nRequest-Id: req-1\n`,
    );
    expect(interpretTrailers(text)).toBe(`Change-Id: ${ID}\nRequested-By: oidc:anna\nRequest-Id: req-1\n`);
    expect(parseTrailers(text)).toEqual(change);
    expect(listChangeIds(text)).toEqual([ID]);
  });

  it('lets nobody write a trailer, an option or another line', () => {
    const other = `Change-Id: I${'f'.repeat(40)}`;
    const text = renderMessage({
      ...change,
      subject: `--amend\n\n${other}`,
      requestedBy: `eve\n${other}\u2028${other}`,
      requestId: `x\r\nRequested-By: root`,
      body: `${other}\nRequested-By: root\n\n  ${other}\n---\n# no comment\n\n\n\n(cherry picked from commit x)`,
    });
    expect(parseTrailers(text)).toMatchObject({ changeId: ID, requestedBy: `eve ${other} ${other}` });
    expect(listChangeIds(text)).toEqual([ID]);
    expect(
      interpretTrailers(text)
        .split('\n')
        .filter((line) => line.startsWith('Change-Id')),
    ).toEqual([`Change-Id: ${ID}`]);
    expect(text.split('\n')[0]).toMatch(/^amend Change-Id/);
  });

  it('survives any text that users hand in', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(text, text, text, text, (subject, body, requestedBy, requestId) => {
        const message = renderMessage({ changeId: ID, subject, body, requestedBy, requestId });
        const [first = ''] = message.split('\n');
        expect(first.length).toBeGreaterThan(0);
        expect(first.length).toBeLessThanOrEqual(60);
        expect(message.isWellFormed()).toBe(true);
        expect(parseTrailers(message)?.changeId).toBe(ID);
        expect(listChangeIds(message)).toEqual([ID]);
        expect(renderMessage({ changeId: ID, subject, body, requestedBy, requestId })).toBe(message);
      }),
      { numRuns: 150 },
    );
  });

  it('is read by git as by us, for any text', () => {
    const text = fc.string({ unit: fc.constantFrom(...'aB:- \n\r\t#\u2028é|<>'), maxLength: 60 });
    fc.assert(
      fc.property(text, text, text, (subject, body, requestedBy) => {
        const message = renderMessage({ ...change, subject, body, requestedBy });
        const trailers = parseTrailers(message);
        expect(interpretTrailers(message).trim().split('\n')).toEqual([
          `Change-Id: ${ID}`,
          `Requested-By: ${trailers?.requestedBy}`,
          'Request-Id: req-1',
        ]);
      }),
      { numRuns: 25 },
    );
  });

  it('refuses a Change-Id that is none', () => {
    expect(() => renderMessage({ ...change, changeId: 'I0\nX: y', subject: 'x' })).toThrow('40 hexadecimal digits');
  });
});

describe('trailers', () => {
  it('are those of the last paragraph, of a message that has more than one', () => {
    expect(parseTrailers(`Change-Id: ${ID}\n`)).toBeUndefined();
    expect(parseTrailers(`x\n\nChange-Id: ${ID}\n\nmore\n`)).toBeUndefined();
    expect(parseTrailers('x\n\nChange-Id: Iabc\n')).toBeUndefined();
    expect(parseTrailers('')).toBeUndefined();
  });

  it('of squashed commits are all found', () => {
    const second = `I${'a'.repeat(40)}`;
    const message = `Squash (#3)\n\n* Change a\n\n    Change-Id: ${ID}\n* Change b\n\nChange-Id: ${second}\n`;
    expect(listChangeIds(message)).toEqual([ID, second]);
    const log = [
      { commit: 'c2', message },
      { commit: 'c1', message: `x\n\nChange-Id: ${ID}\n` },
    ];
    expect(indexChanges(log)).toEqual(
      new Map([
        [ID, 'c2'],
        [second, 'c2'],
      ]),
    );
  });
});

describe('the words for an intent', () => {
  const target = { kind: 'RDPInstance', namespace: 't-acme--bob', name: 'anna-desk' };

  it('name the resource, and the fields without their values', () => {
    const edits = [
      { path: ['spec', 'plan'], to: 'secret' },
      { path: ['spec', 'members', { kind: 'User', name: 'anna' }] },
    ];
    expect(describeIntent({ type: 'Edit', target, edits })).toEqual({
      subject: 'Change RDPInstance anna-desk in t-acme--bob',
      body: '- spec.plan\n- spec.members[kind=User,name=anna]',
    });
    expect(describeIntent({ type: 'Delete', target })).toEqual({
      subject: 'Remove RDPInstance anna-desk in t-acme--bob',
    });
  });

  it('move the namespace to the body where the subject is too short for it', () => {
    const long = { ...target, namespace: `th-${'x'.repeat(60)}` };
    const { subject, body } = describeIntent({ type: 'Create', target: long, object: {} });
    expect(subject).toBe('Create RDPInstance anna-desk');
    expect(body).toContain(long.namespace);
  });
});
