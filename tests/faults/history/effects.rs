//! Judges the changes that are no new messages: edits, deletions, reactions, read marks, invitations.
//!
//! Each thing has a key and a state; one client at a time changes it. At the end it must have the state that was last
//! said to be kept, or one that was tried afterwards and never answered.

use std::collections::BTreeMap;

use super::checker::{Fault, Kind};
use super::record::Record;

#[derive(Default)]
struct Thing<'a> {
    done: Option<&'a str>,
    /// Tried since, without an answer.
    open: Vec<&'a str>,
    found: Option<&'a str>,
}

/// Everything that is wrong with the effects in a history.
pub fn check(history: &[Record]) -> Vec<Fault> {
    let mut things: BTreeMap<&str, Thing> = BTreeMap::new();
    for record in history {
        match record {
            Record::Tried { key, state } => things.entry(key).or_default().open.push(state),
            Record::Done { key, state } => {
                let thing = things.entry(key).or_default();
                thing.done = Some(state);
                thing.open.clear();
            }
            Record::Found { key, state } => things.entry(key).or_default().found = Some(state),
            _ => {}
        }
    }
    things.iter().filter_map(|(key, thing)| fault(key, thing)).collect()
}

fn fault(key: &str, thing: &Thing) -> Option<Fault> {
    let Thing { done, open, found } = thing;
    let (kind, detail) = match (done, found) {
        (_, Some(found)) if open.contains(found) || *done == Some(*found) => return None,
        (None, None) => return None,
        (Some(done), None) => (Kind::Lost, format!("{key}: {done:?} was acknowledged, and there is nothing")),
        (Some(done), Some(found)) => (Kind::Lost, format!("{key}: {done:?} was acknowledged, and {found:?} is there")),
        (None, Some(found)) => (Kind::Phantom, format!("{key}: {found:?} is there, and nobody tried that")),
    };
    Some(Fault { kind, detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(state: &str) -> Record {
        Record::Tried { key: "text 1".into(), state: state.into() }
    }

    fn done(state: &str) -> Record {
        Record::Done { key: "text 1".into(), state: state.into() }
    }

    fn found(state: &str) -> Record {
        Record::Found { key: "text 1".into(), state: state.into() }
    }

    #[test]
    fn what_was_acknowledged_or_tried_after_it_is_sound() {
        for sound in [
            vec![tried("a"), done("a"), found("a")],
            vec![tried("a"), done("a"), tried("b"), found("a")],
            vec![tried("a"), done("a"), tried("b"), tried("b"), found("b")],
            vec![tried("a"), found("a")],
            vec![tried("a")],
        ] {
            assert_eq!(check(&sound), [], "{sound:?}");
        }
    }

    #[test]
    fn an_acknowledged_change_that_is_gone_is_lost() {
        for lost in [
            vec![tried("a"), done("a")],
            vec![tried("a"), done("a"), tried("b"), done("b"), found("a")],
            vec![tried("a"), done("a"), found("c")],
        ] {
            assert_eq!(check(&lost).iter().map(|fault| fault.kind).collect::<Vec<_>>(), [Kind::Lost], "{lost:?}");
        }
    }

    #[test]
    fn a_state_that_nobody_tried_is_a_phantom() {
        assert_eq!(check(&[tried("a"), found("c")])[0].kind, Kind::Phantom);
    }
}
