/** CustomResourceDefinitions that use everything which the schemas of this folder understand; tests hold them against a real API server. */

export const TEST_GROUP = 'schema.test.sublet.dev';

export type TestKind = {
  readonly kind: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly hasStatus?: boolean;
};

const text = (more: object = {}) => ({ type: 'string', ...more });
const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more });
const spec = (properties: object, more: object = {}) => object({ spec: object(properties, more) });
const rules = (...list: readonly object[]) => ({ 'x-kubernetes-validations': list });
const rule = (cel: string, more: object = {}) => ({ rule: cel, ...more });
const list = (items: object, more: object = {}) => ({ type: 'array', maxItems: 20, items, ...more });

const FORMATS = [
  ...['date-time', 'date', 'duration', 'byte', 'uri', 'email', 'hostname', 'ipv4', 'ipv6', 'cidr', 'mac', 'uuid'],
  ...['uuid3', 'uuid4', 'uuid5', 'isbn', 'isbn10', 'isbn13', 'creditcard', 'ssn', 'hexcolor', 'rgbcolor'],
  ...['password', 'bsonobjectid', 'k8s-short-name', 'k8s-long-name', 'unheard-of'],
];

const SHAPES: TestKind = {
  kind: 'Shape',
  schema: spec(
    {
      text: text({ minLength: 2, maxLength: 4, pattern: '^[a-zé😀]+$' }),
      choice: text({ enum: ['a', 'b"c', 'd'] }),
      whole: { type: 'integer', minimum: -2, maximum: 10, multipleOf: 2 },
      open: { type: 'integer', minimum: 0, exclusiveMinimum: true, maximum: 10, exclusiveMaximum: true },
      small: { type: 'integer', format: 'int32' },
      large: { type: 'integer', format: 'int64' },
      real: { type: 'number', minimum: 0.5, maximum: 1000000, multipleOf: 0.25 },
      single: { type: 'number', format: 'float' },
      number: { type: 'integer', enum: [1, 2, 3] },
      flag: { type: 'boolean' },
      maybe: text({ nullable: true, enum: ['x'] }),
      list: list(text({ maxLength: 3 }), { minItems: 1, maxItems: 3 }),
      map: {
        type: 'object',
        additionalProperties: { type: 'integer', maximum: 5 },
        minProperties: 1,
        maxProperties: 2,
      },
      nested: object({ deep: object({ one: text(), two: text() }, { required: ['one'] }) }, { required: ['deep'] }),
      lists: list(list({ type: 'integer' }, { maxItems: 2 })),
      either: {
        'x-kubernetes-int-or-string': true,
        anyOf: [{ type: 'integer' }, { type: 'string' }],
        maxLength: 3,
        minimum: 2,
      },
      plain: { 'x-kubernetes-int-or-string': true },
    },
    { required: ['text'] },
  ),
};

const FORMATTED: TestKind = {
  kind: 'Formatted',
  schema: spec(Object.fromEntries(FORMATS.map((format) => [format.replaceAll('-', ''), text({ format })]))),
};

const JOINED: TestKind = {
  kind: 'Joined',
  schema: spec({
    any: object(
      { a: text(), b: { type: 'integer' } },
      { anyOf: [{ required: ['a'] }, { required: ['b'], properties: { b: { minimum: 3 } } }] },
    ),
    one: object(
      { a: text(), b: text(), c: text({ maxLength: 5 }) },
      {
        oneOf: [
          { required: ['a'] },
          { required: ['b'] },
          { properties: { c: { minLength: 2, enum: ['yes'] } }, required: ['c'] },
        ],
      },
    ),
    all: { type: 'integer', allOf: [{ minimum: 2 }, { maximum: 8 }, { multipleOf: 2 }] },
    none: text({ not: { pattern: '^bad' } }),
    mixed: text({ anyOf: [{ pattern: '^a' }, { format: 'ipv4' }, { maxLength: 1 }] }),
    list: list({ type: 'integer' }, { anyOf: [{ maxItems: 1 }, { items: { minimum: 5 } }] }),
  }),
};

const KEYED: TestKind = {
  kind: 'Keyed',
  schema: spec({
    names: list(text(), { 'x-kubernetes-list-type': 'set' }),
    numbers: list({ type: 'integer' }, { 'x-kubernetes-list-type': 'set' }),
    ports: list(
      object(
        { port: { type: 'integer' }, protocol: text({ default: 'TCP' }), name: text({ maxLength: 4 }) },
        { required: ['port'] },
      ),
      {
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['port', 'protocol'],
      },
    ),
    items: list(object({ name: text(), value: { type: 'integer', maximum: 3 } }, { required: ['name'] }), {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    }),
    inner: { type: 'object', additionalProperties: list(text(), { 'x-kubernetes-list-type': 'set' }) },
    atoms: list(object({ a: text({ maxLength: 1 }) })),
  }),
};

const DEFAULTED: TestKind = {
  kind: 'Defaulted',
  schema: {
    ...spec(
      {
        text: text({ default: 'set' }),
        nullable: text({ default: 'set', nullable: true }),
        plain: text(),
        plainNullable: text({ nullable: true }),
        object: object(
          { number: { type: 'integer', default: 7 }, list: list(text(), { default: ['a'] }) },
          { default: {} },
        ),
        absent: object({ number: { type: 'integer', default: 7 } }),
        map: { type: 'object', additionalProperties: object({ on: { type: 'boolean', default: true } }) },
        items: list(object({ mode: text({ default: 'x' }), note: text({ nullable: true }) })),
        flags: { type: 'object', additionalProperties: { type: 'boolean' } },
      },
      { default: { text: 'from above' } },
    ),
  },
};

const OPEN: TestKind = {
  kind: 'Open',
  schema: spec({
    any: { 'x-kubernetes-preserve-unknown-fields': true },
    open: object({ known: object({ a: text() }) }, { 'x-kubernetes-preserve-unknown-fields': true }),
    shut: object({ a: text() }),
    anything: { type: 'object', additionalProperties: true },
    empty: { type: 'object' },
    template: object({ spec: object({ a: text() }) }, { 'x-kubernetes-embedded-resource': true }),
    raw: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    templates: list({
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    }),
  }),
};

const RULED: TestKind = {
  kind: 'Ruled',
  hasStatus: true,
  schema: {
    ...object(
      {
        spec: object(
          {
            min: { type: 'integer' },
            max: { type: 'integer' },
            fixed: text({ maxLength: 10, ...rules(rule('self == oldSelf', { message: 'never changes' })) }),
            once: text({
              maxLength: 10,
              ...rules(rule('!oldSelf.hasValue() || oldSelf.value() == self', { optionalOldSelf: true })),
            }),
            names: list(
              text({ maxLength: 10 }),
              rules(rule('self.all(n, n.startsWith("a"))', { message: '  all begin with a  ' })),
            ),
            reason: text({
              maxLength: 10,
              ...rules(
                rule("self != 'forbidden'", { reason: 'FieldValueForbidden' }),
                rule("self != 'required'", { reason: 'FieldValueRequired' }),
                rule("self != 'duplicate'", { reason: 'FieldValueDuplicate' }),
              ),
            }),
            computed: text({
              maxLength: 5,
              ...rules(
                rule("self != 'x'", { message: 'fallback', messageExpression: "'is ' + self + ', not another'" }),
              ),
            }),
            broken: {
              type: 'integer',
              ...rules(
                rule('self < 10', { message: 'fallback', messageExpression: "self == 12 ? '' : 'line\\nbreak'" }),
              ),
            },
            at: object(
              { inner: object({ a: text({ maxLength: 5 }) }) },
              rules(
                rule("!has(self.inner) || !has(self.inner.a) || self.inner.a != 'x'", {
                  fieldPath: '.inner.a',
                  message: 'no x',
                }),
              ),
            ),
            items: list(
              object(
                {
                  name: text({ maxLength: 5 }),
                  size: {
                    type: 'integer',
                    ...rules(rule('self >= oldSelf', { message: 'grows only' }), rule('self < 100')),
                  },
                },
                { required: ['name'] },
              ),
              {
                'x-kubernetes-list-type': 'map',
                'x-kubernetes-list-map-keys': ['name'],
              },
            ),
            'da-sh.ed': text({ maxLength: 5 }),
            in: text({ maxLength: 5 }),
            either: {
              'x-kubernetes-int-or-string': true,
              maxLength: 10,
              ...rules(
                rule("type(self) == int ? self > 1 : self.matches('^[0-9]+%$')", { message: 'a number or a share' }),
              ),
            },
            careless: { 'x-kubernetes-int-or-string': true, maxLength: 10, ...rules(rule('self > 1')) },
            amount: {
              'x-kubernetes-int-or-string': true,
              maxLength: 10,
              ...rules(
                rule("isQuantity(string(self)) && quantity(string(self)).isLessThan(quantity('2Gi'))", {
                  message: 'below 2Gi',
                }),
              ),
            },
            net: text({
              maxLength: 50,
              ...rules(
                rule('isCIDR(self) && cidr(self).masked() == cidr(self)', { message: 'a network' }),
                rule("!isCIDR(self) || cidr('10.0.0.0/8').containsCIDR(self)", { message: 'private' }),
              ),
            }),
            ip: text({
              maxLength: 50,
              ...rules(
                rule('isIP(self) && ip(self).family() == 4 && ip.isCanonical(self)', { message: 'canonical IPv4' }),
              ),
            }),
            url: text({
              maxLength: 100,
              ...rules(
                rule("isURL(self) && url(self).getScheme() == 'https' && url(self).getPort() == ''", {
                  message: 'https, default port',
                }),
              ),
            }),
            when: text({
              format: 'date-time',
              ...rules(rule("self > timestamp('2026-01-01T00:00:00Z') && self.getFullYear() < 2030")),
            }),
            span: text({
              format: 'duration',
              ...rules(rule("self >= duration('1m') && self.getHours() < 24", { message: 'a minute to a day' })),
            }),
            data: text({
              format: 'byte',
              maxLength: 40,
              ...rules(rule("size(self) < 4 && string(self) != 'no'", { message: 'short' })),
            }),
            words: text({
              maxLength: 40,
              ...rules(
                rule("self.lowerAscii().split(' ').filter(w, size(w) > 1) != ['not', 'this']", {
                  message: 'not this',
                }),
                rule(
                  "self.replace('a', 'b').indexOf('bb') == -1 && self.substring(0, 1) != '!' && self.trim() == self",
                  { message: 'neat' },
                ),
              ),
            }),
            sums: list(
              { type: 'integer' },
              {
                maxItems: 5,
                ...rules(
                  rule('self.sum() < 10 && self.isSorted()', { message: 'small and sorted' }),
                  rule('size(self) == 0 || (self.min() >= 0 && self.max() < 9 && self.indexOf(5) != 0)', {
                    message: 'in range',
                  }),
                ),
              },
            ),
            sets: list(text({ maxLength: 3 }), {
              maxItems: 5,
              'x-kubernetes-list-type': 'set',
              ...rules(rule('self == oldSelf || sets.contains(self, oldSelf)', { message: 'grows only' })),
            }),
            labels: {
              type: 'object',
              maxProperties: 5,
              additionalProperties: text({ maxLength: 10 }),
              ...rules(
                rule("self.all(k, k.startsWith('x/') || self[k] == 'ok')", { message: 'prefixed or ok' }),
                rule("!('bad' in self)", { message: 'no bad' }),
              ),
            },
            counts: list(
              { type: 'integer' },
              {
                maxItems: 5,
                ...rules(
                  rule('self.exists_one(n, n == 1)', { message: 'one 1' }),
                  rule('self.exists(n, 10 / n > 2)', { message: 'one small' }),
                ),
              },
            ),
            ratio: {
              type: 'number',
              ...rules(rule('self < 0.5 || self == 1.0'), rule('int(self * 100.0) % 5 == 0', { message: 'in steps' })),
            },
            strict: object(
              { a: text({ maxLength: 5 }), b: text({ maxLength: 5 }) },
              rules(rule('self.a != self.b', { message: 'a and b differ' })),
            ),
            options: object(
              { a: text({ maxLength: 5 }) },
              rules(rule("self.?a.orValue('none') != 'x'", { message: 'no x' })),
            ),
          },
          rules(
            rule('!has(self.min) || !has(self.max) || self.min <= self.max', { message: 'min must not exceed max' }),
            rule("!has(self.da__dash__sh__dot__ed) || self.da__dash__sh__dot__ed != 'x'"),
            rule("!has(self.__in__) || self.__in__ in ['a', 'b']", { message: 'a or b', fieldPath: '.in' }),
          ),
        ),
        status: object({
          phase: text({
            maxLength: 10,
            ...rules(rule("self != 'Lost' || oldSelf == 'Bound'", { message: 'only what was bound is lost' })),
          }),
          count: { type: 'integer', maximum: 5 },
        }),
      },
      rules(rule("self.metadata.name != 'unwanted'", { message: 'not this name' })),
    ),
  },
};

export const TEST_KINDS: readonly TestKind[] = [SHAPES, FORMATTED, JOINED, KEYED, DEFAULTED, OPEN, RULED];

export function pluralOf(kind: string): string {
  return `${kind.toLowerCase()}s`;
}

/** The definition of a test's kind. */
export function buildDefinition({ kind, schema, hasStatus }: TestKind) {
  const plural = pluralOf(kind);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${TEST_GROUP}` },
    spec: {
      group: TEST_GROUP,
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          ...(hasStatus === true ? { subresources: { status: {} } } : {}),
        },
      ],
    },
  };
}
