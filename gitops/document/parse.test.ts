import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { applyEdits } from '../change/apply.ts';
import { shapeOf } from '../change/shape.ts';
import { removeResource, replaceResource } from './edit.ts';
import { DEFAULT_FILE_LIMITS, parseFile } from './parse.ts';

// Holds on a machine that is busy with much else.
vi.setConfig({ testTimeout: 200_000 });

const PIECES = [
  ...[
    'apiVersion: v1\n',
    'kind: Plan\n',
    'metadata:\n  name: pro\n',
    'metadata: {name: pro}\n',
    'spec:\n',
    '  a: 1\n',
    '  - b\n',
    '---\n',
    '...\n',
    '# c\n',
  ],
  ...[
    '&a ',
    '*a',
    '!!str ',
    '? ',
    ': ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    ', ',
    '"',
    "'",
    '|\n',
    '>-\n',
    '\t',
    '\r\n',
    ' ',
    '  ',
    '\n',
    '%YAML 1.2\n',
    '<<: ',
    '\\',
    '\u2028',
    '\ufeff',
  ],
  ...['__proto__: {x: 1}\n', 'constructor: 1\n', 'yes', '0777', '12:30', '.inf', '~'],
];

it('reads or refuses any text, and edits what it read, without touching a prototype', () => {
  const before = Object.getOwnPropertyNames(Object.prototype).length;
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 4 })), { maxLength: 30 }),
      (pieces) => {
        const file = parseFile(pieces.join(''));
        if (file.type === 'unreadable') {
          expect(file.message).not.toBe('');
          return;
        }
        for (const document of file.resources) {
          const applied = applyEdits(document.value, [{ path: ['metadata', 'labels', '__proto__'], to: 'x' }]);
          if (applied.type === 'applied')
            replaceResource(file, document, applied.value, shapeOf('Plan'), DEFAULT_FILE_LIMITS);
          removeResource(file, document, DEFAULT_FILE_LIMITS);
        }
      },
    ),
    { numRuns: 2000 },
  );
  expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(before);
  expect(({} as { x?: unknown }).x).toBeUndefined();
});

it('names the line of what it refuses', () => {
  expect(parseFile('a: 1\nb: yes\n')).toMatchObject({ type: 'unreadable', line: 2 });
  expect(parseFile('a: 1\n---\nb: .inf\n')).toMatchObject({ type: 'unreadable', line: 3 });
  expect(parseFile('a: [\n')).toMatchObject({ type: 'unreadable' });
  expect(parseFile('')).toMatchObject({ type: 'parsed', resources: [], values: [] });
  expect(parseFile('# nothing\n')).toMatchObject({ type: 'parsed', resources: [], values: [] });
});
