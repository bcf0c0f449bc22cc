/**
 * Everything that changes an object, as functions over JSON values: nothing that they are given is changed, and what they answer shares with it what
 * is the same. Refusals are thrown as `ApiError`.
 */
export { type ApplyInput, type ApplyResult, applyServerSide } from './apply.ts';
export type { FieldValidation } from './gojson.ts';
export { applyJsonPatch, type JsonPatch, type JsonPatchOperation, parseJsonPatch } from './jsonpatch.ts';
export { keepTimesWhenUnchanged } from './keeptimes.ts';
export { managerOf } from './manager.ts';
export { applyMergePatch } from './mergepatch.ts';
export { applyStrategicMergePatch } from './strategicmerge.ts';
export { typeOf } from './type.ts';
export { type TypeNode, UNTYPED } from './typenode.ts';
export { type UpdateInput, updateManagedFields } from './update.ts';
export { copyButManagedFields } from './write.ts';
