/** What the API server says of names that it does not take; no message means that the name is good. */

const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

const QUALIFIED_TEXT =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035_TEXT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/** Keys and values of labels are measured in bytes, and so are names, which are called characters. */
const tooLong = (max: number): string => `must be no more than ${max} characters`;
const tooManyBytes = (max: number): string => `must be no more than ${max} bytes`;
const isLonger = (text: string, max: number): boolean => Buffer.byteLength(text) > max;

/** Keys of labels and annotations: `name` or `prefix/name`. */
export function checkLabelKey(key: string): readonly string[] {
  const parts = key.split('/');
  const problems: string[] = [];
  const [first = '', second] = parts;
  if (parts.length > 2) {
    return [
      `a valid label key ${QUALIFIED_TEXT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (second !== undefined) {
    if (first === '') problems.push('prefix part must be non-empty');
    else problems.push(...checkPrefix(first).map((problem) => `prefix part ${problem}`));
  }
  const name = second ?? first;
  if (name === '') problems.push('name part must be non-empty');
  else if (isLonger(name, 63)) problems.push(`name part ${tooManyBytes(63)}`);
  if (!QUALIFIED.test(name)) problems.push(`name part ${QUALIFIED_TEXT}`);
  return problems;
}

function checkPrefix(prefix: string): readonly string[] {
  const problems = isLonger(prefix, 253) ? [tooManyBytes(253)] : [];
  return SUBDOMAIN.test(prefix) ? problems : [...problems, SUBDOMAIN_TEXT];
}

export function checkLabelValue(value: string): readonly string[] {
  const problems = isLonger(value, 63) ? [tooManyBytes(63)] : [];
  return LABEL_VALUE.test(value) ? problems : [...problems, LABEL_VALUE_TEXT];
}

/** RFC 1123, up to 253 characters with dots. */
export function checkSubdomain(name: string): readonly string[] {
  const problems = isLonger(name, 253) ? [tooLong(253)] : [];
  return SUBDOMAIN.test(name) ? problems : [...problems, SUBDOMAIN_TEXT];
}

/** RFC 1123, up to 63 characters without dots. */
export function checkLabel(name: string): readonly string[] {
  const problems = isLonger(name, 63) ? [tooLong(63)] : [];
  if (LABEL.test(name)) return problems;
  return [...problems, SUBDOMAIN.test(name) ? 'must not contain dots' : LABEL_TEXT];
}

/** RFC 1035: as {@link checkLabel}, and begins with a letter. */
export function checkLabel1035(name: string): readonly string[] {
  const problems = isLonger(name, 63) ? [tooLong(63)] : [];
  return LABEL_1035.test(name) ? problems : [...problems, LABEL_1035_TEXT];
}

/** What any object needs that is named in a path. */
export function checkPathSegment(name: string): readonly string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  const problems: string[] = [];
  for (const illegal of ['/', '%']) if (name.includes(illegal)) problems.push(`may not contain '${illegal}'`);
  return problems;
}
