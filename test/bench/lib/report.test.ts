import { describe, expect, it } from 'vitest';
import { printReport, type Report, type Target } from './report.ts';

const rate: Target = { id: 'P1', what: 'rate', value: 0.82, better: 'higher', pass: 0.7, aim: 0.9 };
const reads: Target = { id: 'P4_reads', what: 'reads', value: 0, better: 'lower', pass: 0, aim: 0 };

function show(report: Partial<Report>): { readonly code: number; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const code = printReport({ targets: [rate, reads], losses: [], invalid: [], ...report }, (line) => lines.push(line));
  return { code, lines };
}

describe('the report', () => {
  it('ends with one line of JSON by target number', () => {
    const { code, lines } = show({});
    expect(code).toBe(0);
    expect(JSON.parse(lines.at(-1) ?? '')).toEqual({ P1: 0.82, P4_reads: 0 });
  });

  it('fails below a pass mark, in either direction', () => {
    expect(show({ targets: [{ ...rate, value: 0.69 }] }).code).toBe(1);
    expect(show({ targets: [{ ...reads, value: 1 }] }).code).toBe(1);
    expect(show({ targets: [{ ...rate, value: Number.NaN }] }).code).toBe(1);
  });

  it('judges the figure that it prints', () => {
    const { code, lines } = show({ targets: [{ ...rate, value: 0.69996 }] });
    expect([code, JSON.parse(lines.at(-1) ?? '')]).toEqual([0, { P1: 0.7 }]);
  });

  it('lists what misses its aim, and what was lost without a mark, as losing cells', () => {
    const text = show({ losses: ['other needs less memory'] }).lines.join('\n');
    expect(text).toContain('losing cells:\n  P1: 0.820 misses the aim 0.9\n  other needs less memory');
    expect(text).not.toContain('P4_reads: 0 misses');
  });

  it('does not judge a figure whose mark is for another size', () => {
    const { code, lines } = show({ targets: [{ ...rate, value: 0.1, unjudged: 'the mark is for 10000 tenants' }] });
    expect(code).toBe(0);
    expect(lines.join('\n')).toContain('the mark is for 10000 tenants');
  });

  it('fails a measurement that is not to be trusted, whatever its figures', () => {
    const { code, lines } = show({ invalid: ['sublet beats the raw ceiling, which is then none'] });
    expect(code).toBe(1);
    expect(lines.join('\n')).toContain('INVALID: sublet beats the raw ceiling');
  });
});
