import { describe, expect, it } from 'vitest';
import { RepositoryError } from '../repository.ts';
import { checkBranch, parseRemoteUrl } from './environment.ts';

describe('the address of a remote', () => {
  it.each([
    ...[
      'ext::sh -c id',
      'ext::sh%20-c%20id',
      '--upload-pack=id',
      '-oProxyCommand=id',
      'ssh://-oProxyCommand=id/x',
      'git@host:x',
    ],
    ...[
      'file:///etc',
      'http://host/x',
      'ftp://host/x',
      'https://user:pass@host/x',
      'https://token@host/x',
      'https://host/x?a=b',
    ],
    ...[
      'https://host/x#a',
      'https://host/a b',
      'https://host/\n--x',
      '',
      'https://',
      `https://host/${'x'.repeat(3000)}`,
      'host/x',
      '/etc',
    ],
  ])('is refused: %j', (address) => {
    expect(() => parseRemoteUrl(address, ['https'])).toThrow(RepositoryError);
  });

  it('is host and port', () => {
    expect(parseRemoteUrl('https://git.example.com/a/b.git', ['https'])).toMatchObject({
      host: 'git.example.com',
      port: 443,
    });
    expect(parseRemoteUrl('http://127.0.0.1:3000/a', ['http'])).toMatchObject({ host: '127.0.0.1', port: 3000 });
  });
});

it.each([
  ...[
    '-x',
    '--upload-pack=id',
    'a..b',
    'a b',
    'a\nb',
    'a:b',
    '+a',
    'a^',
    'a~1',
    'a.lock',
    'a/.b',
    'a//b',
    '/a',
    'a/',
    'a@{b',
    '',
    '@',
    'a?',
    'refs*',
  ],
  'x'.repeat(300),
])('refuses the branch %j', (branch) => {
  expect(() => checkBranch(branch)).toThrow(RepositoryError);
});

it('takes usual branches', () => {
  expect(['main', 'sublet/I0123', 'release-1.x', 'a@b'].map(checkBranch)).toHaveLength(4);
});
