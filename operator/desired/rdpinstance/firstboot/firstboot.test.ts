import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderCloudbaseUserData } from './cloudbase.ts';
import { renderCloudInitUserData } from './cloudinit.ts';
import { renderUnattend } from './unattend.ts';
import { renderXml } from './xml.ts';

const HOSTILE = '"\n}]\r\n- evil: true # \u2028</Value><Command>&amp;';

function parseConfig(text: string) {
  const [head, ...rest] = text.split('\n');
  expect(head).toBe('#cloud-config');
  return JSON.parse(rest.join('\n'));
}

describe('user-data', () => {
  test.each([
    ['cloud-init', renderCloudInitUserData],
    ['cloudbase-init', renderCloudbaseUserData],
  ])('%s: no value breaks out of its place', (_name, renderUserData) => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'binary' }), (username, password) => {
        const config = parseConfig(renderUserData({ hostname: 'h', username, password }));
        expect(config.users).toHaveLength(1);
        expect(config.users[0].name).toBe(username);
        expect(config.runcmd).toEqual(
          parseConfig(renderUserData({ hostname: 'h', username: 'a', password: 'b' })).runcmd,
        );
        const secrets = [config.users[0].passwd, config.chpasswd?.users?.[0]?.password];
        expect(secrets).toContain(password);
      }),
    );
  });

  test('a hostile password stays one value', () => {
    const config = parseConfig(renderCloudInitUserData({ hostname: 'h', username: 'anna', password: HOSTILE }));
    expect(config.chpasswd.users).toEqual([{ name: 'anna', password: HOSTILE, type: 'text' }]);
    expect(Object.keys(config)).not.toContain('evil');
  });
});

describe('answer file', () => {
  test('escapes what XML treats specially, line breaks included', () => {
    const text = renderXml({ name: 'a', attributes: { b: `<&>"'` }, children: HOSTILE });
    expect(text).toBe(
      '<?xml version="1.0" encoding="utf-8"?>\n' +
        '<a b="&lt;&amp;&gt;&quot;&apos;">&quot;&#10;}]&#13;&#10;- evil: true # \u2028&lt;/Value&gt;&lt;Command&gt;&amp;amp;</a>\n',
    );
  });

  test('a hostile password adds no element', () => {
    const count = (text: string) => text.split('<').length;
    const plain = renderUnattend({ hostname: 'h', username: 'anna', password: 'x' });
    expect(count(renderUnattend({ hostname: 'h', username: 'anna', password: HOSTILE }))).toBe(count(plain));
  });

  test('what XML cannot carry is refused by element', () => {
    expect(() => renderUnattend({ hostname: 'h', username: 'anna', password: '\u0000' })).toThrow(
      'Value: holds a character that XML cannot carry',
    );
  });
});
