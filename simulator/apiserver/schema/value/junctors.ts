import { UNCORRELATED } from '../correlation.ts';
import { renderQuoted } from '../gotext.ts';
import type { SchemaNode } from '../node.ts';
import type { ValueCheck } from './check.ts';
import { createReport, type Report, reportGeneral } from './report.ts';
import type { Check } from './types.ts';

/** `anyOf`, `oneOf`, `allOf` and `not`, in this order. Nothing below them is ratcheted by itself. */
export function buildJunctorCheck(node: SchemaNode, compile: (node: SchemaNode) => ValueCheck): Check | undefined {
  const checks = [
    node.anyOf.length === 0 ? undefined : buildAnyOf(node.anyOf.map(compile)),
    node.oneOf.length === 0 ? undefined : buildOneOf(node.oneOf.map(compile)),
    node.allOf.length === 0 ? undefined : buildAllOf(node.allOf.map(compile)),
    node.not === undefined ? undefined : buildNot(compile(node.not)),
  ].filter((check) => check !== undefined);
  if (checks.length === 0) return undefined;
  return (value, path, report) => {
    for (const check of checks) check(value, path, report);
  };
}

function judge(check: ValueCheck, value: unknown, path: string, prefix: string): Report {
  const inner = createReport(prefix);
  check(value, path, inner, UNCORRELATED);
  return inner;
}

function merge(report: Report, inner: Report): void {
  report.found.push(...inner.found);
  report.matches += inner.matches;
}

function buildAnyOf(checks: readonly ValueCheck[]): Check {
  return (value, path, report) => {
    let best: Report | undefined;
    for (const check of checks) {
      const inner = judge(check, value, path, report.prefix);
      if (inner.found.length === 0) {
        merge(report, inner);
        return;
      }
      if (best === undefined || inner.matches > best.matches) best = inner;
    }
    reportGeneral(report, `${renderQuoted(path)} must validate at least one schema (anyOf)`);
    if (best !== undefined) merge(report, best);
  };
}

function buildOneOf(checks: readonly ValueCheck[]): Check {
  return (value, path, report) => {
    let best: Report | undefined;
    let first: Report | undefined;
    let valid = 0;
    for (const check of checks) {
      const inner = judge(check, value, path, report.prefix);
      if (inner.found.length === 0) {
        valid += 1;
        best = undefined;
        first ??= inner;
      } else if (valid === 0 && (best === undefined || inner.matches > best.matches)) best = inner;
    }
    if (valid === 1 && first !== undefined) {
      merge(report, first);
      return;
    }
    const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`;
    reportGeneral(report, `${renderQuoted(path)} must validate one and only one schema (oneOf). ${found}`);
    if (best !== undefined) merge(report, best);
  };
}

function buildAllOf(checks: readonly ValueCheck[]): Check {
  return (value, path, report) => {
    let valid = 0;
    for (const check of checks) {
      const inner = judge(check, value, path, report.prefix);
      if (inner.found.length === 0) valid += 1;
      merge(report, inner);
    }
    if (valid === checks.length) return;
    const none = valid === 0 ? '. None validated' : '';
    reportGeneral(report, `${renderQuoted(path)} must validate all the schemas (allOf)${none}`);
  };
}

function buildNot(check: ValueCheck): Check {
  return (value, path, report) => {
    if (judge(check, value, path, report.prefix).found.length > 0) return;
    reportGeneral(report, `${renderQuoted(path)} must not validate the schema (not)`);
  };
}
