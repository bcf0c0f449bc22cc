import { isMap } from '../gitops/change/json.ts';
import type { Json } from '../gitops/intent.ts';

/** What a value becomes by a merge patch, RFC 7396: `null` takes a member away, lists are replaced whole. Neither argument is changed. */
export function applyMergePatch(target: Json | undefined, patch: Json): Json {
  if (!isMap(patch)) return patch;
  const result = new Map<string, Json>(isMap(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, applyMergePatch(result.get(name), value));
  }
  return Object.fromEntries(result);
}
