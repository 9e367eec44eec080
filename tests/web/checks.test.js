/** What an administrator is told that only the page sees. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { loadTexts, setLocale } from '../../web/core/i18n.js';
import { callRows } from '../../web/views/call_words.js';
import { clockRows, secondsApart } from '../../web/views/clocks.js';

test('clocks_that_are_apart_are_named_with_what_mends_them', async () => {
  await setLocale('en');
  const verdicts = (apart) => clockRows(apart).map((row) => [row.check, row.verdict, Boolean(row.remedy)]);
  assert.deepEqual(verdicts(null), [], 'a server that does not answer says nothing about clocks');
  assert.deepEqual([verdicts(0), verdicts(60)].flat(), Array(2).fill(['clock', 'good', false]));
  assert.deepEqual(verdicts(61), [['clock', 'bad', true]]);
});

test('the_servers_clock_is_read_from_its_answer', async (context) => {
  const real = globalThis.fetch;
  context.after(() => (globalThis.fetch = real));
  const answers = (headers) => (globalThis.fetch = async () => new Response('ok', { headers }));
  answers({ date: new Date(Date.now() - 90_000).toUTCString() });
  assert.ok(Math.abs((await secondsApart()) - 90) <= 2);
  answers({});
  assert.equal(await secondsApart(), null);
  globalThis.fetch = () => Promise.reject(new TypeError('offline'));
  assert.equal(await secondsApart(), null);
});

test('who_is_reached_from_several_networks_is_warned_where_no_relay_carries_calls', async () => {
  await loadTexts();
  await setLocale('fr');
  const rows = (calls, hostname = 'chat.cabinet.example') => callRows(calls && { mayStart: true, provider: 'direct', hasRelay: false, ...calls }, hostname);
  const [row] = rows({});
  assert.deepEqual([row.check, row.verdict, /--ice-server turn/.test(row.remedy)], ['calls', 'warning', true]);
  assert.match(row.text, /dans un même réseau/);
  for (const far of [{ hasRelay: true }, { provider: 'jitsi' }]) assert.deepEqual(rows(far).map(({ verdict }) => verdict), ['good']);
  assert.deepEqual([rows(null), rows({}, 'localhost'), rows({}, '192.168.1.10')].flat(), []);
});
