import { getOwn, isObject, type JsonObject } from '../schema/json.ts';

/** Whether labels meet a `metav1.LabelSelector`; an empty or absent one takes everything. */
export function matchesSelector(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  if (!isObject(selector)) return true;
  const wanted = isObject(selector.matchLabels) ? Object.entries(selector.matchLabels) : [];
  const expressions = Array.isArray(selector.matchExpressions) ? selector.matchExpressions.filter(isObject) : [];
  return (
    wanted.every(([key, value]) => getOwn(labels as JsonObject, key) === value) &&
    expressions.every((expression) => matchesExpression(expression, labels as JsonObject))
  );
}

/** Whether a selector says nothing. */
export function isEmptySelector(selector: unknown): boolean {
  if (!isObject(selector)) return true;
  const { matchLabels, matchExpressions } = selector;
  const hasLabels = isObject(matchLabels) && Object.keys(matchLabels).length > 0;
  return !hasLabels && !(Array.isArray(matchExpressions) && matchExpressions.length > 0);
}

function matchesExpression({ key, operator, values }: JsonObject, labels: JsonObject): boolean {
  const value = getOwn(labels, String(key));
  const listed = Array.isArray(values) && values.includes(value);
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  return operator === 'In' ? listed : !listed;
}
