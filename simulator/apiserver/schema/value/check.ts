import { correlateItems, correlateMember, isUnchanged, type Old, UNCORRELATED } from '../correlation.ts';
import { type FieldError, required, tooMany } from '../fielderror.ts';
import { isObject, type JsonObject } from '../json.ts';
import type { SchemaNode } from '../node.ts';
import { buildJunctorCheck } from './junctors.ts';
import { buildNumberCheck } from './numbers.ts';
import { createReport, listErrors, type Report, reportAt, reportInvalid } from './report.ts';
import { buildEnumCheck, buildFormatCheck, buildStringCheck } from './scalars.ts';
import { buildTypeCheck, formatOf } from './types.ts';

/** Checks a value and tells what is wrong. `old` is the stored value to ratchet against, or {@link UNCORRELATED}. */
export type ValueValidator = (value: unknown, old: Old, prefix: string) => readonly FieldError[];

/**
 * Holds values against a schema as kube-openapi's validator does: its order, its texts and its choice of what alternatives report. Errors of
 * a part that is unchanged since `old` are dropped (ratcheting). Object members are taken in the object's own order, where the real one's
 * order is random.
 */
export function compileValidator(node: SchemaNode): ValueValidator {
  const check = compileCheck(node);
  return (value, old, prefix) => {
    const report = createReport(prefix);
    checkRatcheting(check, node, value, '', report, old);
    return report.found.length === 0 ? NO_ERRORS : listErrors(report);
  };
}

const NO_ERRORS: readonly FieldError[] = [];

export type ValueCheck = (value: unknown, path: string, report: Report, old: Old) => void;

function compileCheck(node: SchemaNode): ValueCheck {
  const format = formatOf(node);
  const checkType = buildTypeCheck(node);
  const checkJunctors = buildJunctorCheck(node, compileCheck);
  const checkString = buildStringCheck(node);
  const checkFormat = format === undefined ? undefined : buildFormatCheck(format);
  const checkNumber = buildNumberCheck(node);
  const checkItems = buildItemsCheck(node);
  const checkEnum = buildEnumCheck(node);
  const checkMembers = buildMembersCheck(node);
  return (value, path, report, old) => {
    checkType?.(value, path, report);
    if (value === null) {
      checkEnum?.(value, path, report);
      return;
    }
    report.matches += MATCHES.any;
    checkJunctors?.(value, path, report);
    if (typeof value === 'string') {
      report.matches += checkFormat === undefined ? MATCHES.text : MATCHES.formatted;
      checkString?.(value, path, report);
      checkFormat?.(value, path, report);
    } else if (typeof value === 'number') {
      report.matches += MATCHES.number;
      checkNumber?.(value, path, report);
    } else if (Array.isArray(value)) {
      report.matches += MATCHES.list;
      checkItems(value, path, report, old);
    }
    checkEnum?.(value, path, report);
    if (isObject(value)) {
      report.matches += MATCHES.object;
      checkMembers(value, path, report, old);
    }
  };
}

/** What the real validator counts as fulfilled for every value, and for one of a type, whatever is wrong with it. */
const MATCHES = { any: 4, text: 1, formatted: 2, number: 2, list: 2, object: 1 } as const;

function checkRatcheting(
  check: ValueCheck,
  node: SchemaNode,
  value: unknown,
  path: string,
  report: Report,
  old: Old,
): void {
  const before = report.found.length;
  check(value, path, report, old);
  if (report.found.length > before && isUnchanged(node, value, old)) report.found.length = before;
}

type ItemsCheck = (items: readonly unknown[], path: string, report: Report, old: Old) => void;

function buildItemsCheck(node: SchemaNode): ItemsCheck {
  const { items: itemNode, maxItems, minItems } = node;
  const check = itemNode === undefined ? undefined : compileCheck(itemNode);
  return (items, path, report, old) => {
    if (check !== undefined && itemNode !== undefined) {
      const find = correlateItems(node, old);
      for (let index = 0; index < items.length; index += 1) {
        const item = items[index];
        checkRatcheting(check, itemNode, item, `${path}[${index}]`, report, find(item));
      }
    }
    const size = items.length;
    if (minItems !== undefined && size < minItems) {
      reportInvalid(report, path, size, `${path} in body should have at least ${minItems} items`);
    }
    if (maxItems !== undefined && size > maxItems) {
      const text = `${path} in body should have at most ${maxItems} items`;
      reportAt(report, path, text, (field) => tooMany(field, size, maxItems));
    }
  };
}

type MembersCheck = (object: JsonObject, path: string, report: Report, old: Old) => void;
type Member = { readonly node: SchemaNode; readonly check: ValueCheck };

function buildMembersCheck(node: SchemaNode): MembersCheck {
  const properties = new Map<string, Member>();
  for (const [name, member] of node.properties ?? []) {
    properties.set(name, { node: member, check: compileCheck(member) });
  }
  const additional = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
  const other = additional === undefined ? undefined : { node: additional, check: compileCheck(additional) };
  const checkSize = buildSizeCheck(node);
  return (object, path, report, old) => {
    const keys = Object.keys(object);
    checkSize?.(keys.length, path, report);
    for (const key of keys) {
      const property = properties.get(key);
      const member = property ?? other;
      if (member === undefined) continue;
      const at = property !== undefined && path === '' ? key : `${path}.${key}`;
      const isTyped = path === '' && (key === 'kind' || key === 'apiVersion');
      const before = isTyped ? UNCORRELATED : correlateMember(node, old, key);
      checkRatcheting(member.check, member.node, object[key], at, report, before);
    }
    for (const key of node.required) {
      if (Object.hasOwn(object, key)) continue;
      const at = `${path}.${key}`;
      reportAt(report, at, `${at} in body is required`, (field) => required(field, ''));
    }
  };
}

function buildSizeCheck({ minProperties, maxProperties }: SchemaNode) {
  if (minProperties === undefined && maxProperties === undefined) return undefined;
  return (size: number, path: string, report: Report) => {
    if (minProperties !== undefined && size < minProperties) {
      reportInvalid(report, path, size, `${path} in body should have at least ${minProperties} properties`);
    }
    if (maxProperties !== undefined && size > maxProperties) {
      const text = `${path} in body should have at most ${maxProperties} properties`;
      reportAt(report, path, text, (field) => tooMany(field, size, maxProperties));
    }
  };
}
