/** Label and field selectors, as far as a client needs to judge its own objects by them. Pure. */

/** Whether an object is selected; undefined when the selector cannot be judged from here. */
export type Matcher = (object: Selectable) => boolean | undefined;

export type Selectable = {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
  };
};

/**
 * Judges `namespace`, a label selector (`a=b,c!=d,e in (f,g),h notin (i),j,!k`) and a field selector over `metadata.name` and
 * `metadata.namespace`. Throws on a label selector that the API server would refuse.
 */
export function buildMatcher(selection: {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}): Matcher {
  const requirements = splitRequirements(selection.labelSelector ?? '').map(parseRequirement);
  const fields = splitRequirements(selection.fieldSelector ?? '').map(parseField);
  const { namespace } = selection;
  return (object) => {
    const { metadata } = object;
    if (namespace !== undefined && metadata.namespace !== namespace) return false;
    if (!requirements.every((requirement) => requirement(metadata.labels ?? {}))) return false;
    const verdicts = fields.map((field) => field(object));
    if (verdicts.includes(false)) return false;
    return verdicts.includes(undefined) ? undefined : true;
  };
}

type Requirement = (labels: Readonly<Record<string, string>>) => boolean;

/** Commas inside parentheses do not separate. */
function splitRequirements(text: string): readonly string[] {
  return text.trim() === '' ? [] : text.split(/,(?![^(]*\))/).map((part) => part.trim());
}

function parseRequirement(text: string): Requirement {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(text);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    return (labels) => {
      const value = own(labels, key);
      return (value !== undefined && values.has(value)) === (operator === 'in');
    };
  }
  const equality = /^([^\s=!]+)\s*(==|=|!=)\s*(\S*)$/.exec(text);
  if (equality !== null) {
    const [, key = '', operator, value = ''] = equality;
    return (labels) => (own(labels, key) === value) === (operator !== '!=');
  }
  const existence = /^(!?)\s*([^\s=!,()]+)$/.exec(text);
  if (existence === null) throw new Error(`${JSON.stringify(text)} is not a label requirement`);
  const [, not, key = ''] = existence;
  return (labels) => (own(labels, key) !== undefined) === (not === '');
}

function parseField(text: string): Matcher {
  const match = /^(metadata\.name|metadata\.namespace)\s*(==|=|!=)\s*(\S*)$/.exec(text);
  if (match === null) return () => undefined;
  const [, field, operator, value] = match;
  return ({ metadata }) => {
    const actual = field === 'metadata.name' ? metadata.name : (metadata.namespace ?? '');
    return (actual === value) === (operator !== '!=');
  };
}

function own(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
