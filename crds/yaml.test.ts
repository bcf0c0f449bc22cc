import { describe, expect, it } from 'vitest';
import { readDocuments } from './yaml.ts';

const FRAME = /\n +at /;

describe('errors of the parser', () => {
  it.each(['[,,,,]', ']]]]', '"" ""', '! ! ! a', '%a\n%b\n--- x', '*\n*\n'])(
    'in %j do not say where they were made',
    (text) => {
      const { parsed } = readDocuments(text);
      const problems = parsed.flatMap(({ errors, warnings }) => [...errors, ...warnings]);
      expect(problems.length).toBeGreaterThan(0);
      expect(problems.filter(({ stack = '' }) => FRAME.test(stack))).toEqual([]);
    },
  );

  it('leave other errors as they are', () => {
    const { stackTraceLimit } = Error;
    readDocuments('[,]');
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
    expect(new Error('another').stack).toMatch(FRAME);
  });
});
