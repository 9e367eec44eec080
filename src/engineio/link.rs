//! What the two ends of a session share: its state behind a lock, and who waits for it to change.
//!
//! The lock is held for moments and never across an await. Whoever changes the state wakes those whom the change
//! concerns; a session that ends leaves the registry by the same step.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;

use crate::engineio::registry::{Leave, Registry, Sid};
use crate::engineio::session::Session;
use crate::engineio::session::state::Stirred;
use crate::engineio::websocket::WebSocket;

/// The WebSocket of a session, as the HTTP server hands it over.
pub(super) type Upgrade = Box<WebSocket<TokioIo<Upgraded>>>;

/// Who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiter {
    Owner,
    Poll,
    Post,
}

pub(super) struct Link {
    sid: Sid,
    address: IpAddr,
    registry: Arc<Registry<Link>>,
    shared: Mutex<Shared>,
}

struct Shared {
    session: Session,
    owner: Option<Waker>,
    poll: Option<Waker>,
    post: Option<Waker>,
    /// A WebSocket that finished its upgrade and waits for the owner.
    handover: Option<Upgrade>,
    admitted: bool,
    entered: bool,
}

impl Link {
    pub(super) fn new(sid: Sid, address: IpAddr, registry: Arc<Registry<Link>>, session: Session) -> Self {
        let shared =
            Shared { session, owner: None, poll: None, post: None, handover: None, admitted: false, entered: true };
        Self { sid, address, registry, shared: Mutex::new(shared) }
    }

    /// Looks at the session or changes it, and wakes whom that concerns.
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut Session) -> R) -> R {
        self.locked(|shared| change(&mut shared.session))
    }

    /// As [`Link::with`]; unless `change` brings a result, `waiter` is woken when there is something to look at.
    pub(super) fn wait<R>(
        &self,
        waiter: Waiter,
        cx: &Context<'_>,
        change: impl FnOnce(&mut Session) -> Option<R>,
    ) -> Option<R> {
        self.locked(|shared| {
            let result = change(&mut shared.session);
            if result.is_none() {
                shared.enlist(waiter, cx.waker());
            }
            result
        })
    }

    /// Hands a WebSocket over to the owner; `Err` gives it back if it may not take over.
    pub(super) fn hand_over(&self, websocket: Upgrade) -> Result<(), Upgrade> {
        self.locked(|shared| {
            if !shared.session.finish_upgrade() {
                return Err(websocket);
            }
            shared.handover = Some(websocket);
            Ok(())
        })
    }

    pub(super) fn take_handover(&self) -> Option<Upgrade> {
        self.locked(|shared| shared.handover.take())
    }

    /// The session no longer counts against its address.
    pub(super) fn admit(&self) {
        let counted = self.locked(|shared| !std::mem::replace(&mut shared.admitted, true) && shared.entered);
        if counted {
            self.registry.admit(self.address);
        }
    }

    fn locked<R>(&self, change: impl FnOnce(&mut Shared) -> R) -> R {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut shared);
        let woken = shared.dismiss();
        let left = shared.session.is_closed() && std::mem::replace(&mut shared.entered, false);
        let leave = Leave { counted: !shared.admitted, owes_farewell: shared.session.owes_farewell() };
        drop(shared);
        if left {
            self.registry.remove(self.sid, self.address, leave);
        }
        woken.into_iter().flatten().for_each(Waker::wake);
        result
    }
}

impl Shared {
    fn enlist(&mut self, waiter: Waiter, waker: &Waker) {
        let place = match waiter {
            Waiter::Owner => &mut self.owner,
            Waiter::Poll => &mut self.poll,
            Waiter::Post => &mut self.post,
        };
        match place {
            Some(known) => known.clone_from(waker),
            None => *place = Some(waker.clone()),
        }
    }

    /// The wakers of those who have something to look at.
    fn dismiss(&mut self) -> [Option<Waker>; 3] {
        let Stirred { owner, poll, post } = self.session.take_stirred();
        [
            owner.then(|| self.owner.take()).flatten(),
            poll.then(|| self.poll.take()).flatten(),
            post.then(|| self.post.take()).flatten(),
        ]
    }
}
