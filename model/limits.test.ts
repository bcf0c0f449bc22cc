import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Amounts,
  addAmounts,
  computeEffectiveLimits,
  computeShortfall,
  isLimitName,
  LIMIT_NAMES,
  maxAmounts,
  parseAmounts,
  parseLimits,
  renderAmounts,
  renderShortfall,
} from './limits.ts';

const GI = 1n << 30n;
const amounts = fc
  .array(fc.option(fc.bigInt({ min: 0n, max: 1n << 70n }), { nil: undefined }), {
    minLength: LIMIT_NAMES.length,
    maxLength: LIMIT_NAMES.length,
  })
  .map(
    (values) =>
      Object.fromEntries(
        LIMIT_NAMES.map((name, at) => [name, values[at]]).filter(([, value]) => value !== undefined),
      ) as Amounts,
  );

describe('computeEffectiveLimits', () => {
  it('is the lower of Plan and Quota, name by name', () => {
    const plan = { vcpu: 16, memory: '64Gi', desktops: 10 };
    const quota = { vcpu: 8, memory: '128Gi', tenants: 2 };
    expect(computeEffectiveLimits({ plan, quota, parent: {} })).toEqual({
      vcpu: 8n,
      memory: 64n * GI,
      desktops: 10n,
      tenants: 2n,
    });
  });

  it('is unlimited in what neither states, below a parent that is unlimited in it', () => {
    expect(computeEffectiveLimits({ parent: {} })).toEqual({});
    expect(computeEffectiveLimits({ plan: { vcpu: 1 }, parent: {} }).memory).toBeUndefined();
  });

  it('is 0 in what neither states, below a parent that is limited in it', () => {
    expect(computeEffectiveLimits({ plan: { vcpu: 1 }, parent: { memory: 64n * GI, vcpu: 0n } })).toEqual({
      vcpu: 1n,
      memory: 0n,
    });
  });

  it('states 0 where 0 is stated', () => {
    expect(computeEffectiveLimits({ plan: { gpus: 4 }, quota: { gpus: 0 }, parent: {} }).gpus).toBe(0n);
  });

  it('refuses what is no quantity', () => {
    expect(() => parseLimits({ memory: '8 Gi' })).toThrow('"8 Gi" is not a quantity such as 500m, 2 or 8Gi');
  });
});

describe('computeShortfall', () => {
  const hard = { vcpu: 16n, memory: 64n * GI };
  const fits = { hard, used: { vcpu: 8n }, allotted: { vcpu: 4n } };

  it('is empty up to the limit and names the numbers beyond it', () => {
    expect(computeShortfall({ ...fits, ask: { vcpu: 4n } })).toEqual([]);
    expect(renderShortfall(computeShortfall({ hard, used: { vcpu: 14n }, allotted: {}, ask: { vcpu: 4n } }))).toBe(
      'vcpu: asked 4, used 14 of 16',
    );
  });

  it('counts what was allotted like what is used, and shows bytes as people write them', () => {
    const shortfall = computeShortfall({
      hard,
      used: { memory: 40n * GI },
      allotted: { memory: 20n * GI, vcpu: 15n },
      ask: { memory: 8n * GI, vcpu: 2n },
    });
    expect(renderShortfall(shortfall)).toBe('vcpu: asked 2, used 15 of 16; memory: asked 8Gi, used 60Gi of 64Gi');
  });

  it('does not know limits that are not stated', () => {
    expect(computeShortfall({ hard: {}, used: {}, allotted: {}, ask: { vcpu: 1_000_000n } })).toEqual([]);
  });

  it('never falls short in what is held already or given back, so that a lowered limit stops only growth', () => {
    const lowered = {
      hard: { vcpu: 2n, memory: GI },
      used: { vcpu: 8n },
      allotted: {},
      held: { vcpu: 4n, memory: 2n * GI },
    };
    expect(computeShortfall({ ...lowered, ask: { vcpu: 4n, memory: GI } })).toEqual([]);
    expect(computeShortfall({ ...lowered, ask: { vcpu: 5n, memory: GI } })).toEqual([
      { name: 'vcpu', asked: 5n, used: 8n, hard: 2n },
    ]);
  });

  it('lets nothing through that would pass a limit', () => {
    fc.assert(
      fc.property(amounts, amounts, amounts, amounts, (limits, used, allotted, ask) => {
        const short = new Set(computeShortfall({ hard: limits, used, allotted, ask }).map(({ name }) => name));
        for (const name of LIMIT_NAMES) {
          const limit = limits[name];
          const sum = (used[name] ?? 0n) + (allotted[name] ?? 0n) + (ask[name] ?? 0n);
          const asksForMore = (ask[name] ?? 0n) > 0n;
          expect(short.has(name)).toBe(limit !== undefined && asksForMore && sum > limit);
        }
      }),
    );
  });
});

describe('amounts', () => {
  it('are written and read back without loss', () => {
    fc.assert(
      fc.property(amounts, (some) => {
        expect(parseAmounts(JSON.parse(JSON.stringify(renderAmounts(some))))).toEqual(some);
      }),
    );
  });

  it('add up and compare name by name', () => {
    expect(addAmounts({ vcpu: 1n, gpus: 1n }, { vcpu: 2n, memory: GI })).toEqual({ vcpu: 3n, gpus: 1n, memory: GI });
    expect(maxAmounts({ vcpu: 1n, gpus: 1n }, { vcpu: 2n, memory: GI })).toEqual({ vcpu: 2n, gpus: 1n, memory: GI });
  });

  it.each([
    [null],
    ['4'],
    [[]],
    [{ vcpu: 4 }],
    [{ vcpu: '-4' }],
    [{ vcpu: '1e3' }],
    [{ vcpu: '0.5' }],
    [{ vcpu: '' }],
    [{ cpu: '4' }],
    [{ memory: '8Gi ' }],
    [{ memory: '9'.repeat(31) }],
    [JSON.parse('{"__proto__": "4"}')],
  ])('that cannot have been written here are refused: %j', (value) => {
    expect(parseAmounts(value)).toBeUndefined();
  });

  it('have names of a closed list', () => {
    expect(LIMIT_NAMES.every(isLimitName)).toBe(true);
    expect(['cpu', '', 'constructor', '__proto__'].some(isLimitName)).toBe(false);
  });
});
