import { describe, expect, it } from 'vitest';
import { parseOptions, renderOptions } from './options.ts';

const SPECS = {
  tenants: { kind: 'integer', help: 'Tenants to converge', fallback: 1_000, min: 1, max: 20_000 },
  'cpu-profile': { kind: 'text', hint: 'FOLDER', help: 'where profiles go' },
} as const;

describe('options', () => {
  it('have defaults and take values', () => {
    expect(parseOptions(SPECS, [])).toEqual({ tenants: 1_000, 'cpu-profile': undefined });
    expect(parseOptions(SPECS, ['--tenants', '50', '--cpu-profile=out'])).toEqual({
      tenants: 50,
      'cpu-profile': 'out',
    });
  });

  it.each([
    [['--tenants', 'x'], 'whole number from 1 to 20000, not "x"'],
    [['--tenants', '0'], 'whole number from 1 to 20000, not "0"'],
    [['--tenants', '1e3'], 'not "1e3"'],
    [['--tenants=-5'], 'not "-5"'],
    [['--tenants'], 'argument missing'],
    [['--tenant', '5'], "Unknown option '--tenant'"],
    [['50'], 'Unexpected argument'],
  ])('refuse %j', (args, message) => {
    expect(() => parseOptions(SPECS, args)).toThrow(expect.objectContaining({ name: 'UsageError' }));
    expect(() => parseOptions(SPECS, args)).toThrow(message);
  });

  it('are shown with their defaults', () => {
    expect(renderOptions(SPECS)).toMatch(/--tenants N +Tenants to converge \(default 1000\)\n +--cpu-profile FOLDER/);
  });
});
