//! Where sockets meet the chat: connections, the hub, presence.
