/** The server's own entries, as those who read them see them: a call that nobody took, a bill. */
import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import { loadTexts, setLocale } from '../../web/core/i18n.js';
import { apply, initial } from '../../web/core/state.js';
import { farewell } from '../../web/views/call_words.js';
import { gist, spoken } from '../../web/views/wording.js';

const CALLER = 1;
const CALLEE = 6;
const person = (id) => ({ id, name: 'Anne Roy', role: id === CALLER ? 'client' : 'juriste' });
const entry = (state, more = {}) => ({
  id: 4, conversationId: 1, senderId: CALLER, kind: 'call', content: 'Appel manqué', rev: 4, files: [], attachments: null, reactions: [],
  createdAt: '2026-11-28T10:00:00.000Z', call: { state, media: 'audio', startedBy: CALLER, answeredAt: null, endedAt: null, endReason: null }, invoice: null, ...more,
});
const bill = (content, type = 'standard') => entry('', { kind: 'invoice', content, call: null, invoice: { type, number: 'F2026-00042' } });
const text = (id) => entry('', { id, rev: id, kind: 'text', content: 'Bonjour', call: null });

let EntryLine, sentence;
before(async () => {
  await loadTexts();
  ({ EntryLine, sentence } = await import('../../web/views/entry_line.js'));
});

test('a_call_that_nobody_took_is_missed_for_who_was_called_alone', async () => {
  const lines = (locale) => setLocale(locale).then(() => ['missed', 'busy', 'cancelled', 'declined'].map((state) =>
    [CALLER, CALLEE].map((myId) => EntryLine({ entry: entry(state), text: entry(state).content, myId }))));
  assert.deepEqual(await lines('en'), [['Call not answered', 'Missed call'], ['Already on a call', 'Missed call'], ['Call cancelled', 'Missed call'], ['Call declined', 'Call declined']]);
  const french = await lines('fr');
  assert.deepEqual(french[0], ['Appel sans réponse', 'Appel manqué']);
  for (const [mine, theirs] of french.slice(0, 3)) assert.deepEqual([/manqué/.test(mine), theirs], [false, 'Appel manqué']);
});

test('it_is_quoted_and_spoken_as_it_is_drawn', () => {
  const props = (myId) => ({ message: entry('missed'), own: myId === CALLER, author: person(CALLER), peer: person(7 - myId), myId, fate: 'sent', quote: null });
  assert.equal(gist(entry('missed'), CALLER), 'Appel sans réponse');
  assert.equal(gist(entry('missed'), CALLEE), 'Appel manqué');
  assert.match(spoken(props(CALLER)), /^Vous, \d\d:\d\d, Appel sans réponse, Envoyé$/);
  assert.match(spoken(props(CALLEE)), /^Anne Roy, \d\d:\d\d, Appel manqué$/);
});

test('a_bill_is_named_in_the_language_of_who_reads_it_and_a_kind_unknown_to_the_page_by_its_content', async () => {
  const line = (message) => EntryLine({ entry: message, text: message.content, myId: CALLER });
  await setLocale('en');
  assert.deepEqual([bill('Facture F2026-00042'), bill('Rappel : Facture F2026-00042'), bill('Avoir F2026-00042', 'credit')].map(line), ['Invoice F2026-00042', 'Reminder: Invoice F2026-00042', 'Credit note F2026-00042']);
  await setLocale('fr');
  assert.equal(line(bill('Rappel : Facture F2026-00042')), 'Rappel\u00A0: Facture F2026-00042');
  assert.equal(line(entry('', { kind: 'poll', content: 'Sondage', call: null })), 'Sondage');
});

test('what_is_said_of_a_new_entry_is_in_the_language_of_the_page_whether_its_conversation_is_open_or_not', async () => {
  const conversation = { id: 1, clientId: CALLER, lawyerId: CALLEE, client: person(CALLER), lawyer: person(CALLEE), rev: 3, unreadCount: 0 };
  const started = [{ type: 'signedIn', me: person(CALLEE) }, { type: 'conversationsLoaded', conversations: [conversation] }].reduce(apply, initial());
  const ring = (content) => ({ conversationId: 1, messageId: 4, senderId: CALLER, text: content });
  const said = (message, isOpen) => {
    const { call, invoice, kind, content } = message;
    const events = isOpen ? [{ type: 'messageReceived', message }] : [
      { type: 'notified', conversationId: 1, messageId: 4, senderId: CALLER, preview: content, unreadCount: 1, timestamp: message.createdAt },
      { type: 'conversationChanged', conversation: { ...conversation, rev: 4, lastMessageId: 4, lastMessageText: content, lastMessageEntry: { kind, call, invoice } } },
    ];
    return sentence([{ ...ring(content), ...(isOpen ? {} : { senderName: 'Anne Roy' }) }], events.reduce(apply, started));
  };
  await setLocale('en');
  for (const isOpen of [true, false]) {
    assert.equal(said(entry('missed'), isOpen), 'Anne Roy: Missed call');
    assert.equal(said(bill('Facture F2026-00042'), isOpen), 'Anne Roy: Invoice F2026-00042');
    assert.equal(said({ ...text(4), content: 'Bonjour **Anne**', rev: 4 }, isOpen), 'Anne Roy: Bonjour Anne');
  }
  assert.equal(sentence([ring('Appel manqué')], started), 'Anne Roy: Appel manqué', 'of what is not known yet the server’s line is said');
  await setLocale('fr');
  assert.equal(said(entry('missed'), true), 'Anne Roy\u00A0: Appel manqué');
});

test('who_called_is_told_why_nobody_answers', async () => {
  const told = (state, endReason = null) => farewell({ ...entry(state).call, endReason }, CALLER, 'Anne Roy');
  assert.deepEqual(['declined', 'busy', 'missed'].map((state) => told(state)), ['Anne Roy a refusé l’appel.', 'Anne Roy est déjà en ligne.', 'Anne Roy n’a pas répondu.']);
  assert.deepEqual([told('missed', 'quiet'), told('busy', 'quiet')], Array(2).fill('Anne Roy ne reçoit pas d’appels maintenant.'));
  assert.match(told('missed', 'restart'), /le serveur a redémarré/);
  assert.equal(told('cancelled'), '', 'who gives up knows it');
});

test('the_list_knows_what_the_last_message_is_and_forgets_it_with_the_next_one', () => {
  const conversation = { id: 1, clientId: CALLER, lawyerId: CALLEE, client: person(CALLER), lawyer: person(CALLEE), lastMessageAt: null, lastMessageText: null, unreadCount: 0, lastReadMessageId: null, peerLastReadMessageId: null, rev: 0, isActive: true, createdAt: '2026-01-01T00:00:00.000Z' };
  const told = (state, ...events) => events.reduce(apply, state);
  const shown = (state) => [state.conversations[1].lastMessageText, state.conversations[1].lastMessageEntry?.call?.state ?? null];
  const ready = told(initial(), { type: 'signedIn', me: person(CALLER) }, { type: 'conversationsLoaded', conversations: [conversation] });
  const called = told(ready, { type: 'messageReceived', message: text(3) }, { type: 'messageReceived', message: entry('missed') });
  assert.deepEqual(shown(called), ['Appel manqué', 'missed']);
  assert.deepEqual(shown(told(called, { type: 'messageReceived', message: text(5) })), ['Bonjour', null]);
  assert.deepEqual(shown(told(called, { type: 'messageChanged', message: entry('declined', { rev: 6 }) })), ['Appel manqué', 'declined']);
  assert.deepEqual(shown(told(called, { type: 'conversationsLoaded', conversations: [conversation] })), ['Appel manqué', 'missed'], 'an older list takes nothing back');
  const fresh = { ...conversation, rev: 9, lastMessageText: 'Appel manqué', lastMessageEntry: { kind: 'call', call: entry('busy').call, invoice: null } };
  assert.deepEqual(shown(told(called, { type: 'conversationChanged', conversation: fresh })), ['Appel manqué', 'busy']);
  const text9 = { ...conversation, rev: 9, lastMessageText: 'Bonjour' };
  assert.deepEqual(shown(told(called, { type: 'conversationChanged', conversation: text9 })), ['Bonjour', null], 'nothing is said of a text');
  const notified = { type: 'notified', conversationId: 1, messageId: 9, senderId: CALLEE, preview: 'Bonsoir', unreadCount: 1, timestamp: '2026-11-28T11:00:00.000Z' };
  assert.deepEqual(shown(told(called, notified)), ['Bonsoir', null]);
});
