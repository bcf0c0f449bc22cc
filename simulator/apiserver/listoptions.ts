import { parseBoolean, parseInteger } from './options.ts';
import type { Query } from './request.ts';
import { type FieldError, forbidden, notSupported } from './schema/fielderror.ts';
import { invalid } from './status.ts';

export type ListOptions = {
  readonly watch: boolean;
  /** 0: everything. */
  readonly limit: number;
  readonly continue: string;
  readonly resourceVersion: string;
  readonly match: string;
  readonly sendInitialEvents: boolean | undefined;
  readonly allowBookmarks: boolean;
  readonly timeoutSeconds: number | undefined;
};

/** Throws `ApiError`. */
export function parseListOptions(query: Query): ListOptions {
  const options: ListOptions = {
    watch: parseBoolean(query.watch) ?? false,
    limit: query.limit === undefined ? 0 : Math.max(0, parseInteger(query.limit)),
    continue: query.continue ?? '',
    resourceVersion: query.resourceVersion ?? '',
    match: query.resourceVersionMatch ?? '',
    sendInitialEvents: parseBoolean(query.sendInitialEvents),
    allowBookmarks: parseBoolean(query.allowWatchBookmarks) ?? false,
    timeoutSeconds: query.timeoutSeconds === undefined ? undefined : parseInteger(query.timeoutSeconds),
  };
  const errors = options.watch ? checkWatch(options) : checkList(options);
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
  return options;
}

const MATCH = 'resourceVersionMatch';

function checkList(options: ListOptions): readonly FieldError[] {
  const { match } = options;
  const errors: FieldError[] = [];
  if (match !== '') {
    if (options.resourceVersion === '') {
      errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    }
    if (options.continue !== '') {
      errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
    }
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      errors.push(notSupported(MATCH, match, ['Exact', 'NotOlderThan', '']));
    }
    if (match === 'Exact' && options.resourceVersion === '0') {
      errors.push(forbidden(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (options.sendInitialEvents !== undefined) {
    errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  return errors;
}

function checkWatch(options: ListOptions): readonly FieldError[] {
  const { match, sendInitialEvents } = options;
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(forbidden(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  }
  const isDefaulted = match === '' && ['', '0'].includes(options.resourceVersion);
  if (isDefaulted && options.continue !== '') {
    errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  if (match !== '') {
    if (sendInitialEvents === undefined) {
      const why = 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided';
      errors.push(forbidden(MATCH, why));
    }
    if (match !== 'NotOlderThan') errors.push(notSupported(MATCH, match, ['NotOlderThan']));
    if (options.continue !== '') {
      errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
    }
  }
  return errors;
}
