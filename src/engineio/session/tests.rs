//! The state machine, by a hand-moved clock.

use bytes::Bytes;

use super::*;
use crate::engineio::packet::Text;

const INTERVAL: Duration = Duration::from_millis(300);
const TIMEOUT: Duration = Duration::from_millis(200);

fn session(carrier: Carrier) -> (Session, Instant) {
    let limits = Limits {
        ping_interval: INTERVAL,
        ping_timeout: TIMEOUT,
        close_timeout: Duration::from_secs(5),
        queue_bytes_max: 1000,
    };
    let now = Instant::now();
    let mut session = Session::open(limits, carrier, Frame::Text(Bytes::from_static(b"0{}")), now);
    match carrier {
        Carrier::Polling => drop(session.poll()),
        Carrier::WebSocket => leave(&mut session),
    }
    session.take_stirred();
    (session, now)
}

/// What a WebSocket writes.
fn leave(session: &mut Session) {
    while let Some(unit) = session.take_unit() {
        session.written(unit.cost());
    }
}

fn text(message: &str) -> Packet {
    Packet::Message(Message::Text(Text::from(message)))
}

fn frame(text: &'static str) -> Frame {
    Frame::Text(Bytes::from_static(text.as_bytes()))
}

#[test]
fn a_ping_is_sent_when_due_and_its_pong_starts_over() {
    let (mut session, began) = session(Carrier::WebSocket);
    assert_eq!(session.deadline(began), began + INTERVAL);
    session.tick(began + INTERVAL - Duration::from_millis(1), true);
    assert!(session.take_unit().is_none());
    session.tick(began + INTERVAL, true);
    assert_eq!(session.take_unit(), Some(Unit::from(Frame::PING)));
    assert_eq!(session.deadline(began + INTERVAL), began + INTERVAL + TIMEOUT);
    let pong = began + INTERVAL + TIMEOUT / 2;
    assert_eq!(session.receive(Ok(Packet::Pong(Text::from(""))), pong), None);
    assert_eq!(session.deadline(pong), pong + INTERVAL);
    session.tick(began + INTERVAL + TIMEOUT, true);
    assert!(session.is_open());
}

#[test]
fn a_missing_pong_ends_the_session_at_the_planned_time() {
    let (mut session, began) = session(Carrier::WebSocket);
    session.tick(began + INTERVAL + Duration::from_millis(5), true);
    session.tick(began + INTERVAL + TIMEOUT - Duration::from_millis(1), true);
    assert!(session.is_open());
    session.tick(began + INTERVAL + TIMEOUT, true);
    assert!(session.is_closed());
}

#[test]
fn a_ping_that_was_sent_late_is_still_owed_its_pong() {
    let (mut session, began) = session(Carrier::WebSocket);
    let woken = began + Duration::from_secs(3600);
    session.tick(woken, true);
    session.tick(woken + TIMEOUT / 2, true);
    assert!(session.is_open());
    session.tick(woken + TIMEOUT, true);
    assert!(session.is_closed());
}

#[test]
fn a_pong_that_may_lie_unread_is_waited_for() {
    let (mut session, began) = session(Carrier::WebSocket);
    session.tick(began + INTERVAL, true);
    let late = began + INTERVAL + TIMEOUT;
    session.tick(late, false);
    assert!(session.is_open());
    assert_eq!(session.deadline(late), late + PATIENCE);
    session.tick(late, true);
    assert!(session.is_closed());
}

#[test]
fn a_pong_nobody_asked_for_changes_nothing() {
    let (mut session, began) = session(Carrier::WebSocket);
    session.receive(Ok(Packet::Pong(Text::from(""))), began + INTERVAL / 2);
    assert_eq!(session.deadline(began), began + INTERVAL);
}

#[test]
fn a_post_under_way_may_bring_the_pong() {
    let (mut session, began) = session(Carrier::Polling);
    session.tick(began + INTERVAL, true);
    assert_eq!(session.begin_post(), Ok(()));
    session.tick(began + INTERVAL + TIMEOUT, true);
    assert!(session.is_open());
    session.end_post();
    session.tick(began + INTERVAL + TIMEOUT, true);
    assert!(session.is_closed());
}

#[test]
fn what_is_queued_is_bounded_also_while_it_is_being_written() {
    let (mut session, _) = session(Carrier::WebSocket);
    let unit = || Unit::text(&"x".repeat(435));
    assert!(session.send(unit()) && session.send(unit()));
    let taken = session.take_unit().expect("queued").cost();
    assert_eq!(taken, 500);
    session.written(taken);
    assert!(session.send(unit()));
    assert!(session.take_unit().is_some());
    assert!(!session.send(Unit::text("")), "a unit that is being written is forgotten");
    assert!(session.is_closed() && session.take_unit().is_none());
}

#[test]
fn pings_that_nobody_fetches_are_bounded_too() {
    let (mut session, mut now) = session(Carrier::Polling);
    for _ in 0..1000 {
        now += INTERVAL;
        session.tick(now, true);
        // The client answers what it has not seen.
        let _ = session.post(vec![Packet::Pong(Text::from(""))], now);
        assert!(session.queue_bytes() <= 1000 || session.is_closed());
    }
    assert!(session.is_closed());
}

#[test]
fn a_poll_waits_for_packets_and_takes_them_all() {
    let (mut session, _) = session(Carrier::Polling);
    assert_eq!(session.begin_poll(), Ok(()));
    assert_eq!(session.poll(), None);
    assert!(session.send(Unit::text("a")) && session.send(Unit::binary(Bytes::from_static(&[1]))));
    assert!(session.take_stirred().poll);
    assert_eq!(session.poll(), Some(vec![frame("4a"), Frame::Binary(Bytes::from_static(&[1]))]));
    assert_eq!(session.poll(), None);
    session.end_poll();
    assert!(session.send(Unit::text("b")));
    assert_eq!(session.take_stirred(), Stirred::default(), "somebody is woken for nothing");
}

#[test]
fn a_poll_takes_sixteen_packets_and_never_splits_a_unit() {
    let (mut session, _) = session(Carrier::Polling);
    for _ in 0..3 {
        assert!(session.send(Unit::text("x")));
    }
    let parts = [const { Bytes::from_static(b"") }; 13];
    // One unit over the bound of the queue is never queued, so take a session with more room.
    session.limits.queue_bytes_max = 100_000;
    assert!(session.send(Unit::text("y").with_attachments(&parts)));
    assert!(session.send(Unit::text("z").with_attachments(&[const { Bytes::from_static(b"") }; 20])));
    let counts: Vec<usize> = std::iter::from_fn(|| session.poll()).map(|frames| frames.len()).collect();
    assert_eq!(counts, [3, 14, 21]);
    assert_eq!(session.queue_bytes, 0);
}

#[test]
fn a_second_poll_or_post_ends_the_session() {
    let (mut polled, _) = session(Carrier::Polling);
    assert_eq!(polled.begin_poll(), Ok(()));
    assert_eq!(polled.begin_post(), Ok(()));
    assert_eq!(polled.begin_poll(), Err(Misplaced::Doubled));
    assert_eq!(polled.poll(), Some(vec![Frame::CLOSE]));
    assert_eq!(polled.begin_poll(), Err(Misplaced::Closed));
    let (mut posted, _) = session(Carrier::Polling);
    assert_eq!(posted.begin_post(), Ok(()));
    assert_eq!(posted.begin_post(), Err(Misplaced::Doubled));
    assert!(posted.is_closed());
}

#[test]
fn an_upgrade_takes_a_probe_and_happens_once() {
    let (mut session, _) = session(Carrier::Polling);
    assert_eq!(session.begin_poll(), Ok(()));
    assert!(!session.finish_upgrade(), "without a probe");
    assert!(session.begin_probe());
    assert!(!session.begin_probe(), "a second one");
    assert!(!session.finish_upgrade(), "before the probe was answered");
    assert_eq!(session.poll(), None);
    session.probed();
    assert_eq!(session.poll(), Some(vec![Frame::NOOP]));
    session.end_poll();
    assert!(session.send(Unit::text("kept")));
    assert!(session.finish_upgrade());
    assert_eq!(session.begin_poll(), Err(Misplaced::OtherCarrier));
    assert_eq!(session.begin_post(), Err(Misplaced::OtherCarrier));
    assert!(!session.begin_probe());
    assert_eq!(session.take_unit(), Some(Unit::text("kept")));
}

#[test]
fn an_abandoned_probe_leaves_polling_as_it_was() {
    let (mut session, _) = session(Carrier::Polling);
    assert!(session.begin_probe());
    session.probed();
    session.abandon_probe();
    assert!(!session.finish_upgrade());
    assert_eq!(session.begin_poll(), Ok(()));
    assert_eq!(session.poll(), None);
    assert!(session.begin_probe());
}

#[test]
fn a_closing_session_lets_out_what_is_queued_and_nothing_more() {
    let (mut polling, now) = session(Carrier::Polling);
    assert!(polling.send(Unit::text("a")));
    polling.close(now);
    assert!(!polling.send(Unit::text("b")));
    for (answer, is_last) in [(frame("4a"), false), (Frame::CLOSE, true)] {
        assert_eq!(polling.begin_poll(), Ok(()));
        assert_eq!(polling.poll(), Some(vec![answer]), "the end travels alone");
        assert_eq!(polling.is_closed(), is_last);
        polling.end_poll();
    }
    let (mut websocket, now) = session(Carrier::WebSocket);
    assert!(websocket.send(Unit::text("a")));
    websocket.close(now);
    assert!(!websocket.is_drained());
    leave(&mut websocket);
    assert!(websocket.is_drained());
}

#[test]
fn a_closing_session_does_not_wait_for_ever() {
    let (mut session, now) = session(Carrier::Polling);
    assert!(session.send(Unit::text("a")));
    session.close(now);
    session.tick(now + Duration::from_millis(100), true);
    assert!(!session.is_closed());
    session.tick(now + Duration::from_secs(5), true);
    assert!(session.is_closed());
}

#[test]
fn a_goodbye_by_post_ends_polls_in_peace_and_drops_what_follows() {
    let (mut session, now) = session(Carrier::Polling);
    assert_eq!(session.begin_poll(), Ok(()));
    assert_eq!(session.post(vec![text("a"), Packet::Close, text("b")], now), Ok(()));
    assert_eq!(session.poll(), Some(vec![Frame::NOOP]));
    assert!(!session.owes_farewell());
    assert_eq!(session.take_message(), Some(Message::Text(Text::from("a"))));
    assert_eq!(session.take_message(), None);
}

#[test]
fn packets_that_only_a_probe_may_send_end_the_session() {
    for packet in [Packet::Ping(Text::from("probe")), Packet::Upgrade] {
        let (mut posted, now) = session(Carrier::Polling);
        assert_eq!(posted.post(vec![packet.clone()], now), Err(Malformed));
        assert!(posted.is_closed());
        let (mut carried, now) = session(Carrier::WebSocket);
        assert_eq!(carried.receive(Ok(packet), now), None);
        assert!(carried.is_closed());
    }
}

#[test]
fn a_post_waits_until_the_last_one_was_taken() {
    let (mut session, now) = session(Carrier::Polling);
    assert!(session.may_read_post());
    assert_eq!(session.post(vec![text("a"), text("b")], now), Ok(()));
    assert!(session.take_stirred().owner);
    assert_eq!(session.begin_post(), Ok(()));
    assert!(session.take_message().is_some() && !session.may_read_post());
    assert!(!session.take_stirred().post);
    assert!(session.take_message().is_some() && session.may_read_post());
    assert!(session.take_stirred().post);
}
