import { parseResource } from '../crds/rules/index.ts';
import { applyEdits } from '../gitops/change/apply.ts';
import { isMap, memberOf } from '../gitops/change/json.ts';
import type { Json, JsonMap } from '../gitops/intent.ts';
import type { Change, ChangeState } from '../gitops/journal.ts';
import { API_VERSION } from '../model/group.ts';
import type { Collection, Live } from './collections.ts';

/** A resource as it is declared: the live object with what was accepted and has not arrived yet laid over it. */
export type Declared = {
  readonly name: string;
  readonly live: Live | undefined;
  /** With the schema's defaults. */
  readonly spec: JsonMap;
  /** It is on its way out. */
  readonly removing: boolean;
  /** Changes of it that have not ended, oldest first. */
  readonly open: readonly Change[];
};

/** States in which a change is decided and the live object may not show it yet. A proposal is not decided; what is applied shows. */
const LAID_OVER: ReadonlySet<ChangeState> = new Set(['Accepted', 'Committed', 'Held']);

/** `undefined` when there is no such resource and none is coming. `open`: its changes that have not ended, in order of acceptance. */
export function computeDeclared(
  collection: Collection,
  name: string,
  live: Live | undefined,
  open: readonly Change[],
): Declared | undefined {
  const end = layAllOver(live, open);
  if (end.spec === undefined) return undefined;
  const spec = end.changed ? addDefaults(collection, name, end.spec) : end.spec;
  return { name, live, spec, removing: end.removing, open };
}

/** The spec alone and without defaults, for who looks at one member of the specs of many: defaults cost a schema's reading of the whole. */
export function computeSpec(live: Live | undefined, open: readonly Change[]): JsonMap | undefined {
  return layAllOver(live, open).spec;
}

type State = { readonly spec: JsonMap | undefined; readonly removing: boolean; readonly changed: boolean };

function layAllOver(live: Live | undefined, open: readonly Change[]): State {
  const start: State = {
    spec: live === undefined ? undefined : toJson(live.spec),
    removing: live?.metadata.deletionTimestamp !== undefined,
    changed: false,
  };
  return open.filter(({ state }) => LAID_OVER.has(state)).reduce(layOver, start);
}

function layOver(state: State, { intent }: Change): State {
  switch (intent.type) {
    case 'Create': {
      const spec = memberOf(intent.object, 'spec');
      if (state.spec !== undefined && !state.removing) return state;
      return { spec: isMap(spec) ? spec : {}, removing: false, changed: true };
    }
    case 'Edit': {
      if (state.spec === undefined) return state;
      const applied = applyEdits({ spec: state.spec }, intent.edits);
      const spec = applied.type === 'applied' ? memberOf(applied.value, 'spec') : undefined;
      return isMap(spec) ? { ...state, spec, changed: true } : state;
    }
    case 'Delete':
      return { ...state, removing: state.spec !== undefined };
  }
}

/** What does not parse is shown as it was accepted: its refusal is told in the change. */
function addDefaults({ kind }: Collection, name: string, spec: JsonMap): JsonMap {
  const parsed = parseResource({ apiVersion: API_VERSION, kind, metadata: { name }, spec });
  return parsed.ok ? toJson(parsed.value.spec) : spec;
}

/** Specs come from JSON or from a schema over it. */
function toJson(spec: Live['spec']): JsonMap {
  return spec as unknown as JsonMap;
}

/** Changes of one kind and namespace by the name of the resource that they are about. */
export function groupByName(changes: readonly Change[]): ReadonlyMap<string, readonly Change[]> {
  return Map.groupBy(changes, ({ intent }) => intent.target.name);
}

/** The same text for the same value, whatever the order of members. */
export function renderCanonical(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(renderCanonical).join(',')}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${renderCanonical(member)}`).join(',')}}`;
}
