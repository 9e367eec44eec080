//! White space that says nothing is left out of a script: the space around marks, and lines where no statement ends.
//!
//! Strings, templates and regular expressions stay as they are. Names are not changed: that would take a parser.

/// A script without the white space that it does not need.
pub(super) fn tight(source: &str) -> String {
    let mut scan = Scan { text: String::with_capacity(source.len()), last: '\n', open: Vec::new() };
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        rest = if scan.in_template() {
            scan.template(rest, next)
        } else if next.is_whitespace() {
            scan.space(rest)
        } else {
            scan.code(rest, next)
        };
    }
    scan.text
}

/// What was written, and where in the script it ends.
struct Scan {
    text: String,
    /// The last character that is not white space.
    last: char,
    open: Vec<Open>,
}

/// What is not closed yet, of what matters here.
#[derive(PartialEq)]
enum Open {
    Template,
    /// `${` of a template, with the braces that are open in it.
    Inserted(usize),
}

impl Scan {
    fn in_template(&self) -> bool {
        self.open.last() == Some(&Open::Template)
    }

    fn put<'a>(&mut self, rest: &'a str, length: usize) -> &'a str {
        let (taken, rest) = rest.split_at(length.min(rest.len()));
        self.text.push_str(taken);
        self.last = taken.chars().next_back().unwrap_or(self.last);
        rest
    }

    fn template<'a>(&mut self, rest: &'a str, next: char) -> &'a str {
        match next {
            '\\' => {
                let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                self.put(rest, length)
            }
            '`' => {
                self.open.pop();
                self.put(rest, 1)
            }
            '$' if rest[1..].starts_with('{') => {
                self.open.push(Open::Inserted(0));
                self.put(rest, 2)
            }
            other => self.put(rest, other.len_utf8()),
        }
    }

    fn code<'a>(&mut self, rest: &'a str, next: char) -> &'a str {
        match next {
            '\'' | '"' => {
                let length = closed(rest, next, false);
                self.put(rest, length)
            }
            '/' if self.awaits_value() => {
                let length = closed(rest, '/', true);
                self.put(rest, length)
            }
            '`' => {
                self.open.push(Open::Template);
                self.put(rest, 1)
            }
            '{' => {
                if let Some(Open::Inserted(braces)) = self.open.last_mut() {
                    *braces += 1;
                }
                self.put(rest, 1)
            }
            '}' => {
                match self.open.last_mut() {
                    Some(Open::Inserted(0)) => drop(self.open.pop()),
                    Some(Open::Inserted(braces)) => *braces -= 1,
                    _ => {}
                }
                self.put(rest, 1)
            }
            other => self.put(rest, other.len_utf8()),
        }
    }

    /// Whether a value comes here, and no operator: behind a mark that wants one, or such a word.
    fn awaits_value(&self) -> bool {
        if "(,=:[!&|?{};+<>*%^~\n".contains(self.last) {
            return true;
        }
        let before = self.text.trim_end_matches(is_word);
        BEFORE_VALUES.contains(&&self.text[before.len()..]) && !before.ends_with('.')
    }

    /// White space between two characters: kept as little as they allow.
    fn space<'a>(&mut self, rest: &'a str) -> &'a str {
        let after = rest.trim_start();
        let (space, last) = (&rest[..rest.len() - after.len()], self.last);
        let next = after.chars().next().unwrap_or('\n');
        if space.contains('\n') {
            let goes_on = "{([,;:?&|=+".contains(last) || ")].,?:".contains(next) || self.text.ends_with("=>");
            if !goes_on {
                self.text.push('\n');
            }
        } else if is_word(last) && is_word(next) || last == next && "+-".contains(last) {
            self.text.push(' ');
        }
        after
    }
}

/// Words behind which a value stands, so that `/` begins a regular expression.
const BEFORE_VALUES: [&str; 14] = [
    "await",
    "case",
    "delete",
    "do",
    "else",
    "in",
    "instanceof",
    "new",
    "of",
    "return",
    "throw",
    "typeof",
    "void",
    "yield",
];

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '#')
}

/// The length of a string or regular expression from its first mark to its last.
fn closed(rest: &str, mark: char, is_pattern: bool) -> usize {
    let (mut escaped, mut in_class) = (false, false);
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' if is_pattern => in_class = true,
            ']' if is_pattern => in_class = false,
            c if c == mark && !in_class => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::tight;

    #[test]
    fn space_that_says_nothing_is_left_out() {
        for (source, written) in [
            ("const a = 1;\nconst b = (x, y) => {\n  return x + y;\n};\n", "const a=1;const b=(x,y)=>{return x+y;};"),
            ("a\nb\n", "a\nb\n"),
            ("if (a) b();\nelse c();", "if(a)b();else c();"),
            ("return a\n  .b()\n  .c", "return a.b().c"),
            ("x = a + +b - -c;", "x=a+ +b- -c;"),
            ("typeof a in b", "typeof a in b"),
            ("a = b\n  ? c\n  : d", "a=b?c:d"),
            ("class A {\n  static x = 1;\n  #y = 2;\n  async z() {}\n}", "class A{static x=1;#y=2;async z(){}\n}"),
        ] {
            assert_eq!(tight(source), written);
        }
    }

    #[test]
    fn what_is_said_stays_as_it_is() {
        for text in [
            "'a  b'",
            r"'it\'s  a'",
            r#""a  {  b""#,
            r"/[ /'`]  x\/ {/gu",
            "`a  b`",
            r"`a \` ${b}  c`",
            "`<p>  ${a}  ${`x  ${b}  y`}  </p>`",
        ] {
            assert_eq!(tight(&format!("const x = {text};")), format!("const x={text};"));
        }
        assert_eq!(tight("`${ a ? { b : 1 } : `c  d` }`"), "`${a?{b:1}:`c  d`}`");
        assert_eq!(tight("a = b / c / d; 'é / ü'"), "a=b/c/d;'é / ü'");
    }

    #[test]
    fn a_pattern_is_one_wherever_a_value_stands() {
        for before in ["return ", "typeof ", "case ", "a = (b) =>", "a =", "a ||", "a <", "f(", "x = !"] {
            let written = tight(&format!("{before} /^o=\\S+ (\\S+)/m.exec(b)"));
            assert!(written.ends_with("/^o=\\S+ (\\S+)/m.exec(b)"), "{written}");
        }
        for operator in ["a.in", "a[b]", "a(b)", "returns", "4"] {
            assert_eq!(tight(&format!("{operator} / b / c (d)")), format!("{operator}/b/c(d)"));
        }
    }

    #[test]
    fn unfinished_input_is_no_danger() {
        for text in ["'a", "`a ${", "/a[", "`a\\", "}", "\u{2028}", "a = '\\"] {
            tight(text);
        }
    }
}
