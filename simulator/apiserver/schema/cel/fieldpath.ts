import { childPath, keyPath } from '../fielderror.ts';
import { findMember, type SchemaNode } from '../node.ts';

export type FieldPath = { readonly path: string } | { readonly problem: string };

/** Reads the `fieldPath` of a rule, such as `.spec.name` or `.labels['a.b']`, below the node of the rule. */
export function parseFieldPath(text: string, node: SchemaNode): FieldPath {
  let current = node;
  let path = '';
  let rest = text;
  while (rest !== '') {
    const step = readStep(rest);
    if ('problem' in step) return step;
    const isNamed = current.properties !== undefined;
    const next = findStep(current, step.name);
    if (next === undefined) return { problem: 'does not refer to a valid field' };
    path = isNamed ? childPath(path, step.name) : keyPath(path, step.name);
    current = next;
    rest = step.rest;
  }
  return { path };
}

function findStep(node: SchemaNode, name: string): SchemaNode | undefined {
  return node.properties === undefined ? findMember(node, name) : node.properties.get(name);
}

type Step = { readonly name: string; readonly rest: string } | { readonly problem: string };

function readStep(text: string): Step {
  if (text.startsWith('.')) {
    const name = /^[^.[\]]*/.exec(text.slice(1))?.[0] ?? '';
    const first = name === '' ? text.slice(1, 2) : name;
    return first === ''
      ? { problem: 'unexpected end of JSON path' }
      : { name: first, rest: text.slice(1 + first.length) };
  }
  if (!text.startsWith('[')) {
    return { problem: `expected [ or . but got: ${/^(?:[^.[\]]+|.)/.exec(text)?.[0] ?? ''}` };
  }
  const quoted = /^\['((?:[^'\\]|\\.)*)'/.exec(text);
  if (quoted === null) {
    const token = /^\[([^.[\]]+|[.[\]])?/.exec(text)?.[1];
    return {
      problem: token === undefined ? 'unexpected end of JSON path' : `expected single quoted string but got ${token}`,
    };
  }
  const [literal, inner = ''] = quoted;
  const after = text.slice(literal.length);
  if (!after.startsWith(']')) {
    return { problem: after === '' ? 'unexpected end of JSON path' : `expected ] but got ${after[0]}` };
  }
  const invalid = /\\[^abfnrtv'\\]/.exec(inner);
  if (invalid !== null) return { problem: `invalid string literal: invalid escape char ${invalid[0]}` };
  return { name: inner.replace(/\\(.)/g, (_, char: string) => ESCAPES[char] ?? char), rest: after.slice(1) };
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
