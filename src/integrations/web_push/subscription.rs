//! Where to push: what a browser gives to a page that subscribes, checked.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Uri;
use ring::agreement::{self, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey};
use ring::rand::SystemRandom;

use crate::integrations::https::origin::{AllowList, Origin, Rule};

/// The longest address of a device.
const ENDPOINT_BYTES_MAX: usize = 2048;
const CHROME: &str = "fcm.googleapis.com";
/// The push services with one name for all devices.
pub const PUBLIC_SERVICES: [&str; 3] = [CHROME, "updates.push.services.mozilla.com", "web.push.apple.com"];

/// The push services that may be used.
#[derive(Clone, Debug)]
pub struct Services {
    allowed: AllowList,
}

impl Services {
    /// Those of the browsers' makers: Google, Mozilla, Apple, Microsoft.
    pub fn known() -> Services {
        Services::with_extra([])
    }

    /// The same and what the operator typed (`--push-host`).
    pub fn with_extra(extra: impl IntoIterator<Item = Origin>) -> Services {
        let exact = PUBLIC_SERVICES.map(|host| Rule::Exact(host.parse().expect("a host name")));
        let below = ["push.apple.com", "notify.windows.com"].map(|domain| Rule::Below(domain.to_owned()));
        let extra = extra.into_iter().map(Rule::Exact);
        Services { allowed: AllowList::new(exact.into_iter().chain(below).chain(extra)) }
    }

    /// The origins, for the HTTP client.
    pub(super) fn allowed(&self) -> AllowList {
        self.allowed.clone()
    }
}

/// A browser's address at its push service and the keys to encrypt for it. Who knows the address can push, so it is in no
/// `Debug` output.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    endpoint: Uri,
    origin: Origin,
    public_key: Vec<u8>,
    auth: [u8; 16],
}

/// Why there is nothing to push to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSubscription {
    /// Not an address, too long, or not one of a push service that is allowed.
    #[error("the endpoint is not an address of a known push service")]
    Endpoint,
    /// Not an uncompressed point of P-256 in base64url.
    #[error("p256dh is not a public key of P-256")]
    PublicKey,
    /// Not 16 bytes in base64url.
    #[error("auth is not 16 bytes in base64url")]
    Auth,
}

impl Subscription {
    /// From what `PushSubscription.toJSON()` holds: the endpoint, `keys.p256dh` and `keys.auth`, both in base64url with or
    /// without padding.
    ///
    /// # Errors
    ///
    /// [`BadSubscription`].
    pub fn new(services: &Services, endpoint: &str, p256dh: &str, auth: &str) -> Result<Subscription, BadSubscription> {
        if endpoint.len() > ENDPOINT_BYTES_MAX {
            return Err(BadSubscription::Endpoint);
        }
        let endpoint: Uri = endpoint.parse().map_err(|_| BadSubscription::Endpoint)?;
        let origin = Origin::of(&endpoint).map_err(|_| BadSubscription::Endpoint)?;
        // On Google's host lives more than the push service.
        let is_push = |path: &str| path.starts_with("/fcm/send/") || path.starts_with("/wp/");
        if !services.allowed.allows(&origin)
            || (origin.host() == CHROME && !is_push(endpoint.path()))
            || has_other_spelling(&endpoint)
        {
            return Err(BadSubscription::Endpoint);
        }
        // Names of hosts are the same in capitals, and a port that goes without saying is none: one spelling for one address.
        let rest = endpoint.path_and_query().map_or("/", |rest| rest.as_str());
        let endpoint: Uri = format!("{origin}{rest}").parse().map_err(|_| BadSubscription::Endpoint)?;
        let public_key = decoded(p256dh).ok_or(BadSubscription::PublicKey)?;
        if !is_point(&public_key) {
            return Err(BadSubscription::PublicKey);
        }
        let auth = decoded(auth).and_then(|auth| auth.try_into().ok()).ok_or(BadSubscription::Auth)?;
        Ok(Subscription { endpoint, origin, public_key, auth })
    }

    /// The address in the one spelling by which it is known.
    pub fn endpoint(&self) -> &Uri {
        &self.endpoint
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    pub(super) fn auth(&self) -> &[u8; 16] {
        &self.auth
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subscription({}/…)", self.origin)
    }
}

/// Whether the path leads elsewhere than it says, or nowhere.
fn has_other_spelling(endpoint: &Uri) -> bool {
    let is_dots = |part: &str| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    let path = endpoint.path();
    path.len() < 2 || !path.is_ascii() || path.split('/').any(is_dots)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// Whether somebody can agree on a key with it: the library checks that a point lies on the curve only then.
fn is_point(public_key: &[u8]) -> bool {
    let agrees = || {
        let own = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new())?;
        agreement::agree_ephemeral(own, &UnparsedPublicKey::new(&ECDH_P256, public_key), |_| ())
    };
    agrees().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    fn endpoint(services: &Services, text: &str) -> Result<(), BadSubscription> {
        Subscription::new(services, text, KEY, AUTH).map(|_| ())
    }

    #[test]
    fn the_services_of_the_browsers_makers_are_known() {
        for text in [
            "https://fcm.googleapis.com/fcm/send/abc:DEF",
            "https://fcm.googleapis.com/wp/abc",
            "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
            "https://web.push.apple.com/QABC",
            "https://api.push.apple.com/QABC",
            "https://wns2-par02p.notify.windows.com/w/?token=B%2b",
        ] {
            assert_eq!(endpoint(&Services::known(), text), Ok(()), "{text}");
        }
    }

    #[test]
    fn an_address_has_one_spelling() {
        let known = |text: &str| Subscription::new(&Services::known(), text, KEY, AUTH).unwrap().endpoint().to_string();
        for text in [
            "https://fcm.googleapis.com/fcm/send/aB%2f?x=1",
            "https://FCM.GoogleAPIs.com/fcm/send/aB%2f?x=1",
            "HTTPS://fcm.googleapis.com:443/fcm/send/aB%2f?x=1",
            "https://fcm.googleapis.com/fcm/send/aB%2f?x=1#part",
        ] {
            assert_eq!(known(text), "https://fcm.googleapis.com/fcm/send/aB%2f?x=1", "{text}");
        }
    }

    #[test]
    fn no_other_address_is_pushed_to() {
        for text in [
            "",
            "nothing",
            "http://updates.push.services.mozilla.com/x",
            "https://updates.push.services.mozilla.com:8443/x",
            "https://updates.push.services.mozilla.com.evil.example/x",
            "https://evil.example/updates.push.services.mozilla.com",
            "https://x@updates.push.services.mozilla.com/x",
            "https://fcm.googleapis.com/v1/projects/p/messages:send",
            "https://fcm.googleapis.com/fcm/send/../../v1/projects/p/messages:send",
            "https://fcm.googleapis.com/fcm/send/%2E%2e/v1",
            "https://fcm.googleapis.com/fcm/send/./a",
            "https://web.push.apple.com",
            "https://web.push.apple.com/",
            "https://web.push.apple.com/é",
            "https://notify.windows.com/x",
            "https://evilnotify.windows.com.evil/x",
            "https://127.0.0.1/x",
            "https://localhost/x",
            "https://169.254.169.254/latest",
            "http://127.0.0.1:8090/x",
            "https://[::1]/x",
            "file:///etc/passwd",
        ] {
            assert_eq!(endpoint(&Services::known(), text), Err(BadSubscription::Endpoint), "{text}");
        }
        let long = format!("https://web.push.apple.com/{}", "x".repeat(ENDPOINT_BYTES_MAX));
        assert_eq!(endpoint(&Services::known(), &long), Err(BadSubscription::Endpoint));
    }

    #[test]
    fn an_operator_may_allow_more() {
        let services =
            Services::with_extra(["push.example".parse().unwrap(), "http://127.0.0.1:8090".parse().unwrap()]);
        assert_eq!(endpoint(&services, "https://push.example/x"), Ok(()));
        assert_eq!(endpoint(&services, "http://127.0.0.1:8090/x"), Ok(()));
        assert_eq!(endpoint(&services, "https://web.push.apple.com/x"), Ok(()));
        assert_eq!(endpoint(&services, "http://127.0.0.1:8091/x"), Err(BadSubscription::Endpoint));
    }

    #[test]
    fn keys_that_nobody_could_decrypt_with_are_refused() {
        let new =
            |key: &str, auth: &str| Subscription::new(&Services::known(), "https://web.push.apple.com/x", key, auth);
        assert!(new(&format!("{KEY}="), &format!("{AUTH}==")).is_ok());
        let off_the_curve = format!("{}A", &KEY[..KEY.len() - 1]);
        let compressed = URL_SAFE_NO_PAD.encode([2; 33]);
        let zero = URL_SAFE_NO_PAD.encode([[4].as_slice(), &[0; 64]].concat());
        for key in ["", "!", &KEY[1..], &off_the_curve, &compressed, &zero] {
            assert_eq!(new(key, AUTH), Err(BadSubscription::PublicKey), "{key}");
        }
        for auth in ["", "!", &AUTH[2..], &format!("{AUTH}AA")] {
            assert_eq!(new(KEY, auth), Err(BadSubscription::Auth), "{auth}");
        }
    }

    #[test]
    fn the_address_of_a_device_is_not_shown() {
        let subscription =
            Subscription::new(&Services::known(), "https://web.push.apple.com/secret", KEY, AUTH).unwrap();
        assert_eq!(format!("{subscription:?}"), "Subscription(https://web.push.apple.com/…)");
    }
}
