import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type YAMLMap,
} from 'yaml';

/** Bounds on what one document may hold, whoever wrote it. */
export type YamlLimits = {
  /** Nesting of one YAML document. */
  readonly yamlDepth: number;
  /** Aliases resolved in one YAML document. */
  readonly yamlAliases: number;
};

/** The documents of a file, and the line of an offset in it. With their tokens, for who changes them in place. */
export function readDocuments(
  text: string,
  options: { readonly keepSourceTokens?: boolean } = {},
): {
  readonly parsed: readonly Document.Parsed[];
  readonly lineAt: (offset: number) => number;
} {
  const lineCounter = new LineCounter();
  const parsed = withoutStacks(() =>
    parseAllDocuments(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      uniqueKeys: false,
      stringKeys: true,
      strict: true,
      resolveKnownTags: false,
      prettyErrors: false,
      logLevel: 'silent',
      lineCounter,
      ...options,
    }),
  );
  return { parsed: Array.isArray(parsed) ? parsed : [], lineAt: (offset) => lineCounter.linePos(offset).line };
}

/** The parser makes an Error of everything that is wrong, and garbage has one at each byte: with where they were made, they cost four times as much as the parsing. */
function withoutStacks<T>(parse: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return parse();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

type Found = { readonly offset: number; readonly rule: string; readonly message: string };

/** What a document has that is refused before its content is looked at. */
export function checkDocument(document: Document.Parsed, limits: YamlLimits): readonly Found[] {
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    return [
      {
        offset: problem.pos[0],
        rule: problem.name === 'YAMLWarning' ? 'YamlTag' : 'Yaml',
        message: firstLine(problem.message),
      },
    ];
  }
  if (document.directives?.yaml.explicit === true) {
    return [
      { offset: document.range[0], rule: 'YamlDirective', message: 'a %YAML directive is refused; remove the line' },
    ];
  }
  const found: Found[] = [];
  let aliases = 0;
  visit(document, (_key, node, path) => {
    if (path.length > limits.yamlDepth * 2) {
      found.push({
        offset: offsetOf(node),
        rule: 'yamlDepth',
        message: `the document nests more than yamlDepth ${limits.yamlDepth} levels`,
      });
      return visit.BREAK;
    }
    if (isAlias(node)) {
      aliases += 1;
      if (aliases > limits.yamlAliases) {
        found.push({
          offset: offsetOf(node),
          rule: 'yamlAliases',
          message: `the document has more than yamlAliases ${limits.yamlAliases} aliases`,
        });
        return visit.BREAK;
      }
      const target = node.resolve(document);
      const problem =
        target === undefined
          ? 'has no anchor before it'
          : path.some((ancestor) => ancestor === target)
            ? 'stands inside what it refers to'
            : undefined;
      if (problem !== undefined) {
        found.push({ offset: offsetOf(node), rule: 'Yaml', message: `the alias *${node.source} ${problem}` });
        return visit.BREAK;
      }
    }
    if (isMap(node)) found.push(...findRepeatedKeys(node));
    if (isScalar(node) && node.type === 'PLAIN' && typeof node.source === 'string') {
      const message = checkPlain(node.source);
      if (message !== undefined) found.push({ offset: offsetOf(node), rule: 'AmbiguousYaml', message });
    }
    return undefined;
  });
  return found;
}

/** In one pass; the parser's own check compares every key with every other. */
function findRepeatedKeys(map: YAMLMap): readonly Found[] {
  const seen = new Set<string>();
  return map.items.flatMap(({ key }) => {
    const name = isScalar(key) ? String(key.value) : '';
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [
      {
        offset: offsetOf(key),
        rule: 'Yaml',
        message: `the key ${JSON.stringify(name.slice(0, 80))} stands in the map twice`,
      },
    ];
  });
}

/** Plain scalars that YAML 1.1 and 1.2 read as different things. */
function checkPlain(source: string): string | undefined {
  if (source === '<<') return 'merge keys ("<<") are refused; write the fields out';
  const other = AMBIGUOUS.find(({ pattern }) => pattern.test(source));
  return other === undefined
    ? undefined
    : `${JSON.stringify(source.slice(0, 40))} without quotes is ${other.means}; put it in quotes, or write the value out`;
}

const AMBIGUOUS = [
  { pattern: /^(y|n|yes|no|on|off)$/i, means: 'a boolean to some YAML readers and a string to others' },
  { pattern: /^[-+]?0[0-9]+$/, means: 'an octal number to some YAML readers and a decimal one to others' },
  { pattern: /^[-+]?0[ob][0-9]+$/, means: 'a number to some YAML readers and a string to others' },
  {
    pattern: /^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$/,
    means: 'a number in base 60 to some YAML readers and a string to others',
  },
  {
    pattern: /^[-+]?(0x[0-9a-fA-F]*_|[0-9][0-9.]*_)[0-9a-fA-F_.]*$/,
    means: 'a number to some YAML readers and a string to others',
  },
] as const satisfies readonly { readonly pattern: RegExp; readonly means: string }[];

/** About how deep a text nests, before a recursive reader sees it: brackets open at once, or list dashes at the start of one line. */
export function measureDepth(text: string): { readonly most: number; readonly line: number } {
  let open = 0;
  let most = 0;
  let line = 0;
  for (const [index, content] of text.split('\n').entries()) {
    if (content.startsWith('---')) open = 0;
    const dashes = (/^ *(?:[-?] +)+/.exec(content)?.[0] ?? '').replaceAll(' ', '').length;
    let deepest = dashes;
    for (const char of content) {
      if (char === '[' || char === '{') open += 1;
      else if (char === ']' || char === '}') open = Math.max(0, open - 1);
      deepest = Math.max(deepest, open);
    }
    if (deepest > most) {
      most = deepest;
      line = index + 1;
    }
  }
  return { most, line };
}

/** Where the deepest part of `path` that is there begins. */
export function findOffset(contents: unknown, path: readonly (string | number)[]): number {
  let node = contents;
  let offset = offsetOf(node);
  for (const segment of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(segment));
      if (pair === undefined) break;
      offset = offsetOf(pair.key);
      node = pair.value;
    } else if (isSeq(node) && typeof segment === 'number') {
      node = node.items[segment];
      if (node === undefined) break;
      offset = offsetOf(node);
    } else break;
  }
  return offset;
}

function offsetOf(node: unknown): number {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? (node.range?.[0] ?? 0) : 0;
}

/** Nothing but comments. */
export function isEmpty(document: Document.Parsed): boolean {
  return document.contents === null || (isScalar(document.contents) && document.contents.value === null);
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}
