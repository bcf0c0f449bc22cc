import { expect, test } from 'vitest';
import { parseSourceConfig } from './config.ts';

test('two settings are enough', () => {
  expect(parseSourceConfig({ SUBLET_ENVIRONMENT: 'production', SUBLET_SOURCE_DIRECTORY: '/data' })).toMatchObject({
    environment: 'production',
    directory: '/data',
    namespace: 'sublet-fleet',
    repository: 'fleet',
    listen: { address: '0.0.0.0', port: 9_790 },
    shrink: { least: 3, percent: 5 },
    leaderElection: { enabled: true, namespace: 'sublet-system', name: 'sublet-source' },
  });
});

test('a variable goes before the JSON settings', () => {
  const config = parseSourceConfig({
    SUBLET_SOURCE_CONFIG: JSON.stringify({
      environment: 'staging',
      directory: '/a',
      limits: { entries: 5 },
      listen: { port: 1 },
    }),
    SUBLET_ENVIRONMENT: 'production',
    SUBLET_SOURCE_LISTEN: '127.0.0.1:8123',
  });
  expect(config).toMatchObject({
    environment: 'production',
    directory: '/a',
    limits: { entries: 5, fileBytes: 131_072 },
    listen: { address: '127.0.0.1', port: 8_123 },
  });
});

test.each([
  [{}, 'environment: Invalid input'],
  [
    { SUBLET_ENVIRONMENT: 'Prod', SUBLET_SOURCE_DIRECTORY: '/a' },
    'environment: is lower-case letters, digits and hyphens',
  ],
  [{ SUBLET_ENVIRONMENT: '../x', SUBLET_SOURCE_DIRECTORY: '/a' }, 'environment: '],
  [
    { SUBLET_ENVIRONMENT: 'x', SUBLET_SOURCE_DIRECTORY: '/a', SUBLET_SOURCE_ADVERTISED_URL: 'http://x/' },
    'advertisedUrl: is http://<host>[:<port>]',
  ],
  [{ SUBLET_ENVIRONMENT: 'x', SUBLET_SOURCE_DIRECTORY: '/a', SUBLET_SOURCE_LISTEN: 'nonsense' }, 'listen.port: '],
  [{ SUBLET_SOURCE_CONFIG: '{"environmnet": "x"}' }, 'environmnet'],
  [{ SUBLET_SOURCE_CONFIG: '[]' }, 'SUBLET_SOURCE_CONFIG is not a JSON object'],
  [{ SUBLET_SOURCE_CONFIG: '{' }, 'SUBLET_SOURCE_CONFIG is not JSON'],
])('refuses %j', (env, message) => {
  expect(() => parseSourceConfig(env)).toThrow(message);
});
