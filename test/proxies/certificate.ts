import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A self-signed certificate and its key. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly text: string;
}

/** Whether openssl is installed. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** Creates a certificate for 127.0.0.1 in a folder. */
export function makeCertificate(folder: string): Certificate {
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-days', '2', '-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', ['req', ...kind, ...subject, ...files], { stdio: 'pipe' });
  return { certFile, keyFile, text: readFileSync(certFile, 'utf8') };
}
