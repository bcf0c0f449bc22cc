import { describe, expect, it } from 'vitest';
import { gitSecretName, isAllowedGitHost, parseGitUrl } from './repository.ts';

const parse = (url: string) => {
  const parsed = parseGitUrl(url);
  if (parsed === undefined) throw new Error(`${url} is not of the form`);
  return parsed;
};

describe('parseGitUrl', () => {
  it.each([
    ['https://github.com/acme/fleet.git', { scheme: 'https', host: 'github.com', port: undefined }],
    ['https://git.example.com:8443/~bob/fleet', { scheme: 'https', host: 'git.example.com', port: 8443 }],
    ['ssh://git@git.example.com/fleet', { scheme: 'ssh', host: 'git.example.com', port: undefined }],
    ['ssh://deploy_1@203.0.113.7:2222/a/b/c', { scheme: 'ssh', host: '203.0.113.7', port: 2222 }],
    [
      'https://xn--bcher-kva.example/a+b/c-d_e.git',
      { scheme: 'https', host: 'xn--bcher-kva.example', port: undefined },
    ],
  ])('reads %s', (url, parsed) => {
    expect(parseGitUrl(url)).toEqual(parsed);
  });

  it('gives the host that WHATWG URLs give', () => {
    for (const url of ['https://git.example.com:8443/x', 'ssh://git@git.example.com:22/x', 'https://203.0.113.7/x']) {
      const { host, port } = parse(url);
      const other = new URL(url);
      expect([host, String(port ?? '')]).toEqual([other.hostname, other.port]);
    }
  });
});

describe('gitSecretName', () => {
  it('is of the host and the stated port', () => {
    expect(gitSecretName(parse('https://git.example.com/x'))).toBe('git.git.example.com');
    expect(gitSecretName(parse('ssh://git@git.example.com:2222/x'))).toBe('git.git.example.com.2222');
  });
});

describe('isAllowedGitHost', () => {
  it.each([
    ['https://git.corp.example/x', ['git.corp.example'], true],
    ['https://git.corp.example:443/x', ['git.corp.example'], true],
    ['https://git.corp.example/x', ['git.corp.example:443'], true],
    ['ssh://git@git.corp.example/x', ['git.corp.example'], true],
    ['https://git.corp.example:8443/x', ['git.corp.example'], false],
    ['https://git.corp.example:8443/x', ['git.corp.example:8443'], true],
    ['ssh://git@git.corp.example/x', ['git.corp.example:443'], false],
    ['https://a.git.corp.example/x', ['git.corp.example'], false],
    ['https://git.corp.example/x', [], false],
  ])('%s with %j: %s', (url, allowed, expected) => {
    expect(isAllowedGitHost(parse(url), allowed)).toBe(expected);
  });
});
