//! Encoding and decoding, as tables; damaged packets err and never panic.

use serde_json::json;

use super::*;
use crate::socketio::args::Placeholder;
use crate::socketio::encoded::Encoded;

fn decode(text: &str) -> Result<Packet, Malformed> {
    Packet::decode(&Text::from(text))
}

fn args(values: &[serde_json::Value]) -> Args {
    let mut args = Args::default();
    values.iter().for_each(|value| args.push(value).expect("plain data"));
    args
}

fn event(name: &str, values: &[serde_json::Value], ack: Option<u64>) -> Body {
    Body::Event { name: name.to_owned(), args: args(values), ack: ack.map(AckId) }
}

fn sent(packet: &Encoded) -> String {
    let frame = packet.frames().next().expect("a header");
    String::from_utf8(frame.bytes().to_vec()).expect("UTF-8").split_off(1)
}

#[test]
fn each_packet_of_a_client_is_read() {
    let rows = [
        ("0", "/", Body::Connect(None), 0),
        ("0/chat,", "/chat", Body::Connect(None), 0),
        ("0/chat", "/chat", Body::Connect(None), 0),
        (r#"0{"token":"x"}"#, "/", Body::Connect(json!({ "token": "x" }).as_object().cloned()), 0),
        (r#"0/chat,{}"#, "/chat", Body::Connect(Some(serde_json::Map::new())), 0),
        ("1", "/", Body::Disconnect, 0),
        ("1/chat,", "/chat", Body::Disconnect, 0),
        (r#"2["a"]"#, "/", event("a", &[], None), 0),
        (r#"2/chat,12["a",1,{"b":[2]}]"#, "/chat", event("a", &[json!(1), json!({ "b": [2] })], Some(12)), 0),
        (r#"20["a"]"#, "/", event("a", &[], Some(0)), 0),
        (r#"29007199254740991["a"]"#, "/", event("a", &[], Some(ACK_ID_MAX)), 0),
        ("2[7]", "/", event("7", &[], None), 0),
        (r#"51-["a"]"#, "/", event("a", &[], None), 1),
        (r#"510-/chat,3["a"]"#, "/chat", event("a", &[], Some(3)), 10),
        ("31[]", "/", Body::Ack { id: AckId(1), args: Args::default() }, 0),
        (r#"3/chat,1["x"]"#, "/chat", Body::Ack { id: AckId(1), args: args(&[json!("x")]) }, 0),
        (r#"62-/chat,1["x"]"#, "/chat", Body::Ack { id: AckId(1), args: args(&[json!("x")]) }, 2),
    ];
    for (text, namespace, body, attachments) in rows {
        let packet = Packet { namespace: namespace.to_owned(), body, attachments };
        assert_eq!(decode(text), Ok(packet), "{text}");
    }
}

#[test]
fn halves_of_surrogate_pairs_in_a_connect_close_nobody() {
    for (sent, read) in [
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""a\udc00\ud83d\ude00\\ud83d""#, "a\u{fffd}\u{1f600}\\ud83d"),
        (r#""\uD83Dx""#, "\u{fffd}x"),
    ] {
        let auth = json!({ "token": read }).as_object().cloned();
        let packet = Packet { namespace: "/chat".to_owned(), body: Body::Connect(auth), attachments: 0 };
        assert_eq!(decode(&format!(r#"0/chat,{{"token":{sent}}}"#)), Ok(packet), "{sent}");
    }
    for text in [r#"0{"a":"\ud83"}"#, r#"0{"a":"\"#, "0{\"a\":\"\\é\"}", r#"0{"a":"\u+123"}"#] {
        assert_eq!(decode(text), Err(Malformed), "{text}");
    }
}

#[test]
fn a_namespace_with_a_long_name_can_be_asked_for_and_nothing_else() {
    let long = format!("/{}", "a".repeat(NAMESPACE_MAX));
    let asked = Packet { namespace: long.clone(), body: Body::Connect(None), attachments: 0 };
    assert_eq!(decode(&format!("0{long},")), Ok(asked));
    assert_eq!(decode(&format!("2{long},[\"a\"]")), Err(Malformed));
}

#[test]
fn anything_else_is_malformed() {
    let long = format!("1/{}", "a".repeat(NAMESPACE_MAX));
    let rows = [
        "",
        "4{}",
        "7",
        "a",
        "é",
        "01",
        "0[]",
        "0null",
        "0\"x\"",
        "0{",
        "0/chat,[]",
        "1{}",
        "11",
        "2",
        "2{}",
        "2[]",
        "2null",
        "2[null]",
        "2[true]",
        "2[[]]",
        "2[{}]",
        "2[1.5]",
        "2[\"a\"",
        "2[\"a\"]]",
        "2[\"a\"],",
        "2a[\"a\"]",
        "2-1[\"a\"]",
        "2/chat[\"a\"]",
        "29007199254740992[\"a\"]",
        "299999999999999999999[\"a\"]",
        "3[]",
        "3a[]",
        "31",
        "31{}",
        "5[\"a\"]",
        "50-[\"a\"]",
        "5-[\"a\"]",
        "51[\"a\"]",
        "51.5-[\"a\"]",
        "5-1-[\"a\"]",
        "51-",
        "51-{}",
        "6[]",
        "61-[]",
        "60-1[]",
        "2[\"connect\"]",
        "2[\"disconnect\",1]",
        "2[\"newListener\"]",
        &long,
    ];
    for text in rows {
        assert_eq!(decode(text), Err(Malformed), "{text}");
    }
}

#[test]
fn nothing_is_read_in_an_auth_that_is_nested_too_deep() {
    let deep = format!(r#"0/chat,{{"token":"x","more":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    assert_eq!(decode(&deep).map(|packet| packet.body), Ok(Body::Connect(Some(serde_json::Map::new()))));
    assert_eq!(decode(&deep[..deep.len() - 1]), Err(Malformed));
}

#[test]
fn packets_are_written_as_clients_expect_them() {
    let mut binary = args(&[json!("x")]);
    binary.push_binary(Bytes::from_static(b"1"));
    let rows = [
        (Encoded::event("/", "a", &json!({ "b": 1 })), r#"2["a",{"b":1}]"#),
        (Encoded::event("/chat", "é\"", &()), r#"2/chat,["é\"",null]"#),
        (Encoded::event_with("/chat", "a", &Args::default()), r#"2/chat,["a"]"#),
        (Encoded::event_with("/", "a", &args(&[json!(1), json!([])])), r#"2["a",1,[]]"#),
        (Encoded::event_with("/chat", "a", &binary), r#"51-/chat,["a","x",{"_placeholder":true,"num":0}]"#),
        (Encoded::event_wanting_ack("/", "a", AckId(7), &Args::default()), r#"27["a"]"#),
        (Encoded::ack("/chat", AckId(0), &json!({ "success": true })), r#"3/chat,0[{"success":true}]"#),
        (Encoded::ack_with("/", AckId(3), &Args::default()), "33[]"),
        (Encoded::ack_with("/", AckId(3), &binary), r#"61-3["x",{"_placeholder":true,"num":0}]"#),
        (Encoded::connect("/chat", "id"), r#"0/chat,{"sid":"id"}"#),
        (Encoded::connect_error("/", "no", None), r#"4{"message":"no"}"#),
        (Encoded::connect_error("/a", "no", Some(&json!([1]))), r#"4/a,{"message":"no","data":[1]}"#),
        (Encoded::disconnect("/"), "1"),
        (Encoded::disconnect("/chat"), "1/chat,"),
    ];
    for (packet, text) in rows {
        assert_eq!(sent(&packet), text);
    }
}

#[test]
fn what_is_encoded_decodes_to_the_same() {
    let values = [json!(null), json!("\u{0}\u{1e}\u{2028}é"), json!(-1.5e-7), json!([{ "a": [] }]), json!("")];
    for namespace in ["/", "/chat", "/a?b=c"] {
        let packet = decode(&sent(&Encoded::event_with(namespace, "n", &args(&values)))).expect("a packet");
        let body = Body::Event { name: "n".to_owned(), args: args(&values), ack: None };
        assert_eq!(packet, Packet { namespace: namespace.to_owned(), body, attachments: 0 });
        let packet = decode(&sent(&Encoded::ack_with(namespace, AckId(5), &args(&values)))).expect("a packet");
        assert_eq!(packet.body, Body::Ack { id: AckId(5), args: args(&values) });
    }
}

#[test]
fn every_prefix_and_flip_decodes_or_errs() {
    let fixtures = [
        r#"0/chat,{"token":"é"}"#,
        r#"2/chat,12["message:send",{"content":"é€"},[1,null]]"#,
        r#"52-/chat,7["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
        r#"61-3[{"_placeholder":true,"num":0}]"#,
    ];
    for fixture in fixtures {
        let bytes = fixture.as_bytes();
        let prefixes = (0..=bytes.len()).map(|end| bytes[..end].to_vec());
        let flips = (0..bytes.len()).flat_map(|at| {
            (1..=255u8).map(move |flip| {
                let mut changed = bytes.to_vec();
                changed[at] ^= flip;
                changed
            })
        });
        for text in prefixes.chain(flips).filter_map(|bytes| String::from_utf8(bytes).ok()) {
            if let Ok(packet) = decode(&text)
                && let Some(args) = packet.args()
            {
                let raw = (0..args.len()).all(|index| args.raw(index).is_some());
                assert!(raw && args.raw(args.len()).is_none(), "{text}");
            }
        }
    }
}

#[test]
fn a_placeholder_is_binary_and_nothing_else() {
    assert_eq!(serde_json::from_str::<Placeholder>(r#"{"num":3,"_placeholder":true}"#).expect("one").num, 3);
    for text in [r#"{"num":3}"#, r#"{"num":3,"_placeholder":false}"#, r#"{"_placeholder":true,"num":-1}"#, "3", "null"]
    {
        assert!(serde_json::from_str::<Placeholder>(text).is_err(), "{text}");
    }
}
