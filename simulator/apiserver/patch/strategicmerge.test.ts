import { describe, expect, it } from 'vitest';
import { applyStrategicMergePatch } from './strategicmerge.ts';
import { buildList, buildMapOf, buildStruct, STRING } from './typenode.ts';

const item = buildStruct({ name: STRING, value: STRING });
const type = buildStruct({
  items: buildList(item, ['name']),
  set: buildList(STRING, 'set'),
  list: buildList(STRING, 'atomic'),
  map: buildMapOf(STRING),
});

const target = {
  items: [{ name: 'a', value: '1' }, { name: 'b', value: '2' }, { name: 'c' }],
  set: ['x', 'y'],
  list: ['p'],
  map: { k: 'v', l: 'w' },
};

describe('applyStrategicMergePatch', () => {
  it.each([
    [
      'merges items by key, in the order of the patch',
      { items: [{ name: 'd' }, { name: 'a', value: '9' }] },
      { items: [{ name: 'd' }, { name: 'a', value: '9' }, ...target.items.slice(1)] },
    ],
    ['deletes an item', { items: [{ name: 'b', $patch: 'delete' }] }, { items: [target.items[0], target.items[2]] }],
    ['replaces a list', { items: [{ name: 'z' }, { $patch: 'replace' }] }, { items: [{ name: 'z' }] }],
    ['joins sets', { set: ['z', 'x'] }, { set: ['z', 'x', 'y'] }],
    ['replaces other lists', { list: ['q'] }, { list: ['q'] }],
    ['deletes from a set', { '$deleteFromPrimitiveList/set': ['x'] }, { set: ['y'] }],
    [
      'orders',
      { '$setElementOrder/items': [{ name: 'c' }, { name: 'a' }] },
      { items: [{ name: 'b', value: '2' }, { name: 'c' }, { name: 'a', value: '1' }] },
    ],
    ['deletes a member', { map: { k: null } }, { map: { l: 'w' } }],
    ['replaces an object', { map: { $patch: 'replace', n: 'o' } }, { map: { n: 'o' } }],
    ['empties an object', { map: { $patch: 'delete' } }, { map: {} }],
    ['retains members', { map: { $retainKeys: ['l', 'm'], m: 'x' } }, { map: { l: 'w', m: 'x' } }],
    ['deletes a list', { items: null }, { items: undefined }],
  ])('%s', (_what, patch, changed) => {
    const before = JSON.stringify(target);
    expect(applyStrategicMergePatch(target, patch, type)).toEqual({ ...target, ...changed });
    expect(JSON.stringify(target)).toBe(before);
  });

  it.each([
    [{ map: { $patch: 'odd' } }, 'unknown patch type: odd in map: map[$patch:odd]'],
    [{ items: [{ value: '1' }] }, 'map: map[value:1] does not contain declared merge key: name'],
    [{ map: { $retainKeys: ['a'], b: 'c' } }, 'invalid patch format of retainKeys'],
    [{ $setElementOrder: [] }, 'invalid patch format of setElementOrder list'],
    [{ $deleteFromPrimitiveList: [] }, 'invalid patch format of primitive list'],
  ])('refuses %j', (patch, message) => {
    expect(() => applyStrategicMergePatch(target, patch, type)).toThrow(message);
  });

  it('pollutes no prototype', () => {
    const patch = JSON.parse('{"map": {"__proto__": {"polluted": true}}, "__proto__": {"polluted": true}}');
    applyStrategicMergePatch(target, patch, type);
    expect('polluted' in {}).toBe(false);
  });
});
