import { notSupported, tooLong, typeInvalid } from '../fielderror.ts';
import { findFormat } from '../formats.ts';
import { renderJson, renderQuoted } from '../gotext.ts';
import { equalJson } from '../json.ts';
import type { SchemaNode } from '../node.ts';
import { compilePattern } from '../regex.ts';
import { type Report, reportAt, reportInvalid } from './report.ts';
import type { Check } from './types.ts';

type StringCheck = (value: string, path: string, report: Report) => void;

/** Length and pattern: the first that is broken is reported, and no more. */
export function buildStringCheck({ maxLength, minLength, pattern }: SchemaNode): StringCheck | undefined {
  if (maxLength === undefined && minLength === undefined && pattern === undefined) return undefined;
  const regex = pattern === undefined ? undefined : compilePattern(pattern);
  return (value, path, report) => {
    if (maxLength !== undefined && value.length > maxLength && countRunes(value) > maxLength) {
      const text = `${path} in body should be at most ${maxLength} chars long`;
      reportAt(report, path, text, (field) => tooLong(field, maxLength));
    } else if (minLength !== undefined && countRunes(value) < minLength) {
      reportInvalid(report, path, value, `${path} in body should be at least ${minLength} chars long`);
    } else if (regex !== undefined && !regex.test(value)) {
      reportInvalid(report, path, value, `${path} in body should match '${pattern}'`);
    }
  };
}

export function buildFormatCheck(format: string): StringCheck | undefined {
  const holds = findFormat(format);
  if (holds === undefined) return undefined;
  return (value, path, report) => {
    if (holds(value)) return;
    const text = `${path} in body must be of type ${format}: ${renderQuoted(value)}`;
    reportAt(report, path, text, (field) => typeInvalid(field, value, text));
  };
}

/** Null is in no `enum`, not even in one that lists it. */
export function buildEnumCheck({ enum: choices }: SchemaNode): Check | undefined {
  if (choices === undefined || choices.length === 0) return undefined;
  const scalars = new Set(choices.filter((choice) => typeof choice !== 'object'));
  const compounds = choices.filter((choice) => typeof choice === 'object' && choice !== null);
  const names = choices.map((choice) => (typeof choice === 'string' ? choice : renderJson(choice)));
  return (value, path, report) => {
    if (scalars.has(value) || (typeof value === 'number' && scalars.has(Math.trunc(value)))) return;
    if (compounds.some((choice) => equalJson(choice, value))) return;
    const text = `${path} in body should be one of [${names.join(' ')}]`;
    reportAt(report, path, text, (field) => notSupported(field, value, names));
  };
}

/** Unicode code points, as `maxLength` counts. */
export function countRunes(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length - 1; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0xd800 || code > 0xdbff) continue;
    const next = text.charCodeAt(index + 1);
    if (next < 0xdc00 || next > 0xdfff) continue;
    count -= 1;
    index += 1;
  }
  return count;
}
