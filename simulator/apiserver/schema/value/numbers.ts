import { isInt64, renderFloat, renderNumber } from '../gotext.ts';
import type { SchemaNode } from '../node.ts';
import { type Report, reportGeneral, reportInvalid } from './report.ts';
import { formatOf, isNearlyInteger, typesOf } from './types.ts';

type NumberCheck = (value: number, path: string, report: Report) => void;

/**
 * The range of an integer's format, `multipleOf`, and the bounds. A bound that is no integer, on an integer, is itself reported with every
 * value, as in the API server.
 */
export function buildNumberCheck(node: SchemaNode): NumberCheck | undefined {
  const range = buildRangeCheck(node);
  const bounds = [buildMultipleCheck(node, range), buildMinimumCheck(node, range), buildMaximumCheck(node, range)];
  const checks = [range.isBounded ? rangeCheckOf(range) : undefined, ...bounds].filter((check) => check !== undefined);
  if (checks.length === 0) return undefined;
  return (value, path, report) => {
    for (const check of checks) check(value, path, report);
  };
}

type Range = {
  readonly isBounded: boolean;
  readonly holds: (value: number) => boolean;
  readonly describe: (what: string, path: string) => string;
};

function buildRangeCheck(node: SchemaNode): Range {
  const types = typesOf(node);
  const type = types.length === 1 ? types[0] : undefined;
  const format = type === 'integer' || type === 'number' ? formatOf(node) : undefined;
  const suffix = format === undefined ? '(default format)' : `with format ${format}`;
  return {
    isBounded: type === 'integer' || format === 'float',
    holds: (value) => {
      if (type === 'integer') return isInt64(value) && (format !== 'int32' || (value >= -(2 ** 31) && value < 2 ** 31));
      return format !== 'float' || Math.abs(value) <= MAX_FLOAT32;
    },
    describe: (what, path) => `${what} value must be of type ${type} ${suffix} in ${path}`,
  };
}

const MAX_FLOAT32 = 3.4028234663852886e38;

function rangeCheckOf(range: Range): NumberCheck {
  return (value, path, report) => {
    if (!range.holds(value)) reportGeneral(report, range.describe('Checked', path));
  };
}

function buildMultipleCheck({ multipleOf: factor }: SchemaNode, range: Range): NumberCheck | undefined {
  if (factor === undefined) return undefined;
  const isFitting = range.holds(factor);
  return (value, path, report) => {
    if (!isFitting) reportGeneral(report, range.describe('MultipleOf', path));
    const step = isFitting && isInt64(value) ? Math.trunc(factor) : factor;
    if (step <= 0) {
      const text = `factor MultipleOf declared for ${path} must be positive: ${renderNumber(step)}`;
      reportInvalid(report, path, step, text);
    } else if (!isMultiple(value, step)) {
      reportInvalid(report, path, value, `${path} in body should be a multiple of ${renderNumber(step)}`);
    }
  };
}

function isMultiple(value: number, step: number): boolean {
  if (isInt64(value) && Number.isInteger(step)) return value % step === 0;
  return isNearlyInteger(step < 1 ? (1 / step) * value : value / step);
}

function buildMinimumCheck({ minimum, exclusiveMinimum }: SchemaNode, range: Range): NumberCheck | undefined {
  if (minimum === undefined) return undefined;
  const words = exclusiveMinimum ? 'greater than' : 'greater than or equal to';
  return buildBoundCheck(minimum, range, 'Minimum boundary', words, (value, bound) =>
    exclusiveMinimum ? value > bound : value >= bound,
  );
}

function buildMaximumCheck({ maximum, exclusiveMaximum }: SchemaNode, range: Range): NumberCheck | undefined {
  if (maximum === undefined) return undefined;
  const words = exclusiveMaximum ? 'less than' : 'less than or equal to';
  return buildBoundCheck(maximum, range, 'Maximum boundary', words, (value, bound) =>
    exclusiveMaximum ? value < bound : value <= bound,
  );
}

/** An integer is compared with the bound without its fraction. */
function buildBoundCheck(
  bound: number,
  range: Range,
  what: string,
  words: string,
  holds: (value: number, bound: number) => boolean,
): NumberCheck {
  const isFitting = range.holds(bound);
  return (value, path, report) => {
    if (!isFitting) reportGeneral(report, range.describe(what, path));
    const compared = isFitting && isInt64(value) ? Math.trunc(bound) : bound;
    if (holds(value, compared)) return;
    const shown = isFitting && isInt64(value) ? String(BigInt(compared)) : renderFloat(compared);
    reportInvalid(report, path, value, `${path} in body should be ${words} ${shown}`);
  };
}
