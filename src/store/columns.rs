//! How the nouns stand in columns: ids and times as integers, words as text.
//!
//! A number that is no id, or a word that is none of ours, is an error of the read, never a wrong value.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use crate::model::call::{CallState, EndReason, Media, Provider};
use crate::model::cents::Cents;
use crate::model::day::Day;
use crate::model::id::{
    AttachmentId, CallId, ConversationId, DeliveryId, DeviceId, InvitationId, InvoiceId, MessageId, PaymentId,
    SessionId, UserId,
};
use crate::model::locale::Locale;
use crate::model::recording::RecordingState;
use crate::model::session::SessionNonce;
use crate::model::timestamp::Timestamp;
use crate::model::user::{PasswordHash, Role};

macro_rules! id_columns {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_i64().into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let number = value.as_i64()?;
                $name::new(number).ok_or(FromSqlError::OutOfRange(number))
            }
        }
    )*};
}

id_columns! {
    UserId SessionId ConversationId MessageId AttachmentId InvitationId DeviceId DeliveryId InvoiceId PaymentId CallId
}

macro_rules! word_columns {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                $name::find(value.as_str()?).ok_or(FromSqlError::InvalidType)
            }
        }
    )*};
}

word_columns! { CallState EndReason Media Provider RecordingState }

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_millis().into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Timestamp::from_millis)
    }
}

impl ToSql for Cents {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Cents {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Cents)
    }
}

impl ToSql for Day {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl FromSql for Day {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(FromSqlError::other)
    }
}

impl ToSql for SessionNonce {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_slice().into())
    }
}

impl FromSql for SessionNonce {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(SessionNonce)
    }
}

impl ToSql for Role {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Role {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(FromSqlError::other)
    }
}

impl ToSql for Locale {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.tag().into())
    }
}

impl FromSql for Locale {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Locale::find(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for PasswordHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_str().into())
    }
}

impl FromSql for PasswordHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(PasswordHash(value.as_str()?.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn what_is_stored_comes_back_and_nonsense_is_an_error() {
        let conn = Connection::open_in_memory().unwrap();
        let user_id = UserId::new(7).unwrap();
        let back = conn.query_row(
            "SELECT ?1, ?2, ?3, ?4",
            (user_id, Timestamp::from_millis(12), Role::Juriste, Locale::English),
            |row| {
                Ok((
                    row.get::<_, UserId>(0)?,
                    row.get::<_, Timestamp>(1)?,
                    row.get::<_, Role>(2)?,
                    row.get::<_, Locale>(3)?,
                ))
            },
        );
        assert_eq!(back.unwrap(), (user_id, Timestamp::from_millis(12), Role::Juriste, Locale::English));
        assert!(conn.query_row("SELECT 0", [], |row| row.get::<_, UserId>(0)).is_err());
        assert!(conn.query_row("SELECT 'root'", [], |row| row.get::<_, Role>(0)).is_err());
        assert!(conn.query_row("SELECT 'de'", [], |row| row.get::<_, Locale>(0)).is_err());
        assert!(conn.query_row("SELECT NULL", [], |row| row.get::<_, Option<UserId>>(0)).unwrap().is_none());
    }
}
