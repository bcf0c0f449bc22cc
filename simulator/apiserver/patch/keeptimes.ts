import { equalJson, type JsonObject } from '../schema/json.ts';
import { entriesOf, metadataOf } from './write.ts';

/**
 * To be called right before an object is stored in the place of `live`: answers `live` when nothing but times in `managedFields` differs, so that a write
 * that changes nothing is no write; `next` otherwise.
 */
export function keepTimesWhenUnchanged(next: JsonObject, live: JsonObject): JsonObject {
  if (next === live) return live;
  const [entries, old] = [entriesOf(next) ?? [], entriesOf(live) ?? []];
  if (entries.length !== old.length) return next;
  if (!entries.every((entry, index) => equalButTime(entry, old[index]))) return next;
  const { managedFields: _, ...metadata } = metadataOf(next);
  const { managedFields: __, ...oldMetadata } = metadataOf(live);
  return equalJson({ ...next, metadata }, { ...live, metadata: oldMetadata }) ? live : next;
}

function equalButTime(entry: JsonObject, old: JsonObject | undefined): boolean {
  if (entry === old) return true;
  if (old === undefined) return false;
  return equalJson({ ...entry, time: undefined }, { ...old, time: undefined });
}
