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

/** Names of one definition, as others of its group must not take them. */
export type AcceptedNames = {
  readonly plural?: string;
  readonly singular?: string;
  readonly kind?: string;
  readonly listKind?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
};

export type NamesVerdict = {
  readonly acceptedNames: AcceptedNames;
  /** `NamesAccepted` of the definition's conditions, without its time. */
  readonly condition: {
    readonly type: 'NamesAccepted';
    readonly status: 'True' | 'False';
    readonly reason: string;
    readonly message: string;
  };
};

/** Which of the names asked for a definition gets. `others`: what the other definitions of its group have. */
export function acceptNames(
  asked: AcceptedNames,
  accepted: AcceptedNames,
  others: readonly AcceptedNames[],
): NamesVerdict {
  const resources = new Set(
    others.flatMap(({ plural, singular, shortNames = [] }) => [plural, singular, ...shortNames]),
  );
  const kinds = new Set(others.flatMap(({ kind, listKind }) => [kind, listKind]));
  const conflicts: { readonly reason: string; readonly message: string }[] = [];
  const choose = (key: 'plural' | 'singular' | 'kind' | 'listKind', reason: string, used: ReadonlySet<unknown>) => {
    const name = asked[key];
    const isTaken = name !== accepted[key] && used.has(name);
    if (isTaken) conflicts.push({ reason, message: `"${name}" is already in use` });
    const chosen = isTaken ? accepted[key] : name;
    return chosen === undefined ? {} : { [key]: chosen };
  };
  const names = {
    ...choose('plural', 'PluralConflict', resources),
    ...choose('singular', 'SingularConflict', resources),
  };
  const own = new Set(accepted.shortNames);
  const taken = (asked.shortNames ?? []).filter((name) => !own.has(name) && resources.has(name));
  if (taken.length > 0) {
    const texts = taken.map((name) => `"${name}" is already in use`);
    const message = texts.length === 1 ? `${texts[0]}` : `[${texts.join(', ')}]`;
    conflicts.push({ reason: 'ShortNamesConflict', message });
  }
  const shortNames = taken.length > 0 ? accepted.shortNames : asked.shortNames;
  const kindNames = {
    ...choose('kind', 'KindConflict', kinds),
    ...choose('listKind', 'ListKindConflict', kinds),
  };
  const last = conflicts.at(-1);
  return {
    acceptedNames: {
      ...names,
      ...(shortNames === undefined ? {} : { shortNames }),
      ...kindNames,
      ...(asked.categories === undefined ? {} : { categories: asked.categories }),
    },
    condition:
      last === undefined
        ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
        : { type: 'NamesAccepted', status: 'False', ...last },
  };
}
