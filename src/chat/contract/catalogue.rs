//! Every event of the socket: its name, its data, and what acknowledges it or to whom it goes.
//!
//! The one list of them. The page at `/api` is made from it. Tests hold against it what the gateway reads and sends, the
//! tables of README and GUIDE, the fields of acknowledgements and events as they arrive, and the tables of who may do what.

/// An event that a client may send.
#[derive(Debug)]
pub struct Asked {
    /// `noun:verb`.
    pub name: &'static str,
    /// Its fields; those with `?` may be left out.
    pub data: &'static str,
    /// What stands in its acknowledgement beside `success: true`.
    pub ack: &'static [&'static str],
}

/// An event that the server sends.
#[derive(Debug)]
pub struct Announced {
    /// `noun:verb`, or one word.
    pub name: &'static str,
    /// Its fields.
    pub data: &'static str,
    /// To whom it goes, and when; in French, for the page.
    pub to: &'static str,
}

/// Every event that a client may send.
pub const ASKED: &[Asked] = &[
    Asked {
        name: "conversation:join",
        data: "{conversationId}",
        ack: &["message", "conversation", "messages", "hasMore", "onlineUsers", "history", "call"],
    },
    Asked { name: "conversation:leave", data: "{conversationId}", ack: &["message"] },
    Asked { name: "conversation:users:online", data: "{conversationId}", ack: &["onlineUsers"] },
    Asked {
        name: "conversation:history",
        data: "{conversationId, before?, after?, around?, limit?}",
        ack: &["messages", "hasMoreBefore", "hasMoreAfter"],
    },
    Asked {
        name: "conversation:sync",
        data: "{conversationId, rev, history?}",
        ack: &["messages", "rev", "hasMore", "reads", "history"],
    },
    Asked { name: "conversation:unread", data: "{conversationId, messageId}", ack: &["conversation"] },
    Asked {
        name: "message:send",
        data: "{conversationId, content, attachments?, files?, replyToId?, clientMessageId?}",
        ack: &["message", "duplicate"],
    },
    Asked { name: "message:edit", data: "{messageId, content}", ack: &["message"] },
    Asked { name: "message:delete", data: "{messageId}", ack: &["message"] },
    Asked { name: "message:react", data: "{messageId, emoji, remove?}", ack: &["reactions"] },
    Asked { name: "message:read", data: "{messageId}", ack: &["lastReadMessageId", "unreadCount"] },
    Asked { name: "message:typing", data: "{conversationId, isTyping}", ack: &[] },
    Asked {
        name: "message:search",
        data: "{query, conversationId?, senderId?, from?, to?, limit?, cursor?}",
        ack: &["results", "nextCursor"],
    },
    Asked { name: "call:start", data: "{conversationId, media}", ack: &["call"] },
    // Where calls go through Jitsi, `jitsi` stands for `direct`.
    Asked { name: "call:join", data: "{callId, seat, takeOver?}", ack: &["call", "direct"] },
    Asked { name: "call:signal", data: "{callId, toSeat, data}", ack: &["delivered"] },
    Asked { name: "call:decline", data: "{callId}", ack: &["call"] },
    Asked { name: "call:leave", data: "{callId}", ack: &["call"] },
    Asked { name: "call:end", data: "{callId}", ack: &["call"] },
    Asked { name: "call:recording", data: "{callId, ask?, consent?, keep?, version?}", ack: &["call"] },
    Asked { name: "auth:refresh", data: "{token}", ack: &["expiresAt"] },
    Asked { name: "presence:attention", data: "{visible}", ack: &[] },
];

/// Every event that the server sends.
pub const ANNOUNCED: &[Announced] = &[
    Announced {
        name: "message:new",
        data: "{message, timestamp}",
        to: "aux sockets des deux membres qui ont rejoint, ceux de l’auteur compris",
    },
    Announced { name: "message:edited", data: "{message, timestamp}", to: "à qui a rejoint" },
    Announced { name: "message:deleted", data: "{message, timestamp}", to: "à qui a rejoint" },
    Announced {
        name: "message:reaction",
        data: "{messageId, conversationId, emoji, userId, action, reactions, rev, timestamp}",
        to: "à qui a rejoint ; action vaut added ou removed",
    },
    Announced {
        name: "message:read:ack",
        data: "{messageId, conversationId, readBy, timestamp}",
        to: "à qui a rejoint ; tout est lu jusqu’à messageId",
    },
    Announced {
        name: "user:typing",
        data: "{userId, conversationId, isTyping, timestamp}",
        to: "à qui a rejoint, sauf aux sockets de qui écrit ; s’éteint seul après 6 s",
    },
    Announced {
        name: "user:online",
        data: "{userId, timestamp}",
        to: "à qui partage une conversation avec cette personne",
    },
    Announced {
        name: "user:offline",
        data: "{userId, timestamp}",
        to: "à qui partage une conversation avec cette personne",
    },
    Announced { name: "conversation:new", data: "{conversation, timestamp}", to: "aux deux membres" },
    Announced {
        name: "conversation:updated",
        data: "{conversation, timestamp}",
        to: "aux membres pour qui elle a changé",
    },
    Announced {
        name: "notification",
        data: "{type, conversationId, messageId, senderId, senderName, preview, unreadCount, timestamp}",
        to: "aux sockets du destinataire qui n’ont pas rejoint",
    },
    Announced {
        name: "notifications:settings",
        data: "{settings, timestamp}",
        to: "aux sockets de qui a changé ses choix de notification",
    },
    Announced {
        name: "invoice:updated",
        data: "{invoice, timestamp}",
        to: "au juriste ; dès l’émission au client et aux administrateurs",
    },
    Announced { name: "billing:updated", data: "{userId, billing, timestamp}", to: "au client et à ses juristes" },
    Announced {
        name: "call:incoming",
        data: "{call, timestamp}",
        to: "aux sockets de la personne appelée, et à ceux qui se connectent pendant que cela sonne",
    },
    Announced { name: "call:updated", data: "{call, timestamp}", to: "aux deux membres" },
    Announced {
        name: "call:taken",
        data: "{callId}",
        to: "au socket dont la place dans l’appel est prise par un autre de la même personne",
    },
    Announced { name: "call:signal", data: "{callId, fromSeat, data}", to: "au seul socket de la place visée" },
    Announced { name: "auth:expiring", data: "{expiresAt}", to: "60 s avant la fin du jeton" },
    Announced {
        name: "auth:expired",
        data: "{reason}",
        to: "à la fin du jeton ou de la session ; le serveur déconnecte",
    },
    Announced {
        name: "exception",
        data: "{status, message, code, event}",
        to: "quand un événement sans accusé échoue",
    },
];

impl Asked {
    /// The event of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Asked> {
        ASKED.iter().find(|event| event.name == name)
    }
}

impl Announced {
    /// The event of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Announced> {
        ANNOUNCED.iter().find(|event| event.name == name)
    }

    /// The names of its fields.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.data.trim_matches(['{', '}']).split(", ")
    }
}
