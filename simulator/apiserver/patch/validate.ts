import { isObject, type JsonObject } from '../schema/json.ts';
import { deduceKind, resolveKind } from './deduce.ts';
import { renderGo, renderGoType } from './gojson.ts';
import { elementOfItem } from './items.ts';
import { fieldElement, type PathElement, renderPath } from './pathelement.ts';
import type { ListType, MapType, ScalarType, TypeNode } from './typenode.ts';

/** Where a value does not fit its type, as texts; empty when it does. `allowDuplicates`: items of lists may have equal keys. */
export function findMisfits(value: unknown, type: TypeNode, allowDuplicates: boolean): readonly string[] {
  const misfits: string[] = [];
  check(value, type, { path: [], allowDuplicates, misfits });
  return misfits;
}

/** Misfits as one text. */
export function renderMisfits(misfits: readonly string[]): string {
  return misfits.length === 1 ? (misfits[0] ?? '') : ['errors:', ...misfits.map((misfit) => `  ${misfit}`)].join('\n');
}

type Walk = { readonly path: PathElement[]; readonly allowDuplicates: boolean; readonly misfits: string[] };

function check(value: unknown, type: TypeNode, walk: Walk): void {
  switch (resolveKind(type, deduceKind(type, value))) {
    case 'map':
      if (isObject(value)) checkMembers(value, type.map, walk);
      else if (value !== null) report(walk, `expected map, got ${renderGo(value, '%v')}`);
      return;
    case 'list':
      if (Array.isArray(value)) checkItems(value, type.list, walk);
      else if (value !== null) report(walk, `expected list, got ${renderGo(value, '%v')}`);
      return;
    default: {
      const misfit = findScalarMisfit(value, type.scalar);
      if (misfit !== undefined) report(walk, misfit);
    }
  }
}

function report({ path, misfits }: Walk, message: string): void {
  misfits.push(path.length === 0 ? message : `${renderPath(path)}: ${message}`);
}

function checkMembers(value: JsonObject, type: MapType | undefined, walk: Walk): void {
  for (const key of Object.keys(value)) {
    const field = type?.fields.get(key);
    const memberType = field?.type ?? type?.element;
    walk.path.push(field?.element ?? fieldElement(key));
    if (memberType === undefined) report(walk, 'field not declared in schema');
    else check(value[key], memberType, walk);
    walk.path.pop();
    if (memberType === undefined) return;
  }
}

function checkItems(value: readonly unknown[], type: ListType | undefined, walk: Walk): void {
  if (type === undefined) return;
  const seen = new Set<PathElement>();
  for (const [index, item] of value.entries()) {
    let element: PathElement = `i:${index}`;
    if (!type.isAtomic) {
      const found = elementOfItem(type, item);
      if (typeof found !== 'string') {
        report(walk, `element ${index}: ${found.why}`);
        return;
      }
      element = found;
      if (seen.has(element) && !walk.allowDuplicates) {
        report(walk, `duplicate entries for key ${renderPath([element])}`);
      }
      seen.add(element);
    }
    walk.path.push(element);
    check(item, type.element, walk);
    walk.path.pop();
  }
}

function findScalarMisfit(value: unknown, type: ScalarType | undefined): string | undefined {
  if (value === null) return undefined;
  switch (type) {
    case 'numeric':
      if (typeof value === 'number') return undefined;
      return `expected numeric (int or float), got ${renderGoType(value)}`;
    case 'string':
      return typeof value === 'string' ? undefined : `expected string, got ${renderGo(value, '%#v')}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got ${renderGo(value, '%v')}`;
    case 'untyped':
      return typeof value === 'object' ? `expected any scalar, got ${renderGo(value, '%v')}` : undefined;
    default:
      return 'schema error: invalid atom: inlined';
  }
}
