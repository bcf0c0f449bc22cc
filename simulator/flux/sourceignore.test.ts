import { describe, expect, it } from 'vitest';
import { buildIgnoreFilter } from './sourceignore.ts';

const FLEET = '/*\n!/tenants/\n/tenants/*\n!/tenants/staging/\n';

describe('what an artifact leaves out', () => {
  it.each([
    // The reference fleet: one environment's folders and nothing else.
    [FLEET, 'tenants/staging/t-acme/pro.yaml', false],
    [FLEET, 'tenants/production/t-acme/pro.yaml', true],
    [FLEET, 'README.md', true],
    [FLEET, 'clusters/staging/fleet.yaml', true],
    [FLEET, 'other/tenants/staging/x.yaml', true],
    // Names without a slash match at any depth, as part of any path.
    ['secret', 'a/secret/b.yaml', true],
    ['secret/', 'a/secret', false],
    ['secret/', 'a/secret/b.yaml', true],
    ['*.md', 'docs/a.md', true],
    ['?.md', 'docs/ab.md', false],
    ['[ab].md', 'a.md', true],
    ['[^ab].md', 'a.md', false],
    ['\\*.md', 'x.md', false],
    ['[', 'x', false],
    // A slash inside ties the pattern to the root.
    ['/a', 'b/a', false],
    ['docs/*.md', 'docs/a.md', true],
    ['docs/*.md', 'docs/b/a.md', false],
    ['docs/**', 'docs/b/a.md', true],
    ['**/b', 'docs/b/a.md', true],
    ['a/**/c', 'a/x/y/c', true],
    ['a/**/c', 'a/x/y/d', false],
    ['a**b/c', 'ab/c', false],
    // The last that matches decides; comments and empty lines say nothing.
    ['*.yaml\n\n# no\n!keep.yaml', 'keep.yaml', false],
    ['!keep.yaml\n*.yaml', 'keep.yaml', true],
    ['trailing   ', 'trailing', true],
    // Stated patterns take the place of the defaults, never of Git's own files.
    ['x', 'a.png', false],
    ['x', '.gitignore', true],
    ['!.gitmodules', '.gitmodules', false],
  ])('%j: %s is left out: %s', (ignore, path, left) => {
    expect(buildIgnoreFilter([], ignore)(path, false)).toBe(left);
  });

  it.each([
    ['logo.png', true],
    ['.github/workflows/x.yaml', true],
    ['a/.sops.yaml', true],
    ['.git/config', true],
    ['app.yaml', false],
  ])('without patterns %s is left out: %s', (path, left) => {
    expect(buildIgnoreFilter([], undefined)(path, false)).toBe(left);
  });

  it('holds a folder’s own patterns below that folder, and lets spec.ignore decide last', () => {
    const isLeftOut = buildIgnoreFilter([{ folder: 'a', text: '/*.txt\n' }], '!special.txt');
    expect(isLeftOut('a/x.txt', false)).toBe(true);
    expect(isLeftOut('x.txt', false)).toBe(false);
    expect(isLeftOut('a/b/x.txt', false)).toBe(false);
    expect(isLeftOut('a/special.txt', false)).toBe(false);
  });
});
