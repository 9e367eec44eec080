//! A Stripe that keeps its own rules: idempotency keys, states of pages, payments and refunds, signed events. It fails when
//! it is told to, before or after a call has had its effect.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use ring::hmac;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::http::{self, Reply};

/// What signs the events.
pub const SECRET: &str = "whsec_first";

/// How the next call fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The connection ends before anything is done.
    Before,
    /// It is done, and the answer is lost.
    After,
    /// `500`, before anything is done.
    Broken,
    /// `429`: later.
    Busy,
}

/// The account.
#[derive(Default)]
pub struct Account {
    pub sessions: BTreeMap<String, Value>,
    pub payments: BTreeMap<String, Value>,
    pub refunds: BTreeMap<String, Value>,
    pub disputes: BTreeMap<String, Value>,
    pub events: Vec<Value>,
    /// Method and path of each call.
    pub calls: Vec<String>,
    pub faults: VecDeque<Fault>,
    /// Refunds are refused with this code.
    pub refuses_refunds: Option<&'static str>,
    /// No call is answered: the key is not that of the account any more.
    pub rejects_the_key: bool,
    /// How many events a page holds; 0: all.
    pub events_of_a_page: usize,
    /// Pages of events behind the first one are not given.
    pub stops_at_the_first_page: bool,
    /// Refunds stay under way.
    pub refunds_are_slow: bool,
    keys: HashMap<String, (String, u16, String)>,
    made: u64,
}

/// The fake.
#[derive(Clone)]
pub struct Stripe {
    pub at: SocketAddr,
    account: Arc<Mutex<Account>>,
}

impl Stripe {
    pub async fn start() -> Stripe {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let stripe = Stripe { at: listener.local_addr().expect("an address"), account: Arc::default() };
        let serving = stripe.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(stream).await });
            }
        });
        stripe
    }

    pub fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().expect("no test panicked in it")
    }

    /// The next calls that change something fail so.
    pub fn fail(&self, faults: &[Fault]) {
        self.account().faults = faults.iter().copied().collect();
    }

    /// Somebody pays on a page; the event of it. `settled`: the money is there.
    pub fn pay(&self, session_id: &str, settled: bool) -> Value {
        let mut account = self.account();
        let id = account.next("pi");
        let mut session = account.sessions[session_id].clone();
        assert_eq!(session["status"], "open", "nobody can pay on {session}");
        let (amount, metadata) = (session["amount_total"].clone(), session["metadata"].clone());
        let kind = if settled { "card" } else { "sepa_debit" };
        let charge = json!({
            "id": account.next("ch"), "object": "charge", "amount_captured": amount, "amount_refunded": 0,
            "disputed": false, "payment_intent": id, "payment_method_details": {"type": kind},
        });
        let payment = json!({
            "id": id, "object": "payment_intent", "status": if settled { "succeeded" } else { "processing" },
            "amount": amount, "amount_received": if settled { amount.clone() } else { json!(0) }, "currency": "eur",
            "metadata": metadata, "latest_charge": charge, "last_payment_error": null, "livemode": true,
        });
        session["status"] = json!("complete");
        session["payment_status"] = json!(if settled { "paid" } else { "unpaid" });
        session["payment_intent"] = payment["id"].clone();
        session["url"] = Value::Null;
        account.payments.insert(id, payment);
        account.sessions.insert(session_id.to_owned(), session.clone());
        account.event("checkout.session.completed", &session)
    }

    /// A debit that was under way arrives, or not; the event of it.
    pub fn settle(&self, session_id: &str, arrives: bool) -> Value {
        let mut account = self.account();
        let mut session = account.sessions[session_id].clone();
        let id = session["payment_intent"].as_str().expect("a payment").to_owned();
        let payment = account.payments.get_mut(&id).expect("a payment");
        payment["status"] = json!(if arrives { "succeeded" } else { "requires_payment_method" });
        if arrives {
            payment["amount_received"] = payment["amount"].clone();
            session["payment_status"] = json!("paid");
        }
        account.sessions.insert(session_id.to_owned(), session.clone());
        let kind = if arrives { "async_payment_succeeded" } else { "async_payment_failed" };
        account.event(&format!("checkout.session.{kind}"), &session)
    }

    /// Somebody gives money back in Stripe's own pages; the event of it.
    pub fn refund_there(&self, payment: &str, cents: i64) -> Value {
        let mut account = self.account();
        let refund = account.refund(payment, cents, &json!({}), "succeeded");
        account.event("refund.created", &refund)
    }

    /// A refund that had gone comes back; the event of it.
    pub fn fail_refund(&self, refund: &str) -> Value {
        let mut account = self.account();
        let row = account.refunds.get_mut(refund).expect("a refund");
        row["status"] = json!("failed");
        row["failure_reason"] = json!("lost_or_stolen_card");
        let row = row.clone();
        account.event("refund.failed", &row)
    }

    /// The payer's bank asks for money back, or says how that ended; the event of it.
    pub fn dispute(&self, payment: &str, cents: i64, status: &str) -> Value {
        let mut account = self.account();
        let dispute = json!({
            "id": format!("dp_of_{payment}"), "object": "dispute", "amount": cents, "status": status,
            "reason": "fraudulent", "payment_intent": payment,
        });
        account.payments.get_mut(payment).expect("a payment")["latest_charge"]["disputed"] = json!(true);
        account.disputes.insert(payment.to_owned(), dispute.clone());
        let kind = if status == "needs_response" { "created" } else { "closed" };
        account.event(&format!("charge.dispute.{kind}"), &dispute)
    }

    /// Tells a server of an event, as Stripe does.
    pub async fn tell(&self, to: SocketAddr, event: &Value) -> Reply {
        self.tell_signed(to, event, SECRET, 0).await
    }

    /// The same with another secret, or so many seconds ago.
    pub async fn tell_signed(&self, to: SocketAddr, event: &Value, secret: &str, ago_s: u64) -> Reply {
        let body = event.to_string();
        let time = jsonwebtoken::get_current_timestamp() - ago_s;
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signature = hmac::sign(&key, format!("{time}.{body}").as_bytes());
        let hex: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let ask = http::ask(to, "POST", "/hooks/stripe").header("Stripe-Signature", &format!("t={time},v1={hex}"));
        ask.body(body.into_bytes()).send().await
    }

    async fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).await.ok()? == 0 {
                    return None;
                }
            }
            let header = |name: &str| {
                head.lines().find_map(|line| {
                    let (there, value) = line.split_once(": ")?;
                    there.eq_ignore_ascii_case(name).then(|| value.to_owned())
                })
            };
            let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().expect("a length"))];
            stream.read_exact(&mut body).await.ok()?;
            let line = head.lines().next()?.trim_end_matches(" HTTP/1.1").to_owned();
            assert_eq!(header("stripe-version").as_deref(), Some("2026-05-27.dahlia"));
            let form = String::from_utf8(body).expect("a form");
            let (status, text) = self.account().answer(&line, &form, header("idempotency-key"))?;
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{text}", text.len());
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
    }
}

impl Account {
    fn next(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}_{}", self.made)
    }

    fn event(&mut self, kind: &str, object: &Value) -> Value {
        let event = json!({
            "id": self.next("evt"), "object": "event", "type": kind, "livemode": true,
            "created": jsonwebtoken::get_current_timestamp(), "data": {"object": object},
        });
        self.events.push(event.clone());
        event
    }

    /// Status and body; `None`: the connection ends.
    fn answer(&mut self, line: &str, form: &str, key: Option<String>) -> Option<(u16, String)> {
        let (method, address) = line.split_once(' ')?;
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        self.calls.push(format!("{method} {path}"));
        if self.rejects_the_key {
            return Some((401, json!({"error": {"type": "invalid_request_error"}}).to_string()));
        }
        if method == "GET" {
            let (status, body) = self.ask(path, &fields(query));
            return Some((status, body.to_string()));
        }
        let key = key.expect("every POST has a key");
        let fault = self.faults.pop_front();
        match fault {
            Some(Fault::Before) => return None,
            Some(Fault::Broken) => return Some((500, json!({"error": {"type": "api_error"}}).to_string())),
            Some(Fault::Busy) => return Some((429, json!({"error": {"type": "invalid_request_error"}}).to_string())),
            Some(Fault::After) | None => {}
        }
        let request = format!("{line}\n{form}");
        let (status, body) = match self.keys.get(&key) {
            Some((before, ..)) if *before != request => {
                let error = json!({"error": {"type": "idempotency_error", "message": "another request"}});
                (400, error.to_string())
            }
            Some((_, status, body)) => (*status, body.clone()),
            None => {
                let (status, body) = self.change(path, &fields(form));
                self.keys.insert(key, (request, status, body.to_string()));
                (status, body.to_string())
            }
        };
        if fault == Some(Fault::After) { None } else { Some((status, body)) }
    }

    fn ask(&self, path: &str, query: &HashMap<String, String>) -> (u16, Value) {
        let parts: Vec<&str> = path.split('/').skip(2).collect();
        match parts[..] {
            ["checkout", "sessions", id] => match self.sessions.get(id) {
                Some(session) => {
                    let mut session = session.clone();
                    if let Some(payment) = session["payment_intent"].as_str() {
                        session["payment_intent"] = self.payments[payment].clone();
                    }
                    (200, session)
                }
                None => missing(),
            },
            ["refunds", id] => self.refunds.get(id).map_or_else(missing, |refund| (200, refund.clone())),
            ["refunds"] => {
                let of = &query["payment_intent"];
                let all: Vec<&Value> = self.refunds.values().filter(|it| it["payment_intent"] == of.as_str()).collect();
                (200, json!({"object": "list", "data": all, "has_more": false}))
            }
            ["disputes"] => {
                let of: Vec<&Value> = self.disputes.get(&query["payment_intent"]).into_iter().collect();
                (200, json!({"object": "list", "data": of, "has_more": false}))
            }
            ["events"] => self.page_of_events(query),
            _ => missing(),
        }
    }

    /// The newest first.
    fn page_of_events(&self, query: &HashMap<String, String>) -> (u16, Value) {
        let after = query.get("starting_after");
        if self.stops_at_the_first_page && after.is_some() {
            return (500, json!({"error": {"type": "api_error"}}));
        }
        let since: i64 = query["created[gte]"].parse().expect("a time");
        let known = self.events.iter().rev().filter(|event| event["created"].as_i64() >= Some(since));
        let mut rest = known.skip_while(|event| after.is_some_and(|after| event["id"] != after.as_str())).peekable();
        rest.next_if(|_| after.is_some());
        let size = if self.events_of_a_page == 0 { usize::MAX } else { self.events_of_a_page };
        let page: Vec<&Value> = rest.by_ref().take(size).collect();
        (200, json!({"object": "list", "data": page, "has_more": rest.peek().is_some()}))
    }

    fn change(&mut self, path: &str, form: &HashMap<String, String>) -> (u16, Value) {
        let parts: Vec<&str> = path.split('/').skip(2).collect();
        match parts[..] {
            ["checkout", "sessions"] => {
                let id = self.next("cs");
                let amount: i64 = form["line_items[0][price_data][unit_amount]"].parse().expect("an amount");
                assert!(!form.values().any(|value| value.contains("Consultation")), "the case stays here: {form:?}");
                let metadata: BTreeMap<&str, &String> =
                    ["history", "reference"].iter().map(|name| (*name, &form[&format!("metadata[{name}]")])).collect();
                let session = json!({
                    "id": id, "object": "checkout.session", "status": "open", "payment_status": "unpaid",
                    "url": format!("https://checkout.stripe.example/{id}"), "amount_total": amount, "currency": "eur",
                    "client_reference_id": form["client_reference_id"], "metadata": metadata, "payment_intent": null,
                    "expires_at": form["expires_at"].parse::<i64>().expect("a time"), "livemode": true,
                });
                self.sessions.insert(id, session.clone());
                (200, session)
            }
            ["checkout", "sessions", id, "expire"] => {
                let Some(session) = self.sessions.get_mut(id) else { return missing() };
                if session["status"] != "open" {
                    return (400, json!({"error": {"type": "invalid_request_error", "message": "not open"}}));
                }
                session["status"] = json!("expired");
                session["url"] = Value::Null;
                (200, session.clone())
            }
            ["refunds"] => {
                if let Some(code) = self.refuses_refunds {
                    return (400, json!({"error": {"type": "invalid_request_error", "code": code}}));
                }
                let metadata = json!({
                    "history": form["metadata[history]"], "refund": form["metadata[refund]"],
                });
                let status = if self.refunds_are_slow { "pending" } else { "succeeded" };
                let cents = form["amount"].parse().expect("an amount");
                let refund = self.refund(&form["payment_intent"].clone(), cents, &metadata, status);
                self.event("refund.created", &refund);
                (200, refund)
            }
            _ => missing(),
        }
    }

    fn refund(&mut self, payment: &str, cents: i64, metadata: &Value, status: &str) -> Value {
        let id = self.next("re");
        let held = self.payments[payment]["amount_received"].as_i64().expect("an amount");
        let gone: i64 = self.refunds.values().filter(|it| it["payment_intent"] == payment).map(cents_of).sum();
        assert!(gone + cents <= held, "more is given back than came");
        let payment_row = self.payments.get_mut(payment).expect("a payment");
        payment_row["latest_charge"]["amount_refunded"] = json!(gone + cents);
        let refund = json!({
            "id": id, "object": "refund", "status": status, "amount": cents, "currency": "eur",
            "payment_intent": payment, "failure_reason": null, "metadata": metadata,
        });
        self.refunds.insert(id, refund.clone());
        refund
    }
}

fn cents_of(refund: &Value) -> i64 {
    if refund["status"] == "failed" { 0 } else { refund["amount"].as_i64().expect("an amount") }
}

fn missing() -> (u16, Value) {
    (404, json!({"error": {"type": "invalid_request_error", "code": "resource_missing"}}))
}

/// The fields of a form, by their names with brackets.
fn fields(form: &str) -> HashMap<String, String> {
    let plain = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8().expect("UTF-8").into_owned()
    };
    form.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (plain(name), plain(value))).collect()
}
