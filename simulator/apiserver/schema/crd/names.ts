import { checkLabel1035 } from '../../names.ts';
import { childPath, type FieldError, indexPath, invalid } from '../fielderror.ts';
import { type JsonObject, textOf } from '../json.ts';

/** The form of the names that a definition asks for. Those that are missing are not told of here. */
export function checkNames(errors: FieldError[], names: JsonObject, path: string): void {
  const { kind, listKind } = names;
  const check = (key: string) => pushLabel(errors, names[key], childPath(path, key));
  check('plural');
  check('singular');
  pushMixedCase(errors, kind, childPath(path, 'kind'));
  pushMixedCase(errors, listKind, childPath(path, 'listKind'));
  pushLabels(errors, names.shortNames, childPath(path, 'shortNames'));
  if (typeof kind === 'string' && kind !== '' && kind === listKind) {
    errors.push(invalid(childPath(path, 'listKind'), listKind, 'kind and listKind may not be the same'));
  }
  pushLabels(errors, names.categories, childPath(path, 'categories'));
}

function pushLabels(errors: FieldError[], values: unknown, path: string): void {
  if (!Array.isArray(values)) return;
  for (const [index, value] of values.entries()) {
    const details = checkLabel1035(textOf(value));
    if (details.length > 0) errors.push(invalid(indexPath(path, index), value, details.join(',')));
  }
}

function pushLabel(errors: FieldError[], value: unknown, path: string): void {
  if (typeof value !== 'string' || value === '') return;
  const details = checkLabel1035(value);
  if (details.length > 0) errors.push(invalid(path, value, details.join(',')));
}

function pushMixedCase(errors: FieldError[], value: unknown, path: string): void {
  if (typeof value !== 'string' || value === '') return;
  const details = checkLabel1035(value.toLowerCase());
  if (details.length === 0) return;
  errors.push(invalid(path, value, `may have mixed case, but should otherwise match: ${details.join(',')}`));
}
