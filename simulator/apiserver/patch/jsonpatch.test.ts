import { describe, expect, it } from 'vitest';
import { applyJsonPatch, parseJsonPatch } from './jsonpatch.ts';

const patched = (target: object, body: unknown) =>
  applyJsonPatch(target as Record<string, unknown>, parseJsonPatch(body).operations);

describe('applyJsonPatch', () => {
  it.each([
    [{ a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    [{ a: [1, 2] }, [{ op: 'add', path: '/a/1', value: 9 }], { a: [1, 9, 2] }],
    [{ a: [1, 2] }, [{ op: 'add', path: '/a/-', value: 9 }], { a: [1, 2, 9] }],
    [{ a: [1, 2] }, [{ op: 'add', path: '/a/-1', value: 9 }], { a: [1, 2, 9] }],
    [{ a: [1, 2] }, [{ op: 'remove', path: '/a/-1' }], { a: [1] }],
    [{ a: 1 }, [{ op: 'remove', path: '/a' }], {}],
    [{ a: 1 }, [{ op: 'replace', path: '/b', value: 2 }], { a: 1, b: 2 }],
    [{ a: 1 }, [{ op: 'replace', path: '', value: { b: 1 } }], { b: 1 }],
    [{ a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: 1 }],
    [
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'replace', path: '/c/b', value: 2 },
      ],
      { a: { b: 1 }, c: { b: 2 } },
    ],
    [{ a: 1 }, [{ op: 'copy', from: '/x', path: '/c' }], { a: 1, c: null }],
    [
      { 'a/b': 1, 'm~n': 2 },
      [
        { op: 'remove', path: '/a~1b' },
        { op: 'remove', path: '/m~0n' },
      ],
      {},
    ],
    [
      { a: { x: [1, { y: 2 }] } },
      [{ op: 'test', path: '/a', value: { x: [1, { y: 2 }] } }],
      { a: { x: [1, { y: 2 }] } },
    ],
    [{ a: 1 }, [{ op: 'test', path: '/b', value: null }], { a: 1 }],
    [{ a: 1 }, [{ op: 'test', path: '/b' }], { a: 1 }],
    [{ a: 1 }, null, { a: 1 }],
  ])('makes of %j by %j', (target, body, expected) => {
    const before = JSON.stringify(target);
    const bodyBefore = JSON.stringify(body);
    expect(patched(target, body)).toEqual(expected);
    expect(JSON.stringify(target)).toBe(before);
    expect(JSON.stringify(body)).toBe(bodyBefore);
  });

  it.each([
    [{ a: 1 }, [{ op: 'test', path: '/a', value: 2 }]],
    [{ a: 1 }, [{ op: 'remove', path: '/b' }]],
    [{ a: 1 }, [{ op: 'remove', path: '' }]],
    [{ a: 1 }, [{ op: 'add', path: '/b/c', value: 1 }]],
    [{ a: 1 }, [{ op: 'add', path: '/a/c', value: 1 }]],
    [{ a: 1 }, [{ op: 'add', value: 1 }]],
    [{ a: [1] }, [{ op: 'add', path: '/a/3', value: 1 }]],
    [{ a: [1] }, [{ op: 'replace', path: '/a/1', value: 1 }]],
    [{ a: [1] }, [{ op: 'replace', path: '/a/-', value: 1 }]],
    [{ a: [1] }, [{ op: 'remove', path: '/a/x' }]],
    [{ a: 1 }, [{ op: 'move', from: '/b', path: '/c' }]],
    [{ a: 1 }, [{ op: 'move', path: '/c' }]],
    [{ a: 1 }, [{ op: 'replace', path: '', value: 7 }]],
    [{ a: 1 }, [{ op: 'frobnicate', path: '/a' }]],
    [{ a: 1 }, [null]],
    [{ a: 1 }, [{ op: 'remove', path: '/constructor' }]],
    [{ a: 1 }, [{ op: 'add', path: '/__proto__/x', value: 1 }]],
  ])('refuses of %j %j', (target, body) => {
    expect(() => patched(target, body)).toThrow('the server rejected our request due to an error in our request');
  });

  it('answers the status of the API server', () => {
    const thrown = expect(() => patched({}, [{ op: 'remove', path: '/b' }]));
    thrown.toThrow(
      expect.objectContaining({ status: expect.objectContaining({ code: 422, reason: 'Invalid', details: {} }) }),
    );
  });

  it('pollutes no prototype', () => {
    const body = JSON.parse('[{"op": "add", "path": "/__proto__", "value": {"polluted": true}}]');
    expect(JSON.stringify(patched({ a: 1 }, body))).toBe('{"a":1,"__proto__":{"polluted":true}}');
    expect('polluted' in {}).toBe(false);
  });
});

describe('parseJsonPatch', () => {
  it.each([
    [{}, 'Warn', 'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp'],
    [{}, 'Ignore', 'json: cannot unmarshal object into Go value of type jsonpatch.Patch'],
    [[1], 'Strict', 'error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp'],
    [[1], 'Ignore', 'json: cannot unmarshal number into Go value of type jsonpatch.Operation'],
    [
      [{ op: 1 }],
      'Warn',
      'error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string',
    ],
  ] as const)('refuses %j', (body, fieldValidation, message) => {
    expect(() => parseJsonPatch(body, fieldValidation)).toThrow(message);
  });

  it('refuses too many operations', () => {
    const body = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 }));
    expect(() => parseJsonPatch(body)).toThrow('The allowed maximum operations in a JSON patch is 10000, got 10001');
  });

  it('names members that no operation has', () => {
    const body = [{ op: 'test', path: '/a', value: 1, vlaue: 2 }];
    expect(parseJsonPatch(body).problems).toEqual(['json patch unknown field "[0].vlaue"']);
    expect(parseJsonPatch(body, 'Ignore').problems).toEqual([]);
  });
});
