//! The modules that the page needs at once, written as one script without its comments.
//!
//! `web/` stays a folder of ES modules that a browser could load one by one. Forty requests, each packed by itself, cost
//! half as much again in bytes and several round trips, so `app.js` and all that it imports are sent as one: each module in
//! a function of its own that returns what it exports, none before those that it names. The address of each member then
//! answers with what the bundle holds, so that a view that is loaded later meets the same instance of it.
//!
//! Only the forms of import and export that `web/` uses are understood, one per line; `tests/web` refuses all others, and
//! circles.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Where the page's script begins, and the bundle's own address.
const ENTRY: &str = "app.js";

/// A module's exported name, and what it is called inside.
type Exports = Vec<(String, String)>;

/// What is served at the addresses of `app.js` and of all that it imports, by path.
pub(super) fn scripts(read: &dyn Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let mut bundle = Bundle { text: String::from("export const $ = {};\n"), members: BTreeMap::new() };
    bundle.take(ENTRY, read);
    let mut scripts: BTreeMap<_, _> =
        bundle.members.iter().map(|(path, exports)| (path.clone(), member(path, exports))).collect();
    scripts.insert(ENTRY.to_owned(), bundle.text);
    scripts
}

/// The script at a member's own address.
fn member(path: &str, exports: &Exports) -> String {
    let mut text = format!("import {{ $ }} from '/{ENTRY}';\n");
    for (name, _) in exports {
        let kind = if name == "default" { "default" } else { &format!("const {name} =") };
        let _ = writeln!(text, "export {kind} $['{path}'].{name};");
    }
    text
}

/// The script as far as it is written, and what its members export.
struct Bundle {
    text: String,
    members: BTreeMap<String, Exports>,
}

impl Bundle {
    fn take(&mut self, path: &str, read: &dyn Fn(&str) -> Option<String>) {
        if self.members.contains_key(path) {
            return;
        }
        self.members.insert(path.to_owned(), Vec::new());
        let source = read(path).unwrap_or_else(|| format!("throw new Error('there is no {path}');"));
        let module = if path.starts_with("vendor/") { vendored(&source) } else { parsed(path, &source) };
        for named in &module.imports {
            self.take(named, read);
        }
        let _ = writeln!(self.text, "$['{path}'] = (() => {{\n{}return {{", module.body);
        for (name, inside) in &module.exports {
            let _ = writeln!(self.text, "{name}: {inside},");
        }
        self.text.push_str("};\n})();\n");
        self.members.insert(path.to_owned(), module.exports);
    }
}

/// A module taken apart.
#[derive(Default)]
struct Module {
    body: String,
    imports: Vec<String>,
    exports: Exports,
}

/// A module of ours, line by line.
fn parsed(path: &str, source: &str) -> Module {
    let mut module = Module::default();
    for line in without_comments(source) {
        if let Some((what, from)) = import(path, &line) {
            let _ = writeln!(module.body, "const {what} = $['{from}'];");
            module.imports.push(from);
        } else if let Some(value) = line.strip_prefix("export default ") {
            let _ = writeln!(module.body, "const $default = {value}");
            module.exports.push(("default".into(), "$default".into()));
        } else if let Some(declared) = line.strip_prefix("export ") {
            let name = name_of(declared).to_owned();
            let _ = writeln!(module.body, "{}", with_absolute_imports(path, declared));
            module.exports.push((name.clone(), name));
        } else {
            let _ = writeln!(module.body, "{}", with_absolute_imports(path, &line));
        }
    }
    module
}

/// A module that others have built: one `export{…}` at its end.
fn vendored(source: &str) -> Module {
    let Some((body, tail)) = source.rsplit_once("export{") else { return Module::default() };
    let names = tail.split('}').next().unwrap_or_default();
    let exports = names
        .split(',')
        .map(|item| {
            let (inside, name) = item.split_once(" as ").unwrap_or((item, item));
            (name.trim().to_owned(), inside.trim().to_owned())
        })
        .collect();
    Module { body: format!("{body}\n"), imports: Vec::new(), exports }
}

/// The lines that say something. Only comments at the beginning of a line are looked for: there no text can be meant.
fn without_comments(source: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut inside = false;
    for line in source.lines() {
        let mut rest = line.trim();
        loop {
            if inside {
                let Some((_, after)) = rest.split_once("*/") else { break };
                rest = after.trim_start();
                inside = false;
            } else if rest.starts_with("/*") {
                rest = &rest[2..];
                inside = true;
            } else {
                if !rest.is_empty() && !rest.starts_with("//") {
                    lines.push(rest.to_owned());
                }
                break;
            }
        }
    }
    lines
}

/// `import … from '…';` as the left side of a declaration, and the module that it names.
fn import(path: &str, line: &str) -> Option<(String, String)> {
    let (what, from) = line.strip_prefix("import ")?.strip_suffix("';")?.split_once(" from '")?;
    let what = match what.strip_prefix("* as ") {
        Some(name) => name.to_owned(),
        None if what.starts_with('{') => what.replace(" as ", ": "),
        None => format!("{{ default: {what} }}"),
    };
    Some((what, resolved(path, from)))
}

/// Modules that are loaded later are named from the bundle's address, which is not that of the module.
fn with_absolute_imports(path: &str, line: &str) -> String {
    let mut parts = line.split("import('");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (named, after) = part.split_once('\'').unwrap_or((part, ""));
        let _ = write!(text, "import('/{}'{after}", resolved(path, named));
    }
    text
}

/// The path under `web/` of what a module names.
fn resolved(path: &str, named: &str) -> String {
    if let Some(absolute) = named.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in named.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The name in `async function name(`, `class Name extends`, `const name =`.
fn name_of(declared: &str) -> &str {
    let mut words = declared.split(' ').filter(|word| !matches!(*word, "async" | "function" | "class" | "const"));
    let word = words.next().unwrap_or_default();
    word.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{import, name_of, resolved, scripts, without_comments};

    fn made(files: &'static [(&'static str, &'static str)]) -> BTreeMap<String, String> {
        scripts(&|path| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned()))
    }

    #[test]
    fn each_module_stands_once_and_behind_what_it_names() {
        let made = made(&[
            ("app.js", "import { a } from './core/a.js';\nimport * as b from './core/b.js';\na(b);"),
            ("core/a.js", "import { c as d } from './b.js';\nexport function a() { return d; }"),
            ("core/b.js", "export const c = 1;\nconst later = () => import('../views/x.js');"),
        ]);
        let text = &made["app.js"];
        let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} in {text}"));
        assert_eq!(text.matches("$['core/b.js'] =").count(), 1);
        assert!(
            place("$['core/b.js'] =") < place("$['core/a.js'] =") && place("$['core/a.js'] =") < place("$['app.js'] =")
        );
        assert!(place("const { c: d } = $['core/b.js'];") > 0 && place("const b = $['core/b.js'];") > 0);
        assert!(place("import('/views/x.js')") > 0);
    }

    #[test]
    fn the_address_of_a_member_answers_with_what_the_bundle_holds() {
        let made = made(&[
            ("app.js", "import fr from './fr.js';\nimport { h } from '/vendor/p.js';"),
            ("fr.js", "export default {\n};\nexport class Words extends Map {}"),
            ("vendor/p.js", "/*! kept */const a=1;export{a as h,a};\n//# sourceMappingURL=p.map"),
        ]);
        let fr = &made["fr.js"];
        assert!(
            fr.contains("export default $['fr.js'].default;") && fr.contains("export const Words = $['fr.js'].Words;")
        );
        assert!(made["vendor/p.js"].contains("export const h ="));
        let text = &made["app.js"];
        assert!(text.contains("/*! kept */") && !text.contains("sourceMappingURL") && text.contains("h: a,"));
        assert!(!made.contains_key("views/x.js"), "what is loaded later is a file as it stands");
    }

    #[test]
    fn comments_at_the_beginning_of_a_line_are_left_out_and_nothing_else() {
        let source = "/** What it is. */\n/*\n * more\n */ go();\n  // why\n\nconst url = 'http://x'; // stays\n/** @type {any} */ (box).focus();";
        assert_eq!(without_comments(source), ["go();", "const url = 'http://x'; // stays", "(box).focus();"]);
    }

    #[test]
    fn paths_and_names_are_read_as_browsers_read_them() {
        assert_eq!(resolved("views/list.js", "../core/state.js"), "core/state.js");
        assert_eq!(resolved("views/list.js", "./hooks.js"), "views/hooks.js");
        assert_eq!(resolved("app.js", "/vendor/x.js"), "vendor/x.js");
        let (what, from) = import("app.js", "import fr from './i18n/fr.js';").unwrap();
        assert_eq!((what.as_str(), from.as_str()), ("{ default: fr }", "i18n/fr.js"));
        for (declared, name) in [
            ("async function go(x) {", "go"),
            ("class Box extends A {", "Box"),
            ("const A_B = 1;", "A_B"),
            ("function t() {", "t"),
        ] {
            assert_eq!(name_of(declared), name);
        }
    }
}
