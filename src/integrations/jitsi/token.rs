//! Who may enter which room, as whom, until when.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::hmac;
use serde_json::{Value, json};

use super::room::Room;
use crate::integrations::https::origin::Origin;
use crate::integrations::jws::{self, CannotSign, RsaKey};

/// How 8x8's application ids begin.
const JAAS_PREFIX: &str = "vpaas-magic-cookie-";
/// Jitsi's servers allow no difference between clocks, so tokens begin a little earlier.
const LEEWAY: Duration = Duration::from_secs(60);

/// A Jitsi server and what it trusts.
#[derive(Clone)]
pub struct Settings {
    server: Origin,
    app_id: String,
    signing: Signing,
}

#[derive(Clone)]
enum Signing {
    Hs256(hmac::Key),
    Rs256 { key: RsaKey, key_id: String },
}

/// Why a server cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadServer {
    /// The application's id.
    #[error("the application's id is empty, or has characters that no id has")]
    AppId,
    /// The secret.
    #[error("the application's secret is empty")]
    Secret,
    /// The key's id.
    #[error("the key's id is empty, or has characters that no id has")]
    KeyId,
    /// 8x8 with a secret.
    #[error("8x8 wants a key (RS256), not a secret")]
    JaasWithSecret,
}

impl Settings {
    /// A server that shares a secret with us (`app_secret`).
    ///
    /// # Errors
    ///
    /// [`BadServer`].
    pub fn with_secret(server: Origin, app_id: &str, secret: &str) -> Result<Settings, BadServer> {
        let secret = secret.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            return Err(BadServer::Secret);
        }
        if app_id.starts_with(JAAS_PREFIX) {
            return Err(BadServer::JaasWithSecret);
        }
        let signing = Signing::Hs256(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
        Settings::new(server, app_id, signing)
    }

    /// A server that knows our public key by an id; 8x8's too, whose application ids begin with `vpaas-magic-cookie-` and whose
    /// key ids with the application's.
    ///
    /// # Errors
    ///
    /// [`BadServer`].
    pub fn with_key(server: Origin, app_id: &str, key: RsaKey, key_id: &str) -> Result<Settings, BadServer> {
        if !is_id(key_id, "-_./:") {
            return Err(BadServer::KeyId);
        }
        Settings::new(server, app_id, Signing::Rs256 { key, key_id: key_id.to_owned() })
    }

    fn new(server: Origin, app_id: &str, signing: Signing) -> Result<Settings, BadServer> {
        if !is_id(app_id, "-_.") {
            return Err(BadServer::AppId);
        }
        Ok(Settings { server, app_id: app_id.to_owned(), signing })
    }

    /// Where its pages are: for the page's `frame-src`.
    pub fn server(&self) -> &Origin {
        &self.server
    }

    /// The application's id at the server.
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// Whether it is 8x8's.
    pub fn is_jaas(&self) -> bool {
        self.app_id.starts_with(JAAS_PREFIX)
    }

    /// Lets somebody in.
    ///
    /// # Errors
    ///
    /// Only where the system has no randomness (RS256).
    pub fn admit(&self, guest: &Guest<'_>, now: SystemTime) -> Result<Admission, CannotSign> {
        let expires_at = now + guest.valid_for;
        let claims = self.claims(guest, now, expires_at);
        let token = match &self.signing {
            Signing::Hs256(key) => jws::hs256(key, &claims),
            Signing::Rs256 { key, key_id } => jws::rs256(key, key_id, &claims)?,
        };
        let room = match self.is_jaas() {
            true => format!("{}/{}", self.app_id, guest.room.as_str()),
            false => guest.room.as_str().to_owned(),
        };
        let url = format!("{}/{room}", self.server);
        Ok(Admission { url, domain: self.server.host().to_owned(), room, token, expires_at })
    }

    fn claims(&self, guest: &Guest<'_>, now: SystemTime, expires_at: SystemTime) -> Value {
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (issuer, subject) =
            if self.is_jaas() { ("chat", self.app_id.as_str()) } else { (self.app_id.as_str(), self.server.host()) };
        // The server's modules read text and nothing else in `user`.
        let mut user = json!({"id": guest.id, "name": guest.name, "moderator": guest.moderator.to_string()});
        if !self.is_jaas() {
            user["affiliation"] = json!(if guest.moderator { "owner" } else { "member" });
        }
        json!({
            "iss": issuer,
            "aud": "jitsi",
            "sub": subject,
            "room": guest.room.as_str(),
            "nbf": seconds(now - LEEWAY),
            "exp": seconds(expires_at),
            "context": {
                "user": user,
                // Without this object a server decides by itself who may record.
                "features": {
                    "recording": guest.may_record,
                    "livestreaming": false,
                    "transcription": false,
                    "file-upload": false,
                    "inbound-call": false,
                    "outbound-call": false,
                    "sip-inbound-call": false,
                    "sip-outbound-call": false,
                },
            },
        })
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.signing {
            Signing::Hs256(_) => "HS256",
            Signing::Rs256 { .. } => "RS256",
        };
        write!(f, "Settings({}, {}, {kind})", self.server, self.app_id)
    }
}

/// Somebody who is let in.
#[derive(Clone, Debug)]
pub struct Guest<'a> {
    /// Into which room.
    pub room: &'a Room,
    /// Who, to us.
    pub id: &'a str,
    /// Who, to the others.
    pub name: &'a str,
    /// Whether they lead the call.
    pub moderator: bool,
    /// Whether they may start the server's recorder.
    pub may_record: bool,
    /// How long they may enter.
    pub valid_for: Duration,
}

/// The way in.
#[derive(Clone)]
pub struct Admission {
    /// The room's page, without the token.
    pub url: String,
    /// The server's host.
    pub domain: String,
    /// The room's name at the server.
    pub room: String,
    /// What lets in.
    pub token: String,
    /// Until when.
    pub expires_at: SystemTime,
}

impl Admission {
    /// The room's page with the token in its fragment, which no server writes down.
    pub fn link(&self) -> String {
        format!("{}#jwt={}", self.url, self.token)
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Admission({})", self.domain)
    }
}

fn is_id(text: &str, also: &str) -> bool {
    !text.is_empty() && text.len() <= 200 && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::testing::RSA_KEY;

    fn room() -> Room {
        Room::parse("lex-aaisem2ekvthpcezvk54zxpo74").unwrap()
    }

    fn guest(room: &Room) -> Guest<'_> {
        Guest {
            room,
            id: "7",
            name: "Me Dupré",
            moderator: true,
            may_record: true,
            valid_for: Duration::from_secs(3600),
        }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_server_of_ones_own_gets_what_its_modules_check() {
        let settings = Settings::with_secret("https://Meet.Example".parse().unwrap(), "lexchat", "secret\n").unwrap();
        let admission = settings.admit(&guest(&room()), at(10_000)).unwrap();
        assert_eq!(admission.url, "https://meet.example/lex-aaisem2ekvthpcezvk54zxpo74");
        assert_eq!((admission.domain.as_str(), admission.room.as_str()), ("meet.example", room().as_str()));
        assert_eq!(admission.link(), format!("{}#jwt={}", admission.url, admission.token));
        let (header, claims) = jws::parts(&admission.token);
        assert_eq!(header, json!({"alg": "HS256", "typ": "JWT"}));
        for (claim, value) in [
            ("iss", json!("lexchat")),
            ("aud", json!("jitsi")),
            ("sub", json!("meet.example")),
            ("room", json!(room().as_str())),
            ("nbf", json!(9940)),
            ("exp", json!(13_600)),
        ] {
            assert_eq!(claims[claim], value, "{claim}");
        }
        let user = json!({"id": "7", "name": "Me Dupré", "moderator": "true", "affiliation": "owner"});
        assert_eq!(claims["context"]["user"], user);
        assert_eq!(claims["context"]["features"]["recording"], true);
    }

    #[test]
    fn only_who_may_record_is_told_so() {
        let settings = Settings::with_secret("https://meet.example".parse().unwrap(), "lexchat", "secret").unwrap();
        let room = room();
        let client = Guest { moderator: false, may_record: false, ..guest(&room) };
        let (_, claims) = jws::parts(&settings.admit(&client, at(10_000)).unwrap().token);
        let features = claims["context"]["features"].as_object().unwrap();
        assert!(features.values().all(|allowed| *allowed == json!(false)), "{features:?}");
        assert_eq!(claims["context"]["user"]["moderator"], "false");
    }

    #[test]
    fn eight_by_eight_gets_its_own_form() {
        let key = RsaKey::from_pem(RSA_KEY.as_bytes()).unwrap();
        let app_id = "vpaas-magic-cookie-0123";
        let server: Origin = "https://8x8.vc".parse().unwrap();
        let settings = Settings::with_key(server.clone(), app_id, key, "vpaas-magic-cookie-0123/abc").unwrap();
        let admission = settings.admit(&guest(&room()), at(10_000)).unwrap();
        assert_eq!(admission.url, format!("https://8x8.vc/{app_id}/{}", room().as_str()));
        let (header, claims) = jws::parts(&admission.token);
        assert_eq!(header, json!({"alg": "RS256", "typ": "JWT", "kid": "vpaas-magic-cookie-0123/abc"}));
        assert_eq!(
            (&claims["iss"], &claims["sub"], &claims["room"]),
            (&json!("chat"), &json!(app_id), &json!(room().as_str()))
        );
        assert_eq!(Settings::with_secret(server, app_id, "x").unwrap_err(), BadServer::JaasWithSecret);
    }

    #[test]
    fn what_is_no_setting_is_refused_and_secrets_are_not_shown() {
        let server = || "https://meet.example".parse::<Origin>().unwrap();
        let key = || RsaKey::from_pem(RSA_KEY.as_bytes()).unwrap();
        assert_eq!(Settings::with_secret(server(), "", "x").unwrap_err(), BadServer::AppId);
        assert_eq!(Settings::with_secret(server(), "a/b", "x").unwrap_err(), BadServer::AppId);
        assert_eq!(Settings::with_secret(server(), "a", "\n").unwrap_err(), BadServer::Secret);
        assert_eq!(Settings::with_key(server(), "a", key(), "").unwrap_err(), BadServer::KeyId);
        assert_eq!(Settings::with_key(server(), "a", key(), "a b").unwrap_err(), BadServer::KeyId);
        let settings = Settings::with_secret(server(), "a", "hidden").unwrap();
        assert_eq!(format!("{settings:?}"), "Settings(https://meet.example, a, HS256)");
        let admission = settings.admit(&guest(&room()), at(10_000)).unwrap();
        assert_eq!(format!("{admission:?}"), "Admission(meet.example)");
    }
}
