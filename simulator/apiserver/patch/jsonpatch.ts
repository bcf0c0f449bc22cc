import { isObject, type JsonObject } from '../schema/json.ts';
import { type ApiError, badRequest, failure, tooLarge } from '../status.ts';
import { guardDepth } from './depth.ts';
import { type FieldValidation, renderJsonKind } from './gojson.ts';
import { PatchedDocument } from './patcheddocument.ts';

/** One operation of a JSON patch, as it was sent: what it lacks shows when it is applied. */
export type JsonPatchOperation = JsonObject;

export type JsonPatch = {
  readonly operations: readonly JsonPatchOperation[];
  /** Members that no operation has, as `fieldValidation=Strict` refuses and `Warn` warns of them. */
  readonly problems: readonly string[];
};

const MAX_OPERATIONS = 10_000;
const MEMBERS = ['op', 'path', 'from', 'value'];

/** Reads the body of a JSON patch (RFC 6902). Throws 400 on what is no list of operations, 413 on more than 10 000. */
export function parseJsonPatch(body: unknown, fieldValidation: FieldValidation = 'Warn'): JsonPatch {
  const isStrict = fieldValidation !== 'Ignore';
  const refuse = (value: unknown, wanted: string) => {
    const detail = `json: cannot unmarshal ${renderJsonKind(value)} into Go ${wanted}`;
    return badRequest(isStrict ? `error decoding patch: ${detail}` : detail);
  };
  if (body === null) return { operations: [], problems: [] };
  if (!Array.isArray(body)) {
    throw refuse(body, `value of type ${isStrict ? '[]handlers.jsonPatchOp' : 'jsonpatch.Patch'}`);
  }
  const items: readonly unknown[] = body;
  for (const item of items) {
    if (item === null) continue;
    if (!isObject(item)) {
      throw refuse(item, `value of type ${isStrict ? 'handlers.jsonPatchOp' : 'jsonpatch.Operation'}`);
    }
    for (const member of ['op', 'path', 'from']) {
      const value = Object.hasOwn(item, member) ? item[member] : null;
      if (isStrict && value !== null && typeof value !== 'string') {
        throw refuse(value, `struct field jsonPatchOp.${member} of type string`);
      }
    }
  }
  if (items.length > MAX_OPERATIONS) {
    throw tooLarge(`The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${items.length}`);
  }
  return {
    operations: items.map((item) => (isObject(item) ? item : {})),
    problems: isStrict ? findProblems(items) : [],
  };
}

function findProblems(items: readonly unknown[]): readonly string[] {
  return items.flatMap((item, index) =>
    isObject(item)
      ? Object.keys(item)
          .filter((member) => !MEMBERS.includes(member))
          .map((member) => `json patch unknown field "[${index}].${member}"`)
      : [],
  );
}

/**
 * Applies the operations in order, all or none. Shares with `target` what did not change. Throws 422, without saying why, as the API server does, when an
 * operation does not apply or a `test` fails. Two liberties of the API server are kept: `replace` sets a member that is not there, and indices
 * below zero count from the end.
 */
export function applyJsonPatch(target: JsonObject, operations: readonly JsonPatchOperation[]): unknown {
  const document = new PatchedDocument(target);
  for (const operation of operations) {
    if (!guardDepth(() => applyOperation(document, operation))) throw doesNotApply();
  }
  return document.root;
}

function doesNotApply(): ApiError {
  return failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

function applyOperation(document: PatchedDocument, operation: JsonPatchOperation): boolean {
  const path = textOf(operation, 'path');
  const value = Object.hasOwn(operation, 'value') ? operation.value : null;
  switch (textOf(operation, 'op')) {
    case 'add':
      return path !== undefined && document.add(path, value);
    case 'remove':
      return path !== undefined && document.remove(path);
    case 'replace':
      return path !== undefined && document.replace(path, value);
    case 'move':
      return document.move(textOf(operation, 'from'), path);
    case 'test':
      return path !== undefined && document.test(path, value);
    case 'copy':
      return document.copy(textOf(operation, 'from'), path);
    default:
      return false;
  }
}

function textOf(operation: JsonPatchOperation, member: string): string | undefined {
  const value = Object.hasOwn(operation, member) ? operation[member] : undefined;
  return typeof value === 'string' ? value : undefined;
}
