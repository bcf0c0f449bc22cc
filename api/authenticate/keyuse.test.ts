import { describe, expect, it } from 'vitest';
import { createUseChooser } from './keyuse.ts';

const NOON_MS = Date.UTC(2026, 10, 26, 12);

describe('the use of a key', () => {
  it('is written once a minute from each address', () => {
    const choose = createUseChooser();
    expect(choose('k', '192.0.2.1', NOON_MS)).toBe('192.0.2.1');
    expect(choose('k', '192.0.2.1', NOON_MS + 59_999)).toBeUndefined();
    expect(choose('k', '192.0.2.2', NOON_MS + 59_999)).toBe('192.0.2.2');
    expect(choose('other', '192.0.2.1', NOON_MS)).toBe('192.0.2.1');
    expect(choose('k', '192.0.2.1', NOON_MS + 60_000)).toBe('192.0.2.1');
  });

  it('is written on each day, however short before the last was', () => {
    const choose = createUseChooser();
    const midnightMs = Date.UTC(2026, 10, 27);
    expect(choose('k', '192.0.2.1', midnightMs - 1)).toBe('192.0.2.1');
    expect(choose('k', '192.0.2.1', midnightMs)).toBe('192.0.2.1');
  });

  it('is written nine times a minute, from however many addresses', () => {
    const choose = createUseChooser();
    const written = Array.from({ length: 1_000 }, (_, i) => choose('k', `2001:db8::${i.toString(16)}`, NOON_MS + i));
    expect(written.filter((one) => one !== undefined)).toHaveLength(9);
    expect(written.filter((one) => one === '')).toHaveLength(1);
  });

  it('is remembered of a bounded number of keys', () => {
    const choose = createUseChooser();
    for (let i = 0; i < 10_000; i++) choose(`k${i}`, 'a', NOON_MS);
    expect(choose('k0', 'a', NOON_MS)).toBeUndefined();
    choose('one more', 'a', NOON_MS);
    expect(choose('k0', 'a', NOON_MS)).toBe('a');
  });
});
