/** One term of a field selector: the value at `field` is, or is not, `value`. */
export type FieldTerm = { readonly field: string; readonly value: string; readonly negated: boolean };

/** Parses `metadata.name=a,metadata.namespace!=b`. Throws an Error in the API server's words. */
export function parseFieldSelector(text: string): readonly FieldTerm[] {
  const terms: FieldTerm[] = [];
  for (const part of splitTerms(text).sort()) {
    if (part === '') continue;
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(part);
    if (match === null) throw new Error(`invalid selector: '${text}'; can't understand '${part}'`);
    const [, field = '', operator, value = ''] = match;
    if (field === '' && value === '') continue;
    terms.push({ field, value: unescapeValue(value), negated: operator === '!=' });
  }
  return terms;
}

/** Commas after a backslash do not separate. */
function splitTerms(text: string): string[] {
  return text.match(/(?:\\.|\\$|[^,\\])+/gs) ?? [];
}

function unescapeValue(value: string): string {
  if (!/[\\,=]/.test(value)) return value;
  return value.replace(/\\(.?)|[,=]/gs, (found, escaped: string | undefined) => {
    if (escaped === undefined) {
      throw new Error(`invalid field selector: unescaped character in value: ${found.codePointAt(0)}`);
    }
    if (!['\\', ',', '='].includes(escaped)) {
      throw new Error(`invalid field selector: invalid escape sequence: \\${escaped}`);
    }
    return escaped;
  });
}
