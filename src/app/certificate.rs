//! The server's own certificate, while it serves: read again when the operator says so, and complained about in the log
//! at the start and once a day.

use std::time::{Duration, SystemTime};

use crate::http::certificate::Certificate;
use crate::http::tls::Identity;

/// Between two looks at the certificate.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long reading them may take: a file may lie on another machine, or be none.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// Warns of a certificate that browsers refuse or soon will. Never ends.
pub async fn watch(identity: Identity, names: Vec<String>) {
    loop {
        complain(&identity.certificate(), &names);
        tokio::time::sleep(LOOKED_AT_EVERY).await;
    }
}

/// Reads certificate and key again. Those in use stay where the new ones are no good.
pub async fn reload(identity: Option<&Identity>, names: &[String]) {
    let Some(identity) = identity.cloned() else {
        tracing::info!("asked to read the certificate again: there is none");
        return;
    };
    let read = {
        let identity = identity.clone();
        tokio::time::timeout(READ_WITHIN, tokio::task::spawn_blocking(move || identity.reload())).await
    };
    let Ok(read) = read else {
        tracing::warn!("certificate and key stay as they were: they could not be read in time");
        return;
    };
    match read {
        Ok(Ok(())) => {
            let certificate = identity.certificate();
            tracing::info!(ends = certificate.ends_on(), "certificate and key were read again and are in use");
            complain(&certificate, names);
        }
        Ok(Err(error)) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, cause, "certificate and key stay as they were: the new ones are no good");
        }
        Err(error) => tracing::warn!(%error, "certificate and key stay as they were: they could not be read again"),
    }
}

fn complain(certificate: &Certificate, names: &[String]) {
    for complaint in certificate.complaints(names, SystemTime::now()) {
        tracing::warn!("{complaint}; renew it, then `systemctl reload lexchat` or send SIGHUP");
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_certificate_about_to_end_is_warned_of_once_a_day_until_it_is_renewed() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let install = |days: i64| {
            let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            params.not_after = time::OffsetDateTime::now_utc() + time::Duration::days(days);
            let key = rcgen::KeyPair::generate().unwrap();
            fs::write(place("cert.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
            fs::write(place("key.pem"), key.serialize_pem()).unwrap();
        };
        install(10);
        let identity = Identity::load(&place("cert.pem"), &place("key.pem")).unwrap();
        let log = File::create(place("log")).unwrap();
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.try_clone().unwrap()).finish();
        let _until_dropped = tracing::subscriber::set_default(lines);
        let warnings = || fs::read_to_string(place("log")).unwrap().matches("the certificate ends on").count();
        let watching = tokio::spawn(watch(identity.clone(), vec!["localhost".to_owned()]));
        let hour = Duration::from_secs(60 * 60);
        for expected in 1..=4 {
            tokio::time::sleep(hour).await;
            assert_eq!(warnings(), expected);
            tokio::time::sleep(22 * hour).await;
            assert_eq!(warnings(), expected, "no more than once a day");
            tokio::time::sleep(hour).await;
        }
        install(90);
        reload(Some(&identity), &["localhost".to_owned()]).await;
        let so_far = warnings();
        tokio::time::sleep(72 * hour).await;
        assert_eq!(warnings(), so_far, "nothing is wrong any more");
        watching.abort();
    }
}
