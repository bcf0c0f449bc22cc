import { childPath, type FieldError, invalid, NO_FIELD } from '../fielderror.ts';

/** What a validation found. `matches` counts what was fulfilled: `anyOf` and `oneOf` report the alternative that came closest. */
export type Report = {
  /** The path of the value that is validated; empty for the whole object. */
  readonly prefix: string;
  readonly found: Found[];
  matches: number;
};
/** `text` names the place too; what has the same text is reported once. */
type Found = { readonly text: string; readonly error: FieldError };

export function createReport(prefix: string): Report {
  return { prefix, found: [], matches: 0 };
}

/** `path` is relative, such as `spec.list[0]`; `.name` where the parent is the root. */
export function reportAt(report: Report, path: string, text: string, build: (field: string) => FieldError): void {
  const name = path.startsWith('.') ? path.slice(1) : path;
  const field = name === '' ? rootField(report) : childPath(report.prefix, name);
  report.found.push({ text, error: build(field) });
}

export function reportInvalid(report: Report, path: string, badValue: unknown, text: string): void {
  reportAt(report, path, text, (field) => invalid(field, badValue, text));
}

/** Findings that the API server tells of no field: those about alternatives, and those about what a schema states. */
export function reportGeneral(report: Report, text: string): void {
  report.found.push({ text, error: invalid(rootField(report), '', text) });
}

export function listErrors(report: Report): readonly FieldError[] {
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  for (const { text, error } of report.found) {
    if (!seen.has(text)) errors.push(error);
    seen.add(text);
  }
  return errors;
}

function rootField(report: Report): string {
  return report.prefix === '' ? NO_FIELD : report.prefix;
}
