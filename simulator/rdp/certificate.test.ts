import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { createSelfSignedCertificate } from './certificate.ts';

const AT = Date.UTC(2026, 10, 26);

it('makes a certificate that is valid for ten years and signed by its own key', () => {
  const { cert } = createSelfSignedCertificate('a desktop', AT);
  const parsed = new X509Certificate(cert);
  expect(parsed.subject).toBe('CN=a desktop');
  expect(parsed.verify(parsed.publicKey)).toBe(true);
  expect(parsed.validFromDate.getTime()).toBe(AT);
  expect(parsed.validToDate.getTime()).toBeGreaterThan(AT + 3_649 * 86_400_000);
  expect(parsed.subjectAltName).toBeUndefined();
});

it('names addresses and hosts that a client may check', () => {
  const { cert } = createSelfSignedCertificate('a server', AT, ['127.0.0.1', 'localhost']);
  const parsed = new X509Certificate(cert);
  expect(parsed.subjectAltName).toBe('IP Address:127.0.0.1, DNS:localhost');
  expect(parsed.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(parsed.checkHost('localhost')).toBe('localhost');
  expect(parsed.checkIP('127.0.0.2')).toBeUndefined();
  expect(parsed.verify(parsed.publicKey)).toBe(true);
});
