import { explainTreePath } from '../git/treepath.ts';
import { applyEdits } from './change/apply.ts';
import { checkIntent } from './change/check.ts';
import { computeEdits } from './change/compute.ts';
import { equalJson, memberOf } from './change/json.ts';
import { shapeOf } from './change/shape.ts';
import { buildDifference } from './change/steps.ts';
import { type Edited, removeResource, replaceResource } from './document/edit.ts';
import { type FileLimits, type ParsedFile, parseFile } from './document/parse.ts';
import type { Folder, FolderRefusal, Location } from './folder.ts';
import type { Difference, FieldEdit, Intent, Json, JsonMap, Target } from './intent.ts';
import { computeFileName } from './layout.ts';
import { declaredOf, type RenderOptions, renderFile } from './render.ts';

/** What an intent does to a folder as it is now. */
export type Plan =
  | {
      readonly type: 'changed';
      readonly path: string;
      /** The file's new state; undefined removes it. */
      readonly file: (ParsedFile & { readonly type: 'parsed' }) | undefined;
      /** What the resource says afterwards; undefined: it is gone. */
      readonly object: JsonMap | undefined;
      /** What it said before; undefined: it was not there. */
      readonly before: JsonMap | undefined;
    }
  /** It is so already: somebody did the same, or the change is there from an earlier try. */
  | { readonly type: 'unchanged'; readonly object: JsonMap | undefined }
  /** Somebody changed the same field meanwhile, or removed or made the resource. */
  | { readonly type: 'conflict'; readonly message: string; readonly differences: readonly Difference[] }
  /** Nobody's edit is in the way, but it cannot be carried out. `Invalid`: on no repository; the others until somebody mends the folder. */
  | { readonly type: 'refused'; readonly reason: RefusalReason; readonly message: string };

export type RefusalReason = FolderRefusal['reason'] | 'Invalid' | 'Unwritable';

export type PlanOptions = { readonly limits: FileLimits; readonly render: RenderOptions };

/** Decides by what the folder says now. Changes nothing. */
export function planChange(folder: Folder, intent: Intent, options: PlanOptions): Plan {
  const problem = checkIntent(intent);
  if (problem !== undefined) return { type: 'refused', reason: 'Invalid', message: problem };
  const found = folder.find(intent.target);
  if (found.type === 'refused') return found;
  const path = found.type === 'found' ? found.path : folder.path;
  const why = path === '' ? undefined : explainTreePath(path);
  if (why !== undefined) {
    return { type: 'refused', reason: 'Unwritable', message: `the path ${JSON.stringify(path)} ${why}; rename it` };
  }
  switch (intent.type) {
    case 'Create':
      return found.type === 'found'
        ? compareExisting(found, intent.target, intent.object)
        : planCreate(folder, intent.target, intent.object, options);
    case 'Edit':
      return found.type === 'found'
        ? planEdit(found, intent.target, intent.edits, options)
        : conflict(`${nameOf(intent.target)} is not there any more`, intent.edits.map(toDifference));
    case 'Delete':
      return found.type === 'found'
        ? planDelete(found, intent.target, intent.seen, options)
        : { type: 'unchanged', object: undefined };
  }
}

function planCreate(folder: Folder, target: Target, object: JsonMap, { limits, render }: PlanOptions): Plan {
  const name = computeFileName(target, folder.isTaken);
  const path = folder.path === '' ? name : `${folder.path}/${name}`;
  const file = parseFile(renderFile(object, target.kind, path, render), limits);
  if (file.type === 'unreadable') return { type: 'refused', reason: 'Unwritable', message: file.message };
  return { type: 'changed', path, file, object: declaredOf(object), before: undefined };
}

/** Made twice is made once; a resource of the same name that says something else is somebody else's. */
function compareExisting({ document, path }: Location, target: Target, object: JsonMap): Plan {
  const edits = computeEdits(declaredOf(document.value), declaredOf(object), target.kind);
  if (edits.length === 0) return { type: 'unchanged', object: document.value };
  return conflict(
    `${nameOf(target)} exists already, in ${path}`,
    edits.map(({ path: steps, from, to }) => buildDifference(steps, { wanted: to, found: from })),
  );
}

function planEdit(found: Location, target: Target, edits: readonly FieldEdit[], { limits }: PlanOptions): Plan {
  const { file, document, path } = found;
  const applied = applyEdits(document.value, edits, shapeOf(target.kind));
  if (applied.type === 'conflict') {
    const fields = applied.differences.map((each) => each.path).join(', ');
    return conflict(`${fields} of ${nameOf(target)} changed meanwhile`, applied.differences);
  }
  if (equalJson(applied.value, document.value)) return { type: 'unchanged', object: document.value };
  const edited = replaceResource(file, document, applied.value, shapeOf(target.kind), limits);
  return toPlan(edited, path, { object: applied.value, before: document.value });
}

function planDelete(found: Location, target: Target, seen: Json | undefined, { limits }: PlanOptions): Plan {
  const { file, document, path } = found;
  const spec = memberOf(document.value, 'spec');
  if (seen !== undefined && computeEdits({ spec: seen }, { spec: spec ?? null }, target.kind).length > 0) {
    return conflict(`the spec of ${nameOf(target)} changed meanwhile`, [
      buildDifference(['spec'], { seen, found: spec }),
    ]);
  }
  return toPlan(removeResource(file, document, limits), path, { object: undefined, before: document.value });
}

function toPlan(
  edited: Edited,
  path: string,
  { object, before }: { readonly object: JsonMap | undefined; readonly before: JsonMap },
): Plan {
  if (edited.type === 'refused')
    return { type: 'refused', reason: 'Unwritable', message: `${path}: ${edited.message}` };
  return { type: 'changed', path, file: edited.type === 'edited' ? edited.file : undefined, object, before };
}

function conflict(message: string, differences: readonly Difference[]): Plan {
  return { type: 'conflict', message, differences };
}

function toDifference({ path, from, to }: FieldEdit): Difference {
  return buildDifference(path, { seen: from, wanted: to });
}

function nameOf({ kind, name }: Target): string {
  return `${kind} ${name}`;
}
