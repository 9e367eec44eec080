/** The life of a message: what may be claimed about it, and when. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { next, verdict } from '../../web/core/lifecycle.js';

const STAGES = /** @type {const} */ (['queued', 'sending', 'sent', 'read', 'failed', 'gone']);
const TURNS = /** @type {const} */ (['take', 'accept', 'lose', 'refuse', 'retry', 'discard', 'read']);

test('sent_is_reached_by_the_servers_word_alone', () => {
  for (const stage of STAGES) {
    for (const turn of TURNS) {
      if (next(stage, turn) === 'sent' && stage !== 'sent') assert.equal(turn, 'accept', `${stage} by ${turn}`);
      if (next(stage, turn) === 'read' && stage !== 'read') assert.deepEqual([stage, turn], ['sent', 'read']);
    }
  }
});

test('a_sent_message_never_becomes_unsent', () => {
  for (const turn of TURNS) assert.ok(['sent', 'read'].includes(next('sent', turn)), turn);
});

test('a_lost_acknowledgement_puts_the_message_back_in_the_queue', () => {
  assert.equal(next('sending', 'lose'), 'queued');
});

test('what_was_given_up_never_comes_back', () => {
  for (const turn of TURNS) assert.equal(next('gone', turn), 'gone');
});

test('each_answer_of_the_server_has_its_verdict', () => {
  const table = [
    [new Error('timeout'), undefined, 'lose'],
    [null, undefined, 'lose'],
    [null, { success: true }, 'accept'],
    [null, { success: false, code: 'RATE_LIMITED', retryAfter: 3 }, 'lose'],
    [null, { success: false, code: 'UNAVAILABLE' }, 'lose'],
    [null, { success: false, code: 'INTERNAL' }, 'lose'],
    [null, { success: false }, 'lose'],
    [null, { success: false, code: 'INVALID', error: 'why' }, 'refuse'],
    [null, { success: false, code: 'FORBIDDEN' }, 'refuse'],
    [null, { success: false, code: 'NOT_FOUND' }, 'refuse'],
    [null, { success: false, code: 'CONFLICT' }, 'refuse'],
    [null, { success: false, code: 'TOO_LARGE' }, 'refuse'],
  ];
  for (const [lost, reply, turn] of table) assert.equal(verdict(lost, reply).turn, turn, JSON.stringify(reply));
  assert.equal(verdict(null, { success: false, code: 'RATE_LIMITED', retryAfter: 3 }).waitMs, 3000);
  assert.equal(verdict(null, { success: false, code: 'INVALID', error: 'why' }).reason, 'why');
});
