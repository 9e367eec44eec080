// Each proxy with its configuration of docs/deploy: only the name, the ports and the certificate are put in their places.

import { spawn, execFile } from 'node:child_process';
import { readFile, writeFile, mkdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const deploy = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'docs', 'deploy');
const NAME = 'messagerie.example.fr';
/** Who starts nginx on a machine without IPv6 takes that line away. */
const HAS_IPV6 = Object.values(networkInterfaces()).flat().some(({ family }) => family === 'IPv6');

/** Replaces each of the pairs, which must occur. @param {string} text @param {[string|RegExp, string][]} pairs */
function put(text, pairs) {
  for (const [old, fresh] of pairs) {
    const changed = text.replaceAll(old, fresh);
    if (changed === text) throw new Error(`${old} does not occur in the configuration`);
    text = changed;
  }
  return text;
}

/** Takes the lines away that one of the expressions fits, which must occur. @param {string} text @param {RegExp[]} lines */
function without(text, lines) {
  for (const line of lines) if (!text.split('\n').some((have) => line.test(have))) throw new Error(`${line} does not occur in the configuration`);
  return text.split('\n').filter((have) => !lines.some((line) => line.test(have))).join('\n');
}

/**
 * What is written, how it is started, and how it takes up a changed configuration. `host` is the name that people use; with
 * `bare` what the proxy passes on is left to itself, as somebody may do who writes no more than a target.
 */
export const PROXIES = {
  nginx: {
    async prepare({ dir, port, upstream, bare }) {
      const text = await readFile(join(deploy, 'nginx.conf'), 'utf8');
      const site = put(bare ? without(text, [/^\s*proxy_set_header /, /^\s*proxy_http_version /]) : text, [
        [/\/etc\/letsencrypt\/live\/[^/]+\/fullchain\.pem/g, join(dir, 'cert.pem')],
        [/\/etc\/letsencrypt\/live\/[^/]+\/privkey\.pem/g, join(dir, 'key.pem')],
        [/listen 443/g, `listen ${port}`], HAS_IPV6 ? [/listen \[::\]:443/g, `listen [::]:${port}`] : [/^.*listen \[::\]:443.*$/gm, ''],
        [`server_name ${NAME}`, 'server_name localhost'], ['127.0.0.1:3000', `127.0.0.1:${upstream}`],
      ]);
      await writeFile(join(dir, 'site.conf'), site);
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${dir}/${kind};`);
      await writeFile(join(dir, 'nginx.conf'), `user root; pid ${dir}/nginx.pid; error_log ${dir}/error.log;
        events {} http { access_log off; ${temporary.join(' ')} include ${dir}/site.conf; }`);
    },
    command: ({ dir }) => ['nginx', '-e', join(dir, 'error.log'), '-c', join(dir, 'nginx.conf'), '-g', 'daemon off;'],
    reload: ({ child }) => child.kill('SIGHUP'),
  },
  caddy: {
    async prepare({ dir, port, upstream, admin, host = 'localhost' }) {
      const text = await readFile(join(deploy, 'Caddyfile'), 'utf8');
      await writeFile(join(dir, 'Caddyfile'), put(text, [
        [/^\{$/m, `{\n\tadmin localhost:${admin}\n\tauto_https off`],
        [/^messagerie\.example\.fr \{$/m, `https://${host}:${port} {\n\ttls ${dir}/cert.pem ${dir}/key.pem`],
        ['localhost:3000 {', `127.0.0.1:${upstream} {`],
      ].map(([old, fresh]) => [old instanceof RegExp ? new RegExp(old, `g${old.flags}`) : old, fresh])));
    },
    command: ({ dir }) => ['caddy', 'run', '--config', join(dir, 'Caddyfile'), '--adapter', 'caddyfile'],
    environment: ({ dir }) => ({ HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir }),
    reload: ({ dir, admin }) => run('caddy', ['reload', '--force', '--config', join(dir, 'Caddyfile'), '--adapter', 'caddyfile', '--address', `localhost:${admin}`], { env: { ...process.env, HOME: dir } }),
  },
  haproxy: {
    async prepare({ dir, port, upstream, bare }) {
      const papers = await Promise.all(['cert.pem', 'key.pem'].map((name) => readFile(join(dir, name), 'utf8')));
      await writeFile(join(dir, 'both.pem'), papers.join(''));
      const text = await readFile(join(deploy, 'haproxy.cfg'), 'utf8');
      await writeFile(join(dir, 'haproxy.cfg'), put(bare ? without(text, [/^\s*http-request set-header /]) : text, [
        ['bind :443', `bind :${port}`], [`/etc/haproxy/${NAME}.pem`, join(dir, 'both.pem')], ['127.0.0.1:3000', `127.0.0.1:${upstream}`],
      ]));
    },
    command: ({ dir }) => ['haproxy', '-W', '-f', join(dir, 'haproxy.cfg')],
    reload: ({ child }) => child.kill('SIGUSR2'),
  },
  apache: {
    async prepare({ dir, port, upstream, bare }) {
      const text = await readFile(join(deploy, 'apache.conf'), 'utf8');
      const passing = [/^\s*ProxyPreserveHost /, /^\s*RequestHeader /, /^\s*ProxyAddHeaders /];
      await writeFile(join(dir, 'site.conf'), put(bare ? put(without(text, passing), [[' upgrade=websocket', '']]) : text, [
        [/\/etc\/letsencrypt\/live\/[^/]+\/fullchain\.pem/g, join(dir, 'cert.pem')],
        [/\/etc\/letsencrypt\/live\/[^/]+\/privkey\.pem/g, join(dir, 'key.pem')],
        ['<VirtualHost *:443>', `<VirtualHost *:${port}>`], [`ServerName ${NAME}`, 'ServerName localhost'], ['127.0.0.1:3000', `127.0.0.1:${upstream}`],
      ]));
      await mkdir(join(dir, 'run'));
      const modules = ['mpm_event', 'authz_core', 'headers', 'http2', 'proxy', 'proxy_http', 'ssl', 'socache_shmcb'];
      const loads = modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
      await writeFile(join(dir, 'apache.conf'), `${loads.join('\n')}
ServerRoot ${dir}
DefaultRuntimeDir ${dir}/run
PidFile ${dir}/apache.pid
Mutex file:${dir}/run default
ErrorLog ${dir}/error.log
User www-data
Group www-data
ServerName localhost
Listen ${port}
Include ${dir}/site.conf
`);
    },
    command: ({ dir }) => ['apache2', '-f', join(dir, 'apache.conf'), '-DFOREGROUND'],
    reload: ({ child }) => child.kill('SIGUSR1'),
  },
};

/** Starts a proxy; what it needs to be reloaded and ended. */
export async function startProxy(name, place) {
  const proxy = PROXIES[name];
  await proxy.prepare(place);
  const [program, ...words] = proxy.command(place);
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: { ...process.env, ...proxy.environment?.(place) } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { output = (output + bytes).slice(-20_000); });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    output: () => output,
    reload: () => proxy.reload({ ...place, child }),
    async stop() {
      // The whole group: a reload may have left a process with the sockets that were open.
      try { process.kill(-child.pid, 'SIGKILL'); } catch { /* all of it has ended */ }
      await ended;
    },
  };
}
