/** The small pure parts: addresses, links in text, dates and sizes, rows of a timeline. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { dayLabel, fileSize, folded, fullMoment, initials, shortMoment } from '../../web/core/format.js';
import { segments } from '../../web/core/links.js';
import { filterOf, href, parse, withFilter } from '../../web/core/router.js';
import { rowsOf } from '../../web/core/rows.js';
import { drawn } from '../../web/core/squares.js';

test('every_route_has_an_address_that_leads_back_to_it', () => {
  const routes = [
    { name: 'home' }, { name: 'test' }, { name: 'me' }, { name: 'admin', part: 'people' }, { name: 'admin', part: 'invitations' }, { name: 'admin', part: 'deliveries' }, { name: 'admin', part: 'practice' }, { name: 'admin', part: 'status' }, { name: 'share' }, { name: 'forgotten' }, { name: 'signUp' }, { name: 'signIn' },
    { name: 'bills', id: null, isNew: false }, { name: 'bills', id: 12, isNew: false }, { name: 'bills', id: 3, isNew: true },
    { name: 'conversation', id: 3, messageId: null }, { name: 'conversation', id: 3, messageId: 14 },
    { name: 'search', query: '' }, { name: 'search', query: 'bail & loyer é?' }, { name: 'invitation', token: 'aB3-_x' }, { name: 'setup', token: 'zz' }, { name: 'password', token: 'a1' }, { name: 'confirmation', token: 'b2' },
  ];
  for (const route of routes) assert.deepEqual(parse(href(route)), route);
});

test('the_filter_of_the_list_stands_in_the_address_beside_what_is_open', () => {
  for (const filter of ['all', 'unread', 'unanswered']) {
    for (const place of ['/', '/c/3/m/14', '/recherche?q=bail%20%26%20loyer']) {
      const address = withFilter(place, filter);
      assert.equal(filterOf(address), filter);
      assert.deepEqual(parse(address), parse(place));
      assert.equal(filterOf(withFilter(address, 'all')), 'all');
    }
  }
  assert.equal(withFilter('/', 'unread'), '/?filtre=non-lues');
  assert.equal(withFilter('/?filtre=non-lues', 'all'), '/');
  assert.equal(filterOf('/?filtre=toString'), 'all');
});

test('an_address_that_is_none_of_ours_is_lost_and_never_something_else', () => {
  for (const address of ['/c/', '/c/0', '/c/-1', '/c/1e3', '/c/99999999999999999999', '/c/3/m/x', '/C/3', '/invitation/', '/invitation/a/b', '/invitation/%3Cscript%3E', '/factures/0', '/factures/x', '/factures/nouvelle', '/factures/nouvelle/0', '/factures/3/4', '/__proto__', '/toString', '/confirmation', '/toString/a', '/__proto__/a', '/constructor/a']) {
    assert.deepEqual(parse(address), { name: 'lost' }, address);
  }
});

test('links_are_http_https_and_mail_and_nothing_else', () => {
  const links = (text) => segments(text).filter((segment) => segment.href).map((segment) => segment.href);
  assert.deepEqual(links('voir https://example.com/a?b=c, puis (http://exemple.fr/x(y)).'), ['https://example.com/a?b=c', 'http://exemple.fr/x(y)']);
  assert.deepEqual(links('écrire à jean.dupont@exemple.fr ou mailto:a@b.fr'), ['mailto:jean.dupont@exemple.fr', 'mailto:a@b.fr']);
  for (const text of ['javascript:alert(1)', 'JaVaScRiPt://x', 'data:text/html,x', 'vbscript:x', 'file:///etc/passwd', '//evil.example', 'www.x']) assert.deepEqual(links(text), [], text);
});

test('segments_joined_are_the_text_again_whatever_it_is', () => {
  const texts = ['', 'a', 'https://', 'http://a.b.c…', '<img src=x onerror=alert(1)> https://x.y/"onmouseover=1', 'x'.repeat(10_000), 'a@'.repeat(5_000), 'http://'.repeat(1_400), `http://a${')'.repeat(9_000)}`, '\u202Ehttps://a.b\u202C', '\u0000 \uD800'];
  for (const text of texts) {
    const began = process.cpuUsage();
    assert.equal(segments(text).map((segment) => segment.text).join(''), text);
    assert.ok(process.cpuUsage(began).user < 200_000, `slow on ${text.slice(0, 20)}`);
  }
});

test('days_and_moments_read_as_people_say_them', () => {
  const words = { today: 'Aujourd’hui', yesterday: 'Hier' };
  const now = new Date(2026, 2, 4, 10, 0).getTime();
  const at = (...date) => new Date(...date).toISOString();
  assert.equal(dayLabel(at(2026, 2, 4, 0, 1), now, 'fr', words), 'Aujourd’hui');
  assert.equal(dayLabel(at(2026, 2, 3, 23, 59), now, 'fr', words), 'Hier');
  assert.equal(dayLabel(at(2026, 2, 2, 12), now, 'fr', words), 'lundi 2 mars 2026');
  assert.equal(shortMoment(at(2026, 2, 4, 9, 5), now, 'fr', 'hier'), '09:05');
  assert.equal(shortMoment(at(2026, 2, 3, 9, 5), now, 'fr', 'hier'), 'hier');
  assert.match(shortMoment(at(2025, 2, 3), now, 'fr', 'hier'), /2025/);
  assert.match(fullMoment(at(2026, 2, 4, 14, 5), 'en'), /14:05$/, 'one clock everywhere');
});

test('sizes_and_initials', () => {
  assert.equal(fileSize(0, 'fr'), '0 o');
  assert.equal(fileSize(1536, 'fr'), '1,5 Ko');
  assert.equal(fileSize(104_857_600, 'en'), '100 MB');
  for (const [name, letters] of [['Camille Roux', 'CR'], ['Me Claire de La Tour', 'CT'], ['Zoé', 'Z'], ['', '·'], ['\u202E💥', '·'], ['李 明', '李明']]) assert.equal(initials(name), letters, name);
  assert.equal(folded('Résiliation'), 'resiliation');
});

const said = (id, minutes, senderId = 6) => ({ id, senderId, createdAt: new Date(2026, 2, 4, 10, minutes).toISOString() });

test('messages_of_one_author_within_five_minutes_stand_together', () => {
  const rows = rowsOf([said(1, 0), said(2, 3), said(3, 9), said(4, 10, 1)], [], null, 1).filter((row) => row.kind === 'message');
  assert.deepEqual(rows.map((row) => [row.starts, row.ends]), [[true, false], [false, true], [true, true], [true, true]]);
});

test('the_line_of_new_messages_stands_above_the_first_of_them_and_days_are_parted', () => {
  const rows = rowsOf([said(1, 0), said(2, 1), said(3, 24 * 60)], [], 2, 1);
  assert.deepEqual(rows.map((row) => row.kind), ['day', 'message', 'unread', 'message', 'day', 'message']);
  assert.equal(new Set(rows.map((row) => row.key)).size, rows.length, 'keys are unique');
});

test('what_waits_since_yesterday_stands_at_the_end_and_no_day_comes_twice', () => {
  const waiting = (clientMessageId, minutes) => ({ clientMessageId, createdAt: said(1, minutes).createdAt, stage: 'failed' });
  const rows = rowsOf([said(1, 0), said(2, 24 * 60)], [waiting('x', 5), waiting('y', 24 * 60 + 5)], null, 1);
  assert.deepEqual(rows.map((row) => row.kind), ['day', 'message', 'day', 'message', 'entry', 'entry']);
  assert.equal(new Set(rows.map((row) => row.key)).size, rows.length, 'keys are unique');
});

test('a_row_keeps_its_key_when_its_message_has_arrived', () => {
  const entry = { clientMessageId: 'x', createdAt: said(1, 0).createdAt, stage: 'sending' };
  const before = rowsOf([], [entry], null, 1).at(-1);
  const after = rowsOf([{ ...said(1, 0, 1), clientMessageId: 'x' }], [], null, 1).at(-1);
  assert.equal(before.key, after.key);
});

test('a_code_is_drawn_square_by_square_as_its_bits_say', () => {
  const rows = ['101', '110', '011'];
  const bits = rows.join('').padEnd(16, '0');
  const dark = btoa(String.fromCharCode(parseInt(bits.slice(0, 8), 2), parseInt(bits.slice(8), 2)));
  const path = drawn({ size: 3, dark });
  assert.equal(path, 'M0 0h1v1H0zM2 0h1v1H2zM0 1h2v1H0zM1 2h2v1H1z');
});
