/** What other programs find in a recording. */
import { execFileSync, spawnSync } from 'node:child_process';

/** Pictures that are compared: small, and not as often as what is played moves in circles. */
const STILL = { width: 64, height: 27 };
const STILLS_A_SECOND = 1.3;

/** @param {import('./server.js').Server} server @param {number} attachmentId @returns {Promise<string>} where it can be fetched for a while */
async function addressOf(server, attachmentId) {
  const { body } = await server.call('POST', `/attachments/${attachmentId}/link`, { token: await server.tokenOf('juriste1') });
  return server.url + body.url;
}

/**
 * What ffprobe says of a file that was recorded.
 * @param {import('./server.js').Server} server @param {number} attachmentId @returns {Promise<{kinds: string[], seconds: number}>}
 */
export async function probed(server, attachmentId) {
  const address = await addressOf(server, attachmentId);
  const said = execFileSync('ffprobe', ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', address]);
  const { streams, format } = JSON.parse(said.toString());
  return { kinds: streams.map((one) => one.codec_type).sort(), seconds: Number(format.duration) };
}

/**
 * What is heard in a file that was recorded, and seen from one moment to another.
 * @param {import('./server.js').Server} server @param {number} attachmentId
 * @param {[from: number, to: number][]} spans in seconds
 * @returns {Promise<{loudest: number, seen: {pictures: number, left: number, right: number}[]}>} `loudest` in dB, 0 at most; of each span
 * how many pictures there are, and how far any two are from each other on either side, 255 at most
 */
export async function watched(server, attachmentId, spans) {
  const address = await addressOf(server, attachmentId);
  const heard = spawnSync('ffmpeg', ['-nostdin', '-i', address, '-vn', '-af', 'volumedetect', '-f', 'null', '-']).stderr.toString();
  const told = execFileSync('ffprobe', ['-v', 'quiet', '-select_streams', 'v', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', address]);
  const times = told.toString().split('\n').map(parseFloat);
  const seen = spans.map(([from, to]) => {
    const small = execFileSync('ffmpeg', [
      '-v', 'quiet', '-nostdin', '-ss', String(from), '-t', String(to - from), '-i', address, '-an',
      '-vf', `fps=${STILLS_A_SECOND},scale=${STILL.width}:${STILL.height}`, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-',
    ]);
    const pictures = times.filter((one) => one >= from && one < to).length;
    return { pictures, left: movement(small, 'left'), right: movement(small, 'right') };
  });
  return { loudest: Number(/max_volume: (\S+) dB/.exec(heard)?.[1]), seen };
}

/**
 * How far any two stills are from each other on one side, where they are furthest: colours that change little by little are as far
 * from the still before as the browser had time to change them.
 * @param {Buffer} stills @param {'left'|'right'} side
 */
function movement(stills, side) {
  const line = STILL.width * 3;
  const still = line * STILL.height;
  const least = new Uint8Array(still).fill(255);
  const most = new Uint8Array(still);
  for (const [at, byte] of stills.entries()) {
    least[at % still] = Math.min(least[at % still], byte);
    most[at % still] = Math.max(most[at % still], byte);
  }
  const isThere = (at) => (at % line < line / 2) === (side === 'left');
  return most.reduce((furthest, byte, at) => (isThere(at) ? Math.max(furthest, byte - least[at]) : furthest), 0);
}
