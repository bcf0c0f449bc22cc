import { isObject } from './schema/json.ts';

/** Finds what a path names in a value; undefined when it names nothing. */
export type JsonPath = (value: unknown) => unknown;

type Step = (value: unknown) => readonly unknown[];

/**
 * Compiles the part of JSON paths that printer columns use: members (`.a`, `['a']`), items (`[0]`, `[-1]`, `[*]`) and filters on one member
 * (`[?(@.type=="Ready")]`). The first thing found counts. Undefined for a path that is none of these.
 */
export function compileJsonPath(path: string): JsonPath | undefined {
  const steps: Step[] = [];
  for (let rest = path; rest !== ''; ) {
    const found = takeStep(rest);
    if (found === undefined) return undefined;
    steps.push(found.step);
    rest = rest.slice(found.length);
  }
  return (value) => {
    let values: readonly unknown[] = [value];
    for (const step of steps) values = values.flatMap(step);
    return values[0];
  };
}

const MEMBER = /^\.((?:\\.|[^.[\]\\])+)/;
const QUOTED = /^\[(?:'((?:\\.|[^'])*)'|"((?:\\.|[^"])*)")\]/;
const ITEM = /^\[(-?\d+|\*)\]/;
const FILTER = /^\[\?\(\s*@((?:\.[^=!<>\s)]+)+)\s*(==|!=)\s*(?:'([^']*)'|"([^"]*)"|([^\s)]+))\s*\)\]/;

function takeStep(path: string): { readonly step: Step; readonly length: number } | undefined {
  const member = MEMBER.exec(path);
  if (member !== null) return { step: memberStep(unescapeName(member[1] ?? '')), length: member[0].length };
  const quoted = QUOTED.exec(path);
  if (quoted !== null)
    return { step: memberStep(unescapeName(quoted[1] ?? quoted[2] ?? '')), length: quoted[0].length };
  const item = ITEM.exec(path);
  if (item !== null) return { step: itemStep(item[1] ?? '*'), length: item[0].length };
  const filter = FILTER.exec(path);
  if (filter === null) return undefined;
  const [whole, inner = '', operator, single, double, bare] = filter;
  const find = compileJsonPath(inner);
  const wanted = single ?? double ?? bare ?? '';
  const step: Step = (value) =>
    Array.isArray(value) ? value.filter((one) => (String(find?.(one)) === wanted) === (operator === '==')) : [];
  return { step, length: whole.length };
}

function memberStep(name: string): Step {
  return (value) => (isObject(value) && Object.hasOwn(value, name) ? [value[name]] : []);
}

function itemStep(index: string): Step {
  return (value) => {
    if (!Array.isArray(value)) return index === '*' && isObject(value) ? Object.values(value) : [];
    if (index === '*') return value;
    const at = Number(index) < 0 ? value.length + Number(index) : Number(index);
    return at >= 0 && at < value.length ? [value[at]] : [];
  };
}

function unescapeName(name: string): string {
  return name.replaceAll(/\\(.)/g, '$1');
}
