/** What another program finds in a recording. */
import { execFileSync } from 'node:child_process';

/**
 * What ffprobe says of a file that was recorded.
 * @param {import('./server.js').Server} server @param {number} attachmentId @returns {Promise<{kinds: string[], seconds: number}>}
 */
export async function probed(server, attachmentId) {
  const { body } = await server.call('POST', `/attachments/${attachmentId}/link`, { token: await server.tokenOf('juriste1') });
  const said = execFileSync('ffprobe', ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', server.url + body.url]);
  const { streams, format } = JSON.parse(said.toString());
  return { kinds: streams.map((one) => one.codec_type).sort(), seconds: Number(format.duration) };
}
