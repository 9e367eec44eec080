//! Puts the page together: of the files of `web/`, what is served at each address.
//!
//! `web/` stays a folder of ES modules and style sheets that a browser could load one by one. Eighty requests, each packed
//! by itself, cost half as much again in bytes and several round trips, so `app.js` and all that it imports are sent as
//! one script: each module in a function of its own that returns what it exports, none before those that it names. The
//! address of each member then answers with what the bundle holds, so that a view that is loaded later meets the same
//! instance of it. Style sheets are joined where `@import` names them, and comments are left out.
//!
//! The page and its service worker are told which version they are of, a digest of all that is served: so the page
//! notices another one, and the worker replaces what it has kept.
//!
//! Only the forms of import and export that `web/` uses are understood, one per line; `tests/web` refuses all others, and
//! circles. `build.rs` includes this file for a release; a debug build asks it at each request.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::tight::tight;

/// The page that every address of the client opens.
pub(crate) const PAGE: &str = "index.html";
/// What keeps the page in the browser, for when the server is gone.
const WORKER: &str = "sw.js";
/// Parts of style sheets, which are served as a whole.
const STYLES: &str = "css/";

/// Where the page's script begins, and the bundle's own address.
const ENTRY: &str = "app.js";

/// A module's exported name, and what it is called inside.
type Exports = Vec<(String, String)>;

/// A file's text, if there is such a file.
type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What is served of the page's own text files, by path: put together, and told its version.
pub(crate) fn served(paths: &[String], read: Read) -> BTreeMap<String, String> {
    let mut files = scripts(read);
    for path in paths.iter().filter(|path| is_served(path) && is_of_page(path)) {
        let text = || match path.rsplit('.').next() {
            Some("css") => style(path, read),
            Some("js") => tight(&without_comments(&read(path).unwrap_or_default()).join("\n")),
            _ => read(path).unwrap_or_default(),
        };
        if !path.starts_with("vendor/") {
            files.entry(path.clone()).or_insert_with(text);
        }
    }
    let mut digest = Sha256::new();
    for (path, text) in &files {
        digest.update(path.as_bytes());
        digest.update(text.as_bytes());
    }
    let version: String = digest.finalize()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    let shown = files.keys().filter(|path| *path != WORKER);
    let addresses: Vec<_> = shown.map(|path| if path == PAGE { "/".to_owned() } else { format!("/{path}") }).collect();
    for path in [PAGE, WORKER] {
        if let Some(text) = files.get_mut(path) {
            *text = text.replace("{version}", &version).replace("{files}", &addresses.join(" "));
        }
    }
    files
}

/// Whether a file of `web/` has an address: not what is written there for people who work on it, nor a part of another.
pub(crate) fn is_served(path: &str) -> bool {
    !path.ends_with(".md") && !path.starts_with(STYLES)
}

fn is_of_page(path: &str) -> bool {
    ["html", "js", "css", "svg", "webmanifest"].contains(&path.rsplit('.').next().unwrap_or_default())
}

/// A style sheet with those that it imports in their places.
fn style(path: &str, read: Read) -> String {
    let mut text = String::new();
    for line in without_comments(&read(path).unwrap_or_default()) {
        match line.strip_prefix("@import '").and_then(|rest| rest.strip_suffix("';")) {
            Some(named) => text.push_str(&style(&resolved(path, named), read)),
            None => {
                text.push_str(line.replace(" {", "{").replacen(": ", ":", usize::from(line.ends_with(';'))).as_str());
                // What goes on in the next line needs the space between.
                if !line.ends_with(['{', '}', ';', ',']) {
                    text.push('\n');
                }
            }
        }
    }
    text
}

/// What is served at the addresses of `app.js` and of all that it imports, by path.
fn scripts(read: Read) -> BTreeMap<String, String> {
    let mut bundle = Bundle::default();
    bundle.take(ENTRY, read);
    let mut scripts: BTreeMap<_, _> =
        bundle.members.iter().map(|(path, member)| (path.clone(), script_of(path, &member.exports))).collect();
    let names: Vec<_> = bundle.members.iter().map(|(path, member)| format!("'{path}':{}", member.name)).collect();
    let _ = writeln!(bundle.text, "export const $={{{}}};", names.join(","));
    scripts.insert(ENTRY.to_owned(), bundle.text);
    scripts
}

/// The script at a member's own address.
fn script_of(path: &str, exports: &Exports) -> String {
    let mut text = format!("import {{ $ }} from '/{ENTRY}';\n");
    for (name, _) in exports {
        let kind = if name == "default" { "default" } else { &format!("const {name} =") };
        let _ = writeln!(text, "export {kind} $['{path}'].{name};");
    }
    text
}

/// The script as far as it is written, and what stands in it.
#[derive(Default)]
struct Bundle {
    text: String,
    members: BTreeMap<String, Member>,
}

/// A module of the bundle: what its exports are called from outside, and by what name the others know it.
struct Member {
    name: String,
    exports: Exports,
}

impl Bundle {
    fn take(&mut self, path: &str, read: Read) {
        if self.members.contains_key(path) {
            return;
        }
        let name = format!("m{}", self.members.len());
        self.members.insert(path.to_owned(), Member { name: name.clone(), exports: Vec::new() });
        let source = read(path).unwrap_or_else(|| format!("throw new Error('there is no {path}');"));
        let module = if path.starts_with("vendor/") { vendored(&source) } else { parsed(path, &source) };
        for (_, named) in &module.imports {
            self.take(named, read);
        }
        let mut text = String::new();
        for (what, from) in &module.imports {
            let _ = writeln!(text, "const {what}={};", self.members[from].name);
        }
        text.push_str(&module.body);
        let text = if path.starts_with("vendor/") { text } else { tight(&text) };
        let _ = writeln!(self.text, "const {name}=(()=>{{{text}\nreturn{{{}}}}})();", exported(&module.exports));
        if let Some(member) = self.members.get_mut(path) {
            member.exports = module.exports;
        }
    }
}

/// What a module's function returns.
fn exported(exports: &Exports) -> String {
    let parts =
        exports.iter().map(|(name, inside)| if name == inside { name.clone() } else { format!("{name}:{inside}") });
    parts.collect::<Vec<_>>().join(",")
}

/// A module taken apart.
#[derive(Default)]
struct Module {
    body: String,
    /// The left side of a declaration, and the module that it takes apart.
    imports: Vec<(String, String)>,
    exports: Exports,
}

/// A module of ours, line by line.
fn parsed(path: &str, source: &str) -> Module {
    let mut module = Module::default();
    for line in without_comments(source) {
        if let Some((what, from)) = import(path, &line) {
            module.imports.push((what, from));
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
                    lines.push(without_types(rest));
                }
                break;
            }
        }
    }
    lines
}

/// A line without the types in it: `/** @…` stands in no text of ours.
fn without_types(line: &str) -> String {
    let mut parts = line.split("/** @");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once("*/").map_or("", |(_, after)| after.trim_start()));
    }
    text
}

/// `import … from '…';` as the left side of a declaration, and the module that it names.
fn import(path: &str, line: &str) -> Option<(String, String)> {
    let (what, from) = line.strip_prefix("import ")?.strip_suffix("';")?.split_once(" from '")?;
    let what = match what.strip_prefix("* as ") {
        Some(name) => name.to_owned(),
        None if what.starts_with('{') => what.replace(" as ", ":").replace(' ', ""),
        None => format!("{{default:{what}}}"),
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

    use super::{import, name_of, resolved, scripts, served, without_comments};

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
        assert_eq!(text.matches("const c=1;").count(), 1);
        assert!(place("const m2=(") < place("const m1=(") && place("const m1=(") < place("const m0=("));
        assert!(place("const{c:d}=m2;") > 0 && place("const b=m2;") > 0 && place("return{a}") > 0);
        assert!(text.ends_with("export const $={'app.js':m0,'core/a.js':m1,'core/b.js':m2};\n"));
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
        assert!(text.contains("/*! kept */") && !text.contains("sourceMappingURL") && text.contains("return{h:a,a}"));
        assert!(!made.contains_key("views/x.js"), "what is loaded later is a file as it stands");
    }

    const FILES: &[(&str, &str)] = &[
        ("index.html", "<html data-version=\"{version}\">"),
        ("sw.js", "const KEPT = '{version}', FILES = '{files}';"),
        ("app.js", "import { h } from '/vendor/p.js';\nconst later = () => import('./views/x.js');"),
        ("views/x.js", "export const x = 1;"),
        ("vendor/p.js", "const a=1;export{a as h};"),
        ("vendor/other.js", "alert()"),
        ("vendor/README.md", "# Others"),
        ("style.css", "/* All. */\n@import './css/a.css';\n.b {\n  color: red;\n}"),
        ("css/a.css", ".a {\n  top: 0;\n}"),
    ];

    fn all(files: &'static [(&'static str, &'static str)]) -> BTreeMap<String, String> {
        let paths: Vec<_> = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        served(&paths, &|path| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned()))
    }

    #[test]
    fn page_and_worker_name_one_version_and_the_worker_all_that_the_page_needs() {
        let files = all(FILES);
        let version = files["index.html"].split('"').nth(1).unwrap();
        assert_eq!(version.len(), 24);
        let worker = format!("const KEPT='{version}',FILES='/app.js / /style.css /vendor/p.js /views/x.js';");
        assert_eq!(files["sw.js"], worker);
        let mut other: Vec<_> = FILES.to_vec();
        other[3].1 = "export const x = 2;";
        assert_ne!(all(other.leak())["sw.js"], worker, "another file is another version");
    }

    #[test]
    fn style_sheets_are_joined_in_their_order_and_their_parts_have_no_address() {
        let files = all(FILES);
        assert_eq!(files["style.css"], ".a{top:0;}.b{color:red;}");
        assert!(!files.contains_key("css/a.css") && !files.contains_key("vendor/README.md"));
    }

    #[test]
    fn comments_at_the_beginning_of_a_line_are_left_out_and_nothing_else() {
        let source = "/** What it is. */\n/*\n * more\n */ go();\n  // why\n\nconst url = 'http://x'; // stays\n/** @type {any} */ (box).focus(/** @type {B} */ (b));";
        assert_eq!(without_comments(source), ["go();", "const url = 'http://x'; // stays", "(box).focus((b));"]);
    }

    #[test]
    fn paths_and_names_are_read_as_browsers_read_them() {
        assert_eq!(resolved("views/list.js", "../core/state.js"), "core/state.js");
        assert_eq!(resolved("views/list.js", "./hooks.js"), "views/hooks.js");
        assert_eq!(resolved("app.js", "/vendor/x.js"), "vendor/x.js");
        let (what, from) = import("app.js", "import fr from './i18n/fr.js';").unwrap();
        assert_eq!((what.as_str(), from.as_str()), ("{default:fr}", "i18n/fr.js"));
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
