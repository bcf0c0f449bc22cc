import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Agent, fetch } from 'undici';
import { cacheFolder, type LogLine, UnavailableError } from './binaries.ts';
import { buildOnce } from './gobuild.ts';
import { pickPorts } from './ports.ts';
import { Processes } from './processes.ts';

const VERSION = '26.7.3';
/** Of the distribution of that version on Maven Central. */
const SHA256 = '27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f';
const ARTIFACT = `org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`;
const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin';
/** In the archive. */
const FOLDER = `keycloak-${VERSION}`;
const HOST = '127.0.0.1';
const READY_TIMEOUT_MS = 600_000;
const COMMAND_TIMEOUT_MS = 600_000;
const CONNECT_TIMEOUT_MS = 60_000;
const POLL_MS = 250;

/** A real Keycloak on loopback, over HTTPS, with a database in memory. */
export type Keycloak = {
  /** Of a realm, as in the claim `iss`. */
  issuerUrl(realm: string): string;
  /** PEM file of the certificate that it serves with. */
  readonly caPath: string;
  /** Calls the admin API at `/admin/realms<path>`; throws for every answer that is no success. */
  admin(method: string, path: string, body?: object): Promise<unknown>;
  /** Signs a user in by password; gives the two tokens of that client. */
  login(
    realm: string,
    client: string,
    user: { readonly username: string; readonly password: string },
  ): Promise<{ readonly idToken: string; readonly accessToken: string }>;
  stop(): Promise<void>;
};

/** Finds Keycloak's folder, or fetches it by Maven first (once a machine). Throws UnavailableError where there is no Java, Maven or artifact. */
export async function obtainKeycloak(log: LogLine): Promise<string> {
  const entry = path.join(cacheFolder(), `keycloak-${VERSION}`);
  try {
    await run('java', ['-version']);
    if (!existsSync(entry)) {
      const how = 'by Maven (a minute, once a machine)';
      await buildOnce({ entry, name: 'keycloak', how, log }, install);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnavailableError(`Keycloak cannot be had, which takes Java 17 or newer and Maven: ${why}`, {
      cause: error,
    });
  }
  return path.join(entry, FOLDER);
}

/** Starts one; gets the program first where it is not in the cache. */
export async function startKeycloak(log: LogLine): Promise<Keycloak> {
  const program = await obtainKeycloak(log);
  const folder = await mkdtemp(path.join(tmpdir(), 'sublet-keycloak-'));
  const [port = 0, manage = 0] = await pickPorts(2);
  const password = randomBytes(16).toString('hex');
  const { storePath, caPath } = await makeCertificate(folder, password);
  const processes = new Processes(folder);
  const url = `https://${HOST}:${port}`;
  const dispatcher = new Agent({ connect: { ca: await readFile(caPath), timeout: CONNECT_TIMEOUT_MS } });
  const stop = async (): Promise<void> => {
    await dispatcher.close();
    await processes.stop();
  };
  const call = async (method: string, target: string, headers: Record<string, string>, body?: string) => {
    const init = { method, headers, dispatcher, ...(body === undefined ? {} : { body }) };
    const response = await fetch(`${url}${target}`, init);
    const text = await response.text();
    if (!response.ok)
      throw new Error(`${method} ${target}: Keycloak answered ${response.status}: ${text.slice(0, 500)}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const takeToken = (realm: string, form: Readonly<Record<string, string>>) =>
    call(
      'POST',
      `/realms/${realm}/protocol/openid-connect/token`,
      { 'content-type': 'application/x-www-form-urlencoded' },
      String(new URLSearchParams({ grant_type: 'password', scope: 'openid', ...form })),
    );
  const takeAdminToken = () => takeToken('master', { client_id: 'admin-cli', username: 'admin', password });
  try {
    await processes.start({
      name: 'keycloak',
      command: 'java',
      args: [...javaArgs(program), 'start', '--optimized', ...listenArgs(url, port, manage, storePath)],
      env: {
        KC_HTTPS_KEY_STORE_PASSWORD: password,
        KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
        KC_BOOTSTRAP_ADMIN_PASSWORD: password,
      },
    });
    await waitUntilReady(takeAdminToken, () => processes.logTail('keycloak'));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    issuerUrl: (realm) => `${url}/realms/${realm}`,
    caPath,
    admin: async (method, target, body) => {
      const { access_token } = await takeAdminToken();
      const headers = { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' };
      return call(method, `/admin/realms${target}`, headers, body === undefined ? undefined : JSON.stringify(body));
    },
    login: async (realm, client, user) => {
      const answer = await takeToken(realm, { client_id: client, ...user });
      return { idToken: answer.id_token, accessToken: answer.access_token };
    },
    stop,
  };
}

/** As its `bin/kc.sh` says, which would stay between: a signal to a shell ends the shell alone. */
function javaArgs(program: string): readonly string[] {
  const packages = ['java.util', 'java.util.concurrent', 'java.security', 'java.lang'];
  return [
    ...['-Xms64m', '-Xmx512m', '-XX:MaxMetaspaceSize=256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
    ...packages.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
    `-Dkc.home.dir=${program}`,
    `-Djboss.server.config.dir=${path.join(program, 'conf')}`,
    '-Djava.util.logging.manager=org.jboss.logmanager.LogManager',
    ...['-cp', path.join(program, 'lib', 'quarkus-run.jar'), 'io.quarkus.bootstrap.runner.QuarkusEntryPoint'],
  ];
}

function listenArgs(url: string, port: number, manage: number, storePath: string): readonly string[] {
  return [
    `--hostname=${url}`,
    `--http-host=${HOST}`,
    `--https-port=${port}`,
    `--http-management-port=${manage}`,
    `--https-key-store-file=${storePath}`,
  ];
}

async function waitUntilReady(attempt: () => Promise<unknown>, log: () => string): Promise<void> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const isReady = await attempt().then(
      () => true,
      () => false,
    );
    if (isReady) return;
    if (Date.now() > deadlineMs)
      throw new Error(`Keycloak was not ready after ${READY_TIMEOUT_MS / 1_000} s:\n${log()}`);
    await delay(POLL_MS);
  }
}

/** A certificate for the loopback address that signs itself, by the keytool that every Java has. */
async function makeCertificate(
  folder: string,
  password: string,
): Promise<{ readonly storePath: string; readonly caPath: string }> {
  const storePath = path.join(folder, 'keycloak.p12');
  const caPath = path.join(folder, 'keycloak.crt');
  const store = ['-keystore', storePath, '-storetype', 'PKCS12', '-storepass', password, '-alias', 'keycloak'];
  const key = ['-keyalg', 'RSA', '-keysize', '2048', '-validity', '2'];
  await run('keytool', ['-genkeypair', ...store, ...key, '-dname', `CN=${HOST}`, '-ext', `san=ip:${HOST}`]);
  await run('keytool', ['-exportcert', '-rfc', ...store, '-file', caPath]);
  return { storePath, caPath };
}

/** Fetches the distribution, compares it with what is expected, and settles what only a build of its own can. */
async function install(staging: string): Promise<void> {
  const options = ['-q', '-B', `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${staging}`];
  // It leaves its markers where it runs.
  const maven = (goal: string) => run('mvn', [`${DEPENDENCY_PLUGIN}:${goal}`, ...options], staging);
  await maven('copy');
  const archive = path.join(staging, `keycloak-quarkus-dist-${VERSION}.zip`);
  const sha256 = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  if (sha256 !== SHA256) throw new Error(`${ARTIFACT} has the SHA-256 ${sha256}, expected ${SHA256}`);
  await rm(archive);
  await maven('unpack');
  await run('sh', [path.join(staging, FOLDER, 'bin', 'kc.sh'), 'build', '--db=dev-mem', '--cache=local']);
}

async function run(command: string, args: readonly string[], cwd?: string): Promise<void> {
  await promisify(execFile)(command, args, { timeout: COMMAND_TIMEOUT_MS, cwd });
}
