/** A loudspeaker that nobody hears: on a machine without any, Firefox opens no sound, and so mixes no voices. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/node.mjs';

/** @returns {Promise<{env: NodeJS.ProcessEnv, close: () => void}>} `env`: what a browser is started with to find it */
export async function loudspeaker() {
  const folder = mkdtempSync(join(tmpdir(), 'lexchat-sound-'));
  const socket = join(folder, 'native');
  const started = spawn('pulseaudio', [
    '-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--disable-shm',
    '-L', 'module-null-sink', '-L', `module-native-protocol-unix socket=${socket} auth-anonymous=1`,
  ], { stdio: 'ignore', env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder } });
  let fault = null;
  started.on('error', (error) => { fault = error; });
  await until(() => {
    if (fault ?? started.exitCode !== null) throw fault ?? new Error('pulseaudio did not start');
    return existsSync(socket);
  }, 'a loudspeaker');
  return {
    env: { ...process.env, PULSE_SERVER: `unix:${socket}` },
    close: () => {
      started.kill();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
