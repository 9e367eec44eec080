//! All that can be asked to change, by the room whose rules carry it out, each with the type of its reply.
//!
//! A command says what is wanted; who wants it is the actor beside it. Slow work is done before: a password arrives here
//! hashed, a file in chunks. Each room matches its own commands exhaustively, so that one without a rule does not compile.

use std::sync::Arc;

use serde_json::Value;

use crate::chat::contract::error::Reason;
use crate::chat::contract::reply::{
    CallStarted, ConversationOpened, DeviceRegistered, Invited, MessageSent, PartStored, ReadMarkMoved, SessionOpened,
    SetupLink,
};
use crate::chat::contract::request::{Ask, Request, Settled};
use crate::model::account::Account;
use crate::model::attachment::FileRef;
use crate::model::billing::ShownInvoice;
use crate::model::call::Call;
use crate::model::conversation::Conversation;
use crate::model::id::AttachmentId;
use crate::model::message::{Reaction, Shared};
use crate::model::notices::NoticeSettings;
use crate::model::party::Buyer;
use crate::model::user::Profile;
use crate::store::outbox::Leased;

pub mod attachments;
pub mod billing;
pub mod calls;
pub mod conversations;
pub mod deliveries;
pub mod notices;
pub mod people;
pub mod recordings;
pub mod stripe;
pub mod system;

use attachments::{AppendChunk, BeginUpload, CancelUpload, FinishUpload};
use billing::{
    CreateInvoice, CreditInvoice, DeleteInvoice, IssueInvoice, NoteTransmission, RecordPayment, RefundInvoice,
    RemindInvoice, ResumeBilling, ReversePayment, StoreDocument, UpdateBuyer, UpdateInvoice, UpdatePractice,
};
use calls::{
    DeclineCall, DeleteRecording, FinishRecording, JoinCall, LeaveCall, RecordCall, SealRecording, StartCall, StorePart,
};
use conversations::{
    CreateConversation, DeleteMessage, EditMessage, MarkUnread, MuteConversation, ReactToMessage, ReadConversation,
    ReadMessage, SendMessage,
};
use deliveries::{
    LeaseDeliveries, RaiseNotices, ReleaseDeliveries, RetryDelivery, SendTestMail, SettleDeliveries, TestDevice,
};
use notices::{RegisterDevice, RemoveDevice, UpdateNotices};
use people::{
    AcceptInvitation, AddUser, AdmitAttempt, ChangePassword, ConfirmEmail, CreateInvitation, CreateSetupLink,
    EndSession, EndUserSessions, FailSignIn, OpenSession, RecordLastSeen, RefreshSession, Rehash,
    RequestEmailConfirmation, RequestPasswordReset, ResetPassword, RevokeInvitation, SetPassword, SetUp, SignOut,
    SignUp, Unsubscribe, UpdateProfile, UpdateUser,
};
use recordings::{
    Admission, AdmitRecording, AppendRecording, AwaitRecording, CompleteRecording, DropRecording, PostponeRecording,
};
use stripe::{
    BookCheckout, BookRefunds, FailCheckout, FailRefund, NoteCheckout, NoteDispute, NoteEventsAsked, OpenCheckout,
    PostponeStripe, SettleStripeEvent, StoreStripeEvent,
};
use system::{DetectOutsideWrites, EndCalls, IndexMessages, RemoveDiscarded, RotateKeys, Tidy};

macro_rules! commands {
    ($($(#[$doc:meta])* $room:ident($set:ident) { $($command:ident => $reply:ty,)* })*) => {
        /// One change to the practice's truth.
        #[derive(Debug)]
        pub enum Command {
            $($(#[$doc])* $room($set),)*
        }

        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $set {
                $($command(Ask<$command>),)*
            }

            $(
                impl Request for $command {
                    type Reply = $reply;
                }

                impl From<Ask<$command>> for Command {
                    fn from(ask: Ask<$command>) -> Self {
                        Self::$room($set::$command(ask))
                    }
                }
            )*
        )*

        impl Command {
            /// Refuses the command without a look at it.
            #[must_use]
            pub fn refuse(self, reason: Reason) -> Settled {
                match self {
                    $($(Self::$room($set::$command(ask)) => ask.refuse(reason),)*)*
                }
            }
        }
    };
}

commands! {
    /// What is said.
    Conversation(ConversationCommand) {
        CreateConversation => ConversationOpened,
        SendMessage => MessageSent,
        EditMessage => Arc<Shared>,
        DeleteMessage => Arc<Shared>,
        ReactToMessage => Vec<Reaction>,
        ReadMessage => ReadMarkMoved,
        ReadConversation => Arc<Conversation>,
        MarkUnread => Arc<Conversation>,
        MuteConversation => Arc<Conversation>,
    }

    /// What is told to who is not looking.
    Notice(NoticeCommand) {
        UpdateNotices => NoticeSettings,
        RegisterDevice => DeviceRegistered,
        RemoveDevice => (),
        TestDevice => (),
    }

    /// What leaves the house.
    Delivery(DeliveryCommand) {
        LeaseDeliveries => Vec<Leased>,
        ReleaseDeliveries => (),
        SettleDeliveries => (),
        RaiseNotices => (),
        RetryDelivery => (),
        SendTestMail => (),
    }

    /// Files on their way.
    Attachment(AttachmentCommand) {
        BeginUpload => AttachmentId,
        AppendChunk => (),
        FinishUpload => FileRef,
        CancelUpload => (),
    }

    /// Who there is.
    People(PeopleCommand) {
        SignUp => SessionOpened,
        AdmitAttempt => (),
        OpenSession => SessionOpened,
        FailSignIn => (),
        RefreshSession => Option<SessionOpened>,
        SignOut => (),
        EndSession => (),
        UpdateProfile => Profile,
        ChangePassword => (),
        Rehash => (),
        RecordLastSeen => (),
        CreateInvitation => Invited,
        RevokeInvitation => (),
        AcceptInvitation => SessionOpened,
        CreateSetupLink => SetupLink,
        SetUp => SessionOpened,
        AddUser => Profile,
        UpdateUser => Account,
        SetPassword => (),
        EndUserSessions => (),
        RequestPasswordReset => (),
        ResetPassword => SessionOpened,
        RequestEmailConfirmation => (),
        ConfirmEmail => String,
        Unsubscribe => (),
    }

    /// Bills.
    Billing(BillingCommand) {
        UpdatePractice => Value,
        UpdateBuyer => Buyer,
        CreateInvoice => ShownInvoice,
        UpdateInvoice => ShownInvoice,
        DeleteInvoice => (),
        IssueInvoice => ShownInvoice,
        StoreDocument => (),
        RecordPayment => ShownInvoice,
        ReversePayment => ShownInvoice,
        RemindInvoice => ShownInvoice,
        CreditInvoice => ShownInvoice,
        RefundInvoice => ShownInvoice,
        NoteTransmission => ShownInvoice,
        ResumeBilling => (),
    }

    /// What is asked of Stripe, and what it tells.
    Stripe(StripeCommand) {
        OpenCheckout => i64,
        NoteCheckout => (),
        FailCheckout => (),
        BookCheckout => (),
        PostponeStripe => (),
        BookRefunds => bool,
        FailRefund => (),
        StoreStripeEvent => bool,
        SettleStripeEvent => (),
        NoteEventsAsked => (),
        NoteDispute => (),
    }

    /// Who calls whom.
    Call(CallCommand) {
        StartCall => CallStarted,
        JoinCall => Arc<Call>,
        DeclineCall => Arc<Call>,
        LeaveCall => Arc<Call>,
        RecordCall => Arc<Call>,
        StorePart => PartStored,
        FinishRecording => Arc<Call>,
        DeleteRecording => Arc<Call>,
        SealRecording => (),
        AdmitRecording => Admission,
        AppendRecording => (),
        CompleteRecording => Arc<Call>,
        DropRecording => (),
        AwaitRecording => bool,
        PostponeRecording => (),
    }

    /// What the program itself does now and then.
    System(SystemCommand) {
        RotateKeys => (),
        DetectOutsideWrites => bool,
        IndexMessages => (),
        RemoveDiscarded => bool,
        Tidy => bool,
        EndCalls => (),
    }
}

impl Command {
    /// Whether the command takes conversations from memory alone, and writes by one statement after which nothing can go
    /// wrong: a refusal leaves nothing to take back.
    #[must_use]
    pub fn is_light(&self) -> bool {
        match self {
            Self::Conversation(ConversationCommand::SendMessage(ask)) => {
                let SendMessage { files, attachments, .. } = ask.request();
                files.is_empty() && attachments.is_empty()
            }
            _ => false,
        }
    }
}

impl PeopleCommand {
    /// Whether what is remembered of people, sessions and memberships may be wrong once this is carried out. What only
    /// lets somebody in, or counts who tried, changes nothing that is remembered.
    #[must_use]
    pub fn changes_memberships(&self) -> bool {
        !matches!(
            self,
            Self::AdmitAttempt(_)
                | Self::OpenSession(_)
                | Self::FailSignIn(_)
                | Self::Rehash(_)
                | Self::RecordLastSeen(_)
                | Self::RequestPasswordReset(_)
        )
    }
}
