//! Forms with brackets, as Stripe reads them: `line_items[0][price_data][currency]=eur`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Everything but what RFC 3986 leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A tree as a form. Objects and arrays become brackets, `null` is left out, an empty array or object says nothing.
pub fn encode(tree: &Value) -> String {
    let mut form = String::new();
    write(&mut form, "", tree);
    form
}

fn write(form: &mut String, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (key, value) in fields {
                let key = utf8_percent_encode(key, ENCODED).to_string();
                write(form, &if name.is_empty() { key } else { format!("{name}[{key}]") }, value);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                write(form, &format!("{name}[{index}]"), value);
            }
        }
        Value::String(text) => write_pair(form, name, text),
        Value::Bool(_) | Value::Number(_) => write_pair(form, name, &value.to_string()),
    }
}

fn write_pair(form: &mut String, name: &str, value: &str) {
    if !form.is_empty() {
        form.push('&');
    }
    form.push_str(name);
    form.push('=');
    form.extend(utf8_percent_encode(value, ENCODED));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tree_becomes_brackets() {
        let tree = json!({
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": {"currency": "eur", "product_data": {"name": "Facture é & 1=2"}}}],
            "expand": ["payment_intent", "customer"],
            "metadata": {"a[b]": "x y+z", "none": null},
            "empty": [],
            "flag": true,
        });
        assert_eq!(
            encode(&tree),
            "expand[0]=payment_intent&expand[1]=customer&flag=true\
             &line_items[0][price_data][currency]=eur\
             &line_items[0][price_data][product_data][name]=Facture%20%C3%A9%20%26%201%3D2\
             &line_items[0][quantity]=1&metadata[a%5Bb%5D]=x%20y%2Bz&mode=payment"
        );
        assert_eq!(encode(&json!({})), "");
    }
}
