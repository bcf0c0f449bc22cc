/** Says whether a path is left out of an artifact. */
export type IgnoreFilter = (path: string, isFolder: boolean) => boolean;

/** A file of ignore patterns: the folder that it stands in (empty for the root) and its lines. */
export type IgnoreFile = { readonly folder: string; readonly text: string };

export const IGNORE_FILE = '.sourceignore';

/**
 * Which files source-controller leaves out: Git's own always; pictures, archives and files of build services unless patterns are stated; and
 * what the patterns of `.sourceignore` files and then `spec.ignore` say, the last that matches deciding. The patterns are those of
 * `.gitignore`, as source-controller reads them: a file is judged by its own whole path, so what stands in an excluded folder can be
 * let in again.
 */
export function buildIgnoreFilter(files: readonly IgnoreFile[], ignore: string | undefined): IgnoreFilter {
  const stated = [...files, ...(ignore === undefined ? [] : [{ folder: '', text: ignore }])].flatMap(parseIgnoreFile);
  const patterns = [...VCS, ...(stated.length === 0 ? DEFAULTS : stated)];
  return (path, isFolder) => {
    const segments = path.split('/');
    const decisive = patterns.findLast((pattern) => matches(pattern, segments, isFolder));
    return decisive !== undefined && !decisive.includes;
  };
}

type Pattern = {
  /** The folder that it holds in. */
  readonly domain: readonly string[];
  readonly segments: readonly string[];
  /** Lets in again instead of leaving out. */
  readonly includes: boolean;
  readonly foldersOnly: boolean;
  /** Has a slash inside, so that it is matched from the domain on. */
  readonly anchored: boolean;
};

function parseIgnoreFile({ folder, text }: IgnoreFile): readonly Pattern[] {
  const domain = folder === '' ? [] : folder.split('/');
  const lines = text.split(/\r?\n/).filter((line) => !line.startsWith('#') && line.trim() !== '');
  return lines.map((line) => parsePattern(line, domain));
}

function parsePattern(line: string, domain: readonly string[]): Pattern {
  const includes = line.startsWith('!');
  const body = includes ? line.slice(1) : line;
  const trimmed = body.endsWith('\\ ') ? body : body.replace(/ +$/, '');
  const foldersOnly = trimmed.endsWith('/');
  const pattern = foldersOnly ? trimmed.slice(0, -1) : trimmed;
  return { domain, segments: pattern.split('/'), includes, foldersOnly, anchored: pattern.includes('/') };
}

function matches(pattern: Pattern, path: readonly string[], isFolder: boolean): boolean {
  const { domain, foldersOnly } = pattern;
  if (path.length <= domain.length || domain.some((segment, index) => path[index] !== segment)) return false;
  const below = path.slice(domain.length);
  if (pattern.anchored) return matchesAnchored(pattern, below, isFolder);
  return below.some(
    (name, index) =>
      matchesName(pattern.segments[0] ?? '', name) && !(foldersOnly && !isFolder && index === below.length - 1),
  );
}

function matchesAnchored({ segments, foldersOnly }: Pattern, path: readonly string[], isFolder: boolean): boolean {
  let rest = path;
  let matched = false;
  let anywhere = false;
  for (const [index, segment] of segments.entries()) {
    if (segment === '') {
      anywhere = false;
      continue;
    }
    if (segment === '**') {
      if (index === segments.length - 1) break;
      anywhere = true;
      continue;
    }
    if (segment.includes('**') || rest.length === 0) return false;
    const at = anywhere
      ? rest.findIndex((name) => matchesName(segment, name))
      : matchesName(segment, rest[0] ?? '')
        ? 0
        : -1;
    if (at < 0 && !anywhere) return false;
    matched = at >= 0;
    rest = at < 0 ? [] : rest.slice(at + 1);
    anywhere = false;
  }
  return matched && !(foldersOnly && !isFolder && rest.length === 0);
}

/** `*`, `?`, `[...]` and `\` as in file names; a broken pattern matches nothing. */
function matchesName(pattern: string, name: string): boolean {
  const known = expressions.get(pattern) ?? compile(pattern);
  expressions.set(pattern, known);
  return known.test(name);
}

const expressions = new Map<string, RegExp>();
const NOTHING = /(?!)/;

function compile(pattern: string): RegExp {
  const source = pattern.replace(
    /\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|([*?])|([^\\*?[])|[\\[]/gs,
    (whole, escaped, not, set, wild, plain) => {
      if (escaped !== undefined) return literal(escaped);
      if (set !== undefined) return `[${not}${set.replaceAll('[', '\\[')}]`;
      if (wild !== undefined) return wild === '*' ? '[^/]*' : '[^/]';
      return plain === undefined ? `(?!)${literal(whole)}` : literal(plain);
    },
  );
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return NOTHING;
  }
}

function literal(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}/-]/g, '\\$&');
}

const VCS = ['.git/', '.gitignore', '.gitmodules', '.gitattributes'].map((line) => parsePattern(line, []));

const DEFAULTS = [
  ...['*.jpg', '*.jpeg', '*.gif', '*.png', '*.wmv', '*.flv', '*.tar.gz', '*.zip'],
  ...['.github/', '.circleci/', '.travis.yml', '.gitlab-ci.yml', 'appveyor.yml', '.drone.yml', 'cloudbuild.yaml'],
  ...['codeship-services.yml', 'codeship-steps.yml', '**/.goreleaser.yml', '**/.sops.yaml', '**/.flux.yaml'],
].map((line) => parsePattern(line, []));
