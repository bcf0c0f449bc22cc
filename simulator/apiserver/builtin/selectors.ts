import { checkLabelKey, checkLabelValue } from '../names.ts';
import { objectAt } from '../object.ts';
import { type FieldError, invalid, required } from '../schema/index.ts';
import { parseCidr } from '../schema/ip.ts';
import { isObject, type JsonObject } from '../schema/json.ts';

/** Labels, wherever they stand. */
export function checkLabels(labels: JsonObject, path: string): readonly FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...checkLabelKey(key).map((detail) => invalid(path, key, detail)),
    ...checkLabelValue(String(value)).map((detail) => invalid(path, value, detail)),
  ]);
}

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** A `metav1.LabelSelector`. */
export function checkSelector(selector: JsonObject, path: string): readonly FieldError[] {
  const errors = [...checkLabels(objectAt(selector, 'matchLabels'), `${path}.matchLabels`)];
  const { matchExpressions } = selector;
  const expressions = Array.isArray(matchExpressions) ? matchExpressions.filter(isObject) : [];
  for (const [index, { key, operator, values }] of expressions.entries()) {
    const at = `${path}.matchExpressions[${index}]`;
    const count = Array.isArray(values) ? values.length : 0;
    const wantsValues = operator === 'In' || operator === 'NotIn';
    if (!OPERATORS.includes(String(operator))) {
      errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    } else if (wantsValues && count === 0) {
      errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
    errors.push(...checkLabelKey(String(key)).map((detail) => invalid(`${at}.key`, key, detail)));
  }
  return errors;
}

export function checkCidr(text: unknown, path: string): readonly FieldError[] {
  if (parseCidr(String(text), { isSloppy: true }) !== undefined) return [];
  return [invalid(path, text, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')];
}
